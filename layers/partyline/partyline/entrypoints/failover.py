"""The failover door: webhooks that came while their own function could not answer.

API Gateway puts them into a queue by itself, so this door stands when nothing else does. A message
has the webhook's body as it came, and as attributes the headers that prove it. When it was received
is told by the queue: a signature is as old as it was then.
"""

from collections.abc import Callable, Mapping
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.entrypoints.http import respond
from partyline.entrypoints.webhook import process_webhook
from partyline.telemetry import count, logger

FIRST_SENT = "first-sent-at"
"""The attribute that `partyline redrive` gives a message: when it was received, in milliseconds.

A message that is sent again gets a new SentTimestamp, and its signature would look too old.
"""

Batch = dict[str, list[dict[str, str]]]


def failover() -> Callable[[dict[str, Any], Any], Batch]:
    """The handler of the function behind the queue. Answers which messages have to come again.

    What Telnyx would be answered with a 4xx is dropped: it would be refused for ever.
    """

    def handle(app: App, event: dict[str, Any], _context: Any) -> Batch:
        failed = []
        for record in event["Records"]:
            logger.thread_safe_clear_keys()
            logger.thread_safe_append_keys(message_id=record["messageId"])
            count("FailoverReceived")
            answer = respond(
                lambda it=record: process_webhook(app, request_of(it), received_at(it)),  # type: ignore[misc]
                lambda: count("FailoverPutBack"),
            )
            if answer["statusCode"] >= 500:
                failed.append({"itemIdentifier": str(record["messageId"])})
            elif answer["statusCode"] >= 400:
                count("FailoverRefused")
        return {"batchItemFailures": failed}

    return with_app(handle)


def request_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The request that a message was, as far as a webhook's function looks at one."""
    headers = {name: each.get("stringValue") for name, each in record["messageAttributes"].items()}
    body: str = record["body"]
    return {
        "headers": headers,
        "body": body,
        # Telnyx sends JSON objects, and no base64 begins as they do.
        "isBase64Encoded": not body.lstrip().startswith("{"),
        "requestContext": {"domainName": headers.get("host")},
    }


def received_at(record: Mapping[str, Any]) -> float:
    """When API Gateway took it, in Unix seconds."""
    kept = record["messageAttributes"].get(FIRST_SENT, {}).get("stringValue")
    return int(kept or record["attributes"]["SentTimestamp"]) / 1000
