"""The beginning of a conversation, and the limits that hold for a start and for an invitation."""

from datetime import datetime

from partyline.domain.masking import masked
from partyline.domain.model import inputs
from partyline.domain.model.conversation import Conversation, Limits
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import ConversationStarted, ParticipantInvited
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import HOST_ID, Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.statuses import Direction, LegStatus
from partyline.domain.model.timeouts import FIRST_RING_POLL, MIN_POLL_PAUSE
from partyline.domain.model.transcript import Transcript
from partyline.domain.rules.call_ids import note_call_ids
from partyline.domain.rules.transition import Refusal, Transition


def create_conversation(input_: inputs.Input, now: datetime) -> Conversation | Refusal | None:
    """Create the conversation that an input begins.

    Returns a Refusal for a start beyond the limits, and `None` for an input that begins none.
    """
    settings: inputs.StartConversation | inputs.Route
    if isinstance(input_, inputs.StartConversation):
        refusal = start_refusal(input_)
        if refusal:
            return refusal
        attached = input_.host.call_control_id is not None
        direction = Direction.ATTACHED if attached else Direction.OUTBOUND
        host = create_participant(input_.host, now, host=True)
        guests = [create_participant(guest, now) for guest in input_.guests]
        settings, metadata = input_, input_.metadata
        our_number, start = input_.route, None
    elif isinstance(input_, inputs.CallInitiated) and input_.incoming and input_.route:
        direction = Direction.INBOUND
        host, guests = _create_caller(input_, input_.route, now), []
        settings, metadata = input_.route, {}
        our_number, start = input_.to, input_.route.start
    else:
        return None
    return Conversation(
        id=input_.conversation_id,
        direction=direction,
        assistant=settings.assistant,
        participants=[host, *guests],
        metadata=metadata,
        phrases=settings.phrases,
        limits=settings.limits,
        transcript=Transcript(live=settings.live_transcript),
        route=our_number,
        start=start or "after_answer",
        connection_id=settings.connection_id,
        base_url=input_.base_url,
        created_at=now,
        updated_at=now,
    )


def start_refusal(start: inputs.StartConversation) -> Refusal | None:
    """Return the refusal of a start beyond the limits of a conversation, if any."""
    people, limits = (start.host, *start.guests), start.limits
    fields = ("to", *(f"participants.{nth}.to" for nth in range(len(start.guests))))
    checks = (
        legs_at_once_refusal(person.plan, limits, field)
        for person, field in zip(people, fields, strict=True)
    )
    too_many = participants_refusal(len(people), limits, "participants")
    return too_many or next(filter(None, checks), None)


def participants_refusal(count: int, limits: Limits, field: str | None = None) -> Refusal | None:
    """Return the refusal of `count` participants, the host included, if too many."""
    if count <= limits.participants:
        return None
    return Refusal(
        code=ErrorCode.TOO_MANY_PARTICIPANTS,
        message=f"A conversation has {limits.participants} participants at most, "
        "the host included.",
        field=field,
    )


def legs_at_once_refusal(plan: Plan | None, limits: Limits, field: str) -> Refusal | None:
    """Return the refusal of a plan with too many calls at once, if any."""
    if not plan or plan.strategy != "at_once" or len(plan.to) <= limits.legs_at_once:
        return None
    return Refusal(
        code=ErrorCode.TOO_MANY_LEGS,
        message=f"A conversation makes {limits.legs_at_once} calls at once at most.",
        field=field,
    )


def _create_caller(call: inputs.CallInitiated, route: inputs.Route, now: datetime) -> Participant:
    leg = Leg(
        number=1,
        to=call.to,
        from_=call.from_,
        status=LegStatus.RINGING,
        created_at=now,
        poll_at=now + FIRST_RING_POLL,
    )
    note_call_ids(leg, call.call)
    end = route.on_hangup
    return Participant(id=HOST_ID, host=True, on_hangup=end, legs=[leg], created_at=now)


def create_participant(
    new: inputs.NewParticipant, now: datetime, *, host: bool = False
) -> Participant:
    """Create a participant, to be dialled by a plan or on a call that is live already."""
    participant = Participant(
        id=new.id,
        host=host,
        name=new.name,
        on_hangup=new.on_hangup,
        plan=new.plan,
        tell_assistant=new.tell_assistant,
        contact=new.contact,
        key_id=new.key_id,
        created_at=now,
    )
    if new.call_control_id is not None:
        participant.legs = [
            Leg(
                number=1,
                owned=False,
                status=LegStatus.ANSWERED,
                call_control_id=new.call_control_id,
                created_at=now,
                answered_at=now,
                poll_at=now + MIN_POLL_PAUSE,
            )
        ]
    return participant


def record_started(transition: Transition) -> None:
    """Record the beginning of a conversation that was just created."""
    conversation = transition.conversation
    host_leg = conversation.host.legs[0] if conversation.host.legs else None
    transition.add_event(
        ConversationStarted(
            direction=conversation.direction,
            assistant_id=conversation.assistant.id,
            missing_tools=conversation.assistant.missing_tools or None,
            caller=masked(host_leg.from_) if host_leg else None,
        )
    )
    for guest in conversation.participants[1:]:
        transition.add_event(ParticipantInvited(participant_id=guest.id, name=guest.name))
