"""The queue of deliveries: a message for the next attempt of a delivery to a hook."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from partyline.aws_errors import AwsUnavailableError
from partyline.domain.model.hooks import Delivery, Hook
from partyline.services.queue_batch import MAX_BATCH, send_batch


@dataclass(frozen=True)
class Attempt:
    """The message of an attempt, with no content of the event.

    `hook_made_at` tells the hook from a former hook with the same id. `since` names the series of
    attempts: a replay begins another series. `due` is the time of the attempt, which may be later
    than the longest delay of a message.
    """

    hook_id: str
    hook_made_at: datetime
    event_id: str
    occurred_at: datetime
    conversation_id: str
    seq: int
    since: datetime
    number: int
    due: datetime

    @classmethod
    def first(cls, hook: Hook, delivery: Delivery) -> Self:
        """Return the first attempt of a delivery, which is due now."""
        return cls(
            hook_id=hook.id,
            hook_made_at=hook.created_at,
            event_id=delivery.event_id,
            occurred_at=delivery.occurred_at,
            conversation_id=delivery.conversation_id,
            seq=delivery.seq,
            since=delivery.since,
            number=1,
            due=delivery.since,
        )

    @classmethod
    def parse(cls, body: str) -> Self:
        """Return the attempt in a message. Raises ValueError, LookupError or TypeError."""
        fields = json.loads(body)
        names = ("hook_made_at", "occurred_at", "since", "due")
        times = {name: datetime.fromisoformat(fields[name]) for name in names}
        return cls(**{**fields, **times})

    @property
    def body(self) -> str:
        """The text of the message."""
        return json.dumps(asdict(self), default=lambda at: at.isoformat())

    @property
    def place(self) -> tuple[str, int] | None:
        """The conversation's id and the event's number; None for another event."""
        return (self.conversation_id, self.seq) if self.conversation_id else None

    def next(self, due: datetime) -> Self:
        """Return the attempt after this attempt."""
        return replace(self, number=self.number + 1, due=due)


class HookQueue:
    """The sending end of the queue; its methods may raise an `AwsError`."""

    def __init__(
        self, client: Callable[[], Any], queue_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._clock = clock

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Send attempts; each message arrives when its attempt is due, or after 15 minutes."""
        now = self._clock()
        for start in range(0, len(attempts), MAX_BATCH):
            batch = attempts[start : start + MAX_BATCH]
            bodies = [attempt.body for attempt in batch]
            delays = [attempt.due - now for attempt in batch]
            if send_batch(self._client(), self._queue_url, bodies, delays):
                raise AwsUnavailableError("sqs", "send_message_batch", "Failed")
