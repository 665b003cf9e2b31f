"""Compaction: a large conversation drops what is settled, so that the next input always fits.

The timeline has every call and message. The document keeps what later rules need: the calls that
are up, the accepted calls, the calls of each participant's last try, and the pending commands.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import MessageFailed
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import DEPARTED
from partyline.domain.model.stored import Failure
from partyline.domain.model.timeouts import LEASE, LOST_CALL_AFTER
from partyline.domain.rules.apply_results import UNANSWERED
from partyline.domain.rules.costs import keep_ended
from partyline.domain.rules.transition import Transition

MEASURED_FROM = 40
"""Legs, commands and messages from which a document is measured. Fewer always fit."""

COMPACT_BYTES = 150_000
"""Size from which settled commands and calls that are certainly over leave the document."""

LAST_RESORT_BYTES = 300_000
"""Size from which every ended call leaves the document, the ids of those that must stay go, and the
oldest pending messages fail."""

MAX_FAILED_MESSAGES = 10  # in a step: each message becomes an event of the step's transaction

TOO_MANY = Failure(
    code="too_many_messages", message="More messages wait than a conversation holds."
)

Removal = tuple[Participant, Leg]


def compact(transition: Transition) -> None:
    """Remove settled commands and ended calls, the oldest first, until the document is small."""
    conversation = transition.conversation
    legs, messages = conversation.legs(), conversation.pending_messages
    if len(legs) + len(conversation.commands) + len(messages) <= MEASURED_FROM:
        return
    size = document_bytes(conversation)
    if size <= COMPACT_BYTES:
        return
    size -= _drop_commands(conversation, transition.now)
    removable = list(_removable(conversation))
    certain = [pair for pair in removable if _is_certainly_over(pair[1], transition.now)]
    size = _drop_legs(conversation, certain, size, COMPACT_BYTES)
    uncertain = [pair for pair in removable if pair not in certain]
    size = _drop_legs(conversation, uncertain, size, LAST_RESORT_BYTES)
    if size > LAST_RESORT_BYTES:
        size -= _drop_ids(conversation, transition.now)
    for _ in range(MAX_FAILED_MESSAGES):
        if size <= LAST_RESORT_BYTES or not messages:
            return
        message = messages.pop(0)
        size -= len(message.model_dump_json().encode())
        transition.add_event(MessageFailed(failure=TOO_MANY, **message.event_fields))


def document_bytes(conversation: Conversation) -> int:
    """Return the size of a conversation's document."""
    return len(conversation.model_dump_json(exclude_defaults=True).encode())


def _drop_commands(conversation: Conversation, now: datetime) -> int:
    """Drop the settled commands of ended calls; returns the bytes.

    A start is kept: starts tell the runs of the assistant apart. While a command is leased, its
    result may bring the ids of a call that was given up.
    """
    dropped = 0
    for key, command in list(conversation.commands.items()):
        _, leg = conversation.target_of(command)
        if leg is None or leg.is_up or command.is_pending or command.action is Action.START:
            continue
        leased = command.claimed_at is not None and now < command.claimed_at + LEASE
        if not leased or _is_certainly_over(leg, now):
            del conversation.commands[key]
            dropped += len(command.model_dump_json(exclude_defaults=True).encode()) + len(key)
    return dropped


def _removable(conversation: Conversation) -> Iterator[Removal]:
    """Yield the ended calls that no rule looks at any more, the oldest first."""
    owed = {(c.participant_id, c.leg) for c in conversation.commands.values()}
    pairs = [
        (participant, leg)
        for participant, leg in conversation.legs()
        if not leg.is_up
        and leg.number != participant.accepted_leg
        and (participant.id, leg.number) not in owed
        and not _is_last_try(participant, leg)
    ]
    yield from sorted(pairs, key=lambda pair: pair[1].created_at)


def _is_last_try(participant: Participant, leg: Leg) -> bool:
    """Whether the outcome of a participant may depend on a call: the last, or rung with the last.

    The outcome of a departed participant is decided.
    """
    newest = participant.legs[-1]
    together = leg.created_at == newest.created_at and participant.status not in DEPARTED
    return leg is newest or together


def _is_certainly_over(leg: Leg, now: datetime) -> bool:
    """Whether an ended call has no late sign of life: Telnyx or a rule of ours said so, or time."""
    refused = leg.failure is not None and leg.failure.code != UNANSWERED.code
    late = leg.ended_at is not None and now - leg.ended_at > LOST_CALL_AFTER
    return leg.hangup_cause is not None or refused or late


def _drop_ids(conversation: Conversation, now: datetime) -> int:
    """Drop the ids of calls that are certainly over; returns the bytes."""
    dropped = 0
    for participant, leg in conversation.legs():
        if leg.is_up or leg.number == participant.accepted_leg:
            continue
        if _is_certainly_over(leg, now):
            ids = (leg.call_control_id, leg.call_leg_id, leg.call_session_id)
            dropped += sum(len(id_.encode()) for id_ in ids if id_)
            leg.call_control_id = leg.call_leg_id = leg.call_session_id = None
    return dropped


def _drop_legs(
    conversation: Conversation, removable: Iterable[Removal], size: int, goal: int
) -> int:
    """Drop legs until the document has `goal` bytes; returns the size.

    What the report needs of a leg is kept, and adds less than the leg had.
    """
    for participant, leg in removable:
        if size <= goal:
            break
        participant.legs = [other for other in participant.legs if other is not leg]
        participant.earlier_legs += 1
        size -= len(leg.model_dump_json(exclude_defaults=True).encode()) + 1
        kept = keep_ended(conversation, participant, leg)
        size += len(kept.model_dump_json(exclude_defaults=True).encode()) + 1
    return size
