"""The assistant's own tools: `invite`, `handover` and `status`.

Each tool answers with a sentence that the model can say, whatever happens: the model has to answer
a caller. A tool may be called twice, or after the hangup; neither does any harm.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from partyline.domain.model import statuses, timeouts
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.handover import Then
from partyline.domain.model.inputs import HandOver, InviteParticipant, NewParticipant
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import MAX_BRIEF_CHARS
from partyline.domain.model.statuses import Direction, OnHangup, ParticipantStatus
from partyline.domain.names import name_as_said, normalized_name, plain_text, quoted
from partyline.domain.numbers import normal_number
from partyline.domain.rules.phrases import phrase_key, render
from partyline.ids import (
    fingerprint,
    handover_id_for_request,
    participant_id_for_request,
)
from partyline.services.engine import Engine, IngestResult
from partyline.services.errors import RequestError
from partyline.services.quotas import Quotas
from partyline.services.requests import InviteRequest, plan_of
from partyline.settings import ConversationSettings
from partyline.store import ConversationStore, DedupeRecord, QuotaCharge, keys
from partyline.store.directory import Directory
from partyline.store.errors import (
    ConversationTooLargeError,
    QuotaExceededError,
    TooManyConflictsError,
)
from partyline.telemetry import Metric, count

SPOKEN_NUMBER = re.compile(r"[^@:;,A-Za-z]+")  # neither a SIP address nor digits after the number


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool: the conversation whose assistant calls, and the request's id and time."""

    conversation: Conversation
    request_id: str
    asked_at: datetime


