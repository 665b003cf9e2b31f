"""Models of Telnyx's answers, a model for each action.

Any field may be missing: the answer to a repeated command is not documented. Source: Telnyx API,
the schemas of each action.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field

from partyline.telnyx.lenient import Flag, Id, Json, Moment, Received, Text, Whole, Word, objects


class Dialed(Received):
    """The ids of a dialled leg. The answer to a repeated dial may have no ids."""

    call_control_id: Id = None
    call_leg_id: Id = None
    call_session_id: Id = None


class AssistantConversation(Received):
    """The conversation that began, or that the leg joined.

    Without an id here, call.conversation.created has the id of a conversation that began.
    """

    conversation_id: Id = None


class ConferenceMade(Received):
    """A conference that was made. A request may name a conference by `id` or by its name."""

    id: Id = None


class ActiveCall(Received):
    """A leg that is up. The duration is in seconds."""

    call_control_id: Id = None
    call_leg_id: Id = None
    call_session_id: Id = None
    client_state: Text = None
    call_duration: Whole = None


class Call(ActiveCall):
    """A leg, readable until 10 minutes after its end."""

    is_alive: Flag = None
    start_time: Moment = None
    end_time: Moment = None


class CallEvent(Received):
    """A command or webhook of a leg. `metadata` holds the raw event or command."""

    type: Id = None
    name: Id = None
    call_leg_id: Id = None
    metadata: Json = None


class AiConversation(Received):
    """A stored conversation. `metadata` has the call_control_id of the leg that started it."""

    id: Id = None
    created_at: Moment = None
    metadata: Json = None


class StoredInsight(Received):
    """An insight of a conversation: text, which may be JSON."""

    insight_id: Word = None
    result: Json = None


class ConversationInsights(Received):
    """A row of a conversation's insights. `status`: pending, in_progress, completed, failed."""

    status: Id = None
    created_at: Moment = None

    insights: Annotated[tuple[StoredInsight, ...], BeforeValidator(objects)] = Field(
        (), alias="conversation_insights"
    )
