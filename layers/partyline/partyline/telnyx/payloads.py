"""The payloads of Telnyx's webhooks: the fields that we read, each of which may be missing.

A payload may be as large as Telnyx likes: a field that we do not read is left in the parsed JSON
and kept nowhere. Sources: Telnyx API, webhooks; payloads as captured on live calls.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from partyline.telnyx.lenient import (
    Amount,
    Id,
    Json,
    Keyword,
    Lenient,
    LongText,
    Moment,
    Number,
    Received,
    Text,
    Whole,
    Word,
    as_object,
    objects,
)

LEG_FIELDS = {"call_control_id", "call_leg_id", "call_session_id", "from", "to"}


class LegPayload(Received):
    """The fields that every payload may have about its leg. Each may be missing."""

    call_control_id: Id = None
    call_leg_id: Id = None
    call_session_id: Id = None
    connection_id: Word = None
    client_state: Text = None
    from_: Id = Field(None, alias="from")
    to: Id = None
    direction: Keyword = None


class InitiatedPayload(LegPayload):
    """A new leg. `direction` is incoming or outgoing: only an incoming leg may be answered."""


class Inbound(Received):
    """The quality of the audio from the phone. Telnyx sends these numbers as strings."""

    mos: Number = None
    jitter_max_variance: Number = None
    jitter_packet_count: Whole = None
    packet_count: Whole = None
    skip_packet_count: Whole = None


class Outbound(Received):
    """The quality of the audio to the phone."""

    packet_count: Whole = None
    skip_packet_count: Whole = None


class QualityStats(Received):
    """The quality of a call in both directions."""

    inbound: Annotated[Inbound | None, Lenient] = None
    outbound: Annotated[Outbound | None, Lenient] = None


class HangupPayload(LegPayload):
    """The cause of a leg's end, and the quality of the call."""

    hangup_cause: Word = None
    sip_hangup_cause: Word = None
    call_quality_stats: Annotated[QualityStats | None, Lenient] = None


class MachinePayload(LegPayload):
    """The verdict: human, machine, not_sure, human_residence, beep_detected, prompt_ended, ..."""

    result: Keyword = None


class GatherPayload(LegPayload):
    """The pressed keys. `status`: valid, invalid, timeout, call_hangup, cancelled, ..."""

    digits: Word = None
    status: Keyword = None


class VoicePayload(LegPayload):
    """How a sentence or an audio file ended: completed, call_hangup, cancelled_amd, failed, ..."""

    status: Keyword = None


class ToolFunction(Received):
    """The tool that is called. `arguments` are JSON as text."""

    name: Id = None
    arguments: LongText = None


class ToolCallRow(Received):
    """A call of a tool by the assistant."""

    id: Id = None
    function: Annotated[ToolFunction | None, Lenient] = None


class MessageRow(Received):
    """A message of a conversation, from any source.

    Webhooks have `content` and `timestamp`, or `sent_at` on live calls; the list of a
    conversation's messages has `text`, `created_at` and `sent_at`, when the person heard the
    message (Telnyx API: call.conversation.ended; GET /ai/conversations/{id}/messages). Telnyx does
    not document who of several people spoke; the ids of the live socket's messages are read if
    they come.
    """

    role: Keyword = None
    content: LongText = None
    text: LongText = None
    timestamp: Moment = None
    sent_at: Moment = None
    created_at: Moment = None
    tool_call_id: Id = None
    tool_calls: Annotated[tuple[ToolCallRow, ...], BeforeValidator(objects)] = ()
    participant_id: Id = None
    metadata: Annotated[dict[str, Any], BeforeValidator(as_object)] = Field(default_factory=dict)


Messages = Annotated[tuple[MessageRow, ...], BeforeValidator(objects)]


class ConversationPayload(LegPayload):
    """The assistant's conversation on the leg. The duration is in seconds."""

    conversation_id: Id = None
    duration_sec: Whole = None
    reason: Id = None
    messages: Messages = ()


class TranscriptPayload(LegPayload):
    """The messages of a running conversation.

    `message_history` is the whole conversation (Telnyx API: call.ai_gather.message_history_updated,
    which has no conversation id). `messages` is undocumented: perhaps only the new messages.
    """

    conversation_id: Id = None
    message_history: Messages = ()
    messages: Messages = ()


class StartFailedPayload(LegPayload):
    """A failed start. `reason`: invalid_request or service_error. The leg stays up."""

    reason: Id = None


class InsightResult(Received):
    """An insight. `result` is a JSON object or text, and the text may be JSON or markdown."""

    insight_id: Word = None
    result: Json = None


class InsightsPayload(LegPayload):
    """The insights of a conversation. Only the insight group's own webhook has its id."""

    conversation_id: Id = None
    results: Annotated[tuple[InsightResult, ...], BeforeValidator(objects)] = ()

    @model_validator(mode="before")
    @classmethod
    def _leg_from_metadata(cls, payload: Any) -> Any:
        # The insight group's own webhook has the leg's fields in `metadata`.
        if not isinstance(payload, dict):
            return payload
        metadata = as_object(payload.get("metadata"))
        missing = {name for name in LEG_FIELDS if payload.get(name) is None}
        return {**payload, **{name: metadata.get(name) for name in missing}}


class InsightGroup(Received):
    """A run of a conversation's insights, as in `call.analyzed`."""

    conversation_insights: Annotated[tuple[InsightResult, ...], BeforeValidator(objects)] = ()


class CostLine(Received):
    """The cost of a Telnyx product."""

    product: Id = None
    cost: Amount = None


class CostPayload(Received):
    """The cost of the call. Amounts are decimal numbers as strings."""

    total: Amount = None
    currency: Id = None
    breakdown: Annotated[tuple[CostLine, ...], BeforeValidator(objects)] = ()


class RecordingPayload(Received):
    """A recording of the call. The download URLs expire, so we do not read the URLs."""

    id: Id = None
    channels: Id = None
    format: Id = None
    start_time: Moment = None
    end_time: Moment = None


class AnalyzedPayload(LegPayload):
    """The results of Telnyx's processing after the call.

    The `client_state` is a state of Telnyx's own, never ours. `cost` may be the text `No cost data
    available.`, `recordings` and `conversation_insights` may be null (Telnyx API: call.analyzed).
    """

    conversation_id: Id = None
    duration_sec: Whole = None
    conversation_insights: Annotated[tuple[InsightGroup, ...], BeforeValidator(objects)] = ()
    cost: Annotated[CostPayload | None, Lenient] = None
    recordings: Annotated[tuple[RecordingPayload, ...], BeforeValidator(objects)] = ()

    @property
    def results(self) -> tuple[InsightResult, ...]:
        """The insights of all runs."""
        groups = self.conversation_insights
        return tuple(result for group in groups for result in group.conversation_insights)