@dataclass(frozen=True)
class AssistantTools:
    """The tools of the assistant on a conversation."""

    settings: ConversationSettings
    store: ConversationStore
    directory: Directory
    engine: Engine
    quotas: Quotas
    clock: Callable[[], datetime]
    mask: Callable[[str], str]
    """Masks content: the model's words may repeat what the caller said."""

    def invite(self, call: ToolCall, arguments: dict[str, Any]) -> str:
        """Dial a contact of the route by `name`, or any `number` where the route allows it.

        The person hears `brief`, the model's own words, before being joined.
        """
        return self._reach(call, arguments, None)

    def handover(self, call: ToolCall, arguments: dict[str, Any]) -> str:
        """Dial as `invite` does, and hand the caller over; `then` is the assistant's part then.

        A person whom the assistant has invited before takes over without another call.
        """
        then = arguments.get("then")
        return self._reach(call, arguments, then if then in get_args(Then) else "stay")

    def _reach(self, call: ToolCall, arguments: dict[str, Any], then: Then | None) -> str:
        name, number = _text(arguments.get("name")), _text(arguments.get("number"), str, int)
        brief = _brief(self.mask(_text(arguments.get("brief"))))
        route = self.directory.route_for(call.conversation.route)
        contacts = route.contacts
        by_name = {normalized_name(key): (key, plan) for key, plan in contacts.items()}
        contact = _contact_called(normalized_name(name), contacts, call.conversation)
        if contact in by_name:
            listed_name, plan = by_name[contact]
            request = InviteRequest.model_validate({**plan, **brief})
            name = request.name or listed_name.strip()
            return self._invite(call, contact, name, request, then)
        any_number = route.dial_any_number
        number = number or (contact if contact.startswith("+") else "")
        if name and not (number and any_number):
            names = ", ".join(quoted(known.strip()) for known in contacts) or "nobody"
            return f"There is no contact named {quoted(name[:50])}. Known are: {names}."
        if not number:
            return "Say whom to call: the name of a contact."
        if not any_number:
            return "Only the contacts of this line can be called, not free numbers."
        # A model may dial numbers, neither extensions nor SIP addresses.
        normal = normal_number(number) if SPOKEN_NUMBER.fullmatch(number) else None
        if normal is None:
            return "That is not a phone number. Say it with its country code, as +13125550100."
        request = InviteRequest.model_validate({"to": normal, **brief})
        # Neither the caller's own words nor the whole number: the assistant is told of the guest.
        return self._invite(call, normal, f"the number ending in {normal[-4:]}", request, then)

    def _invite(
        self, call: ToolCall, contact: str, name: str, request: InviteRequest, then: Then | None
    ) -> str:
        try:
            conversation = self._caught_up(call, contact)
            earlier = [person for person in conversation.participants if person.contact == contact]
            present = _present(conversation, contact, request) if then else None
            if then and present:
                guest = NewParticipant(id=present.id, name=name, tell_assistant=False)
                return self._send(call, _hand_over(call, guest, call.request_id, then))
            answer = self._known(conversation, earlier[-1], name) if earlier else None
            return answer or self._dial(call, contact, name, request, len(earlier), then)
        except ConversationTooLargeError:
            return "Nobody else can be called in this conversation."
        except TooManyConflictsError:
            return f"{quoted(name)} could not be called just now. Try once more."

    def _caught_up(self, call: ToolCall, contact: str) -> Conversation:
        """Load the conversation once the pending commands for a contact are executed.

        The process that was to execute them may have crashed.
        """
        conversation = call.conversation
        people = [person for person in conversation.participants if person.contact == contact]
        reaching = any(person.status in statuses.BEING_REACHED for person in people)
        pending = reaching and conversation.has_pending_commands
        ingested = IngestResult(conversation, pending=pending)
        drained = self.engine.drain(ingested, call.request_id, self.clock())
        return drained.conversation or conversation

    def _known(self, conversation: Conversation, newest: Participant, name: str) -> str | None:
        """Answer for a contact who was asked for before; None when the contact may be dialled."""
        if newest.status not in statuses.DEPARTED:
            where = "being called" if newest.status in statuses.BEING_REACHED else "here"
            return f"{quoted(name)} is {where}."
        left_at = newest.left_at
        just_now = left_at is not None and self.clock() - left_at < timeouts.AGAIN_AFTER
        if newest.status is ParticipantStatus.FAILED and just_now:
            return _outcome_sentence(conversation, newest, name)
        return None

    def _dial(
        self,
        call: ToolCall,
        key: str,
        name: str,
        request: InviteRequest,
        nth: int,
        then: Then | None,
    ) -> str:
        try:
            caller_id = call.conversation.route
            plan = plan_of(request, self.settings.default_number, caller_id)
        except RequestError:
            return f"{quoted(name)} cannot be called from this line."
        try:
            charges = self.quotas.tool_charges(call.conversation.id, plan.from_, request.dials)
        except RequestError:
            return self._limited(name)
        guest = NewParticipant(
            # The same id for two calls of the tool at once: only one call adds a participant.
            id=participant_id_for_request(fingerprint(call.conversation.id, key), nth),
            name=name,
            contact=key,
            plan=plan,
            on_hangup=OnHangup(request.on_hangup),
            tell_assistant=request.tell_assistant,
        )
        if then:
            return self._send(call, _hand_over(call, guest, guest.id, then), charges)
        return self._send(call, InviteParticipant(id=call.request_id, participant=guest), charges)

    def _send(
        self,
        call: ToolCall,
        request: InviteParticipant | HandOver,
        charges: Sequence[QuotaCharge] = (),
    ) -> str:
        """Send a request to the conversation, and say the result."""
        came_at, guest = self.clock(), request.participant
        name = guest.name or ""
        dedupe = DedupeRecord(keys.webhook(call.conversation.id, call.request_id))
        load = self.store.loader(call.conversation.id, call.conversation)
        try:
            ingested = self.engine.ingest(load, request, dedupe, charges)
        except QuotaExceededError:
            return self._limited(name)
        if ingested.refusal:
            return ingested.refusal.message
        after = self.engine.drain(ingested, request.id, came_at).conversation
        participant = after and after.participant(guest.id)
        if after and participant and participant.status is ParticipantStatus.FAILED:
            return _outcome_sentence(after, participant, name)  # refused at once
        if isinstance(request, InviteParticipant):
            return f"Calling {quoted(name)} now."
        if participant and participant.status is ParticipantStatus.JOINED:
            return f"{quoted(name)} is here and takes over."
        return f"Calling {quoted(name)} now. Stay with the caller until {quoted(name)} takes over."

    def _limited(self, name: str) -> str:
        count(Metric.TOOL_LIMITED)
        return f"The limit of calls is reached, so {quoted(name)} is not being called."


