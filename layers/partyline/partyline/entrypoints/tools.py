"""The assistant's own tools: `POST /tools/invite` and `POST /tools/status`.

Telnyx signs these requests as it signs webhooks. Whatever happens, the answer is a 200 with a
sentence that the model can say: it has to answer a caller. A tool may be called twice, or after the
hangup; neither does any harm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from partyline.domain.conversation import Conversation, Participant
from partyline.domain.inputs import CallRef, InviteParticipant, NewParticipant
from partyline.domain.statuses import GONE, ON_THE_LINE, REACHING, OnHangup, ParticipantStatus
from partyline.domain.telling import say
from partyline.entrypoints import routing
from partyline.entrypoints.answers import ApiError, Response, answer
from partyline.entrypoints.bodies import InviteBody
from partyline.entrypoints.guard import guarded
from partyline.entrypoints.plans import plan_of
from partyline.entrypoints.signed import verified
from partyline.identity import fingerprint, participant_of_request
from partyline.lookup import Found, find
from partyline.store import Inbox, keys
from partyline.telemetry import count
from partyline.wiring import wiring

CALL_HEADER = "x-telnyx-call-control-id"
"""Telnyx puts the call into this header, which it does not sign: a hint for finding the call."""

AGAIN_AFTER = timedelta(seconds=20)
"""How long a contact who was not reached is not tried again: the model asks twice at times."""

Tool = Callable[["Caller", dict[str, Any]], str]


@dataclass(frozen=True)
class Caller:
    """The live conversation whose assistant uses a tool."""

    found: Found
    conversation: Conversation
    request: str


def tool(work: Tool) -> Callable[[dict[str, Any], Any], Response]:
    """The handler of a function that is an assistant's tool; `work` finds the words to answer."""

    def receive(request: dict[str, Any]) -> Response:
        body = verified(request)
        count("ToolCalled")
        given = _fields(body)
        caller = _caller(request, given, body)
        return answer(200, {"message": work(caller, given) if caller else "The call is over."})

    return guarded(receive)


def invite(caller: Caller, given: dict[str, Any]) -> str:
    """`{"name": "billing"}`, or `{"number": "+1..."}` where the route allows it: call somebody."""
    name, number = given.get("name"), given.get("number")
    route = routing.of_conversation(caller.conversation)
    contacts = route.get("contacts", {})
    if isinstance(name, str) and name.strip():
        contact = name.strip().casefold()
        known = {each.casefold(): (each, plan) for each, plan in contacts.items()}
        if contact not in known:
            names = ", ".join(contacts) or "nobody"
            return f"There is no contact named {name.strip()[:50]}. Known are: {names}."
        called, plan = known[contact]
        body = InviteBody.model_validate(plan)
    elif isinstance(number, str):
        if not route.get("dial_any_number"):
            return "Only the contacts of this line can be called, not free numbers."
        try:
            body = InviteBody.model_validate({"to": number})
        except ValidationError:
            return "That is not a phone number. Say it with its country code, as +13125550100."
        contact = called = str(body.numbers[0])
    else:
        return "Say whom to call: the name of a contact."
    return _call(caller, contact, body.name or called, body)


def _call(caller: Caller, contact: str, name: str, body: InviteBody) -> str:
    before = [each for each in caller.conversation.participants if each.contact == contact]
    newest = before[-1] if before else None
    if newest and newest.status not in GONE:
        return f"{name} is being called." if newest.status in REACHING else f"{name} is here."
    if newest and newest.status is ParticipantStatus.FAILED and _just_now(newest):
        return say(caller.conversation.words, newest.outcome or "error", name=name)
    try:
        plan = plan_of(body, body.numbers, wiring().settings, ours=caller.conversation.route)
    except ApiError:
        return f"{name} cannot be called from this line."
    participant = NewParticipant(
        # The same for two calls of the tool at once: only one of them adds anybody.
        id=participant_of_request(fingerprint(caller.conversation.id, contact), len(before)),
        name=name,
        contact=contact,
        plan=plan,
        on_hangup=OnHangup(body.on_hangup),
        tell_assistant=body.tell_assistant,
    )
    given = InviteParticipant(id=caller.request, participant=participant)
    inbox = Inbox(keys.webhook(caller.conversation.id, caller.request))
    ingested = wiring().engine.ingest(caller.found.loader(wiring().store), given, inbox)
    if ingested.refusal:
        return ingested.refusal.message
    return f"Calling {name} now."


def _just_now(participant: Participant) -> bool:
    left_at = participant.left_at
    return left_at is not None and wiring().clock() - left_at < AGAIN_AFTER


def status(caller: Caller, _given: dict[str, Any]) -> str:
    """Who is on the line, and who is being called."""
    people = caller.conversation.participants
    here = [_named(each) for each in people if each.status in ON_THE_LINE]
    called = [_named(each) for each in people if each.status in REACHING]
    said = f"On the line: {', '.join(here) or 'nobody'}."
    return f"{said} Being called: {', '.join(called)}." if called else said


def _named(participant: Participant) -> str:
    if participant.host:
        return f"{participant.name} (who began the call)" if participant.name else "the caller"
    return participant.name or "somebody without a name"


def _fields(body: bytes) -> dict[str, Any]:
    """What the model said; nothing where it said nothing usable, which has been seen to happen."""
    try:
        given = from_json(body) if body.strip() else {}
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _caller(request: dict[str, Any], given: dict[str, Any], body: bytes) -> Caller | None:
    """The live conversation whose call the request names: signed in its body, or in the header."""
    header = (request.get("headers") or {}).get(CALL_HEADER)
    named = next((each for each in (given.get("call_control_id"), header) if _is_id(each)), None)
    if named is None:
        return None
    found = find(wiring().store, CallRef(call_control_id=named), None)
    conversation = found.conversation if found else None
    if found is None or conversation is None or conversation.over:
        return None
    timestamp = str((request.get("headers") or {}).get("telnyx-timestamp"))
    same = fingerprint(timestamp, request["rawPath"], body.decode("utf-8", "replace"))
    return Caller(found, conversation, same)


def _is_id(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 256 and text.isascii() and text.isprintable()
