"""What can be asked of conversations: start, invite, remove, message, stop."""

from typing import Any

from partyline.bootstrap import bootstrap
from partyline.domain.model.conversation import (
    HOST_ID,
    Assistant,
    Conversation,
    Limits,
    Participant,
)
from partyline.domain.model.inputs import (
    CallRef,
    Input,
    InviteParticipant,
    NewParticipant,
    RemoveParticipant,
    SendMessage,
    StartConversation,
    StopConversation,
)
from partyline.domain.model.statuses import FINISHED, ConversationStatus, OnHangup
from partyline.domain.rules.facts import find_leg
from partyline.entrypoints.answers import ApiError
from partyline.entrypoints.api.app import Request, invalid
from partyline.entrypoints.api.queries import conversation_id_of, unknown_conversation
from partyline.entrypoints.api.responses import conversation_view, participant_view
from partyline.entrypoints.http import base_url
from partyline.ids import (
    conversation_id_for_call,
    conversation_id_for_request,
    participant_id_for_request,
)
from partyline.services import inbound_routes
from partyline.services.correlation import correlate
from partyline.services.engine import IngestResult, Load
from partyline.services.plans import allow, plan_of
from partyline.services.quotas import check_open_conversations, dial_charge, too_many_dials
from partyline.services.requests import InviteBody, MessageBody, StartBody, StopBody
from partyline.settings import ConversationSettings
from partyline.store import QuotaCharge
from partyline.store.errors import QuotaExceededError

REFUSALS = {"unknown_participant": 404}
"""A request that the conversation's state does not allow is a 409, but for these."""


def start_conversation(request: Request) -> tuple[int, Any]:
    """`POST /conversations`: dial the host, or put the assistant on a call that is live."""
    body = request.body(StartBody)
    if body.call_control_id:
        conversation_id = conversation_id_for_call(body.call_control_id)
    else:
        conversation_id = conversation_id_for_request(request.fingerprint)
    given = start_input(request, body, conversation_id)
    known = body.call_control_id is not None or request.fingerprint is not None
    before = bootstrap().store.load(conversation_id) if known else None
    charge = None
    if before is None:
        _free(conversation_id, body, *body.participants)
        charge = dial_charge(request, body.participants, host=body.to is not None)
        check_open_conversations()
    ingested, conversation = _ingest(request, _held(conversation_id, before), given, charge)
    if before and not ingested.duplicate and before.status in FINISHED:
        raise ApiError(409, "conversation_over", f"The conversation is {before.status}.")
    if before or ingested.duplicate:
        status = 200
    else:
        status = 201 if conversation.status is ConversationStatus.ACTIVE else 202
    return status, conversation_view(conversation)


def start_input(request: Request, body: StartBody, conversation_id: str) -> StartConversation:
    """What a request to begin a conversation asks for. Raises an ApiError for what it may not."""
    settings = bootstrap().settings
    limits = inbound_routes.conversation_limits(settings)
    _fit(body, limits)
    allow([body.to] if body.to else [], settings.destinations)
    return StartConversation(
        id=request.request_id,
        conversation_id=conversation_id,
        assistant=_assistant(body, settings),
        connection_id=settings.telnyx_connection_id,
        host=NewParticipant(
            id=HOST_ID,
            name=body.name,
            on_hangup=OnHangup(body.on_host_hangup or body.on_hangup or OnHangup.END),
            plan=plan_of(body, [body.to], settings) if body.to else None,
            call_control_id=body.call_control_id,
        ),
        guests=tuple(
            _new_participant(each, request, settings, nth, f"participants.{nth}.", body.from_)
            for nth, each in enumerate(body.participants)
        ),
        base_url=base_url(request.event, settings.public_base_url),
        metadata=body.metadata,
        phrases=body.words,
        limits=limits,
        route=body.from_ or settings.default_number,
    )


def invite_participant(request: Request) -> tuple[int, Any]:
    """`POST /conversations/{id}/participants`: bring another person in."""
    body = request.body(InviteBody)
    settings, conversation_id = bootstrap().settings, conversation_id_of(request)
    allow(body.numbers, settings.destinations)
    before = bootstrap().store.load(conversation_id)
    if before is None:
        raise unknown_conversation()
    _free(conversation_id, body)
    # The number that the conversation runs on calls, be it one of several on this deployment.
    participant = _new_participant(body, request, settings, ours=before.route)
    given = InviteParticipant(id=request.request_id, participant=participant)
    charge = dial_charge(request, [body])
    _, conversation = _ingest(request, _held(conversation_id, before), given, charge)
    return 202, participant_view(_present(conversation, participant.id))