def _present(
    conversation: Conversation, contact: str, request: InviteRequest
) -> Participant | None:
    """Return the guest who can take over without a call: the contact, or a person at its phone.

    The person of an open handover is left out: a second handover to that person changes nothing.
    """
    handover = conversation.open_handover
    for person in conversation.participants:
        gone = person.host or person.removed or person.status in statuses.DEPARTED
        if gone or (handover and handover.participant_id == person.id):
            continue
        at_phone = person.plan and person.active_leg and person.active_leg.to in request.numbers
        if person.contact == contact or at_phone:
            return person
    return None


def _hand_over(call: ToolCall, guest: NewParticipant, request: str, then: Then) -> HandOver:
    """Build a handover; the same `request` gives the same id, so a second call adds none."""
    handover_id = handover_id_for_request(fingerprint(call.conversation.id, request))
    return HandOver(id=call.request_id, handover_id=handover_id, participant=guest, then=then)


def _contact_called(
    name: str, contacts: Mapping[str, Mapping[str, Any]], conversation: Conversation
) -> str:
    """Return the contact that a name means: the contact's own name, or the name that we used.

    Our sentences call a contact by the `name` of the invitation, and a free number by its end. A
    name that two contacts share means neither.
    """
    keys = {normalized_name(key) for key in contacts}
    said = name_as_said(name)
    own = {key for key in keys if name_as_said(key) == said}
    named = [(body.get("name"), key) for key, body in contacts.items()]
    called = {normalized_name(key) for text, key in named if text and name_as_said(text) == said}
    invited = {
        person.contact
        for person in conversation.participants
        if person.contact and person.name and name_as_said(person.name) == said
    }
    meant = own or called or invited
    return meant.pop() if name not in keys and len(meant) == 1 else name


def status(call: ToolCall) -> str:
    """Say who is on the line, and who is being called."""
    people = call.conversation.participants
    inbound = call.conversation.direction is Direction.INBOUND
    here = [_name(person, inbound) for person in people if person.status in statuses.ON_THE_LINE]
    reached = [person for person in people if person.status in statuses.BEING_REACHED]
    called = [_name(person, inbound) for person in reached]
    sentence = f"On the line: {', '.join(here) or 'nobody'}."
    return f"{sentence} Being called: {', '.join(called)}." if called else sentence


def _outcome_sentence(conversation: Conversation, participant: Participant, name: str) -> str:
    """Say the outcome: the model needs a sentence even where its message is suppressed."""
    key = phrase_key(participant)
    phrase = render(conversation.phrases, key, name=quoted(name)).strip()
    return phrase or render({}, key, name=quoted(name))


def _name(participant: Participant, inbound: bool) -> str:
    if participant.host and participant.name is None:
        return "the caller" if inbound else "the first person on the line"
    return quoted(participant.name) if participant.name else "somebody without a name"


def _brief(text: str) -> dict[str, str]:
    """Return the model's brief as a field of an invitation: in a single line, cut, or absent."""
    brief = plain_text(text)[:MAX_BRIEF_CHARS].strip()
    return {"brief": brief} if brief else {}


def _text(argument: object, *types: type) -> str:
    """Return an argument as text; models leave arguments out, or fill them with other types."""
    return str(argument).strip() if type(argument) in (types or (str,)) else ""
