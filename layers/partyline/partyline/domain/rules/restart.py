"""Rules for the end of the assistant's conversation at Telnyx: a restart, or the end of ours."""

from datetime import datetime

from partyline.domain.model import statuses
from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import (
    UNKNOWN_CONVERSATION_ID,
    Conversation,
    Leg,
    Participant,
)
from partyline.domain.model.events import ConversationRestarted
from partyline.domain.model.statuses import ConversationStatus, OnHangup, ParticipantStatus
from partyline.domain.model.timeouts import HANGUP_GRACE, INFERRED_END_DELAY
from partyline.domain.rules.phrases import render, spoken_name
from partyline.domain.rules.transition import Transition

MAX_RESTARTS = 3


def restart_or_end(transition: Transition) -> None:
    """End the conversation when the assistant's has ended at Telnyx, or restart the assistant.

    Telnyx does not document the effect of the host's hangup while guests are joined. If the
    host's `on_hangup` is to continue and guests are still joined, the assistant is restarted on
    the call of a guest, and the other guests are joined again (`rejoin`).
    """
    conversation, host = transition.conversation, transition.conversation.host
    start = conversation.start_command
    if conversation.is_restarting and start and start.status == "failed":
        conversation.telnyx_ended_at = transition.now  # the next candidate may work
    inferred_end = inferred_end_of(conversation)
    if inferred_end and transition.now >= inferred_end:
        conversation.telnyx_ended_at = transition.now
    if conversation.telnyx_ended_at is None:
        return
    guests = candidates(transition)
    stays_up = host.active_leg is not None and host.active_leg.is_up
    awaited_until = host_hangup_deadline(conversation)
    in_time = awaited_until is not None and transition.now < awaited_until
    if (
        conversation.status is not ConversationStatus.ACTIVE
        or host.on_hangup is OnHangup.END
        or not guests
        or conversation.restarts >= MAX_RESTARTS
        or (stays_up and not in_time)
    ):
        reason = conversation.telnyx_ended_reason or "ended_by_telnyx"
        transition.move(ConversationStatus.ENDED, reason=reason)
    elif stays_up and host.active_leg:
        # The host's hangup may be on its way: Telnyx is asked once about the host's call.
        polled_at = host.active_leg.polled_at
        if polled_at is None or polled_at < conversation.telnyx_ended_at:
            host.active_leg.poll_at = transition.now
    else:
        _restart(transition, *guests[0])


def candidates(transition: Transition) -> list[tuple[Participant, Leg]]:
    """Return the joined guests, and their calls, on which the assistant can be restarted."""
    return [
        (guest, guest.active_leg)
        for guest in transition.conversation.participants
        if guest.status is ParticipantStatus.JOINED and not guest.host and not guest.removed
        if guest.active_leg and not transition.command_for(Action.START, guest, guest.active_leg)
    ]


def _restart(transition: Transition, guest: Participant, leg: Leg) -> None:
    conversation = transition.conversation
    ended_id = conversation.telnyx_conversation_id or UNKNOWN_CONVERSATION_ID
    conversation.previous_telnyx_ids.append(ended_id)
    conversation.telnyx_conversation_id = conversation.telnyx_ended_at = None
    _brief_restarted_assistant(transition)
    command = transition.add_command(Action.START, guest, leg)
    transition.add_event(ConversationRestarted(participant_id=guest.id, command_id=command.id))


def host_hangup_deadline(conversation: Conversation) -> datetime | None:
    """Return until when a host's hangup explains the assistant's end, if that is still open."""
    ended_at = conversation.telnyx_ended_at
    if ended_at is None or conversation.status is not ConversationStatus.ACTIVE:
        return None
    return ended_at + HANGUP_GRACE


def inferred_end_of(conversation: Conversation) -> datetime | None:
    """Return the time from which an assistant with insights counts as ended, if still running."""
    insights_at, ended_at = conversation.insights_received_at, conversation.telnyx_ended_at
    active = conversation.status is ConversationStatus.ACTIVE and conversation.restarts == 0
    return insights_at + INFERRED_END_DELAY if insights_at and not ended_at and active else None


def _brief_restarted_assistant(transition: Transition) -> None:
    conversation = transition.conversation
    people = conversation.participants
    left = [spoken_name(p) for p in people if p.joined_at and p.status in statuses.DEPARTED]
    joined = [spoken_name(p) for p in people if p.status is ParticipantStatus.JOINED]
    names = {"name": ", ".join(left), "reason": ", ".join(joined)}
    content = render(conversation.phrases, "goes_on", **names)
    briefing = Message(role="system", content=content)
    if briefing not in conversation.pending_messages:  # left from a restart that failed
        conversation.pending_messages.insert(0, briefing)


def rejoin(transition: Transition) -> None:
    """Join to the restarted assistant the participants who were joined before the restart."""
    conversation, start = transition.conversation, transition.conversation.start_command
    if start is None or conversation.is_restarting:
        return
    for participant in conversation.participants:
        joined = participant.status is ParticipantStatus.JOINED
        if joined and participant.joined_after_restarts < conversation.restarts:
            if participant.id == start.participant_id:
                participant.joined_after_restarts = conversation.restarts
            else:
                leg, nth = participant.active_leg, conversation.restarts + 1
                transition.add_command(Action.JOIN, participant, leg, nth=nth)
