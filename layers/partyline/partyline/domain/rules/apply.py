"""What each input records: plain facts, each of which only ever adds to what is known.

Nothing is concluded here: the rules do that from the whole state, whatever order they came in.
"""

from collections.abc import Callable
from typing import Any

from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import (
    HOST_ID,
    Failure,
    Leg,
    Participant,
    Plan,
)
from partyline.domain.model.errors import ErrorCode
from partyline.domain.model.events import EventType
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallInitiated,
    CallRef,
    CommandResult,
    ConversationCreated,
    ConversationEnded,
    ConversationStartFailed,
    DigitsGathered,
    Input,
    InsightsGenerated,
    InviteParticipant,
    MachineVerdict,
    RemoveParticipant,
    SendMessage,
    StartConversation,
    StopConversation,
    TimerElapsed,
)
from partyline.domain.model.statuses import (
    BEING_REACHED,
    DEPARTED,
    FINISHED,
    ConversationStatus,
    Direction,
    LegStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import HANGUP_POLL_DELAY
from partyline.domain.rules.apply_results import apply_result
from partyline.domain.rules.create import create_participant
from partyline.domain.rules.facts import (
    assistant_started,
    find_leg,
    hang_up_orphan,
    leg_answered,
    leg_ended,
    note_call_ids,
    settle,
    store_insights,
)
from partyline.domain.rules.transition import Transition

KEY_PRESSED_STATUSES = ("valid", "invalid")
"""How a gather ends when some key was pressed (Telnyx API: call.gather.ended, status)."""


def _locate_leg(transition: Transition, call: CallRef) -> tuple[Participant, Leg] | None:
    """The leg a webhook is about, its ids noted: if we hear of a call, its dial was carried out."""
    found = find_leg(transition.conversation, call)
    if found is None:
        return None
    participant, leg = found
    note_call_ids(leg, call)
    dial = transition.command_for(Action.DIAL, participant, leg)
    if dial and leg.call_control_id:
        settle(transition, dial)
    return found


def _initiated(transition: Transition, given: CallInitiated) -> None:
    found = _locate_leg(transition, given.call)
    if found:
        transition.move_leg(*found, LegStatus.RINGING, given.occurred_at)
        hang_up_orphan(transition, *found)


def _answered(transition: Transition, given: CallAnswered) -> None:
    found = _locate_leg(transition, given.call)
    if found:
        leg_answered(transition, *found, given.occurred_at)
        hang_up_orphan(transition, *found)


def _hangup(transition: Transition, given: CallHangup) -> None:
    found = _locate_leg(transition, given.call)
    if found is None:
        return
    participant, leg = found
    leg.hangup_cause = leg.hangup_cause or given.cause
    leg.hangup_source = leg.hangup_source or given.source
    leg.sip_hangup_cause = leg.sip_hangup_cause or given.sip_cause
    leg_ended(transition, participant, leg, given.occurred_at)


def _judged(transition: Transition, given: MachineVerdict) -> None:
    found = _locate_leg(transition, given.call)
    if found is None or found[1].machine is not None:
        return
    participant, leg = found
    leg_answered(
        transition, participant, leg, given.occurred_at
    )  # a verdict is of an answered call
    leg.machine = given.machine
    leg.verdict_deadline = None
    transition.add_leg_event(
        EventType.LEG_JUDGED, participant, leg, given.occurred_at, machine=given.machine
    )


def _gathered(transition: Transition, given: DigitsGathered) -> None:
    found = _locate_leg(transition, given.call)
    if found is None:
        return
    participant, leg = found
    screen = transition.command_for(Action.SCREEN, participant, leg)
    if screen:
        settle(transition, screen)
    screening = participant.plan and participant.plan.screening
    if not screening or leg.status is not LegStatus.SCREENING or leg.outcome is not None:
        return
    if given.digits == screening.accept_digit:
        leg.outcome = Outcome.HUMAN
    elif given.status == "call_hangup":
        leg.verdict_deadline, leg.poll_at = (
            None,
            transition.now + HANGUP_POLL_DELAY,
        )  # how it ended is still to come
    else:
        pressed = given.digits or given.status in KEY_PRESSED_STATUSES
        leg.outcome = Outcome.DECLINED if pressed else Outcome.NO_ANSWER


def _created(transition: Transition, given: ConversationCreated) -> None:
    found = _locate_leg(transition, given.call)
    start = transition.conversation.start_command
    runs_on = start.participant_id if start else HOST_ID
    if given.telnyx_conversation_id in transition.conversation.previous_telnyx_ids:
        return
    if found and found[0].id == runs_on:
        leg_answered(transition, *found)
        assistant_started(transition, given.telnyx_conversation_id)


def _start_failed(transition: Transition, given: ConversationStartFailed) -> None:
    found = _locate_leg(transition, given.call)
    if found and found[0].host and transition.conversation.status is ConversationStatus.CONNECTING:
        reason = given.reason or "unknown"
        failure = Failure(code="start_failed", message=f"The assistant did not start: {reason}.")
        transition.move(ConversationStatus.FAILED, failure)


def _ended(transition: Transition, given: ConversationEnded) -> None:
    found = _locate_leg(transition, given.call)
    ours = transition.conversation.telnyx_conversation_id
    if found is None or (ours and given.telnyx_conversation_id not in (None, ours)):
        return
    if transition.conversation.is_restarting:
        return  # said again of the one before
    host = transition.conversation.host
    # Whether Telnyx also sends this for each joined leg is not documented: only the host's counts.
    if not found[0].host and any(leg.is_up for leg in host.legs):
        return
    if transition.conversation.status is ConversationStatus.CONNECTING:
        start = transition.conversation.start_command
        if start is None or start.sent_at is None:
            return  # ours cannot have run: this is of another one, before us on the same call
        assistant_started(transition, given.telnyx_conversation_id)  # what has ended has run
    transition.conversation.telnyx_conversation_id = ours or given.telnyx_conversation_id
    transition.conversation.telnyx_ended_at = (
        transition.conversation.telnyx_ended_at or transition.now
    )
    transition.conversation.telnyx_ended_reason = given.reason


def _insights(transition: Transition, given: InsightsGenerated) -> None:
    conversation, found = transition.conversation, _locate_leg(transition, given.call)
    store_insights(transition, given.insights, given.occurred_at)
    # They are of an assistant that has ended: of ours, unless another was on the call before it.
    first = conversation.direction is not Direction.ATTACHED and conversation.restarts == 0
    if found and found[0].host and first:
        conversation.insights_received_at = conversation.insights_received_at or transition.now


def _invite(transition: Transition, given: InviteParticipant) -> None:
    conversation = transition.conversation
    if conversation.participant(given.participant.id):
        return  # the same request again
    if conversation.is_over:
        transition.refuse(
            ErrorCode.CONVERSATION_OVER, f"The conversation is {conversation.status}."
        )
        return
    if len(conversation.participants) >= conversation.limits.participants:
        most = conversation.limits.participants
        transition.refuse(
            ErrorCode.TOO_MANY_PARTICIPANTS, f"A conversation has {most} participants at most."
        )
        return
    call = given.participant.call_control_id
    if call and any(leg.is_up and leg.call_control_id == call for _, leg in conversation.legs()):
        transition.refuse(ErrorCode.CALL_IN_USE, "The call is in the conversation already.")
        return
    plan = given.participant.plan
    if (
        plan
        and given.participant.contact is not None
        and _refuse_if_present(transition, given, plan)
    ):
        return
    if plan and plan.strategy == "at_once" and len(plan.to) > conversation.limits.legs_at_once:
        most = conversation.limits.legs_at_once
        transition.refuse(
            ErrorCode.TOO_MANY_LEGS, f"A conversation makes {most} calls at once at most."
        )
        return
    participant = create_participant(given.participant, transition.now)
    transition.conversation.participants.append(participant)
    transition.add_event(
        EventType.PARTICIPANT_INVITED, participant_id=participant.id, name=participant.name
    )


def _refuse_if_present(transition: Transition, given: InviteParticipant, plan: Plan) -> bool:
    """The assistant asks for somebody again, by another name or after somebody else did."""
    for each in transition.conversation.participants:
        if each.status not in DEPARTED and each.numbers & set(plan.to):
            where = "being called" if each.status in BEING_REACHED else "here"
            transition.refuse(ErrorCode.ALREADY_THERE, f"{given.participant.name} is {where}.")
            return True
    return False


def _remove(transition: Transition, given: RemoveParticipant) -> None:
    participant = transition.conversation.participant(given.participant_id)
    if participant is None:
        transition.refuse(
            ErrorCode.UNKNOWN_PARTICIPANT, "There is no such participant in the conversation."
        )
        return
    participant.removed = True
    if participant.status in BEING_REACHED or participant.status is ParticipantStatus.WAITING:
        transition.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        transition.add_message(participant, Outcome.CANCELLED)


def _message(transition: Transition, given: SendMessage) -> None:
    if transition.conversation.is_over:
        transition.refuse(
            ErrorCode.CONVERSATION_OVER, f"The conversation is {transition.conversation.status}."
        )
        return
    transition.conversation.pending_messages.append(Message(role=given.role, content=given.content))


def _stop(transition: Transition, given: StopConversation) -> None:
    stop = transition.conversation.stop
    if transition.conversation.status in FINISHED:
        transition.refuse(
            ErrorCode.CONVERSATION_OVER, f"The conversation is {transition.conversation.status}."
        )
        return
    if stop and given.hang_up:
        stop.hang_up = stop.by_request = True
    transition.stop(hang_up=given.hang_up, reason="requested", by_request=True)


def _nothing(_step: Transition, _given: Any) -> None:
    """A beginning is recorded when the conversation is born; a tick records nothing."""


APPLY: dict[type[Input], Callable[[Transition, Any], None]] = {
    StartConversation: _nothing,
    InviteParticipant: _invite,
    RemoveParticipant: _remove,
    SendMessage: _message,
    StopConversation: _stop,
    CallInitiated: _initiated,
    CallAnswered: _answered,
    CallHangup: _hangup,
    MachineVerdict: _judged,
    DigitsGathered: _gathered,
    ConversationCreated: _created,
    ConversationStartFailed: _start_failed,
    ConversationEnded: _ended,
    InsightsGenerated: _insights,
    CommandResult: apply_result,
    TimerElapsed: _nothing,
}
