"""Conversations that start later: booked now, cancelled meanwhile, started at their time.

The row in the table decides. EventBridge Scheduler only calls at the time: without the row nothing
starts, so a call that comes twice, late, or for a cancelled start does no harm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from partyline.domain.model import timeouts
from partyline.domain.model.conversation import Conversation, Failure
from partyline.domain.model.error_codes import ErrorCode
from partyline.ids import conversation_id_for_request, fingerprint
from partyline.services.conversations import Conversations, Started, idempotency_key_reused
from partyline.services.errors import RequestError, field_invalid, unknown_conversation
from partyline.services.requester import Requester
from partyline.services.requests import StartRequest
from partyline.services.scheduler import StartScheduler
from partyline.services.validation import validate
from partyline.store import ConversationStore, errors
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
            self.scheduled.add(scheduled, requester.dedupe)
        except (errors.VersionConflictError, errors.AlreadyProcessedError):
            return self._repeated(conversation_id, requester)
        count(Metric.CONVERSATION_SCHEDULED)
        logger.info("scheduled", extra={"conversation_id": conversation_id})
        return Booked(scheduled, is_new=True)

    def stop(
        self, conversation_id: str, *, hang_up: bool, sender: Requester
    ) -> Conversation | ScheduledConversation:
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
            message = "The conversation has started. Stop the conversation instead."
            raise RequestError(ErrorCode.ALREADY_STARTED, message)
        self.scheduler().cancel(conversation_id)
        return scheduled

    def start_due(self, conversation_id: str) -> bool:
        """Start a conversation at its time. Returns False when the start was cancelled.

        Raises:
            RequestError: the conversation cannot start now; the caller tries again.
        """
        scheduled = self.scheduled.get(conversation_id)
        if scheduled and scheduled.status is ScheduleStatus.SCHEDULED:
            scheduled = self._move(scheduled, ScheduleStatus.STARTING)
        if scheduled is None or scheduled.status is ScheduleStatus.CANCELLED:
            reason = scheduled.status if scheduled else "unknown"
            logger.info("not started", extra={"reason": reason})
            return False
        requester = Requester(
            key_id=scheduled.key_id,
            request_id=f"schedule-{scheduled.id}",
            base_url=scheduled.base_url,
            fingerprint=scheduled.fingerprint,
        )
        try:
            self.conversations.start(validate(StartRequest, scheduled.body), requester)
        except RequestError as error:
            logger.error("not started", extra={"reason": error.code})
            too_late = self.clock() > scheduled.start_at + timeouts.RETRY_LIMIT_FOR
            if too_late or error.code not in RETRIED:
                count(Metric.SCHEDULED_FAILED)
                failure = Failure(code=error.code, message=error.message)
                self._move(scheduled, ScheduleStatus.FAILED, failure)
            raise
        return True

    def _schedule(
        self, request: StartRequest, requester: Requester, start_at: datetime, own: str
    ) -> ScheduledConversation:
        now = self.clock()
        if not now < start_at <= now + MAX_SCHEDULE_AHEAD:
            raise field_invalid("start_at", "not in the future, or more than a year away")
        conversation_id = conversation_id_for_request(own)
        self.conversations.check_start(request, requester, conversation_id)
        body = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
        del body["start_at"]
        return ScheduledConversation(
            id=conversation_id,
            start_at=start_at,
            created_at=now,
            body=body,
            key_id=requester.key_id,
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


RETRIED = frozenset({ErrorCode.TOO_MANY_CONVERSATIONS, ErrorCode.TOO_MANY_DIALS, ErrorCode.PENDING})
"""Refusals that may be gone a minute later."""
