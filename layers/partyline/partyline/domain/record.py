"""What each input records: plain facts, each of which only ever adds to what is known.

Nothing is concluded here: the rules do that from the whole state, whatever order they came in.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from partyline.domain.commands import Action, Message
from partyline.domain.conversation import (
    HOST,
    Conversation,
    Failure,
    Leg,
    Participant,
    Plan,
)
from partyline.domain.events import EventType, masked
from partyline.domain.facts import (
    adopt,
    answered,
    assistant_runs,
    hung_up,
    keep_insights,
    lay_ghost,
    settle,
)
from partyline.domain.inputs import (
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
    NewParticipant,
    RemoveParticipant,
    SendMessage,
    StartConversation,
    StopConversation,
    Tick,
)
from partyline.domain.results import HANGUP_LOOK, record_result
from partyline.domain.statuses import (
    CLOSED,
    GONE,
    REACHING,
    ConversationStatus,
    Direction,
    LegStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.step import LOOK_EVERY, Step

ANSWER_LOOK = timedelta(seconds=15)
"""When to see what became of an inbound call that we answered, if nothing is heard of it."""


PRESSED = ("valid", "invalid")
"""How a gather ends when some key was pressed (Telnyx API: call.gather.ended, status)."""


def born(given: Input, now: datetime) -> Conversation | None:
    """The conversation that an input begins, if it is one that can."""
    if isinstance(given, StartConversation):
        attached = given.host.call_control_id is not None
        conversation = Conversation(
            id=given.conversation_id,
            direction=Direction.ATTACHED if attached else Direction.OUTBOUND,
            assistant=given.assistant,
            metadata=given.metadata,
            words=given.words,
            limits=given.limits,
            route=given.route,
            connection_id=given.connection_id,
            base_url=given.base_url,
            created_at=now,
            updated_at=now,
        )
        conversation.participants = [
            _participant(new, now, host=new is given.host) for new in (given.host, *given.guests)
        ]
        return conversation
    if isinstance(given, CallInitiated) and given.incoming and given.route:
        conversation = Conversation(
            id=given.conversation_id,
            direction=Direction.INBOUND,
            assistant=given.route.assistant,
            words=given.route.words,
            limits=given.route.limits,
            route=given.to,
            connection_id=given.route.connection_id,
            base_url=given.base_url,
            created_at=now,
            updated_at=now,
        )
        leg = Leg(
            number=1,
            to=given.to,
            from_=given.from_,
            status=LegStatus.RINGING,
            created_at=now,
            look_at=now + ANSWER_LOOK,
        )
        adopt(leg, given.call)
        host = Participant(
            id=HOST, host=True, on_hangup=given.route.on_hangup, legs=[leg], created_at=now
        )
        conversation.participants = [host]
        return conversation
    return None


def begun(step: Step) -> None:
    """Record the beginning of a conversation that has just been born."""
    conversation = step.conversation
    host_leg = conversation.host.legs[0] if conversation.host.legs else None
    step.event(
        EventType.CONVERSATION_STARTED,
        direction=conversation.direction,
        assistant_id=conversation.assistant.id,
        caller=masked(host_leg.from_) if host_leg else None,
    )
    for guest in conversation.participants[1:]:
        step.event(EventType.PARTICIPANT_INVITED, participant_id=guest.id, name=guest.name)


def _participant(new: NewParticipant, now: datetime, *, host: bool = False) -> Participant:
    participant = Participant(
        id=new.id,
        host=host,
        name=new.name,
        on_hangup=new.on_hangup,
        plan=new.plan,
        tell_assistant=new.tell_assistant,
        contact=new.contact,
        created_at=now,
    )
    if new.call_control_id is not None:
        participant.legs = [
            Leg(
                number=1,
                ours=False,
                status=LegStatus.ANSWERED,
                call_control_id=new.call_control_id,
                created_at=now,
                answered_at=now,
                look_at=now + LOOK_EVERY,
            )
        ]
    return participant


def find_leg(conversation: Conversation, call: CallRef) -> tuple[Participant, Leg] | None:
    """The leg that a webhook is about.

    Telnyx's own ids decide. Our client_state is believed where they say nothing: of a leg whose
    ids we do not know yet, since the answer to a dial may come after the first webhook of the call
    that it made, and in a webhook that has none.
    """
    for name in ("call_control_id", "call_leg_id"):
        given = getattr(call, name)
        for participant, leg in conversation.legs():
            if given is not None and getattr(leg, name) == given:
                return participant, leg
    hinted = conversation.participant(call.participant)
    leg_hinted = hinted and hinted.leg(call.leg)
    named = call.call_control_id or call.call_leg_id
    known = leg_hinted and (leg_hinted.call_control_id or leg_hinted.call_leg_id)
    if hinted and leg_hinted and not (named and known):
        return hinted, leg_hinted
    return None


def _heard_of(step: Step, call: CallRef) -> tuple[Participant, Leg] | None:
    """The leg a webhook is about, its ids noted: if we hear of a call, its dial was carried out."""
    found = find_leg(step.conversation, call)
    if found is None:
        return None
    participant, leg = found
    adopt(leg, call)
    dial = step.command(Action.DIAL, participant, leg)
    if dial and leg.call_control_id:
        settle(step, dial)
    return found


def _initiated(step: Step, given: CallInitiated) -> None:
    found = _heard_of(step, given.call)
    if found:
        step.move_leg(*found, LegStatus.RINGING, given.occurred_at)
        lay_ghost(step, *found)


def _answered(step: Step, given: CallAnswered) -> None:
    found = _heard_of(step, given.call)
    if found:
        answered(step, *found, given.occurred_at)
        lay_ghost(step, *found)


def _hangup(step: Step, given: CallHangup) -> None:
    found = _heard_of(step, given.call)
    if found is None:
        return
    participant, leg = found
    leg.hangup_cause = leg.hangup_cause or given.cause
    leg.hangup_source = leg.hangup_source or given.source
    leg.sip_hangup_cause = leg.sip_hangup_cause or given.sip_cause
    hung_up(step, participant, leg, given.occurred_at)


def _judged(step: Step, given: MachineVerdict) -> None:
    found = _heard_of(step, given.call)
    if found is None or found[1].machine is not None:
        return
    participant, leg = found
    answered(step, participant, leg, given.occurred_at)  # a verdict is of an answered call
    leg.machine = given.machine
    leg.judged_by = None
    step.leg_event(EventType.LEG_JUDGED, participant, leg, given.occurred_at, machine=given.machine)


def _gathered(step: Step, given: DigitsGathered) -> None:
    found = _heard_of(step, given.call)
    if found is None:
        return
    participant, leg = found
    screen = step.command(Action.SCREEN, participant, leg)
    if screen:
        settle(step, screen)
    screening = participant.plan and participant.plan.screening
    if not screening or leg.status is not LegStatus.SCREENING or leg.outcome is not None:
        return
    if given.digits == screening.accept_digit:
        leg.outcome = Outcome.HUMAN
    elif given.status == "call_hangup":
        leg.judged_by, leg.look_at = None, step.now + HANGUP_LOOK  # how it ended is still to come
    else:
        pressed = given.digits or given.status in PRESSED
        leg.outcome = Outcome.DECLINED if pressed else Outcome.NO_ANSWER


def _created(step: Step, given: ConversationCreated) -> None:
    found = _heard_of(step, given.call)
    start = step.conversation.start_command
    runs_on = start.participant_id if start else HOST
    if given.telnyx_conversation_id in step.conversation.past_telnyx_ids:
        return
    if found and found[0].id == runs_on:
        answered(step, *found)
        assistant_runs(step, given.telnyx_conversation_id)


def _start_failed(step: Step, given: ConversationStartFailed) -> None:
    found = _heard_of(step, given.call)
    if found and found[0].host and step.conversation.status is ConversationStatus.CONNECTING:
        reason = given.reason or "unknown"
        failure = Failure(code="start_failed", message=f"The assistant did not start: {reason}.")
        step.move(ConversationStatus.FAILED, failure)


def _ended(step: Step, given: ConversationEnded) -> None:
    found = _heard_of(step, given.call)
    ours = step.conversation.telnyx_conversation_id
    if found is None or (ours and given.telnyx_conversation_id not in (None, ours)):
        return
    if step.conversation.restarting:
        return  # said again of the one before
    host = step.conversation.host
    # Whether Telnyx also sends this for each joined leg is not documented: only the host's counts.
    if not found[0].host and any(leg.up for leg in host.legs):
        return
    if step.conversation.status is ConversationStatus.CONNECTING:
        start = step.conversation.start_command
        if start is None or start.sent_at is None:
            return  # ours cannot have run: this is of another one, before us on the same call
        assistant_runs(step, given.telnyx_conversation_id)  # what has ended has run
    step.conversation.telnyx_conversation_id = ours or given.telnyx_conversation_id
    step.conversation.telnyx_ended_at = step.conversation.telnyx_ended_at or step.now
    step.conversation.telnyx_ended_reason = given.reason


def _insights(step: Step, given: InsightsGenerated) -> None:
    conversation, found = step.conversation, _heard_of(step, given.call)
    keep_insights(step, given.insights, given.occurred_at)
    # They are of an assistant that has ended: of ours, unless another was on the call before it.
    first = conversation.direction is not Direction.ATTACHED and conversation.run == 0
    if found and found[0].host and first:
        conversation.concluded_at = conversation.concluded_at or step.now


def _invite(step: Step, given: InviteParticipant) -> None:
    conversation = step.conversation
    if conversation.participant(given.participant.id):
        return  # the same request again
    if conversation.over:
        step.refuse("conversation_over", f"The conversation is {conversation.status}.")
        return
    if len(conversation.participants) >= conversation.limits.participants:
        most = conversation.limits.participants
        step.refuse("too_many_participants", f"A conversation has {most} participants at most.")
        return
    call = given.participant.call_control_id
    if call and any(leg.up and leg.call_control_id == call for _, leg in conversation.legs()):
        step.refuse("call_in_use", "The call is in the conversation already.")
        return
    plan = given.participant.plan
    if plan and given.participant.contact is not None and _already_there(step, given, plan):
        return
    if plan and plan.strategy == "at_once" and len(plan.to) > conversation.limits.legs_at_once:
        most = conversation.limits.legs_at_once
        step.refuse("too_many_legs", f"A conversation makes {most} calls at once at most.")
        return
    participant = _participant(given.participant, step.now)
    step.conversation.participants.append(participant)
    step.event(EventType.PARTICIPANT_INVITED, participant_id=participant.id, name=participant.name)


def _already_there(step: Step, given: InviteParticipant, plan: Plan) -> bool:
    """The assistant asks for somebody again, by another name or after somebody else did."""
    for each in step.conversation.participants:
        if each.status not in GONE and each.numbers & set(plan.to):
            where = "being called" if each.status in REACHING else "here"
            step.refuse("already_there", f"{given.participant.name} is {where}.")
            return True
    return False


def _remove(step: Step, given: RemoveParticipant) -> None:
    participant = step.conversation.participant(given.participant_id)
    if participant is None:
        step.refuse("unknown_participant", "There is no such participant in the conversation.")
        return
    participant.removed = True
    if participant.status in REACHING or participant.status is ParticipantStatus.WAITING:
        step.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        step.tell(participant, Outcome.CANCELLED)


def _message(step: Step, given: SendMessage) -> None:
    if step.conversation.over:
        step.refuse("conversation_over", f"The conversation is {step.conversation.status}.")
        return
    step.conversation.untold.append(Message(role=given.role, content=given.content))


def _stop(step: Step, given: StopConversation) -> None:
    stop = step.conversation.stop
    if step.conversation.status in CLOSED:
        step.refuse("conversation_over", f"The conversation is {step.conversation.status}.")
        return
    if stop and given.hang_up:
        stop.hang_up = stop.by_request = True
    step.stop(hang_up=given.hang_up, reason="requested", by_request=True)


def _nothing(_step: Step, _given: Any) -> None:
    """A beginning is recorded when the conversation is born; a tick records nothing."""


RECORD: dict[type[Input], Callable[[Step, Any], None]] = {
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
    CommandResult: record_result,
    Tick: _nothing,
}
