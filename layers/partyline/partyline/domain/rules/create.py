"""The beginning of a conversation."""

from datetime import datetime

from partyline.domain.model.conversation import HOST_ID, Conversation, Leg, Participant
from partyline.domain.model.events import EventType, masked
from partyline.domain.model.inputs import CallInitiated, Input, NewParticipant, StartConversation
from partyline.domain.model.statuses import Direction, LegStatus
from partyline.domain.model.timeouts import ANSWER_POLL_DELAY, POLL_INTERVAL
from partyline.domain.rules.facts import note_call_ids
from partyline.domain.rules.transition import Transition


def create_conversation(given: Input, now: datetime) -> Conversation | None:
    """The conversation that an input begins, if it is one that can."""
    if isinstance(given, StartConversation):
        attached = given.host.call_control_id is not None
        conversation = Conversation(
            id=given.conversation_id,
            direction=Direction.ATTACHED if attached else Direction.OUTBOUND,
            assistant=given.assistant,
            metadata=given.metadata,
            phrases=given.phrases,
            limits=given.limits,
            route=given.route,
            connection_id=given.connection_id,
            base_url=given.base_url,
            created_at=now,
            updated_at=now,
        )
        conversation.participants = [
            create_participant(new, now, host=new is given.host)
            for new in (given.host, *given.guests)
        ]
        return conversation
    if isinstance(given, CallInitiated) and given.incoming and given.route:
        conversation = Conversation(
            id=given.conversation_id,
            direction=Direction.INBOUND,
            assistant=given.route.assistant,
            phrases=given.route.phrases,
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
            poll_at=now + ANSWER_POLL_DELAY,
        )
        note_call_ids(leg, given.call)
        host = Participant(
            id=HOST_ID, host=True, on_hangup=given.route.on_hangup, legs=[leg], created_at=now
        )
        conversation.participants = [host]
        return conversation
    return None


def record_started(transition: Transition) -> None:
    """Record the beginning of a conversation that has just been born."""
    conversation = transition.conversation
    host_leg = conversation.host.legs[0] if conversation.host.legs else None
    transition.add_event(
        EventType.CONVERSATION_STARTED,
        direction=conversation.direction,
        assistant_id=conversation.assistant.id,
        caller=masked(host_leg.from_) if host_leg else None,
    )
    for guest in conversation.participants[1:]:
        transition.add_event(
            EventType.PARTICIPANT_INVITED, participant_id=guest.id, name=guest.name
        )


def create_participant(new: NewParticipant, now: datetime, *, host: bool = False) -> Participant:
    """Return a participant to be dialled by a plan, or one whose call is live already."""
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
                owned=False,
                status=LegStatus.ANSWERED,
                call_control_id=new.call_control_id,
                created_at=now,
                answered_at=now,
                poll_at=now + POLL_INTERVAL,
            )
        ]
    return participant
