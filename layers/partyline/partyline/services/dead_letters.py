"""Messages of the dead-letter queues: their number, and those that hold a person's number.

The live queues are not searched. After five minutes at most, each of their messages is processed
or in a dead-letter queue, and an erasure looks there again later (`timeouts.ERASURE_SETTLED`).
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

from partyline.aws_errors import aws_request
from partyline.domain.numbers import number_parts

HIDDEN_SECS = 60
"""How long a message that was read is hidden from others: longer than a pass lasts."""

SHORT_DIGITS = 8
"""A national number of so many digits or fewer needs its country code: ids have as many digits."""

_DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

_SEPARATORS = r"[\s().\-/\u00a0]{0,3}"


class DeadLetters:
    """The queues at `urls`. Methods may raise an `AwsError`."""

    def __init__(self, client: Any, urls: Sequence[str]) -> None:
        self._client = client
        self._urls = urls

    def delete(self, number: str, has_time: Callable[[], bool]) -> tuple[int, bool]:
        """Delete the messages that hold a number in E.164.

        Returns how many were deleted, and whether there was time for all queues.
        """
        pattern, deleted = number_pattern(number), 0
        for url in self._urls:
            while True:
                if not has_time():
                    return deleted, False
                messages = self._receive(url)
                if not messages:
                    break
                for message in messages:
                    if pattern.search(_text(message["Body"])):
                        self._delete(url, message["ReceiptHandle"])
                        deleted += 1
        return deleted, True

    def count(self) -> int:
        """Return the number of messages in all queues, also those that a reader hides."""
        return sum(map(self._count, self._urls))

    def _count(self, url: str) -> int:
        with aws_request("sqs", "get_queue_attributes"):
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=list(_DEPTHS))
        return sum(int(answer["Attributes"][name]) for name in _DEPTHS)

    def _receive(self, url: str) -> list[dict[str, Any]]:
        with aws_request("sqs", "receive_message"):
            answer = self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN_SECS,
                # Without a wait, SQS asks some of its servers only.
                WaitTimeSeconds=1,
            )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _delete(self, url: str, receipt: str) -> None:
        with aws_request("sqs", "delete_message"):
            self._client.delete_message(QueueUrl=url, ReceiptHandle=receipt)


def number_pattern(number: str) -> re.Pattern[str]:
    """Return the pattern of a number in E.164, also without its plus or country code.

    Digits before or behind make another number. A short number needs its country code.
    """
    code, national = number_parts(number)
    optional = "?" if len(national) > SHORT_DIGITS else ""
    prefix = rf"(?:(?:00)?{_spelled(code)}{_SEPARATORS}){optional}(?:\(?0\)?{_SEPARATORS})?"
    return re.compile(rf"(?<!\d){prefix}{_spelled(national)}(?!\d)")


def _spelled(digits: str) -> str:
    return _SEPARATORS.join(digits)


def _text(body: str) -> str:
    """Return a message's text; API Gateway puts a body that is no text into base64."""
    if body.lstrip().startswith(("{", "[")):
        return body
    try:
        return base64.b64decode(body, validate=True).decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        return body
