"""The routes that read conversations. Nothing here can change a conversation.

The answers are shaped in `responses`.
"""

import re
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.statuses import ConversationStatus
from partyline.entrypoints.api import app as api
from partyline.entrypoints.api import responses
from partyline.entrypoints.api.transcript_text import transcript_text
from partyline.services.bearer_keys import Right
from partyline.services.errors import RequestError, field_invalid, unknown_conversation
from partyline.store.scheduled import ScheduleStatus

DEFAULT_LIMIT, MAX_LIMIT = 20, 50
MAX_CURSOR_CHARS = 256

query = api.KeyRouter(Right.READ)


def _whole_number(text: Any) -> Any:
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) < 4):
        raise PydanticCustomError("limit", "a number of at most three digits")
    return text


LIMIT_SCHEMA = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
Limit = Annotated[
    int,
    BeforeValidator(_whole_number),
    Field(ge=1, le=MAX_LIMIT),
    Query(),
    WithJsonSchema(LIMIT_SCHEMA),
]
Cursor = Annotated[
    str | None,
    Field(min_length=1, max_length=MAX_CURSOR_CHARS),
    Query(),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_CURSOR_CHARS}),
]
TRANSCRIPT_LIMIT = MAX_TRANSCRIPT_LIMIT = 500
TRANSCRIPT_LIMIT_SCHEMA = LIMIT_SCHEMA | {
    "maximum": MAX_TRANSCRIPT_LIMIT,
    "default": TRANSCRIPT_LIMIT,
}
TranscriptLimit = Annotated[
    int,
    BeforeValidator(_whole_number),
    Field(ge=1, le=MAX_TRANSCRIPT_LIMIT),
    Query(),
    WithJsonSchema(TRANSCRIPT_LIMIT_SCHEMA),
]
Format = Annotated[Literal["json", "text"] | None, Query(alias="format")]
LISTED = (*ConversationStatus, ScheduleStatus.SCHEDULED)
"""The statuses by which the list can be filtered."""


def _listed(status: str | None) -> str | None:
    if status is not None and status not in LISTED:
        raise PydanticCustomError("status", f"one of {', '.join(LISTED)}")
    return status


Status = Annotated[
    str | None,
    AfterValidator(_listed),
    Query(),
    WithJsonSchema({"type": "string", "enum": list(LISTED)}),
]


def _whole_e164(text: str | None) -> str | None:
    if text is not None and not E164.fullmatch(text):
        raise PydanticCustomError("number", "a number like +13125550101; write the plus as %2B")
    return text


E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

Number = Annotated[
    str | None,
    AfterValidator(_whole_e164),
    Query(),
    WithJsonSchema({"type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$"}),
]


