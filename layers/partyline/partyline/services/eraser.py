"""Erases conversations and people: the work behind `DELETE /conversations/{id}` and `/people`.

An erasure runs in passes, a minute or more apart. Each pass looks again for what is left, so a pass
that is interrupted is repeated by the next pass. The row from which the others are found is deleted
last, in the transaction that counts the conversation and writes its event.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from partyline.domain.model import timeouts
from partyline.domain.model.events import ConversationErased, Event, PersonErased
from partyline.services.contacts import without_number
from partyline.services.dead_letters import DeadLetters
from partyline.services.erasures import is_running
from partyline.services.number_hashes import NumberHashes
from partyline.services.scheduler import StartScheduler
from partyline.store import keys
from partyline.store.directory import Change, Directory
from partyline.store.erasures import MAX_GIVEN_UP, Erasure, Erasures, Remains, head_deletion
from partyline.store.errors import VersionConflictError
from partyline.store.people import PersonIndex
from partyline.store.scheduled import ScheduledConversations, ScheduleStatus
from partyline.telemetry import Metric, count, logger
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.errors import RefusedError, TelnyxError

MAX_CONFLICTS = 3  # how often a conversation is read again in a pass
MAX_OWED = 200  # deletions at Telnyx that an erasure's row holds before it goes on

ALARMING = 3
"""The failures in 15 minutes at which the alarm `ErasuresFail` rings.

