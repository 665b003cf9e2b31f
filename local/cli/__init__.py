"""The commands of `partyline`, on typer. Commands import heavy modules in their functions."""
