"""`decide`: the one way in which a conversation moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from partyline.domain.model.commands import Command
from partyline.domain.model.conversation import Conversation, Insight
from partyline.domain.model.events import Event
from partyline.domain.model.inputs import Input
from partyline.domain.rules.apply import APPLY
from partyline.domain.rules.calls import poll_calls, release_calls, send_messages, start_and_join
from partyline.domain.rules.create import create_conversation, record_started
from partyline.domain.rules.dialing import accept_answered, apply_verdict_timeouts, hunt
from partyline.domain.rules.leaving import end_conversation, mark_departures
from partyline.domain.rules.pending_commands import (
    cancel_obsolete,
    claim_due,
    reconcile_stale,
    set_due_time,
)
from partyline.domain.rules.restart import rejoin, restart_or_end
from partyline.domain.rules.transition import Refusal, Transition

RULES = (
    reconcile_stale,
    apply_verdict_timeouts,
    mark_departures,
    accept_answered,
    hunt,
    restart_or_end,
    end_conversation,
    start_and_join,
    rejoin,
    send_messages,
    release_calls,
    cancel_obsolete,
    poll_calls,
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
    return conversation.seq, sum(each.is_pending for each in conversation.commands.values())


def decide(conversation: Conversation | None, given: Input, now: datetime) -> Decision:
    """What becomes of a conversation (None: there is none yet) when an input comes at a time.

    Pure and total: the same arguments give the same answer, any input in any state gives one, and
    `conversation` is left as it was. A late, early, doubled or impossible input moves nothing back.
    """
    if conversation is None:
        fresh = create_conversation(given, now)
        if fresh is None:
            return Decision(None)
        transition = Transition(fresh, now, given.id)
        record_started(transition)
    else:
        transition = Transition(conversation.deep_copy(), now, given.id)
    APPLY[type(given)](transition, given)
    before = None
    while before != _progress(transition.conversation):  # one rule may be food for an earlier one
        before = _progress(transition.conversation)
        for rule in RULES:
            rule(transition)
    commands = claim_due(transition)
    set_due_time(transition)
    changed = transition.conversation != conversation
    if changed:
        transition.conversation.updated_at = now
    return Decision(
        conversation=transition.conversation,
        events=transition.events,
        insights=transition.insights,
        commands=commands,
        changed=changed,
        refusal=transition.refusal,
    )
