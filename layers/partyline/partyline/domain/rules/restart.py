"""The end of the assistant's conversation at Telnyx: a restart for the guests, or our end."""

from collections.abc import Iterable
from datetime import datetime

from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import (
    UNKNOWN_CONVERSATION_ID,
    Conversation,
    Leg,
    Participant,
)
from partyline.domain.model.events import EventType
from partyline.domain.model.statuses import (
    DEPARTED,
    ConversationStatus,
    OnHangup,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import HANGUP_GRACE, INFERRED_END_DELAY
from partyline.domain.rules.phrases import UNNAMED_GUEST, UNNAMED_HOST, render
from partyline.domain.rules.transition import Transition

MAX_RESTARTS = 3


def restart_or_end(transition: Transition) -> None:
    """When the assistant's conversation ends at Telnyx, ours does too, unless it outlives its host.

    What Telnyx does when the first caller hangs up and others are joined is not documented. If the
    host's `on_hangup` is to continue and guests still talk, the assistant is started anew on a
    guest's call, and the others are joined to it again.
    """
    conversation, host = transition.conversation, transition.conversation.host
    start = conversation.start_command
    if conversation.is_restarting and start and start.status == "failed":
        conversation.telnyx_ended_at = transition.now  # not on that call; on another, maybe
    unheard_at = inferred_end_of(conversation)
    if unheard_at and transition.now >= unheard_at:
        conversation.telnyx_ended_at = transition.now
    if conversation.telnyx_ended_at is None:
        return
    heirs = [
        (each, each.active_leg)
        for each in conversation.participants
        if each.status is ParticipantStatus.JOINED and not each.host and not each.removed
        if each.active_leg and not transition.command_for(Action.START, each, each.active_leg)
    ]
    stays_up = host.active_leg is not None and host.active_leg.is_up
    awaited_until = host_hangup_deadline(conversation)
    in_time = awaited_until is not None and transition.now < awaited_until
    if (
        conversation.status is not ConversationStatus.ACTIVE
        or host.on_hangup is OnHangup.END
        or not heirs
        or conversation.restarts >= MAX_RESTARTS
        or (stays_up and not in_time)
    ):
        reason = conversation.telnyx_ended_reason or "ended_by_telnyx"
        transition.move(ConversationStatus.ENDED, reason=reason)
    elif stays_up and host.active_leg:
        # Was it the host who left? Telnyx is asked once; the hangup may be on its way.
        looked_at = host.active_leg.polled_at
        if looked_at is None or looked_at < conversation.telnyx_ended_at:
            host.active_leg.poll_at = transition.now
    else:
        _restart(transition, *heirs[0])


def _restart(transition: Transition, heir: Participant, line: Leg) -> None:
    conversation = transition.conversation
    conversation.previous_telnyx_ids.append(
        conversation.telnyx_conversation_id or UNKNOWN_CONVERSATION_ID
    )
    conversation.telnyx_conversation_id = conversation.telnyx_ended_at = None
    _brief_restarted_assistant(transition)
    command = transition.add_command(Action.START, heir, line)
    transition.add_event(
        EventType.CONVERSATION_RESTARTED, participant_id=heir.id, command_id=command.id
    )


def host_hangup_deadline(conversation: Conversation) -> datetime | None:
    """Until when the host's hangup may come that explains why the assistant has ended."""
    ended_at = conversation.telnyx_ended_at
    if ended_at is None or conversation.status is not ConversationStatus.ACTIVE:
        return None
    return ended_at + HANGUP_GRACE


def inferred_end_of(conversation: Conversation) -> datetime | None:
    """When an assistant whose insights have come counts as ended, though nobody said so."""
    concluded_at, ended_at = conversation.insights_received_at, conversation.telnyx_ended_at
    active = conversation.status is ConversationStatus.ACTIVE and conversation.restarts == 0
    return concluded_at + INFERRED_END_DELAY if concluded_at and not ended_at and active else None


def _brief_restarted_assistant(transition: Transition) -> None:
    """The assistant that is started anew is told first who is there: it remembers nothing."""
    conversation = transition.conversation
    people = conversation.participants
    content = render(
        conversation.phrases,
        "goes_on",
        name=_names(each for each in people if each.joined_at and each.status in DEPARTED),
        reason=_names(each for each in people if each.status is ParticipantStatus.JOINED),
    )
    told = Message(role="system", content=content)
    if told not in conversation.pending_messages:  # it may have been tried on another call before
        conversation.pending_messages.insert(0, told)


def _names(people: Iterable[Participant]) -> str:
    return ", ".join(each.name or (UNNAMED_HOST if each.host else UNNAMED_GUEST) for each in people)


def rejoin(transition: Transition) -> None:
    """Where the assistant was started anew, whoever was joined before is joined again."""
    conversation, start = transition.conversation, transition.conversation.start_command
    if start is None or conversation.is_restarting:
        return
    for participant in conversation.participants:
        if (
            participant.status is ParticipantStatus.JOINED
            and participant.joined_restart < conversation.restarts
        ):
            if participant.id == start.participant_id:
                participant.joined_restart = conversation.restarts
            else:
                transition.add_command(
                    Action.JOIN, participant, participant.active_leg, nth=conversation.restarts + 1
                )
