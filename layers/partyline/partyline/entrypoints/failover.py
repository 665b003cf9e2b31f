"""The failover queue: webhooks that Telnyx sent to the failover URL.

Telnyx uses that URL when a webhook function does not answer. API Gateway puts the webhooks into the
queue without a function. A message has the webhook's body and, as attributes, the headers that
verify it. A signature's age is measured when the queue received the message.
"""

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.domain.model.error_codes import ErrorCode
from partyline.entrypoints.http import HTTP_STATUS, respond
from partyline.entrypoints.signed import CALL_HEADER
from partyline.entrypoints.webhook import process_webhook
from partyline.telemetry import Metric, count, logger

FIRST_SENT = "first-sent-at"
"""The attribute that `partyline redrive` adds: when the message was received, in milliseconds.

A message that is sent again gets a new SentTimestamp, and its signature would look too old. In a
message that API Gateway sent, a caller may have put the attribute there.
"""

TOOL = "tool"
"""The attribute `tool:<call_control_id>` that API Gateway adds; `tool:` without a tool's header."""

MILLISECONDS = re.compile(r"\d{1,15}", re.ASCII)

Batch = dict[str, list[dict[str, str]]]


def failover() -> Callable[[dict[str, Any], Any], Batch]:
    """The handler of the queue's function; its answer lists the messages to deliver again.

    A webhook that is answered with a 4xx is dropped, since each delivery would be refused alike.
    A webhook that is answered with a 5xx, after an outage or a bug, is delivered five times at most
    (`maxReceiveCount`) and then moved to the dead letters.
    """

    def handle(app: App, event: dict[str, Any], _context: Any) -> Batch:
        failed = []
        for record in event["Records"]:
            logger.thread_safe_clear_keys()
            logger.thread_safe_append_keys(message_id=record["messageId"])
            answer = respond(
                partial(process_webhook, app, request_of(record), received_at(record)),
                partial(count, Metric.FAILOVER_PUT_BACK),
            )
            if answer["statusCode"] != HTTP_STATUS[ErrorCode.BAD_SIGNATURE]:
                count(Metric.FAILOVER_RECEIVED)
            if answer["statusCode"] >= 500:
                failed.append({"itemIdentifier": str(record["messageId"])})
            elif answer["statusCode"] >= 400:
                count(Metric.FAILOVER_REFUSED)
        return {"batchItemFailures": failed}

    return with_app(handle)


def request_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The API Gateway request in a message, with the fields that a webhook function reads."""
    attributes = record["messageAttributes"].items()
    headers = {name: attribute.get("stringValue") for name, attribute in attributes}
    call = (headers.pop(TOOL, None) or "").removeprefix(f"{TOOL}:")
    headers |= {CALL_HEADER: call} if call else {}
    body: str = record["body"]
    return {
        "headers": headers,
        "body": body,
        # Telnyx sends JSON objects, and base64 never begins like an object.
        "isBase64Encoded": not body.lstrip().startswith("{"),
        "requestContext": {"domainName": headers.get("host")},
    }


def received_at(record: Mapping[str, Any]) -> float:
    """When API Gateway received the webhook, in Unix seconds.

    `first-sent-at` counts only in a message of another sender than API Gateway's role. An SQS
    message names its sender as `<role id>:<session>` (AWS docs, SQS ReceiveMessage, SenderId).
    """
    attributes = record["attributes"]
    sender = attributes.get("SenderId", "").partition(":")[0]
    kept = record["messageAttributes"].get(FIRST_SENT, {}).get("stringValue") or ""
    redriven = sender not in ("", os.environ.get("FAILOVER_ROLE_ID", sender))
    first = kept if redriven and MILLISECONDS.fullmatch(kept) else None
    return int(first or attributes["SentTimestamp"]) / 1000
