"""`partyline`: the command line. Each command's own words are in `partyline <command> --help`."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from local.cli import commands

WIDTH = 110
"""Columns where no terminal says how wide it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; answers its exit status."""
    parser = argparse.ArgumentParser(prog="partyline", description=__doc__)
    commands.add(parser)
    given = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    status: int = given.run(console, given)
    return status


if __name__ == "__main__":
    sys.exit(main())
