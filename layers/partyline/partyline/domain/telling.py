"""What the assistant is told of the people around it, in words that a user can change.

A conversation's own `words` replace these, sentence by sentence. `{name}` is the person's name.
"""

from partyline.domain.statuses import Outcome

NAMELESS = "The invited person"
THE_HOST = "The first person on the line"

WORDS: dict[str, str] = {
    "joined": "{name} has joined the conversation.",
    "left": "{name} has left the conversation.",
    "trying_next": "{reason} The next number is being tried.",
    "exhausted": "{reason} There is no other number to try.",
    Outcome.MACHINE: "{name} could not be reached: an answering machine picked up.",
    Outcome.DECLINED: "{name} was reached but declined to join the conversation.",
    Outcome.BUSY: "{name} could not be reached: the line is busy.",
    Outcome.NO_ANSWER: "{name} did not answer the call.",
    Outcome.REJECTED: "{name} could not be reached: the call was rejected.",
    Outcome.UNREACHABLE: "{name} could not be reached: the number is not available.",
    Outcome.CANCELLED: "The call to {name} was cancelled.",
    Outcome.LIMITED: "{name} could not be called: the limit of calls is reached.",
    "not_allowed": "{name} may not be called at this time.",
    Outcome.ERROR: "{name} could not be brought into the conversation: a technical error.",
}


def say(words: dict[str, str], key: str, *, name: str, reason: str = "") -> str:
    """The sentence for `key`, with the conversation's own `words` before ours."""
    sentence = words.get(key, WORDS[key])
    return sentence.replace("{name}", name).replace("{reason}", reason)
