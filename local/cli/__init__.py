"""The commands of `partyline`, on typer. Commands import heavy modules when they run."""
