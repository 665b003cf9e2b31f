"""What `doctor` finds: a sentence each."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """`ok`, `wrong` with what to do about it, or a `note` that needs no doing."""

    verdict: Literal["ok", "wrong", "note"]
    sentence: str


def ok(sentence: str) -> Finding:
    """All is well with something."""
    return Finding("ok", sentence)


def wrong(sentence: str) -> Finding:
    """Something is to be done."""
    return Finding("wrong", sentence)


def note(sentence: str) -> Finding:
    """Something to know."""
    return Finding("note", sentence)
