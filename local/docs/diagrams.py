"""Draw the state diagrams of docs/architecture.md from the domain's tables.

`python -m local.docs.diagrams` writes the diagrams between the lines `<!-- diagrams -->` and
`<!-- /diagrams -->`.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from partyline.domain.model.statuses import CONVERSATION_MOVES, LEG_MOVES, PARTICIPANT_MOVES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
BEGIN, END = "<!-- diagrams -->\n", "<!-- /diagrams -->"

Status = TypeVar("Status", bound=StrEnum)
Moves = Mapping[Status, frozenset[Status]]


def render() -> str:
    """Return the diagrams of conversation, participant and leg, as Mermaid in Markdown."""
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
        # In the table's order: a set has no order, and a table must always give the same diagram.
        yield from (f"{status} --> {target}" for target in moves if target in after)
        if not after:
            yield f"{status} --> [*]"


def updated(page: str) -> str:
    """Return the page with new diagrams. Raises ValueError for a page without the two markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"There is no {BEGIN.strip()} with an {END} after it.")
    return f"{before}{begin}\n{render()}\n{end}{after}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(updated(PAGE.read_text()))


if __name__ == "__main__":
    main()
