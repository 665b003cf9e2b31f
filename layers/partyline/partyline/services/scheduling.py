"""Conversations that start later: booked now, cancelled meanwhile, started at their time.

The row in the table decides. EventBridge Scheduler only calls at the time: without the row nothing
starts, so a call that comes twice, late, or for a cancelled start does no harm.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from partyline.domain.dial_policy import KEY_REVOKED
from partyline.domain.model import timeouts
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.stored import Failure
from partyline.ids import conversation_id_for_request, fingerprint
from partyline.services.bearer_keys import BearerKeys, Right
from partyline.services.conversations import Conversations, Done, Started, idempotency_key_reused
from partyline.services.errors import RequestError, field_invalid, unknown_conversation
from partyline.services.requester import Requester
from partyline.services.requests import StartRequest
from partyline.services.scheduler import StartScheduler
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.services.validation import validate
from partyline.store import ConversationStore, errors
from partyline.store.pages import Page
from partyline.store.scheduled import ScheduledConversation, ScheduledConversations, ScheduleStatus
from partyline.telemetry import Metric, count, logger

MAX_SCHEDULE_AHEAD = timedelta(days=366)  # how far ahead a conversation may be scheduled


@dataclass(frozen=True)
class Booked:
    """A start that is scheduled; `is_new` is False for a request that came before."""

    scheduled: ScheduledConversation
    is_new: bool


@dataclass(frozen=True)
class Scheduling:
    """The use cases of scheduled starts. Each method may raise a RequestError."""

    conversations: Conversations
    store: ConversationStore
    scheduled: ScheduledConversations
    scheduler: Callable[[], StartScheduler]
    bearer_keys: Callable[[], BearerKeys]
    clock: Callable[[], datetime]

    def start_or_schedule(self, request: StartRequest, requester: Requester) -> Started | Booked:
        """Start a conversation now, or at the request's `start_at`."""
        if request.start_at is None:
            return self.conversations.start(request, requester)
        # Without an Idempotency-Key the request's own id tells the request from the next request.
        own = requester.fingerprint or fingerprint(requester.key_id, requester.request_id)
        conversation_id = conversation_id_for_request(own)
        if self.scheduled.get(conversation_id):
            return self._repeated(conversation_id, requester)
        scheduled = self._schedule(request, requester, request.start_at, own)
        # The schedule before the row: a schedule without a row does no harm.
        self.scheduler().schedule(conversation_id, scheduled.start_at)
        try:
            self.scheduled.add(scheduled, requester.dedupe, self._max_bookings)
        except (errors.VersionConflictError, errors.AlreadyProcessedError):
            return self._repeated(conversation_id, requester)
        except errors.QuotaExceededError:
            raise self._too_many_bookings() from None
        count(Metric.CONVERSATION_SCHEDULED)
        logger.info("scheduled", extra={"conversation_id": conversation_id})
        return Booked(scheduled, is_new=True)

    def stop(
        self, conversation_id: str, *, hang_up: bool, sender: Requester
    ) -> Done[Conversation] | ScheduledConversation:
        """Stop a conversation, or cancel a conversation that has not begun."""
        try:
            return self.conversations.stop(conversation_id, hang_up=hang_up, sender=sender)
        except RequestError as error:
            if error.code is not ErrorCode.NOT_STARTED:
                raise
        return self.cancel(conversation_id)

    def cancel(self, conversation_id: str) -> ScheduledConversation:
        """Cancel a scheduled start. A repeated cancellation gives the same answer."""
        scheduled = self.scheduled.get(conversation_id)
        if scheduled and scheduled.status is ScheduleStatus.SCHEDULED:
            scheduled = self._move(scheduled, ScheduleStatus.CANCELLED)
        if scheduled is None and self.store.load(conversation_id) is None:
            raise unknown_conversation()
        if scheduled is None or scheduled.status is not ScheduleStatus.CANCELLED:
            raise self._too_late(conversation_id, scheduled)
        self._delete_schedule(scheduled)
        return scheduled

    def cancel_all(
        self, key_id: str, limit: int, cursor: str | None = None
    ) -> Page[ScheduledConversation]:
        """Cancel the scheduled starts that a bearer key booked, a page of `limit` at a time."""
        page = self.scheduled.list_of_key(key_id, limit, cursor)
        moved = [self._move(booking, ScheduleStatus.CANCELLED) for booking in page.items]
        # A booking that another process moved meanwhile has started or is cancelled already.
        cancelled = [booking for booking in moved if booking.status is ScheduleStatus.CANCELLED]
        for booking in cancelled:
            self._delete_schedule(booking)
        return Page(cancelled, page.next_cursor)

    def start_due(self, conversation_id: str) -> bool:
        """Start a conversation at its time.

        Returns False when the start was cancelled, or when its bearer key is not valid any more.

        Raises:
            RequestError: the conversation cannot start now; the caller tries again.
        """
        scheduled = self.scheduled.get(conversation_id)
        if scheduled is None or _is_final(scheduled):
            return _not_started(scheduled)
        try:
            if not self._has_valid_key(scheduled):
                return _not_started(self._fail_revoked(scheduled))
            if scheduled.status is ScheduleStatus.SCHEDULED:
                scheduled = self._move(scheduled, ScheduleStatus.STARTING)
                if _is_final(scheduled):
                    return _not_started(scheduled)
            self._start(scheduled)
        except RequestError as error:
            logger.error("not started", extra={"reason": error.code})
            too_late = self.clock() > scheduled.start_at + timeouts.RETRY_LIMIT_FOR
            if too_late or error.code not in RETRIED:
                count(Metric.SCHEDULED_FAILED)
                failure = Failure(code=error.code, message=error.message)
                self._move(scheduled, ScheduleStatus.FAILED, failure)
            raise
        return True

    def _start(self, scheduled: ScheduledConversation) -> None:
        requester = Requester(
            key_id=scheduled.key_id,
            request_id=f"schedule-{scheduled.id}",
            base_url=scheduled.base_url,
            fingerprint=scheduled.fingerprint,
            by_key=scheduled.by_key,
        )
        self.conversations.start(validate(StartRequest, scheduled.body), requester)

    def _has_valid_key(self, scheduled: ScheduledConversation) -> bool:
        """Whether the bearer key of a booking may still start conversations.

        A booking of the event bus has no key. Raises a RequestError while the keys cannot be read.
        """
        if not scheduled.by_key:
            return True
        try:
            return self.bearer_keys().has(scheduled.key_id, Right.START)
        except (SecretMissingError, SecretUnreadableError):
            message = "The secret of the bearer keys cannot be read."
            raise RequestError(ErrorCode.UNAVAILABLE, message) from None

    def _fail_revoked(self, scheduled: ScheduledConversation) -> ScheduledConversation:
        """Record that a booking failed for good. A conversation that has begun goes on."""
        if scheduled.status is ScheduleStatus.FAILED:
            return scheduled
        message = "The bearer key of this start is deleted or expired, or lacks the right `start`."
        failure = Failure(code=KEY_REVOKED, message=message)
        cause = f"schedule-{scheduled.id}"
        with suppress(errors.VersionConflictError):
            scheduled = self.scheduled.fail(scheduled, failure, self.clock(), cause)
            count(Metric.SCHEDULED_FAILED)
            count(Metric.CONVERSATION_FAILED)
        return scheduled

    def _delete_schedule(self, scheduled: ScheduledConversation) -> None:
        self.scheduler().cancel(scheduled.id)
        logger.info("cancelled", extra={"conversation_id": scheduled.id})

    def _too_late(
        self, conversation_id: str, scheduled: ScheduledConversation | None
    ) -> RequestError:
        """Return the error for a start that cannot be cancelled any more."""
        if scheduled is None or self.store.load(conversation_id):
            message = "The conversation has started. Stop the conversation instead."
            return RequestError(ErrorCode.ALREADY_STARTED, message)
        if scheduled.status is ScheduleStatus.STARTING:
            message = (
                "The conversation is starting: it runs or fails within two minutes. Stop it then."
            )
            return RequestError(ErrorCode.STARTING, message)
        return RequestError(ErrorCode.CONVERSATION_OVER, "The scheduled conversation has failed.")

    @property
    def _max_bookings(self) -> int:
        return self.conversations.settings.max_bookings

    def _too_many_bookings(self) -> RequestError:
        limit = self._max_bookings
        message = f"A key may have {limit} scheduled starts."
        return RequestError(ErrorCode.TOO_MANY_BOOKINGS, message, [{"limit": limit}])

    def _schedule(
        self, request: StartRequest, requester: Requester, start_at: datetime, own: str
    ) -> ScheduledConversation:
        now = self.clock()
        if not now < start_at <= now + MAX_SCHEDULE_AHEAD:
            raise field_invalid("start_at", "not in the future, or more than a year away")
        conversation_id = conversation_id_for_request(own)
        self.conversations.check_start(request, requester, conversation_id)
        # The transaction decides; a schedule for a refused start would only do no harm.
        if not self.scheduled.has_room(requester.key_id, self._max_bookings, now):
            raise self._too_many_bookings()
        body = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
        del body["start_at"]
        return ScheduledConversation(
            id=conversation_id,
            start_at=start_at,
            created_at=now,
            body=body,
            key_id=requester.key_id,
            by_key=requester.by_key,
            fingerprint=own,
            base_url=requester.base_url,
        )

    def _repeated(self, conversation_id: str, requester: Requester) -> Booked:
        dedupe, stored_hash = requester.dedupe, None
        try:
            if dedupe:
                self.store.check_not_processed(dedupe)
        except errors.AlreadyProcessedError as error:
            stored_hash = error.request_hash
        scheduled = self.scheduled.get(conversation_id)
        if scheduled is None and stored_hash is None:
            # A request at the same time did not come through either.
            raise errors.TooManyConflictsError
        if dedupe is None or scheduled is None or stored_hash != dedupe.request_hash:
            raise idempotency_key_reused()
        return Booked(scheduled, is_new=False)

    def _move(
        self,
        scheduled: ScheduledConversation,
        status: ScheduleStatus,
        failure: Failure | None = None,
    ) -> ScheduledConversation:
        """Move a scheduled start on; returns it as another process moved it meanwhile, if so."""
        try:
            return self.scheduled.move(scheduled, status, failure)
        except errors.VersionConflictError:
            return self.scheduled.get(scheduled.id) or scheduled


def _is_final(scheduled: ScheduledConversation) -> bool:
    """Whether no later attempt may start a booking, whatever its key."""
    revoked = scheduled.failure is not None and scheduled.failure.code == KEY_REVOKED
    return revoked or scheduled.status is ScheduleStatus.CANCELLED


def _not_started(scheduled: ScheduledConversation | None) -> bool:
    reason = "unknown"
    if scheduled:
        reason = scheduled.failure.code if scheduled.failure else scheduled.status
    logger.info("not started", extra={"reason": reason})
    return False


_E = ErrorCode
RETRIED = frozenset({_E.TOO_MANY_CONVERSATIONS, _E.TOO_MANY_DIALS, _E.PENDING, _E.UNAVAILABLE})
"""Refusals that may be gone a minute later."""
