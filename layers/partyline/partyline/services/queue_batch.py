"""Send messages to a queue of SQS, a batch at a time."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from partyline.aws_errors import aws_request
from partyline.domain.model.timeouts import MAX_MESSAGE_DELAY

MAX_BATCH = 10  # messages of a request (SQS: SendMessageBatch)


def delay_secs(left: timedelta) -> int:
    """Return the delay of a message that is to arrive after `left`, or after 15 minutes at most.

    Whole seconds, rounded up: an early message has to be sent again.
    """
    return max(0, math.ceil(min(left, MAX_MESSAGE_DELAY).total_seconds()))


def send_batch(
    client: Any, queue_url: str, bodies: Sequence[str], delays: Sequence[timedelta]
) -> list[int]:
    """Send `MAX_BATCH` messages at most, each to arrive after its delay.

    Returns the positions of the messages that SQS did not take. Raises an `AwsError`.
    """
    entries = [
        {"Id": str(nth), "MessageBody": body, "DelaySeconds": delay_secs(delay)}
        for nth, (body, delay) in enumerate(zip(bodies, delays, strict=True))
    ]
    with aws_request("sqs", "send_message_batch"):
        answer = client.send_message_batch(QueueUrl=queue_url, Entries=entries)
    return [int(failed["Id"]) for failed in answer.get("Failed", ())]
