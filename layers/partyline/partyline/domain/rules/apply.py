"""Recording inputs: webhooks add plain facts to the state; requests are accepted or refused.

The rules conclude from the whole state, so the order of the facts does not matter.
"""

from collections.abc import Callable
from typing import Any

from partyline.domain.model import inputs, statuses
from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import (
    HOST_ID,
    SCREENING_DETECTION,
    UNKNOWN_CONVERSATION_ID,
    Conversation,
    Failure,
    Leg,
    Participant,
    Plan,
)
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import ConversationAnalyzed, EventType, ParticipantInvited
from partyline.domain.model.statuses import ConversationStatus, Outcome, ParticipantStatus
from partyline.domain.model.timeouts import HANGUP_POLL_DELAY, PROMPT_END_WAIT
from partyline.domain.names import quoted
from partyline.domain.rules import create, facts
from partyline.domain.rules.apply_results import apply_result
from partyline.domain.rules.transition import Transition

KEY_PRESSED_STATUSES = ("valid", "invalid")
"""How a gather ends when a key was pressed (Telnyx API: call.gather.ended, status)."""


def _locate_leg(transition: Transition, call: inputs.CallRef) -> tuple[Participant, Leg] | None:
    """Find the leg of a webhook and note its ids. A call that exists settles its dial."""
    located = facts.find_leg(transition.conversation, call)
    if located is None:
        return None
    participant, leg = located
    facts.note_call_ids(leg, call)
    dial = transition.command_for(Action.DIAL, participant, leg)
    if dial and leg.call_control_id:
        facts.settle(transition, dial)
    return located


def _call_initiated(transition: Transition, webhook: inputs.CallInitiated) -> None:
    located = _locate_leg(transition, webhook.call)
    if located:
        transition.move_leg(*located, statuses.LegStatus.RINGING, webhook.occurred_at)
        facts.hang_up_orphan(transition, *located)


def _call_answered(transition: Transition, webhook: inputs.CallAnswered) -> None:
    located = _locate_leg(transition, webhook.call)
    if located:
        facts.leg_answered(transition, *located, webhook.occurred_at)
        facts.hang_up_orphan(transition, *located)


def _call_hangup(transition: Transition, webhook: inputs.CallHangup) -> None:
    located = _locate_leg(transition, webhook.call)
    if located is None:
        return
    participant, leg = located
    leg.hangup_cause = leg.hangup_cause or webhook.cause
    leg.sip_hangup_cause = leg.sip_hangup_cause or webhook.sip_cause
    facts.leg_ended(transition, participant, leg, webhook.occurred_at, webhook.quality)


def _call_bridged(transition: Transition, webhook: inputs.CallBridged) -> None:
    """Record that Telnyx connected the assistant's call to another call.

    The webhook does not name the other call. While a call of ours is joined, the session of the
    assistant's call is looked at, because Telnyx may report a join in this way too.
    """
    conversation, located = transition.conversation, _locate_leg(transition, webhook.call)
    if located is None or not facts.is_assistants(transition, located[1]):
        return
    if not _has_run(transition, None):
        return
    participant, leg = located
    joined = (ParticipantStatus.JOINING, ParticipantStatus.JOINED)
    others = [person for person in conversation.participants if person is not participant]
    if conversation.telnyx_ended_at or not any(other.status in joined for other in others):
        facts.call_transferred(transition, participant, leg)
    else:
        leg.bridged_at = leg.poll_at = transition.now


def _machine_verdict(transition: Transition, webhook: inputs.MachineVerdict) -> None:
    located = _locate_leg(transition, webhook.call)
    if located is None or located[1].machine is not None:
        return
    participant, leg = located
    # A verdict may come before `call.answered`, and is always of an answered call.
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    if webhook.machine and webhook.by_speech and _may_be_screened(participant, leg, webhook):
        if leg.screened_at is None and leg.is_up:
            leg.machine_suspected = True
            leg.verdict_deadline = transition.now + PROMPT_END_WAIT
        return
    leg.machine = webhook.machine
    leg.verdict_deadline = None
    at = webhook.occurred_at
    transition.add_leg_event(EventType.LEG_JUDGED, participant, leg, at, machine=leg.machine)


def _may_be_screened(person: Participant, leg: Leg, verdict: inputs.MachineVerdict) -> bool:
    """Whether a machine that was heard to speak may be an iPhone that screens the call.

    The detection that Telnyx starts again, after the tone of the iPhone, has the last word.
    """
    if person.plan is None or person.plan.machine_detection != SCREENING_DETECTION:
        return False
    screened_at, judged_at = leg.screened_at, verdict.occurred_at
    return screened_at is None or (judged_at is not None and judged_at < screened_at)


def _call_screening_detected(transition: Transition, webhook: inputs.CallScreeningDetected) -> None:
    located = _locate_leg(transition, webhook.call)
    if located is None or located[1].machine is not None or not located[1].is_up:
        return
    participant, leg = located
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    leg.screened_at = leg.screened_at or webhook.occurred_at or transition.now
    leg.machine_suspected = False
    facts.await_verdict(transition, participant, leg)


