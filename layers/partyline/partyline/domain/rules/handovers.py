"""Rules for handovers: the caller is handed to a person, and the assistant steps back.

The person is reached and joined by the rules for any guest, and the mode of the assistant changes
by the rules for any change. The rule here starts that change, and ends the handover exactly once.
"""

from partyline.domain.model import inputs, statuses
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import HandoverEnded, HandoverStarted
from partyline.domain.model.handover import Handover, HandoverOutcome
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import (
    AssistantMode,
    ConversationStatus,
    HandoverStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import RETURN_WAIT
from partyline.domain.rules import apply_requests
from partyline.domain.rules.modes import want_mode
from partyline.domain.rules.transition import Transition

MAX_HANDOVERS = 40  # the newest handovers; the timeline has all


def hand_over(transition: Transition, request: inputs.HandOver) -> None:
    """Begin a handover to a new guest, or to a guest who is being called or has joined.

    A conversation has a single open handover at a time, because the caller is a single person.
    """
    conversation, new = transition.conversation, request.participant
    if conversation.handover(request.handover_id):
        return  # a duplicate of the request
    if conversation.is_over:
        transition.refuse_as_over()
        return
    if conversation.open_handover:
        message = "Another handover of this conversation has not ended yet."
        transition.refuse(ErrorCode.HANDOVER_OPEN, message)
        return
    person = conversation.participant(new.id)
    if person is None and (new.plan or new.call_control_id):
        invitation = inputs.InviteParticipant(id=request.id, participant=new)
        apply_requests.invite(transition, invitation)
        if transition.refusal:
            return
        person = conversation.participant(new.id)
    if person is None or person.host or person.removed or person.status in statuses.DEPARTED:
        message = "There is no such guest in the conversation."
        transition.refuse(ErrorCode.UNKNOWN_PARTICIPANT, message)
        return
    handover = Handover(
        id=request.handover_id,
        participant_id=person.id,
        then=request.then,
        began_at=transition.now,
    )
    conversation.handovers = [*conversation.handovers, handover][-MAX_HANDOVERS:]
    transition.add_event(
        HandoverStarted(
            handover_id=handover.id, participant_id=person.id, name=person.name, then=handover.then
        )
    )
    if person.status is ParticipantStatus.JOINED and new.tell_assistant:
        transition.add_message(person, "handed_over")


def follow_handover(transition: Transition) -> None:
    """Let the assistant step back when the person has joined, and end the handover.

    The handover is done when the mode holds. A handover that ends otherwise leaves no phone
    ringing for a caller who has gone, and the assistant takes its former part again.
    """
    conversation, handover = transition.conversation, transition.conversation.open_handover
    person = conversation.participant(handover.participant_id) if handover else None
    if handover is None or person is None:
        return
    outcome = _outcome_of_end(conversation) or _outcome_of_person(person)
    if outcome is None and person.status is ParticipantStatus.JOINED:
        outcome = _step_back(transition, handover)
    if outcome is not None:
        _end(transition, handover, person, outcome)


def _outcome_of_end(conversation: Conversation) -> HandoverOutcome | None:
    """Return the outcome when the caller has gone or the conversation is over, else None.

    A conversation that ends while the caller's call is up ends for another reason: nobody could be
    connected, and no assistant came back.
    """
    host, handover = conversation.host, conversation.open_handover
    leg = host.active_leg
    has_gone = leg is not None and (not leg.is_up or leg.transferred)
    if host.status in statuses.DEPARTED and has_gone and not host.removed:
        return HandoverOutcome.CALLER_LEFT
    ended = conversation.status is ConversationStatus.ENDED
    if conversation.status is ConversationStatus.FAILED or (
        ended and handover and handover.failure
    ):
        return HandoverOutcome.ERROR
    over = conversation.is_over or host.status in statuses.DEPARTED
    return HandoverOutcome.CANCELLED if over else None


def _outcome_of_person(person: Participant) -> HandoverOutcome | None:
    """Return how the person was not reached or was lost; None while the handover may succeed."""
    leg, outcome = person.active_leg, person.outcome
    if leg and leg.machine and person.status is ParticipantStatus.JOINED:
        return HandoverOutcome.MACHINE  # the plan joins machines; a caller needs a person
    if person.removed:
        return HandoverOutcome.CANCELLED
    if person.status is ParticipantStatus.LEFT:
        return HandoverOutcome.DECLINED
    if person.status is not ParticipantStatus.FAILED:
        return None
    unknown = outcome is None or outcome is Outcome.HUMAN
    return HandoverOutcome.ERROR if unknown else HandoverOutcome(str(outcome))


def _step_back(transition: Transition, handover: Handover) -> HandoverOutcome | None:
    """Ask for the mode, and return the outcome when the mode holds or did not come about."""
    conversation = transition.conversation
    if handover.then == "stay":
        return HandoverOutcome.HANDED_OVER
    mode = AssistantMode(handover.then)
    if transition.move_handover(handover, HandoverStatus.STEPPING_BACK):
        want_mode(transition, mode)
    if conversation.mode is mode:
        return HandoverOutcome.HANDED_OVER
    if handover.failure:
        return None if _is_returning(transition) else HandoverOutcome.ERROR
    return None if conversation.wanted_mode is mode else HandoverOutcome.CANCELLED


def _is_returning(transition: Transition) -> bool:
    """Whether the assistant is on the way back, so that the cause of the failure may still come.

    Telnyx refuses to connect a person who has just hung up, before the webhook of the hangup.
    """
    absence = transition.conversation.absence
    stopped_at = absence.stopped_at if absence else None
    return stopped_at is not None and transition.now < stopped_at + RETURN_WAIT


def _end(
    transition: Transition, handover: Handover, person: Participant, outcome: HandoverOutcome
) -> None:
    conversation = transition.conversation
    leg = person.active_leg or (person.legs[-1] if person.legs else None)
    is_error = outcome is HandoverOutcome.ERROR
    failure = handover.failure or (leg and leg.failure) or conversation.failure
    failure = failure if is_error else None
    stepping_back = handover.status is HandoverStatus.STEPPING_BACK
    transition.move_handover(handover, HandoverStatus.ENDED)
    handover.outcome, handover.failure, handover.ended_at = outcome, failure, transition.now
    if outcome is not HandoverOutcome.HANDED_OVER:
        if stepping_back and conversation.wanted_mode == handover.then:
            want_mode(transition, conversation.mode)
        joined_or_gone = person.status in (*statuses.DEPARTED, ParticipantStatus.JOINED)
        if person.plan and not joined_or_gone:  # an attached call stays with its owner
            apply_requests.remove_participant(transition, person)
    transition.add_event(
        HandoverEnded(
            handover_id=handover.id,
            participant_id=person.id,
            name=person.name,
            then=handover.then,
            outcome=outcome,
            leg=leg.number if leg else None,
            hangup_cause=leg.hangup_cause if leg else None,
            sip_hangup_cause=leg.sip_hangup_cause if leg else None,
            failure=failure,
        )
    )
