"""Rules for the end of the assistant's conversation at Telnyx: a restart, or the end of ours."""

from datetime import datetime

from partyline.domain.model import statuses
from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID, Conversation
from partyline.domain.model.events import ConversationRestarted
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import (
    AssistantMode,
    ConversationStatus,
    OnHangup,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import END_GRACE, INFERRED_END_DELAY
from partyline.domain.rules.connections import leave
from partyline.domain.rules.facts import START_FAILED, call_transferred
from partyline.domain.rules.modes import hold_mode
from partyline.domain.rules.phrases import render, spoken_name
from partyline.domain.rules.transition import Transition

MAX_RESTARTS = 3


def restart_or_end(transition: Transition) -> None:
    """End the conversation when the assistant's has ended at Telnyx, or restart the assistant.

    An end that nothing of ours explains may be the beginning of a transfer: then Telnyx keeps
    the assistant's call (`call.bridged`). So the call is not hung up before `END_GRACE` has passed.

    Telnyx does not document the effect of the host's hangup while guests are joined. If the
    host's `on_hangup` is to continue and guests are still joined, the assistant is restarted on
    the call of a guest, and the other guests are joined again (`rejoin`).
    """
    conversation, host = transition.conversation, transition.conversation.host
    if conversation.absence and conversation.status is ConversationStatus.ACTIVE:
        return
    start = conversation.start_command
    if conversation.is_restarting and start and start.status == "failed":
        conversation.telnyx_ended_at = transition.now  # the next candidate may work
    inferred_end = inferred_end_of(conversation)
    if inferred_end and transition.now >= inferred_end:
        conversation.telnyx_ended_at = transition.now
    if conversation.telnyx_ended_at is None:
        return
    started_on = conversation.started_on
    if started_on and started_on[1].bridged_at and started_on[1].is_up:
        call_transferred(transition, *started_on)
        return  # the rules run again
    unexplained = _call_of_unexplained_end(conversation)
    guests = candidates(transition)
    may_restart = (
        conversation.status is ConversationStatus.ACTIVE
        and host.on_hangup is OnHangup.CONTINUE
        and bool(guests)
        and conversation.forced_restarts < MAX_RESTARTS
    )
    if unexplained and (unexplained.owned or may_restart) and _is_awaited(transition, unexplained):
        return
    if may_restart and not unexplained:
        _restart(transition, *guests[0])
    else:
        reason = conversation.telnyx_ended_reason or "ended_by_telnyx"
        transition.move(ConversationStatus.ENDED, reason=reason)


def _call_of_unexplained_end(conversation: Conversation) -> Leg | None:
    """Return the host's call, if the call is up and nothing of ours explains the assistant's end.

    Telnyx's `reason` is free text (Telnyx API: call.conversation.ended), so no reason of Telnyx's
    explains an end. An assistant that was restarted for the guests is restarted once more.
    """
    leg = conversation.host.active_leg
    explained = conversation.forced_restarts > 0 or conversation.telnyx_ended_reason == START_FAILED
    return leg if leg and leg.is_up and not leg.transferred and not explained else None


def _is_awaited(transition: Transition, leg: Leg) -> bool:
    """Whether the cause of the assistant's end may still come.

    Telnyx is asked about the call at the end of the assistant, and again when the time is over.
    """
    conversation = transition.conversation
    deadline = end_deadline(conversation)
    if deadline is None:
        return False
    over = transition.now >= deadline
    since = deadline if over else deadline - END_GRACE
    if leg.call_control_id and (leg.polled_at is None or leg.polled_at < since):
        leg.poll_at = transition.now
        return True
    return not over


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
    conversation.telnyx_ended_reason = None
    hold_mode(transition, AssistantMode.SPEAKING, reason="restarted")
    _brief_restarted_assistant(transition)
    command = transition.add_command(Action.START, guest, leg)
    transition.add_event(ConversationRestarted(participant_id=guest.id, command_id=command.id))


def end_deadline(conversation: Conversation) -> datetime | None:
    """Return until when the cause of the assistant's end may come, if the cause is still open."""
    ended_at = conversation.telnyx_ended_at
    if ended_at is None or conversation.status is not ConversationStatus.ACTIVE:
        return None
    return ended_at + END_GRACE


def inferred_end_of(conversation: Conversation) -> datetime | None:
    """Return the time from which an assistant with insights counts as ended, if still running."""
    insights_at, ended_at = conversation.insights_received_at, conversation.telnyx_ended_at
    active = conversation.status is ConversationStatus.ACTIVE and conversation.restarts == 0
    active = active and conversation.absence is None
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
            leg, nth = participant.active_leg, conversation.restarts + 1
            if leg is None or not leave(transition, participant, leg):
                continue
            if participant.id == start.participant_id:
                participant.joined_after_restarts = conversation.restarts
            else:
                transition.add_command(Action.JOIN, participant, leg, nth=nth)
