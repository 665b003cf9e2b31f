"""Rules for leaving and ending: participants depart, and conversations end.

A conversation that outlives its host goes on in `restart`.

Like all rules, these look at the whole state (see `hunting`).
"""

from datetime import datetime, timedelta

from partyline.domain.model import statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import ParticipantAlone
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import ConversationStatus, OnHangup, Outcome, ParticipantStatus
from partyline.domain.model.stored import Failure
from partyline.domain.model.timeouts import CALL_LIMIT_GRACE, MAX_CALL_SECS
from partyline.domain.rules.transition import Transition


def mark_departures(transition: Transition) -> None:
    """Mark participants whose call is over or transferred.

    When the conversation is over, the rest is given up.
    """
    conversation = transition.conversation
    for participant in conversation.participants:
        leg = participant.active_leg
        if leg is not None and (not leg.is_up or leg.transferred):
            _mark_departed(transition, participant, leg)
        if conversation.is_over:
            transition.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        if conversation.status in statuses.FINISHED:
            transition.move_participant(participant, ParticipantStatus.LEFT)
        if participant.status in statuses.DEPARTED:
            for other in participant.legs:
                other.outcome = other.outcome or Outcome.CANCELLED


def _mark_departed(transition: Transition, participant: Participant, leg: Leg) -> None:
    if leg.failure and not leg.owned and not participant.joined_at:
        # The attached call was over before, or never existed.
        if transition.move_participant(participant, ParticipantStatus.FAILED, leg.outcome):
            transition.add_message(participant, leg.outcome or Outcome.ERROR)
    elif participant.status in statuses.NOT_JOINED_YET and not _may_be_joined(
        transition, participant, leg
    ):
        # A person who hung up before the join did not decline: the next number is tried.
        transition.move_participant(participant, ParticipantStatus.DIALING)
    elif transition.move_participant(participant, ParticipantStatus.LEFT):
        gone = Outcome.CANCELLED if participant.removed else Outcome.DECLINED
        own = not participant.host and "guest_left" in transition.conversation.phrases
        left = "guest_left" if own else "left"
        transition.add_message(participant, left if participant.joined_at else gone)
        goes_on = not transition.conversation.is_over and not _ends_conversation(participant)
        people = transition.conversation.participants
        joined = [person for person in people if person.status is ParticipantStatus.JOINED]
        if participant.joined_at and goes_on and len(joined) == 1:
            alone = joined[0]
            transition.add_event(ParticipantAlone(participant_id=alone.id, name=alone.name))
            if transition.conversation.wanted_mode is statuses.AssistantMode.SILENT:
                transition.conversation.wanted_mode = statuses.AssistantMode.SPEAKING


def _may_be_joined(transition: Transition, participant: Participant, leg: Leg) -> bool:
    """Whether the answer to a start or a join is awaited, which may have taken effect."""
    command = transition.command_for(Action.START, participant, leg)
    command = command or transition.command_for(Action.JOIN, participant, leg)
    return command is not None and (
        command.status == "done" or (command.is_pending and command.sent_at is not None)
    )


def end_conversation(transition: Transition) -> None:
    """End a conversation with its host or last participant, at its time limit, or on request."""
    conversation = transition.conversation
    host = conversation.host
    people = conversation.participants
    if host.status in statuses.DEPARTED:  # of no effect once the conversation has been active
        transition.move(ConversationStatus.FAILED, host_failure(host))
    over_at = time_limit_of(conversation)
    if over_at and transition.now >= over_at:  # of no effect on a conversation that is stopped
        transition.stop(hang_up=True, reason="time_limit")
    if conversation.status is ConversationStatus.ACTIVE:
        leaver = next((p for p in people if p.joined_at and _ends_conversation(p)), None)
        if leaver:
            transition.stop(hang_up=True, reason="host_left" if leaver.host else "participant_left")
        elif not any(p.status in statuses.ON_THE_LINE for p in people):
            transition.stop(hang_up=True, reason="nobody_left")
    if conversation.status is ConversationStatus.STOPPING and _has_stopped(transition):
        transition.move(ConversationStatus.ENDED)


def time_limit_of(conversation: Conversation) -> datetime | None:
    """Return the time at which an active conversation reaches its time limit, if set.

    A conversation that was stopped and whose calls stay up reaches the same limit.
    """
    minutes, stop = conversation.limits.minutes, conversation.stop
    stays_up = stop is not None and not stop.hang_up and bool(conversation.owned_calls)
    if minutes is None or not (conversation.status is ConversationStatus.ACTIVE or stays_up):
        return None
    return (conversation.active_at or conversation.created_at) + timedelta(minutes=minutes)


def call_limit_secs(conversation: Conversation, participant: Participant, leg: Leg) -> int:
    """Return after how many seconds from its answer Telnyx ends a call that we dial.

    Telnyx ends the call also when our sweep, our table or a webhook of ours is lost.
    """
    own = participant.plan.time_limit_secs if participant.plan else None
    limits = [MAX_CALL_SECS, own or MAX_CALL_SECS]
    if conversation.limits.minutes is not None:
        minutes = timedelta(minutes=conversation.limits.minutes)
        begun = conversation.active_at or leg.created_at
        left = max(begun + minutes - leg.created_at, timedelta())
        limits.append(int((left + CALL_LIMIT_GRACE).total_seconds()))
    return min(limits)


def _ends_conversation(participant: Participant) -> bool:
    return participant.status is ParticipantStatus.LEFT and participant.on_hangup is OnHangup.END


def host_failure(host: Participant) -> Failure:
    """Return the failure of a conversation whose host was not reached."""
    leg = host.legs[-1] if host.legs else None
    if leg and leg.failure:
        return leg.failure
    if leg and leg.answered_at and (host.outcome is None or leg.outcome is Outcome.HUMAN):
        return Failure(code="hung_up", message="The host hung up before the assistant ran.")
    outcome = host.outcome or (leg and leg.outcome) or Outcome.ERROR
    tried = [leg.outcome for leg in host.legs if leg.outcome not in (None, Outcome.CANCELLED)]
    words = ["hung_up" if other is Outcome.HUMAN else other for other in tried]
    outcomes = ", ".join(words) if len(words) > 1 else outcome
    return Failure(code=outcome, message=f"The host was not reached: {outcomes}.")


def _has_stopped(transition: Transition) -> bool:
    conversation, start = transition.conversation, transition.conversation.start_command
    may_run = conversation.active_at or (start and start.status != "failed")
    may_run = may_run or conversation.awaits_answers_assistant
    legs = [leg for _, leg in conversation.legs() if not leg.transferred]
    may_run = may_run and not conversation.is_assistant_gone
    if not may_run or not any(leg.is_up for leg in legs):
        return True
    return conversation.stop_deadline is not None and transition.now >= conversation.stop_deadline
