"""The assistant's own tools: `POST /tools/invite` and `POST /tools/status`.

Telnyx signs these requests as it signs webhooks. Whatever is asked, the answer is a 200 with a
sentence that the model can say: it has to answer a caller. A tool may be called twice, or after the
hangup; neither does any harm.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticCustomError, from_json

from partyline.bootstrap import bootstrap
from partyline.domain.model.conversation import Conversation, Participant
from partyline.domain.model.inputs import CallRef, InviteParticipant, NewParticipant
from partyline.domain.model.statuses import (
    BEING_REACHED,
    DEPARTED,
    ON_THE_LINE,
    Direction,
    OnHangup,
    ParticipantStatus,
)
from partyline.domain.rules.phrases import phrase_key, render
from partyline.entrypoints.answers import ApiError, Response, json_response
from partyline.entrypoints.http import http_handler
from partyline.entrypoints.signed import verified_body
from partyline.ids import fingerprint, participant_id_for_request
from partyline.services import inbound_routes
from partyline.services.correlation import Correlation, correlate
from partyline.services.engine import IngestResult
from partyline.services.plans import plan_of
from partyline.services.requests import CALL_CONTROL_ID, InviteBody, e164
from partyline.store import DedupeRecord, keys
from partyline.store.errors import ConversationTooLargeError, TooManyConflictsError
from partyline.telemetry import Metric, count

CALL_HEADER = "x-telnyx-call-control-id"
"""Telnyx puts the call into this header, which it does not sign: a hint for finding the call."""

AGAIN_AFTER = timedelta(seconds=20)
"""How long a contact who was not reached is not tried again: the model asks twice at times."""

SEPARATORS = re.compile(r"[\s().-]")
"""What a model puts between the digits of a number that somebody has said."""

NO_CALL = "There is no call to bring anybody into."
OVER = "The call is over."

Tool = Callable[["Caller", dict[str, Any]], str]


@dataclass(frozen=True)
class Caller:
    """The conversation whose assistant uses a tool."""

    found: Correlation
    conversation: Conversation
    request: str


def tool(work: Tool) -> Callable[[dict[str, Any], Any], Response]:
    """The handler of a function that is an assistant's tool; `work` finds the words to answer."""

    def receive(request: dict[str, Any]) -> Response:
        body = verified_body(request)
        count(Metric.TOOL_CALLED)
        given = _fields(body)
        caller = _caller(request, given, body)
        if caller is None:
            return json_response(200, {"message": NO_CALL})
        over = caller.conversation.is_over
        return json_response(200, {"message": OVER if over else work(caller, given)})

    return http_handler(receive)


def invite(caller: Caller, given: dict[str, Any]) -> str:
    """`{"name": "billing"}`, or `{"number": "+1..."}` where the route allows it: call somebody."""
    name, number = _text(given.get("name")), _text(given.get("number"))
    route = inbound_routes.route_of_conversation(caller.conversation)
    contacts = route.contacts
    known = {inbound_routes.normalized_name(each): (each, plan) for each, plan in contacts.items()}
    contact = inbound_routes.normalized_name(name)
    if contact in known:
        called, plan = known[contact]
        body = InviteBody.model_validate(plan)
        return _call(caller, contact, body.name or called.strip(), body)
    any_number = route.dial_any_number
    if name and not (number and any_number):
        names = ", ".join(each.strip() for each in contacts) or "nobody"
        return f"There is no contact named {name[:50]}. Known are: {names}."
    if not number:
        return "Say whom to call: the name of a contact."
    if not any_number:
        return "Only the contacts of this line can be called, not free numbers."
    contact = SEPARATORS.sub("", number)
    try:
        e164(contact)  # a model may dial numbers, and neither extensions nor SIP addresses
    except PydanticCustomError:
        return "That is not a phone number. Say it with its country code, as +13125550100."
    body = InviteBody.model_validate({"to": contact})
    # The name is in the timeline and in what the assistant is told: no whole number there.
    said = name[:128] if name and not any(map(str.isdigit, name)) else None
    return _call(caller, contact, said or f"the number ending in {contact[-4:]}", body)


def _call(caller: Caller, contact: str, name: str, body: InviteBody) -> str:
    try:
        conversation = _caught_up(caller, contact)
        before = [each for each in conversation.participants if each.contact == contact]
        already = _already(conversation, before[-1], name) if before else None
        return already or _brought_in(caller, contact, name, body, len(before))
    except ConversationTooLargeError:
        return "Nobody else can be called in this conversation."
    except TooManyConflictsError:
        return f"{name} could not be called just now. Try once more."


