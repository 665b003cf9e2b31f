"""Requests to erase a conversation or a person, and their receipts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.error_codes import ErrorCode
from partyline.services.errors import RequestError, unknown_conversation
from partyline.services.number_hashes import NumberHashes
from partyline.store import ConversationStore, keys
from partyline.store.erasures import Erasure, Erasures
from partyline.store.people import PersonIndex
from partyline.store.retention import LONGEST_LIFE
from partyline.store.scheduled import (
    ScheduledConversation,
    ScheduledConversations,
    ScheduleStatus,
)


@dataclass(frozen=True)
class ErasureRequests:
    """The use cases. `services.eraser` does the work. Each method may raise a RequestError."""

    store: ConversationStore
    scheduled: ScheduledConversations
    erasures: Erasures
    index: PersonIndex
    hashes: Callable[[], NumberHashes]
    clock: Callable[[], datetime]

    def get(self, erasure_id: str) -> Erasure:
        """Return an erasure."""
        erasure = self.erasures.get(erasure_id)
        if erasure is None:
            raise RequestError(ErrorCode.UNKNOWN_ERASURE, "There is no such erasure.")
        return erasure

    def erase_conversation(self, conversation_id: str, key_id: str) -> Erasure:
        """Erase a conversation that is over; a repeated request gives the same erasure."""
        known = self.erasures.get(conversation_id)
        if known:
            return known
        if not (self.store.load(conversation_id) or self.scheduled.get(conversation_id)):
            raise unknown_conversation()
        if self._is_running(conversation_id):
            message = "The conversation runs. Stop the conversation before its erasure."
            raise RequestError(ErrorCode.CONVERSATION_RUNNING, message, [{"running": 1}])
        at = self.clock()
        erasure = Erasure(id=conversation_id, kind="conversation", created_at=at, key_id=key_id)
        return self.erasures.add(erasure)

    def erase_person(self, number: str, key_id: str, *, do_not_call: bool) -> Erasure:
        """Erase the owner of a number in E.164; `do_not_call`: also the entry of that list."""
        running = sum(map(self._is_running, self._newest(self.hashes().of(number))))
        if running:
            message = f"{running} conversations of the person run. Nothing is erased."
            raise RequestError(ErrorCode.CONVERSATION_RUNNING, message, [{"running": running}])
        erasure = Erasure(
            id=str(uuid4()),
            kind="person",
            created_at=self.clock(),
            key_id=key_id,
            number=number,
            do_not_call=do_not_call,
        )
        return self.erasures.add(erasure)

    def _newest(self, person: str) -> Iterator[str]:
        """The ids of a person's conversations and bookings that may still run."""
        since = keys.moment(self.clock() - LONGEST_LIFE)
        for place in self.index.places(person):
            if place < since:
                return
            yield place.rpartition("#")[2]

    def _is_running(self, conversation_id: str) -> bool:
        conversation = self.store.load(conversation_id)
        booking = None if conversation else self.scheduled.get(conversation_id)
        return is_running(conversation, booking)


def is_running(conversation: Conversation | None, booking: ScheduledConversation | None) -> bool:
    """Whether a conversation runs, or begins right now, so that its erasure has to wait."""
    if conversation:
        return conversation.is_open
    return booking is not None and booking.status is ScheduleStatus.STARTING
