"""Recording requests: accepted, or refused in the state of the conversation."""

from dataclasses import replace

from partyline.domain.model import inputs, statuses
from partyline.domain.model.commands import Message
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import CallBackBooked, ParticipantInvited
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.statuses import AssistantMode, Outcome, ParticipantStatus
from partyline.domain.names import normalized_name, quoted
from partyline.domain.rules import create
from partyline.domain.rules.modes import want_mode
from partyline.domain.rules.transition import Transition


def invite(transition: Transition, request: inputs.InviteParticipant) -> None:
    """Add a participant, unless the conversation is over or full, or the person is present."""
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
    transition.refusal = create.legs_at_once_refusal(new.plan, conversation.limits, "to")
    if transition.refusal:
        return
    if new.plan:
        by_tool = new.contact is not None
        plan = _without_present(transition, new.name, new.plan, by_tool=by_tool)
        if plan is None:
            return
        new = replace(new, plan=plan)
    participant = create.create_participant(new, transition.now)
    conversation.participants.append(participant)
    transition.add_event(ParticipantInvited(participant_id=participant.id, name=participant.name))


FORGEABLE = (
    "A call that shows this number is on the line already. A caller can forge the number, so the "
    "number does not prove who is calling."
)
"""The answer to an invitation of the person whose number a caller shows."""


def _without_present(
    transition: Transition, name: str | None, plan: Plan, *, by_tool: bool
) -> Plan | None:
    """Return a plan without the numbers of people who are present, or refuse the invitation.

    The line of a present person would be busy. A group of which a person is present is called
    without that person; the same person by name, or by the same numbers, is not called again. The
    number that a caller shows proves nothing, but its line is busy all the same.
    """
    numbers, key = set(plan.to), normalized_name(name or "")
    for participant in transition.conversation.participants:
        called = participant.status in statuses.BEING_REACHED
        # A tool waits for all numbers of a person; a request only for the phone that rings.
        rings = {leg.to for leg in participant.legs if leg.is_up}
        taken = (rings if called and not by_tool else participant.numbers) & set(plan.to)
        if participant.status in statuses.DEPARTED or not taken:
            continue
        numbers -= taken
        same_name = name is not None and key == normalized_name(participant.name or "")
        same_numbers = participant.plan is not None and set(participant.plan.to) == set(plan.to)
        if same_name or same_numbers or not numbers:
            person = quoted(name) if name else "The person at this number"
            where = "being called" if called else "here"
            message = FORGEABLE if participant.plan is None else f"{person} is {where}."
            transition.refuse(ErrorCode.ALREADY_THERE, message)
            return None
    return plan.model_copy(update={"to": [number for number in plan.to if number in numbers]})


def remove(transition: Transition, request: inputs.RemoveParticipant) -> None:
    """Remove a participant, whose call is hung up."""
    participant = transition.conversation.participant(request.participant_id)
    if participant is None:
        message = "There is no such participant in the conversation."
        transition.refuse(ErrorCode.UNKNOWN_PARTICIPANT, message)
        return
    remove_participant(transition, participant)


def remove_participant(transition: Transition, participant: Participant) -> None:
    """Remove a participant: a person who is being reached is called no more."""
    participant.removed = True
    if participant.status in (*statuses.BEING_REACHED, ParticipantStatus.WAITING):
        transition.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        transition.add_message(participant, Outcome.CANCELLED)


def send_message(transition: Transition, request: inputs.SendMessage) -> None:
    """Queue a message for the assistant."""
    conversation = transition.conversation
    if conversation.is_over:
        transition.refuse_as_over()
        return
    conversation.pending_messages.append(
        Message(
            role=request.role,
            content=request.content,
            shown=request.shown,
            trigger_response=request.trigger_response,
        )
    )


def set_mode(transition: Transition, request: inputs.SetAssistantMode) -> None:
    """Ask for a mode of the assistant; the assistant leaves two people or more to each other."""
    if transition.conversation.is_over:
        transition.refuse_as_over()
    elif request.mode is AssistantMode.AWAY and len(transition.conversation.present) < 2:
        message = "The assistant can leave when two people have joined the conversation."
        transition.refuse(ErrorCode.TOO_FEW_PEOPLE, message)
    else:
        want_mode(transition, request.mode)


def note_call_back(transition: Transition, request: inputs.NoteCallBack) -> None:
    """Record that a call back is booked."""
    booked = CallBackBooked(booked_id=request.booked_id, start_at=request.start_at)
    transition.add_event(booked)


def stop(transition: Transition, request: inputs.StopConversation) -> None:
    """Stop the conversation; a later request may still want the calls hung up."""
    conversation, earlier = transition.conversation, transition.conversation.stop
    if conversation.status in statuses.FINISHED:
        transition.refuse_as_over()
        return
    if earlier and request.hang_up:
        earlier.hang_up = earlier.by_request = True
    transition.stop(hang_up=request.hang_up, reason="requested", by_request=True)