def _digits_gathered(transition: Transition, webhook: inputs.DigitsGathered) -> None:
    located = _locate_leg(transition, webhook.call)
    if located is None:
        return
    participant, leg = located
    screen = transition.command_for(Action.SCREEN, participant, leg)
    if screen:
        facts.settle(transition, screen)
    screening = participant.plan and participant.plan.screening
    if not screening or leg.status is not statuses.LegStatus.SCREENING or leg.outcome is not None:
        return
    if webhook.digits == screening.accept_digit:
        leg.outcome = Outcome.HUMAN
    elif webhook.status == "call_hangup":  # `call.hangup` will tell the cause
        leg.verdict_deadline = None
        leg.poll_at = transition.now + HANGUP_POLL_DELAY
    else:
        pressed = webhook.digits or webhook.status in KEY_PRESSED_STATUSES
        leg.outcome = Outcome.DECLINED if pressed else Outcome.NO_ANSWER


def _conversation_created(transition: Transition, webhook: inputs.ConversationCreated) -> None:
    located = _locate_leg(transition, webhook.call)
    start = transition.conversation.start_command
    runs_on = start.participant_id if start else HOST_ID
    if webhook.telnyx_conversation_id in transition.conversation.previous_telnyx_ids:
        return
    if located and located[0].id == runs_on:
        facts.leg_answered(transition, *located)
        facts.assistant_started(transition, webhook.telnyx_conversation_id)


def _start_failed(transition: Transition, webhook: inputs.ConversationStartFailed) -> None:
    """Record that the assistant of a call did not start, though the start may have been answered.

    Telnyx sends neither `created` nor `ended` for such a run (Telnyx API: start_failed).
    """
    conversation, located = transition.conversation, _locate_leg(transition, webhook.call)
    if located is None or not facts.is_assistants(transition, located[1]):
        return
    reason = webhook.reason or "unknown"
    failure = Failure(code=facts.START_FAILED, message=f"The assistant did not start: {reason}.")
    if conversation.status is ConversationStatus.CONNECTING:
        transition.move(ConversationStatus.FAILED, failure)
    elif conversation.status is ConversationStatus.ACTIVE and conversation.restarts:
        start = conversation.start_command
        if start:
            facts.settle(transition, start, "failed")
        conversation.telnyx_conversation_id = None  # the restart goes on with another guest
    elif conversation.status is ConversationStatus.ACTIVE:
        conversation.failure = failure
        conversation.telnyx_ended_at = conversation.telnyx_ended_at or transition.now
        conversation.telnyx_ended_reason = facts.START_FAILED


def _conversation_ended(transition: Transition, webhook: inputs.ConversationEnded) -> None:
    conversation, located = transition.conversation, _locate_leg(transition, webhook.call)
    current_id = conversation.telnyx_conversation_id
    if located is None or (current_id and webhook.telnyx_conversation_id not in (None, current_id)):
        return
    if conversation.is_restarting:
        return  # a duplicate for the previous run
    # Whether Telnyx sends this for each joined leg too is not documented: only the host's counts.
    if not located[0].host and any(leg.is_up for leg in conversation.host.legs):
        return
    if not _has_run(transition, webhook.telnyx_conversation_id):
        return
    conversation.telnyx_conversation_id = current_id or webhook.telnyx_conversation_id
    conversation.telnyx_ended_at = conversation.telnyx_ended_at or transition.now
    conversation.telnyx_ended_reason = conversation.telnyx_ended_reason or webhook.reason


def _has_run(transition: Transition, telnyx_id: str | None) -> bool:
    """Whether our assistant has run, which a webhook about the end of a run proves.

    Before our start was sent, the webhook is about an earlier assistant on the call.
    """
    conversation, start = transition.conversation, transition.conversation.start_command
    if conversation.status is ConversationStatus.CONNECTING:
        sent = start is not None and start.sent_at is not None
        if not sent and conversation.start == "after_answer":
            return False
        facts.assistant_started(transition, telnyx_id)
    return True


def _insights_generated(transition: Transition, webhook: inputs.InsightsGenerated) -> None:
    conversation, located = transition.conversation, _locate_leg(transition, webhook.call)
    facts.store_insights(transition, webhook.insights, webhook.occurred_at)
    # Insights prove the end of an assistant: ours, unless another was on the call before.
    first = conversation.direction is not statuses.Direction.ATTACHED and conversation.restarts == 0
    if located and located[0].host and first:
        conversation.insights_received_at = conversation.insights_received_at or transition.now


def _conversation_analyzed(transition: Transition, webhook: inputs.ConversationAnalyzed) -> None:
    conversation, located = transition.conversation, _locate_leg(transition, webhook.call)
    telnyx_id = webhook.telnyx_conversation_id
    if located is None or not _is_our_run(conversation, telnyx_id):
        return
    facts.store_insights(transition, webhook.insights, webhook.occurred_at)
    analyzed = ConversationAnalyzed(
        telnyx_conversation_id=telnyx_id,
        duration_secs=webhook.duration_secs,
        cost=webhook.cost,
        recordings=list(webhook.recordings) or None,
    )
    transition.add_event(analyzed, webhook.occurred_at)
    if telnyx_id and telnyx_id == conversation.telnyx_conversation_id:
        # Telnyx analyzes conversations that have ended.
        conversation.insights_received_at = conversation.insights_received_at or transition.now


