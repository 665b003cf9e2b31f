"""The routes that move conversations: `trigger` dials, `control` does not."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field, WithJsonSchema

from partyline.domain.model.error_codes import ErrorCode
from partyline.entrypoints.api import app as api
from partyline.entrypoints.api import responses
from partyline.entrypoints.api.queries import DEFAULT_LIMIT, Cursor, Limit
from partyline.services.bearer_keys import KEY_ID, Right
from partyline.services.conversations import Done, Started
from partyline.services.errors import RequestError, field_invalid
from partyline.services.requests import (
    HandoverRequest,
    InviteRequest,
    MessageRequest,
    ModeRequest,
    StartRequest,
    StopRequest,
)

trigger = api.KeyRouter(Right.START)  # the routes that dial

control = api.KeyRouter(Right.CONTROL)  # the routes that change a conversation without dialling

KeyId = Annotated[str, Field(pattern=f"^{KEY_ID.pattern}$"), Query()]

CANCEL, ERASE = "cancel", "erase"
"""The values of the parameter `scheduled`."""

OfScheduled = Annotated[str, Query(), WithJsonSchema({"type": "string", "enum": [CANCEL, ERASE]})]

NOT_CANCELLED = frozenset(
    {ErrorCode.ALREADY_STARTED, ErrorCode.CONVERSATION_OVER, ErrorCode.UNKNOWN_CONVERSATION}
)
"""The errors of a cancellation after which there may be something to erase."""

ANY = responses.Conversation | responses.Scheduled
STOPPED = responses.Stopped | responses.Scheduled


@trigger.post(
    "/conversations", responses=api.answers({200: ANY, 201: responses.Conversation, 202: ANY})
)
def start_conversation(body: Annotated[StartRequest, Body()]) -> Response[Any]:
    """Start a conversation now, or at `start_at`."""
    result = api.app().scheduling.start_or_schedule(body, api.requester())
    if not isinstance(result, Started):
        view = responses.Scheduled.of(result.scheduled)
        return api.respond(view, 202 if result.is_new else 200, replayed=not result.is_new)
    active = result.conversation.status == "active"
    status = (201 if active else 202) if result.is_new else 200
    shown = responses.Conversation.of(result.conversation)
    return api.respond(shown, status, replayed=not result.is_new)


@trigger.post(
    "/conversations/<id>/participants", responses=api.answers({202: responses.Participant})
)
def invite_participant(
    conversation_id: api.ConversationId, body: Annotated[InviteRequest, Body()]
) -> Response[responses.Participant]:
    """Dial a guest, or bring a live call into the conversation."""
    conversation_id = api.conversation_id_of(conversation_id)
    done = api.app().conversations.invite(conversation_id, body, api.requester())
    return api.respond(responses.Participant.of(done.changed), 202, replayed=done.replayed)


@trigger.post("/conversations/<id>/handover", responses=api.answers({202: responses.Handover}))
def hand_over(
    conversation_id: api.ConversationId, body: Annotated[HandoverRequest, Body()]
) -> Response[responses.Handover]:
    """Reach a person and hand the caller over; `then` is the assistant's part after the join."""
    conversation_id = api.conversation_id_of(conversation_id)
    done = api.app().conversations.hand_over(conversation_id, body, api.requester())
    return api.respond(responses.Handover.model_validate(done.changed), 202, replayed=done.replayed)


@control.delete(
    "/conversations/<id>/participants/<participant_id>",
    responses=api.answers({202: responses.Participant}),
)
def remove_participant(
    conversation_id: api.ConversationId, participant_id: api.ParticipantId
) -> Response[responses.Participant]:
    """Hang up on a participant."""
    conversation_id = api.conversation_id_of(conversation_id)
    done = api.app().conversations.remove(conversation_id, participant_id, api.requester())
    return api.respond(responses.Participant.of(done.changed), 202, replayed=done.replayed)


@control.post("/conversations/<id>/messages", responses=api.answers({202: responses.Message}))
def send_message(
    conversation_id: api.ConversationId, body: Annotated[MessageRequest, Body()]
) -> Response[responses.Message]:
    """Put a message into the assistant's conversation."""
    conversation_id = api.conversation_id_of(conversation_id)
    done = api.app().conversations.send_message(conversation_id, body, api.requester())
    message = responses.Message(conversation_id=conversation_id, **body.model_dump())
    return api.respond(message, 202, replayed=done.replayed)


@control.post("/conversations/<id>/assistant", responses=api.answers({202: responses.Mode}))
def set_assistant_mode(
    conversation_id: api.ConversationId, body: Annotated[ModeRequest, Body()]
) -> Response[responses.Mode]:
    """Let the assistant speak, be silent, or leave the people to each other."""
    conversation_id = api.conversation_id_of(conversation_id)
    done = api.app().conversations.set_mode(conversation_id, body, api.requester())
    return api.respond(responses.Mode.of(done.changed), 202, replayed=done.replayed)


@control.post("/conversations/<id>/stop", responses=api.answers({202: STOPPED}))
def stop_conversation(
    conversation_id: api.ConversationId, body: Annotated[StopRequest, Body()]
) -> Response[Any]:
    """Stop the assistant; the calls stay up unless `hang_up`. The answer lists those calls.

    A scheduled start is cancelled.
    """
    conversation_id = api.conversation_id_of(conversation_id)
    stop, hang_up = api.app().scheduling.stop, body.hang_up
    stopped = stop(conversation_id, hang_up=hang_up, sender=api.requester())
    if isinstance(stopped, Done):
        shown = responses.Stopped.of(stopped.changed)
        return api.respond(shown, 202, replayed=stopped.replayed)
    return api.respond(responses.Scheduled.of(stopped), 202)


@control.delete(
    "/conversations/<id>",
    responses=api.answers({200: responses.Scheduled, 202: responses.Erasure}),
)
def delete_conversation(
    conversation_id: api.ConversationId, scheduled: OfScheduled = CANCEL
) -> Response[Any]:
    """Cancel a conversation that was to start later, or erase a conversation that is over.

    `scheduled=erase` also erases a scheduled start, cancelled or not.
    """
    api.check_query("scheduled")
    if scheduled not in (CANCEL, ERASE):
        raise field_invalid("scheduled", f"{CANCEL} or {ERASE}")
    conversation_id = api.conversation_id_of(conversation_id)
    if scheduled == ERASE:
        return _erase(conversation_id)
    try:
        cancelled = api.app().scheduling.cancel(conversation_id)
    except RequestError as error:
        if error.code not in NOT_CANCELLED:
            raise
        is_unknown = error.code is ErrorCode.UNKNOWN_CONVERSATION
        if is_unknown and not api.app().erasures.get(conversation_id):
            raise
        return _erase(conversation_id)
    return api.respond(responses.Scheduled.of(cancelled))


def _erase(conversation_id: str) -> Response[Any]:
    api.check_right(Right.ERASE)
    key_id = api.change().key_id
    erasure = api.app().erasure_requests.erase_conversation(conversation_id, key_id)
    return api.respond(responses.Erasure.of(erasure), 202)


@control.delete("/conversations", responses=api.answers({200: responses.Cancelled}))
def cancel_conversations(
    key_id: KeyId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response[responses.Cancelled]:
    """Cancel the scheduled starts of a bearer key, `limit` at a time from `cursor`."""
    api.check_query("key_id", "limit", "cursor")
    page = api.app().scheduling.cancel_all(key_id, limit, cursor)
    cancelled = [responses.Scheduled.of(scheduled) for scheduled in page.items]
    return api.respond(responses.Cancelled(cancelled=cancelled, next_cursor=page.next_cursor))
