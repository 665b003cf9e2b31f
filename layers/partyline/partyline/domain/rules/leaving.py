"""Rules for leaving and ending: who has left, what goes on without them, and what ends.

Like all rules they look at the whole state (see `reaching`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import (
    UNKNOWN_CONVERSATION_ID,
    Conversation,
    Failure,
    Leg,
    Participant,
)
from partyline.domain.model.events import EventType
from partyline.domain.model.statuses import (
    DEPARTED,
    FINISHED,
    ON_THE_LINE,
    ConversationStatus,
    OnHangup,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.rules.phrases import UNNAMED_GUEST, UNNAMED_HOST, render
from partyline.domain.rules.transition import Transition

HANGUP_GRACE = timedelta(seconds=10)
"""How long after the assistant's end the hangup of the host, which may have caused it, may come."""

INFERRED_END_DELAY = timedelta(seconds=30)
"""How long after its insights the word of the assistant's end, or a hangup, may still come."""

MAX_RESTARTS = 3


def mark_departures(transition: Transition) -> None:
    """Whoever has hung up has left; whoever cannot be taken in any more is let go."""
    conversation = transition.conversation
    for participant in conversation.participants:
        line = participant.active_leg
        if line is not None and not line.is_up:
            _mark_departed(transition, participant, line)
        if conversation.is_over:
            transition.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        if conversation.status in FINISHED:
            transition.move_participant(participant, ParticipantStatus.LEFT)
        if participant.status in DEPARTED:
            for leg in participant.legs:
                leg.outcome = leg.outcome or Outcome.CANCELLED


def _mark_departed(transition: Transition, participant: Participant, line: Leg) -> None:
    """Who was joined, or was to be, has left; others came to nothing."""
    nothing = None
    if participant.joined_at is None and line.failure:
        nothing = Outcome.UNREACHABLE  # a call that was given to us, and was over before
    elif participant.status is ParticipantStatus.WAITING and not participant.host:
        nothing = Outcome.DECLINED  # did not wait for the assistant
    if nothing:
        if transition.move_participant(participant, ParticipantStatus.FAILED, nothing):
            transition.add_message(participant, nothing)
    elif transition.move_participant(participant, ParticipantStatus.LEFT):
        transition.add_message(participant, _departure(participant))
        if (
            participant.joined_at
            and not transition.conversation.is_over
            and not _departure_ends_conversation(participant)
        ):
            _report_alone(transition)


def _departure(participant: Participant) -> str:
    if participant.joined_at:
        return "left"
    return Outcome.CANCELLED if participant.removed else Outcome.DECLINED


def _report_alone(transition: Transition) -> None:
    joined = [
        each
        for each in transition.conversation.participants
        if each.status is ParticipantStatus.JOINED
    ]
    if len(joined) == 1:
        transition.add_event(
            EventType.PARTICIPANT_ALONE, participant_id=joined[0].id, name=joined[0].name
        )


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


def end_conversation(transition: Transition) -> None:
    """A conversation ends with its host or its last person, or when it was asked to stop."""
    conversation = transition.conversation
    host = conversation.host
    people = conversation.participants
    if host.status in DEPARTED:  # of one that has been active this moves nothing
        transition.move(ConversationStatus.FAILED, _host_failure(host))
    over_at = time_limit_of(conversation)
    if over_at and transition.now >= over_at:
        transition.stop(hang_up=True, reason="time_limit")
    if conversation.status is ConversationStatus.ACTIVE:
        leaver = next((p for p in people if p.joined_at and _departure_ends_conversation(p)), None)
        if leaver:
            transition.stop(hang_up=True, reason="host_left" if leaver.host else "participant_left")
        elif not any(p.status in ON_THE_LINE for p in people):
            transition.stop(hang_up=True, reason="nobody_left")
    if conversation.status is ConversationStatus.STOPPING and _has_stopped(transition):
        transition.move(ConversationStatus.ENDED)


def time_limit_of(conversation: Conversation) -> datetime | None:
    """When an active conversation is ended, whoever is still talking."""
    minutes = conversation.limits.minutes
    if minutes is None or conversation.status is not ConversationStatus.ACTIVE:
        return None
    return (conversation.active_at or conversation.created_at) + timedelta(minutes=minutes)


def _departure_ends_conversation(participant: Participant) -> bool:
    return participant.status is ParticipantStatus.LEFT and participant.on_hangup is OnHangup.END


def _host_failure(host: Participant) -> Failure:
    leg = host.legs[-1] if host.legs else None
    if leg and leg.failure:
        return leg.failure
    if leg and leg.answered_at and host.outcome is None:
        return Failure(code="hung_up", message="The host hung up before the assistant ran.")
    outcome = host.outcome or (leg and leg.outcome) or Outcome.ERROR
    return Failure(code=outcome, message=f"The host was not reached: {outcome}.")


def _has_stopped(transition: Transition) -> bool:
    conversation = transition.conversation
    if not _assistant_may_run(transition):
        return True
    if conversation.stop_deadline and transition.now >= conversation.stop_deadline:
        return True
    return not any(leg.is_up for _, leg in conversation.legs())


def _assistant_may_run(transition: Transition) -> bool:
    """Whether the assistant has been started, for all we know."""
    start = transition.conversation.start_command
    known = transition.conversation.active_at is not None
    return known or (start is not None and start.status != "failed")
