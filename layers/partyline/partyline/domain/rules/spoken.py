"""The sentences that a called person hears before being joined: placeholders become words.

`{caller}` is the caller's name, or else the last four digits of the caller's number. `{brief}` is
the reason of the call in quotation marks, and `{metadata.KEY}` a value of the conversation's
metadata. A brief that the sentence does not place is spoken before the sentence.
"""

import re
from datetime import timedelta
from typing import Any

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import Plan, Words
from partyline.domain.model.timeouts import WORDS_END_GRACE, WORDS_PER_CHARACTER
from partyline.domain.names import plain_text, quoted

PLACEHOLDER = re.compile(r"\{(caller|brief|metadata\.[^{}]{1,128})\}")
"""Replaced in a single pass: a placeholder within a value is text."""

MAX_SPOKEN_CHARS = 3000
"""The longest text that Telnyx speaks (Telnyx API: gather_using_speak and speak, payload)."""

MAX_VALUE_CHARS = 502
"""The longest value of a placeholder: a brief with its quotation marks."""

SHOWN_DIGITS, LEAST_DIGITS = 4, 7

NO_NUMBER = "a caller without a number"


def render_spoken(conversation: Conversation, person: Participant, plan: Plan, say: str) -> str:
    """Return a sentence for a person who is called by a plan, with the brief of the plan.

    A brief that the sentence does not place comes first. See `fill`.
    """
    if plan.brief and "{brief}" not in say:
        say = f"{{brief}} {say}"
    return fill(conversation, person, plan, say)


def fill(conversation: Conversation, person: Participant, plan: Plan, say: str) -> str:
    """Return a sentence for a person who is called by a plan, with its placeholders filled.

    The text is at most `MAX_SPOKEN_CHARS` long: values are cut, so that the end of the sentence,
    which names the digit as a rule, is spoken.
    """
    values = {
        "caller": _caller(conversation, person),
        "brief": quoted(plain_text(plan.brief)) if plan.brief else "",
    }
    values |= {f"metadata.{key}": _text(value) for key, value in conversation.metadata.items()}
    placeholders = PLACEHOLDER.findall(say)
    room = MAX_SPOKEN_CHARS - len(PLACEHOLDER.sub("", say))
    longest = min(MAX_VALUE_CHARS, max(0, room) // max(1, len(placeholders)))
    text = PLACEHOLDER.sub(lambda found: values.get(found[1], "")[:longest], say)
    return text[:MAX_SPOKEN_CHARS]


def speaking_time(text: str) -> timedelta:
    """Return how long a voice takes for a text, at the most."""
    return len(text) * WORDS_PER_CHARACTER


def longest_time_of(words: Words) -> timedelta:
    """Return the time after which a sentence has ended, also if no webhook says so."""
    return speaking_time(words.say) + WORDS_END_GRACE


def _caller(conversation: Conversation, person: Participant) -> str:
    """Name the caller without the whole number. For the host, the caller is our number."""
    host = conversation.host
    if person.host:
        return _number_in_words(person.plan.from_ if person.plan else None)
    if host.name:
        return plain_text(host.name)
    leg = host.active_leg or (host.legs[0] if host.legs else None)
    if leg is None:
        return NO_NUMBER
    return _number_in_words(leg.to if host.plan else leg.from_)


def _number_in_words(number: str | None) -> str:
    """Return the last four digits, spaced: a voice then reads digit by digit."""
    digits = "" if not number or "@" in number else re.sub(r"\D", "", number.partition(",")[0])
    if len(digits) < LEAST_DIGITS:
        return NO_NUMBER
    return f"a number ending in {' '.join(digits[-SHOWN_DIGITS:])}"


def _text(value: Any) -> str:
    return plain_text(str(value)) if isinstance(value, str | int | float) else ""
