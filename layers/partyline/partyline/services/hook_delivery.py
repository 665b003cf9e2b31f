"""Deliver events to hooks: from an event of the bus to attempts, and from an attempt to the next.

Nothing is lost when a process dies: the message of an attempt is deleted after the message of the
next attempt is sent. A receiver may get an event twice, with the same `webhook-id`. Two messages of
the same attempt end as one: the row of the delivery counts the attempts.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from partyline.domain.model.events import DisabledReason, HookDisabled
from partyline.domain.model.hooks import (
    FAILING_FOR,
    RETRY_PAUSES,
    Delivery,
    DeliveryStatus,
    Hook,
)
from partyline.services.hook_queue import Attempt, HookQueue
from partyline.services.hook_sender import Answer, HookSender
from partyline.services.hook_signing import secret_of, signature_headers
from partyline.store.errors import TooManyConflictsError
from partyline.store.hooks import HookStore
from partyline.telemetry import Metric, count, logger

GONE = 410
"""The status by which a receiver asks for no further event (Standard Webhooks)."""


class HookFanOut:
    """Makes the deliveries of each event: one for each hook that takes the event's type."""

    def __init__(self, store: HookStore, queue: HookQueue, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock

    def fan_out(self, detail: dict[str, Any]) -> int:
        """Make and queue the deliveries of an event; return how many. May raise an `AwsError`.

        The row of a delivery is written before its message is sent, and the message of a row
        without an attempt is sent again: the bus delivers an event at least once.
        """
        attempts = []
        for hook in self._store.all():
            if not hook.takes(detail["type"]):
                continue
            delivery = Delivery.of(detail, self._clock())
            if not hook.enabled:
                delivery = delivery.model_copy(update={"status": DeliveryStatus.SKIPPED})
            delivery = self._store.add_delivery(hook.id, delivery)
            if delivery.status is DeliveryStatus.PENDING:
                attempts.append(Attempt.first(hook, delivery))
        self._queue.send(attempts)
        return len(attempts)


class HookDelivery:
    """Makes the attempts of deliveries. `key` returns the key from which secrets are derived."""

    def __init__(
        self,
        store: HookStore,
        queue: HookQueue,
        dead_letters: HookQueue,
        sender: HookSender,
        key: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._queue = queue
        self._dead_letters = dead_letters
        self._sender = sender
        self._key = key
        self._clock = clock

    def deliver(self, attempt: Attempt) -> None:
        """Make an attempt that is due, and queue the next attempt after a failure.

        An attempt of a deleted hook, of a deleted row or of an earlier series does nothing. May
        raise an `AwsError`; the message then returns.
        """
        now = self._clock()
        if attempt.due > now:
            self._queue.send([attempt])
            return
        place = attempt.hook_id, attempt.occurred_at, attempt.event_id, attempt.place
        rows = self._store.load(*place)
        hook, delivery = rows.hook, rows.delivery
        if hook is None or delivery is None or _is_stale(attempt, hook, delivery):
            count(Metric.HOOK_ATTEMPT_DROPPED)
            return
        if not hook.enabled:
            self._record(hook, delivery, status=DeliveryStatus.SKIPPED)
            return
        if rows.detail is None:
            # The conversation's data was erased, or its time to keep is over.
            self._record(hook, delivery, status=DeliveryStatus.FAILED, error="event_gone")
            return
        answer = self._sender.post(hook.url, *self._request(hook, rows.detail, attempt))
        tried = delivery.model_copy(
            update={
                "attempts": attempt.number,
                "attempted_at": now,
                "http_status": answer.status,
                "error": answer.error,
                "next_attempt_at": None,
            }
        )
        if answer.is_success:
            self._succeeded(hook, tried)
        else:
            self._failed(hook, tried, attempt, answer)

    def _request(
        self, hook: Hook, detail: Mapping[str, Any], attempt: Attempt
    ) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body of an attempt."""
        at = self._clock()
        fields = {"type": detail["type"], "timestamp": detail["occurred_at"], "data": detail}
        body = to_json(fields)
        key = self._key()
        secrets = [secret_of(key, hook.id, nonce) for nonce in hook.nonces(at)]
        headers = signature_headers(secrets, attempt.event_id, at, body)
        return {
            **headers,
            "content-type": "application/json",
            "user-agent": "Partyline-Hooks",
        }, body

    def _succeeded(self, hook: Hook, tried: Delivery) -> None:
        count(Metric.HOOK_DELIVERED)
        self._record(hook, tried, status=DeliveryStatus.DELIVERED)
        if hook.failing_since:
            self._mark(hook, failing_since=None)

    def _failed(self, hook: Hook, tried: Delivery, attempt: Attempt, answer: Answer) -> None:
        count(Metric.HOOK_ATTEMPT_FAILED)
        now = self._clock()
        if attempt.number <= len(RETRY_PAUSES) and answer.status != GONE:
            due = now + RETRY_PAUSES[attempt.number - 1]
            self._queue.send([attempt.next(due)])
            self._record(hook, tried, status=DeliveryStatus.RETRYING, next_attempt_at=due)
        else:
            count(Metric.HOOK_DELIVERY_FAILED)
            self._dead_letters.send([attempt.next(now)])
            self._record(hook, tried, status=DeliveryStatus.FAILED)
        if answer.status == GONE:
            self._disable(hook, "gone", attempt.event_id)
        elif hook.failing_since is None:
            self._mark(hook, failing_since=now)
        elif now - hook.failing_since >= FAILING_FOR:
            self._disable(hook, "failing", attempt.event_id)

    def _record(self, hook: Hook, delivery: Delivery, **update: Any) -> None:
        """Note the result of an attempt. A replay that began meanwhile counts more."""
        if not self._store.update_delivery(hook.id, delivery.model_copy(update=update)):
            logger.info("delivery began again meanwhile", extra={"hook_id": hook.id})

    def _mark(self, hook: Hook, failing_since: datetime | None) -> None:
        """Note since when a hook fails. A change of another process counts more than the note."""
        marked = hook.model_copy(update={"failing_since": failing_since})
        try:
            self._store.save(marked, None, self._clock(), "")
        except TooManyConflictsError:
            logger.info("hook changed meanwhile", extra={"hook_id": hook.id})

    def _disable(self, hook: Hook, reason: DisabledReason, cause: str) -> None:
        """Switch a hook off, with an event. After a conflict the next failure does so."""
        now = self._clock()
        off = hook.model_copy(update={"enabled": False, "disabled_reason": reason})
        try:
            self._store.save(off, HookDisabled(hook_id=hook.id, reason=reason), now, cause)
        except TooManyConflictsError:
            logger.info("hook changed meanwhile", extra={"hook_id": hook.id})
        else:
            logger.warning("hook switched off", extra={"hook_id": hook.id, "reason": reason})
            count(Metric.HOOK_DISABLED)


def _is_stale(attempt: Attempt, hook: Hook, delivery: Delivery) -> bool:
    """Whether an attempt is over: made by another message, of an earlier series or a former hook.

    A new hook may have the id of a deleted hook, whose attempts are still on the way.
    """
    done = delivery.status is DeliveryStatus.DELIVERED or delivery.attempts >= attempt.number
    former = attempt.hook_made_at != hook.created_at
    return done or former or delivery.since != attempt.since
