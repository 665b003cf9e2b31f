"""The findings of `doctor`: each is a sentence with a verdict."""

from dataclasses import dataclass
from typing import Literal

LIMITS = (
    "A new account may have 2 calls at once, 10 after account level 2: a host and one guest fit, "
    "the next call is refused (403, channel limit exceeded).",
    "An unverified (paid) account may make 10 calls out an hour and 100 a day, and machine voices, "
    "the assistant's too, begin with a spoken notice of Telnyx's: verify the account.",
    "Calls out: 30 a second, judged over 5 seconds; beyond it Telnyx answers 429.",
)
"""The limits of a new account, as Telnyx documents the limits."""


@dataclass(frozen=True)
class Finding:
    """A finding: `ok`, `wrong` with a remedy, `note` without need for action, or `untried`.

    An `untried` check was not possible: `subject` names the check, the sentence says how to do it.
    """

    verdict: Literal["ok", "wrong", "untried", "note"]
    sentence: str
    subject: str = ""


def ok(sentence: str) -> Finding:
    """A check passed."""
    return Finding("ok", sentence)


def wrong(sentence: str) -> Finding:
    """A check failed; the sentence names a remedy."""
    return Finding("wrong", sentence)


def check(condition: object, passed: str, failed: str) -> Finding:
    """Return `ok` with the first sentence if the condition is true, else `wrong` with the other."""
    return ok(passed) if condition else wrong(failed)


def untried(subject: str, sentence: str) -> Finding:
    """A check was not possible."""
    return Finding("untried", sentence, subject)


def note(sentence: str) -> Finding:
    """A fact that the user should know."""
    return Finding("note", sentence)
