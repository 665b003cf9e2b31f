"""Write docs/telnyx.md: the list of unknown facts, from local/simulator/unknowns.

`python -m local.docs.unknowns` writes the page.
"""

from pathlib import Path

from local.simulator.unknowns import GROUPS, PLAYED, UNKNOWNS, Unknown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "telnyx.md"

INTRODUCTION = """\
# Unknown facts about Telnyx and AWS

<!-- Written by `python -m local.docs.unknowns` from local/simulator/unknowns. -->

Partyline has never run against a real account. This page lists each fact that Partyline cannot be
sure of: the possible answers, Partyline's behaviour under each answer, and the evidence by which a
live test tells the answers apart; `partyline live-test` asks Telnyx ([live-test.md](live-test.md)).
**Bold** is the answer that the simulator plays by default. The
simulator can play each answer, except those about the deployment; `make unknowns` runs the calls
under all pairs of answers.

- *documented*: Telnyx or AWS describes the fact, and no live call has confirmed the description.
- *conflicting*: two official sources differ.
- *observed*: other users of Telnyx have published the fact from live calls.
- *unknown*: no source was found.
"""


def render() -> str:
    """Return the page."""
    answers = sum(len(unknown.answers) for unknown in PLAYED.values())
    parts = [
        INTRODUCTION,
        f"{len(UNKNOWNS)} unknowns; the simulator plays {answers} answers to {len(PLAYED)}.\n",
    ]
    for group, unknowns in GROUPS.items():
        parts.append(f"## {group}\n")
        parts += [_section(unknown) for unknown in unknowns]
    return "\n".join(parts)


def _section(unknown: Unknown) -> str:
    rows = [
        f"| {_name(unknown, answer.id)} | {answer.meaning} | {answer.effect} |"
        for answer in unknown.answers
    ]
    lines = [
        f"### {unknown.id}",
        "",
        f"{unknown.question} *{unknown.confidence}*",
        "",
        "| answer | meaning | Partyline |",
        "|---|---|---|",
        *rows,
        "",
        f"Evidence: {unknown.evidence}",
        "",
        f"Sources: {', '.join(_source(source) for source in unknown.sources)}",
        "",
    ]
    return "\n".join(lines)


def _name(unknown: Unknown, answer_id: str) -> str:
    return f"**{answer_id}**" if answer_id == unknown.assumed else answer_id


def _source(source: str) -> str:
    if source.startswith("decision "):
        return f"[{source}](decisions.md)"
    return f"<{source}>" if source.startswith("https://") else source


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
