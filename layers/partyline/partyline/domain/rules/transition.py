"""`Transition`: the working copy of a conversation during a decision, and its changes.

The rules change a conversation through these methods only: no status moves against the tables,
every move but a return to dialing adds an event, and no command is owed twice.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from partyline.domain.masking import masked
from partyline.domain.model import statuses, timeouts
from partyline.domain.model.commands import Action, Command, Message, command_id, command_key
from partyline.domain.model.conversation import Conversation, Stop
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import EVENT_DATA, Event, EventData, EventType
from partyline.domain.model.handover import Handover
from partyline.domain.model.insight import Insight
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import ConversationStatus, Outcome, ParticipantStatus
from partyline.domain.model.stored import Failure
from partyline.domain.model.transcript import TranscriptPart
from partyline.domain.model.voice import LegVoice
from partyline.domain.rules.phrases import PROGRESS, phrase_key, render, spoken_name
from partyline.domain.rules.polling import next_poll


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a request is refused in the state that the conversation is in."""

    code: ErrorCode
    message: str
    field: str | None = None  # the field of the request to correct, such as `participants.2.to`


class Transition:
    """A conversation on its way to the next state. `cause` is the id of the input."""

    def __init__(self, conversation: Conversation, now: datetime, cause: str) -> None:
        self.conversation = conversation
        self.now = now
        self.cause = cause
        self.events: list[Event] = []
        self.insights: list[Insight] = []
        self.messages: list[TranscriptPart] = []
        self.refusal: Refusal | None = None

    def refuse(self, code: ErrorCode, message: str) -> None:
        """Refuse the request, which must have no effect."""
        self.refusal = Refusal(code=code, message=message)

    def refuse_as_over(self) -> None:
        """Refuse a request that comes too late."""
        status = self.conversation.status
        self.refuse(ErrorCode.CONVERSATION_OVER, f"The conversation is {status}.")

    def add_event(self, data: EventData, at: datetime | None = None) -> None:
        """Add an event with the time `at`, if known; fields without a value are left out."""
        self.conversation.seq += 1
        event = Event(
            seq=self.conversation.seq,
            type=data.type,
            occurred_at=at or self.now,
            cause=self.cause,
            data=data.model_dump(exclude_none=True),
        )
        self.events.append(event)

    def _add_event(self, type_: EventType, at: datetime | None = None, **data: Any) -> None:
        """Add an event of a computed type, whose model may lack the fields without a value."""
        present = {name: value for name, value in data.items() if value is not None}
        self.add_event(EVENT_DATA[type_](**present), at)

    def move(
        self, status: ConversationStatus, failure: Failure | None = None, reason: str | None = None
    ) -> bool:
        """Move the conversation, if the table allows the move. Returns False otherwise."""
        conversation = self.conversation
        if status not in statuses.CONVERSATION_MOVES[conversation.status]:
            return False
        conversation.status = status
        conversation.failure = failure or conversation.failure
        conversation.end_reason = conversation.end_reason or reason
        if status is ConversationStatus.ACTIVE:
            conversation.active_at = self.now
        elif status is ConversationStatus.STOPPING:
            conversation.stop_deadline = self.now + timeouts.STOP_GRACE
        else:
            conversation.ended_at = self.now
            ran = conversation.active_at or conversation.telnyx_conversation_id
            if ran:
                poll_at = self.now + timeouts.INSIGHTS_POLL_DELAY
                conversation.insights_poll_at = conversation.transcript.poll_at = poll_at
        self._add_event(
            EventType(f"conversation.{status}"),
            telnyx_conversation_id=conversation.telnyx_conversation_id,
            failure=failure,
            reason=reason,
        )
        return True

    def stop(self, *, hang_up: bool, reason: str, by_request: bool = False) -> None:
        """Begin the end of the conversation."""
        if self.move(ConversationStatus.STOPPING, reason=reason):
            self.conversation.stop = Stop(hang_up=hang_up, by_request=by_request)

    def move_participant(
        self,
        participant: Participant,
        status: ParticipantStatus,
        outcome: Outcome | None = None,
        **data: Any,
    ) -> bool:
        """Move a participant, if the table allows the move. Returns False otherwise."""
        if status not in statuses.PARTICIPANT_MOVES[participant.status]:
            return False
        participant.status = status
        participant.outcome = outcome or participant.outcome
        if status is ParticipantStatus.DIALING:
            participant.accepted_leg = None
            return True  # the events of the legs tell the rest
        if status is ParticipantStatus.JOINED:
            participant.joined_at = self.now
        elif status in (ParticipantStatus.LEFT, ParticipantStatus.FAILED):
            participant.left_at = self.now
        self._add_event(
            EventType(f"participant.{status}"),
            participant_id=participant.id,
            name=participant.name,
            leg=participant.accepted_leg,
            outcome=outcome,
            **data,
        )
        return True

    def move_handover(self, handover: Handover, status: statuses.HandoverStatus) -> bool:
        """Move a handover, if the table allows the move. Returns False otherwise."""
        if status not in statuses.HANDOVER_MOVES[handover.status]:
            return False
        handover.status = status
        return True

    def add_leg(self, participant: Participant, to: str, ring_timeout_secs: int) -> None:
        """Add a leg to `to`, and the command that dials it."""
        leg = Leg(
            number=participant.legs_tried + 1,
            to=to,
            from_=participant.plan.from_ if participant.plan else None,
            ring_timeout_secs=ring_timeout_secs,
            created_at=self.now,
            poll_at=self.now + timeouts.FIRST_RING_POLL,
        )
        participant.legs.append(leg)
        command = self.add_command(Action.DIAL, participant, leg)
        self.add_leg_event(EventType.LEG_DIALING, participant, leg, command_id=command.id)

    def move_leg(
        self,
        participant: Participant,
        leg: Leg,
        status: statuses.LegStatus,
        at: datetime | None = None,
        **data: Any,
    ) -> bool:
        """Move a leg, if the table allows the move. Returns False otherwise."""
        if status not in statuses.LEG_MOVES[leg.status]:
            return False
        leg.status = status
        if status is statuses.LegStatus.ANSWERED:
            leg.answered_at = at or self.now
            leg.poll_at = next_poll(leg, self.now)
        elif status is statuses.LegStatus.ENDED:
            leg.ended_at = at or self.now
            leg.poll_at = leg.verdict_deadline = None
            leg.voice = LegVoice()
        self.add_leg_event(EventType(f"leg.{status}"), participant, leg, at, **data)
        return True

    def add_leg_event(
        self,
        type_: EventType,
        participant: Participant,
        leg: Leg,
        at: datetime | None = None,
        **data: Any,
    ) -> None:
        """Add an event of a leg, with its number masked; `data` are the fields of that type."""
        self._add_event(
            type_,
            at,
            participant_id=participant.id,
            name=participant.name,
            leg=leg.number,
            to=masked(leg.to),
            outcome=leg.outcome,
            hangup_cause=leg.hangup_cause,
            sip_hangup_cause=leg.sip_hangup_cause,
            failure=leg.failure,
            **data,
        )

    def add_command(
        self,
        action: Action,
        participant: Participant | None = None,
        leg: Leg | None = None,
        *,
        nth: int | None = None,
        messages: list[Message] | None = None,
    ) -> Command:
        """Owe a command, unless already owed or settled; `nth` tells repeated actions apart."""
        participant_id = participant.id if participant else None
        number = leg.number if leg else None
        key = command_key(action, participant_id, number, nth)
        commands = self.conversation.commands
        if key not in commands:
            commands[key] = Command(
                id=command_id(self.conversation.id, key),
                key=key,
                action=action,
                participant_id=participant_id,
                leg=number,
                messages=messages,
                cause=self.cause,
                owed_at=self.now,
                not_before=max(self.now, self.conversation.limited_until.get(action, self.now)),
            )
        return commands[key]

    def command_for(self, action: Action, participant: Participant, leg: Leg) -> Command | None:
        """Return the pending or settled command of that action for a leg, if any."""
        return self.conversation.commands.get(command_key(action, participant.id, leg.number, None))

    def has_command(
        self, action: Action, participant: Participant, leg: Leg, *, nth: int | None = None
    ) -> bool:
        """Whether a command is owed or settled already."""
        key = command_key(action, participant.id, leg.number, nth)
        return key in self.conversation.commands

    def add_message(self, person: Participant, key: str, reason: Outcome | None = None) -> None:
        """Tell the assistant about a participant; `reason` is put into the phrase `key`."""
        if person.tell_assistant and not self.conversation.is_over:
            phrases = self.conversation.phrases
            name = spoken_name(person)
            why = render(phrases, phrase_key(person, reason), name=name) if reason else ""
            content = render(phrases, phrase_key(person, key), name=name, reason=why).strip()
            if content:
                awaited = key not in PROGRESS and self.conversation.is_assistant_speaking
                message = Message(role="system", content=content, trigger_response=awaited)
                self.conversation.pending_messages.append(message)
