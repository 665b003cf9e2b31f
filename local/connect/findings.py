"""What `doctor` finds: a sentence each."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """`ok`, `wrong` with what to do about it, or a `note` that needs no doing.

    `untried` is what could not be looked at: `what` names it, the sentence says how it can be.
    """

    verdict: Literal["ok", "wrong", "untried", "note"]
    sentence: str
    subject: str = ""


def ok(sentence: str) -> Finding:
    """All is well with something."""
    return Finding("ok", sentence)


def wrong(sentence: str) -> Finding:
    """Something is to be done."""
    return Finding("wrong", sentence)


def untried(what: str, sentence: str) -> Finding:
    """Something may be wrong, and nobody has looked."""
    return Finding("untried", sentence, what)


def note(sentence: str) -> Finding:
    """Something to know."""
    return Finding("note", sentence)