An interrupted pass is one failure and goes on by itself; a conversation that Telnyx did not delete
within a day counts as this number.
"""

GONE = (404, 410)  # Telnyx does not know the conversation (any more)

HasTime = Callable[[], bool]


@dataclass(frozen=True)
class Eraser:
    """The work of all erasures. Parts that not every pass needs are built at their first use."""

    erasures: Erasures
    scheduled: ScheduledConversations
    directory: Directory
    index: PersonIndex
    hashes: Callable[[], NumberHashes]
    scheduler: Callable[[], StartScheduler]
    telnyx: Callable[[], CallControl]
    dead_letters: Callable[[], DeadLetters]
    clock: Callable[[], datetime]

    def run(self, has_time: HasTime) -> int:
        """Give each erasure that is due a pass, while there is time; return how many had one.

        A pass that fails, after an outage or a bug, is counted and logged, and comes again.
        """
        passes = 0
        for erasure in self.erasures.due(self.clock()):
            if not has_time():
                break
            passes += 1
            try:
                self._advance(erasure, has_time)
            except Exception as error:  # noqa: BLE001 - the other erasures go on
                count(Metric.ERASURE_FAILED)
                extra = {"erasure_id": erasure.id, "error": type(error).__name__}
                logger.error("erasure interrupted", extra=extra)
        return passes

    def _advance(self, erasure: Erasure, has_time: HasTime) -> None:
        if erasure.kind == "person":
            erasure, again_at = self._person(erasure, has_time)
        else:
            erasure, runs = self._conversation(erasure, erasure.id)
            again_at = self._soon() if runs else None
        erasure = self._at_telnyx(erasure, has_time)
        if again_at is None and erasure.owed:
            again_at = self._soon(self.clock() - erasure.created_at)
        if again_at:
            self.erasures.save(erasure, again_at)
            return
        at = self.clock()
        done = erasure.model_copy(update={"status": "done", "done_at": at, "number": None})
        data = PersonErased(erasure_id=done.id, **done.counts.model_dump())
        event = ("person", "", self._event(1, data, done)) if done.kind == "person" else None
        self.erasures.save(done, at, event)
        if event:
            count(Metric.PERSON_ERASED)
        logger.info("erased", extra={"erasure_id": done.id, **done.counts.model_dump()})

    def _soon(self, age: timedelta = timedelta()) -> datetime:
        """When the next pass is due; later, the older an erasure is that waits for Telnyx."""
        longest = timeouts.ERASURE_LONGEST_PAUSE
        return self.clock() + min(longest, max(timeouts.ERASURE_PAUSE, age / 4))

    def _conversation(
        self, erasure: Erasure, conversation_id: str, person: str | None = None
    ) -> tuple[Erasure, bool]:
        """Erase a conversation or a booking; also returns whether it runs, and so is left.

        The entry of `person` in the index is left: the pass after an interruption finds the
        conversation by this entry.
        """
        for _ in range(MAX_CONFLICTS):
            remains = self.erasures.remains(conversation_id)
            if is_running(remains.conversation, remains.booking):
                return erasure, True
            try:
                self._cancel(remains)
                self.erasures.delete_pointers(remains)
                people = self.hashes().of_all(remains.numbers) - {person}
                self.index.remove((other, at) for other in people for at in remains.places)
                self.erasures.delete_body(remains)
                return self._delete_head(erasure, remains), False
            except VersionConflictError:  # a step of the conversation, or a move of the booking
                continue
        raise VersionConflictError

    def _cancel(self, remains: Remains) -> None:
        """Cancel a booking that is open, which also takes the booking off its counter."""
        booking = remains.booking
        if booking and booking.status is ScheduleStatus.SCHEDULED and not remains.conversation:
            self.scheduled.move(booking, ScheduleStatus.CANCELLED)
            self.scheduler().cancel(booking.id)
            raise VersionConflictError  # the rows have changed: read them again

    def _delete_head(self, erasure: Erasure, remains: Remains) -> Erasure:
        """Delete the last row, with the count, the owed deletions at Telnyx and the event."""
        if remains.head is None:
            return erasure
        seq = remains.conversation.seq if remains.conversation else 1
        event = self._event(seq + 1, ConversationErased(erasure_id=erasure.id), erasure)
        counts = {"conversations": 1} if remains.conversation else {"bookings": 1}
        owed = [*dict.fromkeys([*erasure.owed, *remains.telnyx_ids])]
        counted = erasure.counting(**counts).model_copy(update={"owed": owed})
        placed = (remains.id, remains.id, event)
        saved = self.erasures.save(counted, self.clock(), placed, [head_deletion(remains)])
        count(Metric.CONVERSATION_ERASED)
        return saved

    def _person(self, erasure: Erasure, has_time: HasTime) -> tuple[Erasure, datetime | None]:
        """Erase a person everywhere but at Telnyx; also returns when to look again, if at all."""
        number = erasure.number or ""
        person, again = self.hashes().of(number), False
        erasure = self._contacts(erasure, number)
        asked_at = keys.moment(erasure.created_at)
        for place in list(self.index.places(person)):
            if not has_time():
                return erasure, self._soon()
            erasure, runs = self._conversation(erasure, place.rpartition("#")[2], person)
            if runs:  # a conversation that began after the request is left
                again = again or place <= asked_at
                continue
            self.index.remove([(person, place)])
            if len(erasure.owed) >= MAX_OWED:
                erasure = self._at_telnyx(erasure, has_time)
        erasure = self._do_not_call(erasure, number)
        deleted, complete = self.dead_letters().delete(number, has_time)
        if deleted:
            erasure = self.erasures.save(erasure.counting(queue_messages=deleted), self.clock())
        if again or not complete:
            return erasure, self._soon()
        last_pass = erasure.created_at + timeouts.ERASURE_SETTLED
        return erasure, last_pass if self.clock() < last_pass else None

    def _contacts(self, erasure: Erasure, number: str) -> Erasure:
        """Remove a number from the contacts of all routes."""
        rung = self.hashes().rung
        for line, before in self.directory.all_routes():
            after, removed = without_number(before, lambda to: rung(to) == number)
            if removed:
                change = Change(
                    key_id=erasure.key_id, request_id=f"erasure-{erasure.id}", at=self.clock()
                )
                writes = self.directory.replacement(line, before, after, change)
                counted = erasure.counting(contacts=removed)
                erasure = self.erasures.save(counted, self.clock(), writes=writes)
        return erasure

    def _do_not_call(self, erasure: Erasure, number: str) -> Erasure:
        """Delete the entry of the list if so asked; without an entry, the events of old entries.

        An entry that was added after the request stays: nobody asked to erase that entry.
        """
        entry = self.directory.do_not_call(number)
        if entry:
            if not erasure.do_not_call or entry.added_at > erasure.created_at:
                return erasure
            writes = [self.directory.do_not_call_deletion(entry)]
            erasure = self.erasures.save(
                erasure.counting(do_not_call=1), self.clock(), None, writes
            )
        pk, _ = keys.do_not_call(number)
        self.erasures.delete_partition(pk, keys.FIRST_EVENT, keys.LAST_EVENT)
        return erasure

    def _at_telnyx(self, erasure: Erasure, has_time: HasTime) -> Erasure:
        """Delete the conversations at Telnyx; after a day, give up those that are left.

        The caller saves the result: a conversation that is gone counts as deleted, so a repeated
        deletion gives the same count.
        """
        left = list[str]()
        for nth, run in enumerate(erasure.owed):
            if not has_time():
                left += erasure.owed[nth:]
                break
            try:
                self.telnyx().delete_ai_conversation(run)
            except TelnyxError as error:
                if not (isinstance(error, RefusedError) and error.status in GONE):
                    left.append(run)
                    extra = {"erasure_id": erasure.id, "error": type(error).__name__}
                    logger.warning("not deleted at telnyx", extra=extra)
        counted = erasure.counting(telnyx_conversations=len(erasure.owed) - len(left))
        if left and self.clock() >= erasure.created_at + timeouts.ERASURE_GIVEN_UP_AFTER:
            count(Metric.ERASURE_GIVEN_UP, len(left))
            count(Metric.ERASURE_FAILED, ALARMING * len(left))
            given_up = [*erasure.given_up, *left][:MAX_GIVEN_UP]
            return counted.model_copy(update={"owed": [], "given_up": given_up})
        return counted.model_copy(update={"owed": left})

    def _event(self, seq: int, data: ConversationErased | PersonErased, erasure: Erasure) -> Event:
        return Event(
            seq=seq,
            type=data.type,
            occurred_at=self.clock(),
            cause=f"erasure-{erasure.id}",
            data=data.model_dump(),
        )