@query.get("/conversations", responses=api.answers({200: responses.Conversations}))
def list_conversations(
    status: Status = None,
    number: Number = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[responses.Conversations]:
    """List conversations by `status` or all, newest first, `limit` at a time from `cursor`.

    `number` lists those with a person of this number. The status `scheduled` lists the scheduled
    starts, which no other list has; not together with `number`.
    """
    api.check_query("status", "number", "limit", "cursor")
    shown: list[Any]
    if number:
        if status == ScheduleStatus.SCHEDULED:
            raise field_invalid("status", "not possible with number")
        named = ConversationStatus(status) if status else None
        stored, next_cursor = _of_person(number, limit, cursor)
        shown = [
            responses.ConversationSummary.of(conversation)
            for conversation in stored
            if named in (None, conversation.status)
        ]
    elif status == ScheduleStatus.SCHEDULED:
        bookings = api.app().scheduled.list_newest(limit, cursor)
        shown, next_cursor = list(map(responses.Scheduled.of, bookings.items)), bookings.next_cursor
    else:
        named = ConversationStatus(status) if status else None
        page = api.app().store.list_newest(named, limit, cursor)
        shown = [responses.ConversationSummary.of(stored) for stored in page.items]
        next_cursor = page.next_cursor
    return api.respond(responses.Conversations(conversations=shown, next_cursor=next_cursor))


def _of_person(
    number: str, limit: int, cursor: str | None
) -> tuple[list[Conversation], str | None]:
    """A page of the conversations with a person, and the cursor of the next page."""
    index, person = api.app().person_index, api.app().number_hashes.of(number)
    page = index.page(person, limit, cursor)
    conversations, read = api.app().store.at_places(page.items)
    if read < len(page.items):
        return conversations, index.cursor(person, page.items[read - 1])
    return conversations, page.next_cursor


@query.get(
    "/conversations/<id>",
    responses=api.answers({200: responses.Conversation | responses.Scheduled}),
)
def get_conversation(conversation_id: api.ConversationId) -> Response[Any]:
    """Get a conversation with participants and insights."""
    conversation_id = api.conversation_id_of(conversation_id)
    stored = api.app().store.load_with_insights(conversation_id)
    if stored is not None:
        return api.respond(responses.Conversation.of(*stored))
    scheduled = api.app().scheduled.get(conversation_id)
    if scheduled is None:
        raise unknown_conversation()
    return api.respond(responses.Scheduled.of(scheduled))


@query.get("/conversations/<id>/timeline", responses=api.answers({200: responses.Timeline}))
def get_timeline(
    conversation_id: api.ConversationId, cursor: Cursor = None
) -> Response[responses.Timeline]:
    """Get the events of a conversation in their order; a scheduled conversation has none yet."""
    api.check_query("cursor")
    conversation_id = api.conversation_id_of(conversation_id)
    page = api.app().store.timeline(conversation_id, cursor)
    if not page.items and cursor is None and api.app().scheduled.get(conversation_id) is None:
        raise unknown_conversation()
    events = [responses.Event.of(event) for event in page.items]
    return api.respond(responses.Timeline(events=events, next_cursor=page.next_cursor))


@query.get(
    "/conversations/<id>/transcript",
    responses=api.answers({200: responses.Transcript}, text=True),
)
def get_transcript(
    conversation_id: api.ConversationId,
    limit: TranscriptLimit = TRANSCRIPT_LIMIT,
    cursor: Cursor = None,
    format_: Format = None,
) -> Response[Any]:
    """Get what was said, `limit` messages at a time from `cursor`, or all as text.

    The answer is text with `format=text`, and for a request that accepts `text/plain` only. The
    transcript of a conversation that runs is empty without `live_transcript`.
    """
    api.check_query("limit", "cursor", "format")
    conversation_id = api.conversation_id_of(conversation_id)
    store = api.app().store
    conversation = store.load(conversation_id)
    if conversation is None:
        raise unknown_conversation()
    if format_ == "text" or (format_ is None and api.accepts("text/plain")):
        everything = store.transcript(conversation_id)
        return api.respond_text(transcript_text(conversation, everything))
    page = store.transcript_page(conversation_id, cursor, limit)
    shown = responses.Transcript(
        messages=[responses.TranscriptMessage.of(item) for item in page.items],
        final=conversation.transcript_is_final,
        complete=conversation.transcript_is_complete,
        next_cursor=page.next_cursor,
    )
    return api.respond(shown)


@query.get("/conversations/<id>/report", responses=api.answers({200: responses.Report}))
def get_report(conversation_id: api.ConversationId) -> Response[responses.Report]:
    """Get the report on a conversation that is over: the event `conversation.report`."""
    conversation_id = api.conversation_id_of(conversation_id)
    store = api.app().store
    stored = store.load(conversation_id)
    if stored is None and api.app().scheduled.get(conversation_id) is None:
        raise unknown_conversation()
    seq = stored.report_seq if stored else None
    if seq is None:
        message = "The report comes once the conversation is over: at most seven minutes later."
        raise RequestError(ErrorCode.REPORT_NOT_READY, message)
    event = store.event(conversation_id, seq)
    if event is None:
        message = "The report has expired: events are kept for `KeepEventsDays`."
        raise RequestError(ErrorCode.REPORT_EXPIRED, message)
    return api.respond(responses.Report.of(conversation_id, event))


@query.get("/conversations/<id>/export", responses=api.answers({200: responses.Export}))
def get_export(
    conversation_id: api.ConversationId, cursor: Cursor = None
) -> Response[responses.Export]:
    """Get the inputs of a conversation step by step, for a replay; empty with `KeepInputs` off."""
    api.check_query("cursor")
    conversation_id = api.conversation_id_of(conversation_id)
    page = api.app().store.steps(conversation_id, cursor)
    if not page.items and cursor is None and api.app().store.load(conversation_id) is None:
        raise unknown_conversation()
    steps = [responses.Step.model_validate_json(record) for record in page.items]
    return api.respond(responses.Export(steps=steps, next_cursor=page.next_cursor))
