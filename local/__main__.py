"""`partyline`: the command line of Partyline."""

from local.cli.app import app

if __name__ == "__main__":
    app(prog_name="partyline")