def _caught_up(caller: Caller, contact: str) -> Conversation:
    """The conversation, its calls to a contact made: who was to make them may have died over it."""
    conversation, engine = caller.conversation, bootstrap().engine
    sought = any(
        each.contact == contact and each.status in BEING_REACHED
        for each in conversation.participants
    )
    known = IngestResult(conversation, pending=sought and conversation.has_pending_commands)
    return engine.drain(known, caller.request, bootstrap().clock()).conversation or conversation


def _already(conversation: Conversation, newest: Participant, name: str) -> str | None:
    """What to say of somebody who was asked for before; None when they may be called anew."""
    if newest.status not in DEPARTED:
        return f"{name} is being called." if newest.status in BEING_REACHED else f"{name} is here."
    left_at = newest.left_at
    just_now = left_at is not None and bootstrap().clock() - left_at < AGAIN_AFTER
    if newest.status is ParticipantStatus.FAILED and just_now:
        return _came_out(conversation, newest, name)
    return None


def _brought_in(caller: Caller, contact: str, name: str, body: InviteBody, nth: int) -> str:
    store, engine, came_at = bootstrap().store, bootstrap().engine, bootstrap().clock()
    try:
        plan = plan_of(body, body.numbers, bootstrap().settings, ours=caller.conversation.route)
    except ApiError:
        return f"{name} cannot be called from this line."
    new = NewParticipant(
        # The same for two calls of the tool at once: only one of them adds anybody.
        id=participant_id_for_request(fingerprint(caller.conversation.id, contact), nth),
        name=name,
        contact=contact,
        plan=plan,
        on_hangup=OnHangup(body.on_hangup),
        tell_assistant=body.tell_assistant,
    )
    given = InviteParticipant(id=caller.request, participant=new)
    dedupe = DedupeRecord(keys.webhook(caller.conversation.id, caller.request))
    ingested = engine.ingest(caller.found.loader(store), given, dedupe)
    if ingested.refusal:
        return ingested.refusal.message
    after = engine.drain(ingested, given.id, came_at).conversation
    participant = after and after.participant(new.id)
    if after and participant and participant.status is ParticipantStatus.FAILED:
        return _came_out(after, participant, name)  # refused at once
    return f"Calling {name} now."


def _came_out(conversation: Conversation, participant: Participant, name: str) -> str:
    """How it came out for somebody: the model needs words even where it is told none."""
    key = phrase_key(participant)
    return render(conversation.phrases, key, name=name).strip() or render({}, key, name=name)


def status(caller: Caller, _given: dict[str, Any]) -> str:
    """Who is on the line, and who is being called."""
    people = caller.conversation.participants
    inbound = caller.conversation.direction is Direction.INBOUND
    here = [_named(each, inbound) for each in people if each.status in ON_THE_LINE]
    called = [_named(each, inbound) for each in people if each.status in BEING_REACHED]
    said = f"On the line: {', '.join(here) or 'nobody'}."
    return f"{said} Being called: {', '.join(called)}." if called else said


def _named(participant: Participant, inbound: bool) -> str:
    if participant.host and participant.name is None:
        return "the caller" if inbound else "the first person on the line"
    return participant.name or "somebody without a name"


def _text(given: object) -> str:
    """What the model said for a field; models leave fields out, or empty, or fill them oddly."""
    return given.strip() if isinstance(given, str) else ""


def _fields(body: bytes) -> dict[str, Any]:
    """What the model said; nothing where it said nothing usable, which has been seen to happen."""
    try:
        given = from_json(body) if body.strip() else {}
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _caller(request: dict[str, Any], given: dict[str, Any], body: bytes) -> Caller | None:
    """The conversation whose call the request names: signed in its body, else in the header."""
    headers = request.get("headers") or {}
    named = next(filter(_is_id, (given.get("call_control_id"), headers.get(CALL_HEADER))), None)
    if named is None:
        return None
    found = correlate(bootstrap().store, CallRef(call_control_id=named), None)
    if found is None or found.conversation is None:
        return None
    timestamp = str(headers.get("telnyx-timestamp"))
    same = fingerprint(timestamp, request["rawPath"], body.decode("utf-8", "replace"))
    return Caller(found, found.conversation, same)


def _is_id(given: object) -> bool:
    """Whether it can name a call; a variable that Telnyx did not fill in, `{{...}}`, cannot."""
    return isinstance(given, str) and CALL_CONTROL_ID.fullmatch(given) is not None
