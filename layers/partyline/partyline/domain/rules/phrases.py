"""Phrases: the messages that tell the assistant about participants. Users can replace each phrase.

A conversation's `words` replace the defaults, key by key. `{name}` is the person's name in
quotation marks, `{reason}` the phrase for a failed try. In `goes_on`, the briefing of a restarted
assistant, `{name}` is the names of the people who have left and `{reason}` those on the line. An
empty text suppresses a message.

Telnyx puts a notice of its own into the conversation when a participant leaves (Telnyx API:
call.conversation.ended, the role of a message). An empty `guest_left` leaves the guests to that
notice; without a `guest_left` of the conversation, `left` tells of guests too.
"""

import re

from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import Outcome
from partyline.domain.names import quoted

UNNAMED_GUEST = "The invited person"
UNNAMED_HOST = "The first person on the line"

PLACEHOLDER = re.compile(r"\{(name|reason)\}")
"""Replaced in a single pass: a placeholder within a value is text."""

DEFAULTS: dict[str, str] = {
    "joined": "{name} has joined the conversation.",
    "joined_machine": "The answering machine of {name} has joined the conversation.",
    "handed_over": "{name} is on the line and takes over.",
    "late_machine": "{name} is not there in person: an answering machine is on the line.",
    "left": "{name} has left the conversation.",
    "guest_left": "{name} has left the conversation.",
    "goes_on": "The conversation goes on without {name}. On the line: {reason}.",
    "silent": "From now on, listen and say nothing. Skip your turn, unless a person addresses you.",
    "speaking": "You take part in the conversation again.",
    "back": "You were away and take part again. On the line: {reason}.",
    "not_away": "You were to leave the people to each other, but they could not be connected. You "
    "take part again. On the line: {reason}. Tell them.",
    "back_greeting": "I am back with you.",
    "trying_next": "{reason} The next number is being tried.",
    "trying_again": "{reason} Another try follows in a while.",
    "exhausted": "{reason} There is no other number to try.",
    "deadline": "{name} could not be reached in time.",
    Outcome.MACHINE: "{name} could not be reached: an answering machine picked up.",
    Outcome.SCREENED: "{name} could not be reached: the phone screens calls, and nobody took the"
    " call.",
    Outcome.VOICEMAIL_LEFT: "{name} could not be reached: a message was left on the answering"
    " machine.",
    Outcome.DECLINED: "{name} was reached but declined to join the conversation.",
    Outcome.BUSY: "{name} could not be reached: the line is busy.",
    Outcome.NO_ANSWER: "{name} did not answer the call.",
    Outcome.REJECTED: "{name} could not be reached: the call was rejected.",
    Outcome.UNREACHABLE: "{name} could not be reached: the number is not available.",
    Outcome.CANCELLED: "The call to {name} was cancelled.",
    Outcome.LIMITED: "{name} could not be called: the limit of calls is reached.",
    "destination_not_allowed": "{name} cannot be called from this line.",
    "dialing_off": "{name} could not be called: calls are switched off at the moment.",
    "key_revoked": "{name} could not be called: the permission for the call has ended.",
    "own_line": "{name} cannot be called: the number is a line of this service.",
    "quiet_hours": "{name} may not be called at this hour of the day.",
    "do_not_call": "{name} may not be called: the number is on the do-not-call list.",
    Outcome.ERROR: "{name} could not be brought into the conversation: a technical error.",
}

PROGRESS = frozenset(
    {
        *("joined", "joined_machine", "handed_over", "left", "goes_on"),
        *("trying_next", "trying_again"),
    }
)
"""The phrases that the assistant says at its next turn. Every other phrase ends an invitation: a
person waits for the news, so the assistant says the news at once."""


def spoken_name(participant: Participant) -> str:
    """Return the name by which messages to the assistant call a participant, in quotation marks."""
    if participant.name is not None:
        return quoted(participant.name)
    return UNNAMED_HOST if participant.host else UNNAMED_GUEST


def render(phrases: dict[str, str], key: str, *, name: str, reason: str = "") -> str:
    """Render the phrase `key`: the conversation's own in `phrases`, or else the default."""
    values = {"name": name, "reason": reason}
    phrase = phrases.get(key, DEFAULTS[key])
    return PLACEHOLDER.sub(lambda placeholder: values[placeholder[1]], phrase)


def phrase_key(participant: Participant, key: str | None = None) -> str:
    """Return `key`, by default the outcome; `limited` by a dial rule has the rule's own phrase."""
    key = key or participant.outcome or Outcome.ERROR
    rule = participant.legs[-1].rule if participant.legs else None
    return rule if rule in DEFAULTS and key == Outcome.LIMITED else key
