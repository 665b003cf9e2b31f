"""One step of a conversation while it is being decided: the working copy and what comes of it.

`record` and the rules change a conversation through these verbs only: no status moves against
the tables, every move leaves its event, and nothing is owed twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from partyline.domain.commands import Action, Command, Message, command_id, key_of
from partyline.domain.conversation import (
    Conversation,
    Failure,
    Insight,
    Leg,
    Participant,
    Stop,
)
from partyline.domain.events import Event, EventType, masked
from partyline.domain.statuses import (
    CONVERSATION_MOVES,
    LEG_MOVES,
    PARTICIPANT_MOVES,
    ConversationStatus,
    LegStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.telling import NAMELESS, THE_HOST, say, sentence_of

STOP_GRACE = timedelta(seconds=60)
"""How long a stopping conversation waits for Telnyx to say that it has ended."""

INSIGHTS_AFTER = timedelta(seconds=60)
"""When to ask for insights that no webhook brought (they come 2 to 20 seconds after the end)."""

LOOK_EVERY = timedelta(seconds=120)
"""How often a live call is looked at when nothing is heard of it."""

RING_GRACE = timedelta(seconds=20)
"""How long after its ring timeout a call's hangup may still come by itself."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a request cannot be done in the state that the conversation is in."""

    code: str
    message: str


class Step:
    """A conversation on its way from one state to the next."""

    def __init__(self, conversation: Conversation, now: datetime, cause: str) -> None:
        """Take a `conversation` that nobody else holds; it is changed in place."""
        self.conversation = conversation
        self.now = now
        self.cause = cause
        self.events: list[Event] = []
        self.insights: list[Insight] = []
        self.refusal: Refusal | None = None

    def refuse(self, code: str, message: str) -> None:
        """Say no to what was asked; nothing of it is done."""
        self.refusal = Refusal(code=code, message=message)

    def event(self, type_: EventType, /, at: datetime | None = None, **data: Any) -> None:
        """Record what happened, `at` its own time if that is known; None values are left out."""
        self.conversation.seq += 1
        self.events.append(
            Event(
                seq=self.conversation.seq,
                type=type_,
                occurred_at=at or self.now,
                cause=self.cause,
                data={name: value for name, value in data.items() if value is not None},
            )
        )

    def move(self, status: ConversationStatus, failure: Failure | None = None, **data: Any) -> bool:
        """Move the conversation, if the table allows it."""
        conversation = self.conversation
        if status not in CONVERSATION_MOVES[conversation.status]:
            return False
        conversation.status = status
        conversation.failure = failure or conversation.failure
        if status is ConversationStatus.ACTIVE:
            conversation.active_at = self.now
        elif status is ConversationStatus.STOPPING:
            conversation.stop_by = self.now + STOP_GRACE
        else:
            conversation.ended_at = self.now
            ran = conversation.active_at or conversation.telnyx_conversation_id
            # Those of an earlier run say nothing about those of the last one.
            if ran and (not conversation.insights or conversation.run):
                conversation.insights_at = self.now + INSIGHTS_AFTER
        self.event(
            EventType(f"conversation.{status}"),
            telnyx_conversation_id=conversation.telnyx_conversation_id,
            failure=failure and failure.model_dump(),
            **data,
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
        """Move a participant, if the table allows it."""
        if status not in PARTICIPANT_MOVES[participant.status]:
            return False
        participant.status = status
        participant.outcome = outcome or participant.outcome
        if status is ParticipantStatus.JOINED:
            participant.joined_at = self.now
        elif status in (ParticipantStatus.LEFT, ParticipantStatus.FAILED):
            participant.left_at = self.now
        self.event(
            EventType(f"participant.{status}"),
            participant_id=participant.id,
            name=participant.name,
            leg=participant.accepted,
            outcome=outcome,
            **data,
        )
        return True

    def add_leg(self, participant: Participant, to: str, ring_timeout_secs: int) -> None:
        """A call to `to` is to be made, and is owed from now on."""
        leg = Leg(
            number=len(participant.legs) + 1,
            to=to,
            from_=participant.plan.from_ if participant.plan else None,
            ring_timeout_secs=ring_timeout_secs,
            created_at=self.now,
            look_at=self.now + timedelta(seconds=ring_timeout_secs) + RING_GRACE,
        )
        participant.legs.append(leg)
        command = self.owe(Action.DIAL, participant, leg)
        self.leg_event(EventType.LEG_DIALING, participant, leg, command_id=command.id)

    def move_leg(
        self, participant: Participant, leg: Leg, status: LegStatus, at: datetime | None = None
    ) -> bool:
        """Move a leg, if the table allows it."""
        if status not in LEG_MOVES[leg.status]:
            return False
        leg.status = status
        if status is LegStatus.ANSWERED:
            leg.answered_at = at or self.now
            leg.look_at = self.now + LOOK_EVERY
        elif status is LegStatus.ENDED:
            leg.ended_at = at or self.now
            leg.look_at = leg.judged_by = None
        self.leg_event(EventType(f"leg.{status}"), participant, leg, at)
        return True

    def leg_event(
        self,
        type_: EventType,
        participant: Participant,
        leg: Leg,
        at: datetime | None = None,
        **data: Any,
    ) -> None:
        """Record what happened to a leg, with its number masked."""
        self.event(
            type_,
            at,
            participant_id=participant.id,
            name=participant.name,
            leg=leg.number,
            to=masked(leg.to),
            outcome=leg.outcome,
            hangup_cause=leg.hangup_cause,
            sip_hangup_cause=leg.sip_hangup_cause,
            failure=leg.failure and leg.failure.model_dump(),
            **data,
        )

    def owe(
        self,
        action: Action,
        participant: Participant | None = None,
        leg: Leg | None = None,
        *,
        nth: int | None = None,
        messages: list[Message] | None = None,
    ) -> Command:
        """Owe a command, unless it is, or was, owed already."""
        participant_id = participant.id if participant else None
        number = leg.number if leg else None
        key = key_of(action, participant_id, number, nth)
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
                not_before=self.now,
            )
        return commands[key]

    def command(self, action: Action, participant: Participant, leg: Leg) -> Command | None:
        """The command of that action for a leg, if it is or was owed."""
        return self.conversation.commands.get(key_of(action, participant.id, leg.number, None))

    def tell(self, participant: Participant, key: str, reason: Outcome | None = None) -> None:
        """Have the assistant told about a person, and for what `reason`, once it runs."""
        if participant.tell_assistant and not self.conversation.over:
            words = self.conversation.words
            name = participant.name or (THE_HOST if participant.host else NAMELESS)
            why = say(words, sentence_of(participant, reason), name=name) if reason else ""
            content = say(words, sentence_of(participant, key), name=name, reason=why)
            if content.strip():
                self.conversation.untold.append(Message(role="system", content=content.strip()))
