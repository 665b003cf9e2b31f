"""`decide`: the one way in which a conversation moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from partyline.domain.commands import Command
from partyline.domain.conversation import Conversation, Insight
from partyline.domain.events import Event
from partyline.domain.inputs import Input
from partyline.domain.ledger import claim, expire, schedule, withdraw
from partyline.domain.parting import end, outlive, part, rejoin
from partyline.domain.reaching import admit, hunt, judge
from partyline.domain.record import RECORD, begun, born
from partyline.domain.step import Refusal, Step
from partyline.domain.talking import connect, let_go, look, tell

RULES = (
    expire,
    judge,
    part,
    admit,
    hunt,
    outlive,
    end,
    connect,
    rejoin,
    tell,
    let_go,
    withdraw,
    look,
)
"""In the order in which one follows from another."""


@dataclass(frozen=True)
class Decision:
    """The new state, what happened on the way to it, and what is to be done now.

    `changed` is False when the input moved nothing and nothing need be written.
    """

    conversation: Conversation | None
    events: Sequence[Event] = ()
    insights: Sequence[Insight] = ()
    commands: Sequence[Command] = ()
    changed: bool = False
    refusal: Refusal | None = None


def _progress(conversation: Conversation) -> tuple[int, int]:
    """How far it has come: every move leaves an event, and none goes back."""
    return conversation.seq, sum(each.pending for each in conversation.commands.values())


def decide(conversation: Conversation | None, given: Input, now: datetime) -> Decision:
    """What becomes of a conversation (None: there is none yet) when an input comes at a time.

    Pure and total: the same arguments give the same answer, any input in any state gives one, and
    `conversation` is left as it was. A late, early, doubled or impossible input moves nothing back.
    """
    if conversation is None:
        fresh = born(given, now)
        if fresh is None:
            return Decision(None)
        step = Step(fresh, now, given.id)
        begun(step)
    else:
        step = Step(conversation.copied(), now, given.id)
    RECORD[type(given)](step, given)
    before = None
    while before != _progress(step.conversation):  # one rule may be food for an earlier one
        before = _progress(step.conversation)
        for rule in RULES:
            rule(step)
    commands = claim(step)
    schedule(step)
    changed = step.conversation != conversation
    if changed:
        step.conversation.updated_at = now
    return Decision(
        conversation=step.conversation,
        events=step.events,
        insights=step.insights,
        commands=commands,
        changed=changed,
        refusal=step.refusal,
    )
