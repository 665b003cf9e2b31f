"""The state diagrams of docs/architecture.md, drawn from the domain's own tables.

`python -m local.docs.diagrams` prints them, `--write docs/architecture.md` puts them into a page,
between the lines `<!-- diagrams -->` and `<!-- /diagrams -->`.
"""

import argparse
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from partyline.domain.model.statuses import CONVERSATION_MOVES, LEG_MOVES, PARTICIPANT_MOVES

BEGIN, END = "<!-- diagrams -->\n", "<!-- /diagrams -->"

Status = TypeVar("Status", bound=StrEnum)
Moves = Mapping[Status, frozenset[Status]]


def render() -> str:
    """The diagrams of conversation, participant and leg, as Mermaid in Markdown."""
    return "\n".join(
        (
            _diagram("A conversation", CONVERSATION_MOVES),
            _diagram("A participant", PARTICIPANT_MOVES),
            _diagram("A leg", LEG_MOVES),
        )
    )


def _diagram(title: str, moves: Moves[Status]) -> str:
    lines = "\n".join(f"    {line}" for line in _lines(moves))
    return f"{title}:\n\n```mermaid\nstateDiagram-v2\n{lines}\n```\n"


def _lines(moves: Moves[Status]) -> Iterator[str]:
    yield f"[*] --> {next(iter(moves))}"
    for status, after in moves.items():
        # In the table's order: a set has none, and the same table gives the same diagram.
        yield from (f"{status} --> {each}" for each in moves if each in after)
        if not after:
            yield f"{status} --> [*]"


def written(page: str) -> str:
    """A page with its diagrams drawn anew. Raises ValueError when it lacks the two markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"There is no {BEGIN.strip()} with an {END} after it.")
    return f"{before}{begin}\n{render()}\n{end}{after}"


def main() -> None:
    """Print the diagrams, or write them into a page."""
    parser = argparse.ArgumentParser(description="Draw the state diagrams of the domain.")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="the page to put them into")
    page: Path | None = parser.parse_args().write
    if page is None:
        print(render())
    else:
        page.write_text(written(page.read_text()))


if __name__ == "__main__":
    main()
