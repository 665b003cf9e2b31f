"""Rules for leaving and ending: who has left, what goes on without them, and what ends.

Like all rules they look at the whole state (see `reaching`).
"""

from datetime import datetime, timedelta

from partyline.domain.model.conversation import (
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
from partyline.domain.rules.transition import Transition


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
