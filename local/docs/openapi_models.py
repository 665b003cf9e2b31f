"""What the API answers, as models: for its OpenAPI document, and for tests of real answers.

Closed, so that a field that is answered and not written down here is found.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from partyline.domain.model import conversation as stored
from partyline.domain.model.events import EventType
from partyline.domain.model.statuses import (
    ConversationStatus,
    Direction,
    LegStatus,
    OnHangup,
    Outcome,
    ParticipantStatus,
)
from partyline.entrypoints.api.directory import RouteRequest
from partyline.services.requests import PhoneNumber, Role
from partyline.store.keys import DEFAULT_ROUTE
from partyline.store.scheduled import ScheduleStatus


class Answer(BaseModel):
    """Base: closed."""

    model_config = ConfigDict(extra="forbid")


class Failure(Answer):
    """Why something did not work: Telnyx's code and words, or ours."""

    code: str
    message: str


class Leg(Answer):
    """One phone call to or from a participant."""

    call_control_id: str | None
    to: str | None
    from_: str | None = Field(alias="from")
    status: LegStatus
    outcome: Outcome | None
    hangup_cause: str | None
    failure: Failure | None
    created_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


class Participant(Answer):
    """A person in the conversation, with every call that was tried."""

    id: str
    name: str | None
    host: bool
    status: ParticipantStatus
    outcome: Outcome | None
    on_hangup: OnHangup
    legs: list[Leg]
    created_at: datetime
    joined_at: datetime | None
    left_at: datetime | None


class Assistant(stored.Assistant):
    """The Telnyx assistant, and what is different for this conversation."""

    model_config = ConfigDict(extra="forbid")


class Insight(Answer):
    """One finding about a conversation that is over."""

    insight_id: str
    result: Any


class Conversation(Answer):
    """A conversation with its participants and insights."""

    id: str
    status: ConversationStatus
    direction: Direction
    telnyx_conversation_id: str | None
    assistant: Assistant
    participants: list[Participant]
    insights: list[Insight]
    metadata: dict[str, Any]
    failure: Failure | None
    created_at: datetime
    updated_at: datetime
    active_at: datetime | None
    ended_at: datetime | None


class Scheduled(Answer):
    """A conversation that is to begin later."""

    id: str
    status: ScheduleStatus
    start_at: datetime
    metadata: dict[str, Any]
    failure: Failure | None
    created_at: datetime


class ConversationOrScheduled(RootModel[Conversation | Scheduled]):
    """A conversation, or for as long as it has not begun, its schedule."""


class Conversations(Answer):
    """A page of conversations, newest first."""

    conversations: list[Conversation]
    next_cursor: str | None


class Event(Answer):
    """One thing that happened."""

    seq: Annotated[int, Field(ge=1)]
    type: EventType
    occurred_at: datetime
    cause: str
    data: dict[str, Any]


class Timeline(Answer):
    """What happened, in order."""

    events: list[Event]


class Message(Answer):
    """A message that is on its way into the conversation."""

    conversation_id: str
    role: Role
    content: str


class Route(RouteRequest):
    """How calls to a number of ours are answered; `default` for those without a route."""

    number: PhoneNumber | Literal["default"] = Field(examples=[DEFAULT_ROUTE])


class Routes(Answer):
    """A page of routes by their numbers."""

    routes: list[Route]
    next_cursor: str | None


class DoNotCall(Answer):
    """A number that is not called."""

    number: PhoneNumber
    reason: str | None
    added_at: datetime


class Deleted(Answer):
    """What is not there any more."""

    number: PhoneNumber | Literal["default"]
    deleted: Literal[True]


class Refused(Answer):
    """What is wrong; `details` name the fields, or say what else helps."""

    code: str
    message: str
    details: list[dict[str, Any]]


class Error(Answer):
    """The answer to a request that could not be done."""

    error: Refused


class GatewayError(Answer):
    """What API Gateway itself answers, before any of our code runs."""

    message: str | None
