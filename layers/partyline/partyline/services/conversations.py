"""Start a conversation, and change a running conversation: invite, remove, message, mode, stop.

The API, the event bus and the scheduler call the same methods with the same typed requests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from partyline.domain.model import inputs
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.handover import Handover
from partyline.domain.model.participant import HOST_ID, Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.statuses import FINISHED, AssistantMode, OnHangup
from partyline.domain.rules.create import start_refusal
from partyline.domain.rules.transition import Refusal
from partyline.ids import (
    conversation_id_for_request,
    handover_id_for_request,
    participant_id_for_request,
)
from partyline.services import requests
from partyline.services.engine import Engine, IngestResult
from partyline.services.errors import RequestError, field_invalid, unknown_conversation
from partyline.services.inbound_routes import conversation_limits
from partyline.services.inline_tools import AssistantRules
from partyline.services.quotas import Quotas
from partyline.services.requester import Requester
from partyline.services.requests import (
    HandoverRequest,
    InviteRequest,
    MessageRequest,
    ModeRequest,
    ReachOptions,
    StartRequest,
)
from partyline.settings import ConversationSettings
from partyline.store import ConversationStore, QuotaCharge
from partyline.store.conversations import Load
from partyline.store.errors import CallInUseError, QuotaExceededError
from partyline.store.scheduled import ScheduledConversations, ScheduleStatus

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """What a request changed; `replayed` is True for a request that came before."""

    changed: T
    replayed: bool


@dataclass(frozen=True)
class Started:
    """The conversation of a start; `is_new` is False for a request that came before."""

    conversation: Conversation
    is_new: bool


@dataclass(frozen=True)
class Conversations:
    """The use cases of conversations. Each method may raise a RequestError."""

    settings: ConversationSettings
    store: ConversationStore
    scheduled: ScheduledConversations
    engine: Engine
    quotas: Quotas
    clock: Callable[[], datetime]
    assistant_rules: AssistantRules

    def start(self, request: StartRequest, sender: Requester) -> Started:
        """Dial the host, or put the assistant on a live call.

        An Idempotency-Key that has a conversation already gives that conversation. A call in use is
        refused; after the end of its conversation, the call may begin another.
        """
        conversation_id = conversation_id_for_request(sender.fingerprint)
        start = self._start_input(request, sender, conversation_id)
        before = self.store.load(conversation_id) if sender.fingerprint else None
        charges: Sequence[QuotaCharge] = ()
        if before is None:
            charges = self.quotas.dial_charges(sender.key_id, request.all_dials)
            self.quotas.check_open_conversations()
        load = self.store.loader(conversation_id, before)
        ingested, conversation = self._ingest(conversation_id, load, start, sender, charges)
        if before and not ingested.duplicate and before.status in FINISHED:
            message = f"The conversation is {before.status}."
            raise RequestError(ErrorCode.CONVERSATION_OVER, message)
        return Started(conversation, is_new=before is None and not ingested.duplicate)

    def check_start(self, request: StartRequest, sender: Requester, conversation_id: str) -> None:
        """Raise a RequestError for a start that is certain to be refused, now or later."""
        refusal = start_refusal(self._start_input(request, sender, conversation_id))
        if refusal:
            raise _refused(refusal)
        self.quotas.check_dials(request.all_dials)

    def _start_input(
        self, request: StartRequest, sender: Requester, conversation_id: str
    ) -> inputs.StartConversation:
        settings, default_number = self.settings, self.settings.default_number
        self.assistant_rules.check_texts(request)
        guests = [
            self._guest(guest, sender, request.from_, position)
            for position, guest in enumerate(request.participants)
        ]
        return inputs.StartConversation(
            id=sender.request_id,
            conversation_id=conversation_id,
            assistant=self._assistant(request, sender),
            connection_id=settings.telnyx_connection_id,
            host=inputs.NewParticipant(
                id=HOST_ID,
                name=request.name,
                on_hangup=OnHangup(request.on_host_hangup or request.on_hangup or OnHangup.END),
                plan=self._plan(request),
                call_control_id=request.call_control_id,
                key_id=sender.dialing_key_id,
            ),
            guests=tuple(guests),
            base_url=sender.base_url,
            metadata=request.metadata,
            phrases=request.words,
            limits=conversation_limits(settings),
            route=request.from_ or default_number,
            live_transcript=request.live_transcript,
        )

    def invite(
        self, conversation_id: str, request: InviteRequest, sender: Requester
    ) -> Done[Participant]:
        """Dial a guest, or bring a live call into the conversation."""
        before = self._before_dials(conversation_id, request)
        # The number that the conversation runs on calls; a deployment may have several numbers.
        guest = self._guest(request, sender, before.route)
        invite = inputs.InviteParticipant(id=sender.request_id, participant=guest)
        ingested, conversation = self._ingest_dials(before, invite, sender, request.dials)
        return Done(_participant(conversation, guest.id), ingested.duplicate)

    def hand_over(
        self, conversation_id: str, request: HandoverRequest, sender: Requester
    ) -> Done[Handover]:
        """Hand the caller over to a new guest, or to a guest of the conversation."""
        before = self._before_dials(conversation_id, request)
        guest_id = request.participant_id
        if guest_id:
            guest = inputs.NewParticipant(id=guest_id)
        else:
            guest = self._guest(request, sender, before.route)
        handover_id = handover_id_for_request(sender.fingerprint)
        hand_over = inputs.HandOver(
            id=sender.request_id, handover_id=handover_id, participant=guest, then=request.then
        )
        ingested, conversation = self._ingest_dials(before, hand_over, sender, request.dials)
        handover = conversation.handover(handover_id)
        if handover is None:
            message = "There is no such handover."
            raise RequestError(ErrorCode.UNKNOWN_PARTICIPANT, message)
        return Done(handover, ingested.duplicate)

    def _before_dials(self, conversation_id: str, request: InviteRequest) -> Conversation:
        """Load the conversation of a request that dials."""
        self.assistant_rules.check_texts(request)
        before = self.store.load(conversation_id)
        if before is None:
            raise self._absent(conversation_id)
        return before

    def _ingest_dials(
        self, before: Conversation, request: inputs.Input, sender: Requester, dials: int
    ) -> tuple[IngestResult, Conversation]:
        charges = self.quotas.dial_charges(sender.key_id, dials)
        load = self.store.loader(before.id, before)
        return self._ingest(before.id, load, request, sender, charges)

    def remove(
        self, conversation_id: str, participant_id: str, sender: Requester
    ) -> Done[Participant]:
        """Hang up on a participant."""
        remove = inputs.RemoveParticipant(id=sender.request_id, participant_id=participant_id)
        load = self.store.loader(conversation_id)
        ingested, conversation = self._ingest(conversation_id, load, remove, sender)
        return Done(_participant(conversation, participant_id), ingested.duplicate)

    def send_message(
        self, conversation_id: str, request: MessageRequest, sender: Requester
    ) -> Done[Conversation]:
        """Put a message into the assistant's conversation."""
        self.assistant_rules.check_texts(request)
        message = inputs.SendMessage(id=sender.request_id, **request.model_dump())
        load = self.store.loader(conversation_id)
        ingested, conversation = self._ingest(conversation_id, load, message, sender)
        return Done(conversation, ingested.duplicate)

    def set_mode(
        self, conversation_id: str, request: ModeRequest, sender: Requester
    ) -> Done[Conversation]:
        """Let the assistant speak, be silent, or leave the people to each other."""
        mode = inputs.SetAssistantMode(id=sender.request_id, mode=AssistantMode(request.mode))
        load = self.store.loader(conversation_id)
        ingested, conversation = self._ingest(conversation_id, load, mode, sender)
        return Done(conversation, ingested.duplicate)

    def stop(self, conversation_id: str, *, hang_up: bool, sender: Requester) -> Done[Conversation]:
        """Stop the assistant; the calls stay up unless `hang_up`."""
        stop = inputs.StopConversation(id=sender.request_id, hang_up=hang_up)
        load = self.store.loader(conversation_id)
        ingested, conversation = self._ingest(conversation_id, load, stop, sender)
        return Done(conversation, ingested.duplicate)

    def _absent(self, conversation_id: str) -> RequestError:
        """Return the error for a conversation that has not begun, or that does not exist."""
        scheduled = self.scheduled.get(conversation_id)
        if scheduled is None:
            return unknown_conversation()
        if scheduled.status in (ScheduleStatus.CANCELLED, ScheduleStatus.FAILED):
            message = f"The scheduled conversation is {scheduled.status}."
            return RequestError(ErrorCode.CONVERSATION_OVER, message)
        message = f"The conversation starts at {scheduled.start_at.isoformat()}."
        return RequestError(ErrorCode.NOT_STARTED, message)

    def _ingest(
        self,
        conversation_id: str,
        load: Load,
        request: inputs.Input,
        sender: Requester,
        charges: Sequence[QuotaCharge] = (),
    ) -> tuple[IngestResult, Conversation]:
        came_at, dedupe = self.clock(), sender.dedupe
        try:
            ingested = self.engine.ingest(load, request, dedupe, charges)
        except QuotaExceededError as error:
            raise self.quotas.exceeded(error) from None
        except CallInUseError:
            message = "Another conversation has this call."
            raise RequestError(ErrorCode.CALL_IN_USE, message) from None
        ingested = self.engine.drain(ingested, request.id, came_at)
        if dedupe and ingested.duplicate and ingested.stored_hash != dedupe.request_hash:
            raise idempotency_key_reused()
        if ingested.refusal:
            raise _refused(ingested.refusal)
        if ingested.conversation is None:
            raise self._absent(conversation_id)
        if ingested.duplicate and ingested.pending:
            message = "A Telnyx command could not be carried out yet."
            raise RequestError(ErrorCode.PENDING, message)
        return ingested, ingested.conversation

    def _assistant(self, request: StartRequest, sender: Requester) -> Assistant:
        self.assistant_rules.check(request.assistant, sender.base_url, sender.gateway_url)
        chosen = request.assistant.model_dump(exclude_none=True) if request.assistant else {}
        assistant_id = chosen.pop("id", None) or self.settings.default_assistant_id
        if assistant_id is None:
            message = "needed, since this deployment has no default assistant"
            raise field_invalid("assistant.id", message)
        return Assistant(id=assistant_id, **chosen)

    def _guest(
        self, guest: InviteRequest, sender: Requester, caller_id: str | None, nth: int | None = None
    ) -> inputs.NewParticipant:
        """Build a guest; `nth` is the position among the `participants` of a start."""
        prefix = "" if nth is None else f"participants.{nth}."
        return inputs.NewParticipant(
            id=participant_id_for_request(sender.fingerprint, nth or 0),
            name=guest.name,
            on_hangup=OnHangup(guest.on_hangup),
            plan=self._plan(guest, caller_id, prefix),
            call_control_id=guest.call_control_id,
            tell_assistant=guest.tell_assistant,
            key_id=sender.dialing_key_id,
        )

    def _plan(
        self, person: ReachOptions, caller_id: str | None = None, prefix: str = ""
    ) -> Plan | None:
        """Build the plan to reach a person, after a check of the numbers; None for a live call."""
        requests.check_destinations(person.numbers, self.settings.destinations, prefix)
        default = self.settings.default_number
        return requests.plan_of(person, default, caller_id, prefix) if person.numbers else None


def idempotency_key_reused() -> RequestError:
    """The error for an Idempotency-Key that came with another request before."""
    message = "was used for another request"
    return field_invalid("Idempotency-Key", message, ErrorCode.IDEMPOTENCY_KEY_REUSED)


def _refused(refusal: Refusal) -> RequestError:
    if refusal.field:
        return field_invalid(refusal.field, refusal.message, refusal.code)
    return RequestError(refusal.code, refusal.message)


def _participant(conversation: Conversation, participant_id: str) -> Participant:
    participant = conversation.participant(participant_id)
    if participant is None:
        raise RequestError(ErrorCode.UNKNOWN_PARTICIPANT, "There is no such participant.")
    return participant