def remove_participant(request: Request) -> tuple[int, Any]:
    """`DELETE /conversations/{id}/participants/{participant_id}`: hang that person up."""
    participant_id = request.path.get("participant_id", "")
    given = RemoveParticipant(id=request.request_id, participant_id=participant_id)
    _, conversation = _ingest(request, _stored(request), given)
    return 202, participant_view(_present(conversation, participant_id))


def send_message(request: Request) -> tuple[int, Any]:
    """`POST /conversations/{id}/messages`: put a message into the assistant's conversation."""
    body = request.body(MessageBody)
    given = SendMessage(id=request.request_id, role=body.role, content=body.content)
    _, conversation = _ingest(request, _stored(request), given)
    return 202, {"conversation_id": conversation.id, **body.model_dump()}


def stop_conversation(request: Request) -> tuple[int, Any]:
    """`POST /conversations/{id}/stop`: stop the assistant; the calls go on unless `hang_up`."""
    body = request.body(StopBody)
    given = StopConversation(id=request.request_id, hang_up=body.hang_up)
    _, conversation = _ingest(request, _stored(request), given)
    return 202, conversation_view(conversation)


def _ingest(
    request: Request, load: Load, given: Input, charge: QuotaCharge | None = None
) -> tuple[IngestResult, Conversation]:
    """Take the input in. Raises an ApiError for what the conversation's state does not allow."""
    dedupe, engine, came_at = request.dedupe(), bootstrap().engine, bootstrap().clock()
    try:
        ingested = engine.ingest(load, given, dedupe, charge)
    except QuotaExceededError:
        raise too_many_dials() from None
    ingested = engine.drain(ingested, given.id, came_at)
    if dedupe and ingested.duplicate and ingested.stored_hash != dedupe.request_hash:
        raise invalid("Idempotency-Key", "was used for another request", "idempotency_key_reused")
    if ingested.conversation is None:
        raise unknown_conversation()
    if ingested.refusal:
        refusal = ingested.refusal
        raise ApiError(REFUSALS.get(refusal.code, 409), refusal.code, refusal.message)
    if ingested.duplicate and ingested.pending:
        raise ApiError(503, "pending", "A Telnyx command could not be carried out yet.")
    return ingested, ingested.conversation


def _stored(request: Request) -> Load:
    conversation_id = conversation_id_of(request)
    return lambda: bootstrap().store.load(conversation_id)


def _held(conversation_id: str, conversation: Conversation | None) -> Load:
    held = [conversation]
    return lambda: held.pop() if held else bootstrap().store.load(conversation_id)


def _present(conversation: Conversation, participant_id: str) -> Participant:
    participant = conversation.participant(participant_id)
    if participant is None:
        raise ApiError(404, "unknown_participant", "There is no such participant.")
    return participant


def _free(conversation_id: str, *bodies: StartBody | InviteBody) -> None:
    """Raise an ApiError for a live call that another conversation has: a call has one assistant."""
    for call in (CallRef(call_control_id=each.call_control_id) for each in bodies):
        found = correlate(bootstrap().store, call, None) if call.call_control_id else None
        other = found.conversation if found else None
        if other is None or other.id == conversation_id or other.status in FINISHED:
            continue
        leg = find_leg(other, call)
        if leg and leg[1].is_up:
            raise ApiError(409, "call_in_use", "Another conversation has this call.")


def _fit(body: StartBody, limits: Limits) -> None:
    """Raise an ApiError for more people, or more calls at once, than a conversation may have."""
    if 1 + len(body.participants) > limits.participants:
        message = f"a conversation has {limits.participants} at most, the host included"
        raise invalid("participants", message, "too_many_participants")
    for nth, each in enumerate(body.participants):
        if each.strategy == "at_once" and len(each.numbers) > limits.legs_at_once:
            message = f"a conversation makes {limits.legs_at_once} calls at once at most"
            raise invalid(f"participants.{nth}.to", message, "too_many_legs")


def _assistant(body: StartBody, settings: ConversationSettings) -> Assistant:
    given = body.assistant.model_dump(exclude_none=True) if body.assistant else {}
    assistant_id = given.pop("id", None) or settings.default_assistant_id
    if assistant_id is None:
        raise invalid("assistant.id", "needed, since this deployment has no default assistant")
    return Assistant(id=assistant_id, **given)


def _new_participant(
    body: InviteBody,
    request: Request,
    settings: ConversationSettings,
    nth: int = 0,
    where: str = "",
    ours: str | None = None,
) -> NewParticipant:
    allow(body.numbers, settings.destinations, where)
    return NewParticipant(
        id=participant_id_for_request(request.fingerprint, nth),
        name=body.name,
        on_hangup=OnHangup(body.on_hangup),
        plan=plan_of(body, body.numbers, settings, where, ours) if body.to else None,
        call_control_id=body.call_control_id,
        tell_assistant=body.tell_assistant,
    )
