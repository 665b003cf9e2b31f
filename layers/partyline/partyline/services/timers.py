"""Timers of conversations, as messages of a queue that arrive at the moment of a timer.

A message may be lost, come twice, late or for a moment that has moved: the receiver loads the
conversation and lets time pass, which does nothing when no timer is due. The sweep finds the
conversations whose messages were lost.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from partyline.aws_errors import AwsError, aws_request
from partyline.domain.model.inputs import Input, PollCalls, TimerElapsed
from partyline.services.queue_batch import delay_secs, send_batch
from partyline.telemetry import Metric, count, logger
from partyline.telnyx.client_state import ID


@dataclass(frozen=True)
class TimerMessage:
    """A message of the queue.

    `moment` is that of the timer. A message of the sweep has none: the conversation is due already.
    A message of the census has `calls` to poll, which are `missing` in Telnyx's list or not.
    """

    conversation_id: str
    moment: datetime | None = None
    calls: tuple[str, ...] = ()
    missing: bool = False

    @property
    def body(self) -> str:
        """The text of the message."""
        moment = self.moment and self.moment.isoformat()
        fields = {"conversation_id": self.conversation_id, "moment": moment}
        polls = {"calls": self.calls, "missing": self.missing} if self.calls else {}
        return json.dumps(fields | polls)

    def input(self, cause: str) -> Input:
        """Return the input that the message stands for; `cause` is the input's id."""
        if self.calls:
            return PollCalls(id=cause, calls=self.calls, missing=self.missing)
        return TimerElapsed(id=cause)

    @classmethod
    def parse(cls, body: str) -> Self | None:
        """Return the message in a text; None for a text that is not ours."""
        try:
            fields = json.loads(body)
            conversation_id, moment = fields["conversation_id"], fields["moment"]
            calls, missing = tuple(fields.get("calls", ())), fields.get("missing", False)
            at = None if moment is None else datetime.fromisoformat(moment)
            named = ID.fullmatch(conversation_id) and all(isinstance(name, str) for name in calls)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            return None
        in_zone = at is None or at.tzinfo is not None
        return cls(conversation_id, at, calls, missing is True) if named and in_zone else None


class Timers:
    """The queue's sending end. `client` makes the client of SQS at the first use."""

    def __init__(
        self, client: Callable[[], Any], queue_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._clock = clock

    def start(self, conversation_id: str, at: datetime) -> None:
        """Send the message of a timer. A message that cannot be sent is counted: the sweep follows.

        A message can be delayed by 15 minutes; the message of a later moment is sent again then.
        """
        try:
            with aws_request("sqs", "send_message"):
                self._client().send_message(
                    QueueUrl=self._queue_url,
                    MessageBody=TimerMessage(conversation_id, at).body,
                    DelaySeconds=delay_secs(at - self._clock()),
                )
        except AwsError as error:
            count(Metric.TIMER_NOT_SENT)
            extra = {"conversation_id": conversation_id, "error": type(error).__name__}
            logger.warning("timer not sent", extra=extra)
        else:
            count(Metric.TIMER_SENT)

    def hand_out(
        self, messages: Sequence[TimerMessage], delay: timedelta = timedelta()
    ) -> list[TimerMessage]:
        """Send ten messages at most, to arrive after a delay. Returns the messages not sent."""
        bodies = [message.body for message in messages]
        try:
            left = send_batch(self._client(), self._queue_url, bodies, [delay] * len(bodies))
        except AwsError as error:
            logger.warning("timer not sent", extra={"error": type(error).__name__})
            return list(messages)
        return [messages[nth] for nth in left]