def _is_our_run(conversation: Conversation, telnyx_id: str | None) -> bool:
    """Whether a Telnyx conversation is a run of our assistant, not of another on the call."""
    ids = {conversation.telnyx_conversation_id, *conversation.previous_telnyx_ids}
    if telnyx_id in ids - {None}:
        return True
    unsure = telnyx_id is None or bool(ids & {None, UNKNOWN_CONVERSATION_ID})
    return unsure and conversation.direction is not statuses.Direction.ATTACHED


def _invite(transition: Transition, request: inputs.InviteParticipant) -> None:
    conversation, new = transition.conversation, request.participant
    if conversation.participant(new.id):
        return  # a duplicate of the request
    if conversation.is_over:
        transition.refuse_as_over()
        return
    number = len(conversation.participants) + 1
    transition.refusal = create.participants_refusal(number, conversation.limits)
    call = new.call_control_id
    if transition.refusal:
        return
    if call and any(leg.is_up and leg.call_control_id == call for _, leg in conversation.legs()):
        transition.refuse(ErrorCode.CALL_IN_USE, "The call is in the conversation already.")
        return
    if new.plan and new.contact is not None and _refuse_if_present(transition, new.name, new.plan):
        return
    transition.refusal = create.legs_at_once_refusal(new.plan, conversation.limits, "to")
    if transition.refusal:
        return
    participant = create.create_participant(new, transition.now)
    conversation.participants.append(participant)
    transition.add_event(ParticipantInvited(participant_id=participant.id, name=participant.name))


FORGEABLE = (
    "A call that shows this number is on the line already. A caller can forge the number, so the "
    "number does not prove who is calling."
)
"""The answer to an invitation of the person whose number a caller shows."""


def _refuse_if_present(transition: Transition, name: str | None, plan: Plan) -> bool:
    for participant in transition.conversation.participants:
        if participant.status not in statuses.DEPARTED and participant.numbers & set(plan.to):
            if participant.plan is None:
                message = FORGEABLE
            else:
                being_called = participant.status in statuses.BEING_REACHED
                message = f"{quoted(name or '')} is {'being called' if being_called else 'here'}."
            transition.refuse(ErrorCode.ALREADY_THERE, message)
            return True
    return False


def _remove(transition: Transition, request: inputs.RemoveParticipant) -> None:
    participant = transition.conversation.participant(request.participant_id)
    if participant is None:
        message = "There is no such participant in the conversation."
        transition.refuse(ErrorCode.UNKNOWN_PARTICIPANT, message)
        return
    participant.removed = True
    if participant.status in (*statuses.BEING_REACHED, ParticipantStatus.WAITING):
        transition.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        transition.add_message(participant, Outcome.CANCELLED)


def _send_message(transition: Transition, request: inputs.SendMessage) -> None:
    conversation = transition.conversation
    if conversation.is_over:
        transition.refuse_as_over()
        return
    conversation.pending_messages.append(
        Message(
            role=request.role,
            content=request.content,
            trigger_response=request.trigger_response,
        )
    )


def _stop(transition: Transition, request: inputs.StopConversation) -> None:
    conversation, stop = transition.conversation, transition.conversation.stop
    if conversation.status in statuses.FINISHED:
        transition.refuse_as_over()
        return
    if stop and request.hang_up:
        stop.hang_up = stop.by_request = True
    transition.stop(hang_up=request.hang_up, reason="requested", by_request=True)


def _record_nothing(_transition: Transition, _input: Any) -> None:
    """Record no fact: a start is recorded by `record_started`, and a timer has no facts."""


APPLY: dict[type[inputs.Input], Callable[[Transition, Any], None]] = {
    inputs.StartConversation: _record_nothing,
    inputs.InviteParticipant: _invite,
    inputs.RemoveParticipant: _remove,
    inputs.SendMessage: _send_message,
    inputs.StopConversation: _stop,
    inputs.CallInitiated: _call_initiated,
    inputs.CallAnswered: _call_answered,
    inputs.CallHangup: _call_hangup,
    inputs.CallBridged: _call_bridged,
    inputs.MachineVerdict: _machine_verdict,
    inputs.CallScreeningDetected: _call_screening_detected,
    inputs.DigitsGathered: _digits_gathered,
    inputs.ConversationCreated: _conversation_created,
    inputs.ConversationStartFailed: _start_failed,
    inputs.ConversationEnded: _conversation_ended,
    inputs.InsightsGenerated: _insights_generated,
    inputs.ConversationAnalyzed: _conversation_analyzed,
    inputs.CommandResult: apply_result,
    inputs.TimerElapsed: _record_nothing,
}
"""How each input is recorded."""
