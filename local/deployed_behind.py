"""What stands behind the API of a deployed stack, tried: bus, alarms, the failover queue.

The local stack plays these parts; here they are CloudFormation's own resources in the embedded AWS,
with its EventBridge, Scheduler and SQS calling the deployed functions.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from local.client import Client
from local.deployment import Deployment
from local.trigger import Signer, body_of

HOST, OURS = "+13125550111", "+13125550100"
_PATIENCE_SECS, _LOOK_SECS = 120.0, 1.0
_SOON, _LATER = timedelta(seconds=10), timedelta(hours=1)


class NotDoneError(Exception):
    """Something did not happen; says what."""


def try_out(deployment: Deployment, url: str, api_key: str) -> Iterator[str]:
    """Try one after the other and say what has been done; `url` is the API's.

    Raises NotDoneError.
    """
    with closing(Client(url, api_key, _PATIENCE_SECS)) as client:
        _by_event(deployment, client)
        yield "an event on the bus has started a conversation"
        _by_alarm(client)
        yield "an alarm has started another, and one was cancelled"
        _by_failover(deployment, client, url)
        yield "a webhook out of the failover queue has been taken in"


def _by_event(deployment: Deployment, client: Client) -> None:
    entry = {
        "EventBusName": deployment.outputs["BusName"],
        "Source": "crm",
        "DetailType": "StartConversation",
        "Detail": json.dumps({"to": HOST, "metadata": {"asked": "bus"}}),
    }
    deployment.client("events").put_events(Entries=[entry])
    _wait("the bus to start a conversation", lambda: _with(client, "metadata", {"asked": "bus"}))


def _by_alarm(client: Client) -> None:
    # The later one first: it starts the function, which then answers the other in time.
    later, soon = (_ask_for(client, ahead) for ahead in (_LATER, _SOON))
    if client.ask("DELETE", f"/conversations/{later}")["status"] != "cancelled":
        raise NotDoneError("a conversation that was to begin later could not be cancelled")
    _wait("an alarm to ring", lambda: "participants" in client.conversation(soon))


def _ask_for(client: Client, ahead: timedelta) -> str:
    body = {"to": HOST, "start_at": (datetime.now(UTC) + ahead).isoformat()}
    return str(client.ask("POST", "/conversations", body)["id"])


def _by_failover(deployment: Deployment, client: Client, url: str) -> None:
    call = "v3:through-the-other-door"
    _, body = body_of(
        "call.initiated",
        ["payload.direction=incoming", f"payload.to={OURS}", f"payload.call_control_id={call}"],
    )
    headers = {"host": urlsplit(url).netloc, **Signer().headers(body)}
    names = ("host", "telnyx-timestamp", "telnyx-signature-ed25519")
    deployment.client("sqs").send_message(
        QueueUrl=deployment.outputs["FailoverQueueUrl"],
        MessageBody=body.decode(),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": headers[name]} for name in names
        },
    )

    def taken_in() -> bool:
        legs = [
            leg
            for conversation in client.ask("GET", "/conversations?limit=50")["conversations"]
            for participant in conversation["participants"]
            for leg in participant["legs"]
        ]
        return call in [leg["call_control_id"] for leg in legs]

    _wait("the failover queue to be drained", taken_in)


def _with(client: Client, field: str, value: object) -> bool:
    found = client.ask("GET", "/conversations?limit=50")["conversations"]
    return any(each[field] == value for each in found)


def _wait(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECS
    while not true():
        if time.monotonic() > deadline:
            raise NotDoneError(f"waited in vain for {what}")
        time.sleep(_LOOK_SECS)
