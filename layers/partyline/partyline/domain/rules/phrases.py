"""What the assistant is told of the people around it, in words that a user can change.

A conversation's own `words` replace these, sentence by sentence. `{name}` is the person's name,
`{reason}` the sentence for why somebody else is tried. In `goes_on`, what an assistant that is
started anew hears first, they are the names of who has left and of who is on the line. Of what an
empty sentence stands for, the assistant is told nothing.
"""

from partyline.domain.model.conversation import Participant
from partyline.domain.model.statuses import Outcome

UNNAMED_GUEST = "The invited person"
UNNAMED_HOST = "The first person on the line"

DEFAULTS: dict[str, str] = {
    "joined": "{name} has joined the conversation.",
    "joined_machine": "The answering machine of {name} has joined the conversation.",
    "left": "{name} has left the conversation.",
    "goes_on": "The conversation goes on without {name}. On the line: {reason}.",
    "trying_next": "{reason} The next number is being tried.",
    "trying_again": "{reason} Another try follows in a while.",
    "exhausted": "{reason} There is no other number to try.",
    "deadline": "{name} could not be reached in time.",
    Outcome.MACHINE: "{name} could not be reached: an answering machine picked up.",
    Outcome.DECLINED: "{name} was reached but declined to join the conversation.",
    Outcome.BUSY: "{name} could not be reached: the line is busy.",
    Outcome.NO_ANSWER: "{name} did not answer the call.",
    Outcome.REJECTED: "{name} could not be reached: the call was rejected.",
    Outcome.UNREACHABLE: "{name} could not be reached: the number is not available.",
    Outcome.CANCELLED: "The call to {name} was cancelled.",
    Outcome.LIMITED: "{name} could not be called: the limit of calls is reached.",
    "destination_not_allowed": "{name} cannot be called from this line.",
    "quiet_hours": "{name} may not be called at this hour of the day.",
    "do_not_call": "{name} may not be called: the number is on the do-not-call list.",
    Outcome.ERROR: "{name} could not be brought into the conversation: a technical error.",
}


def render(words: dict[str, str], key: str, *, name: str, reason: str = "") -> str:
    """The sentence for `key`, with the conversation's own `words` before ours."""
    sentence = words.get(key, DEFAULTS[key])
    return sentence.replace("{name}", name).replace("{reason}", reason)


def phrase_key(participant: Participant, key: str | None = None) -> str:
    """The sentence for `key`, or for how it came out: a rule of ours has another than a limit."""
    word = key or participant.outcome or Outcome.ERROR
    rule = participant.legs[-1].rule if participant.legs else None
    return rule if rule in DEFAULTS and word == Outcome.LIMITED else word
