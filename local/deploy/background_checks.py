"""What stands behind the API of a deployed stack, tried: bus, alarms, the failover queue.

The local stack plays these parts; here they are CloudFormation's own resources in the embedded AWS,
with its EventBridge, Scheduler and SQS calling the deployed functions.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from local.client import Client
from local.deploy.deployment import STACK, Deployment
from local.deploy.redrive import redrive
from local.webhook_fixtures import Signer, body_of

HOST, OURS = "+13125550111", "+13125550100"
_PATIENCE_SECS, _LOOK_SECS = 120.0, 1.0
_SOON, _LATER = timedelta(seconds=10), timedelta(hours=1)

IsDone = Callable[[], bool]


class NotDoneError(Exception):
    """Something did not happen; says what."""


def try_out(deployment: Deployment, url: str, api_key: str) -> Iterator[str]:
    """Set all of it off, then say what has been done as it is; `url` is the API's.

    Raises NotDoneError.
    """
    with closing(Client(url, api_key, _PATIENCE_SECS)) as client:
        done = {
            "an alarm has started a conversation, and one was cancelled": _by_alarm(client),
            "an event on the bus has started another": _by_event(deployment, client),
            "a webhook among the failover door's dead letters was sent again and taken in": (
                _by_failover(deployment, client, url)
            ),
        }
        for what, is_done in done.items():
            _wait(what, is_done)
            yield what


def _by_alarm(client: Client) -> IsDone:
    # The later one first: it starts the function, which then answers the other in time.
    later, soon = (_ask_for(client, ahead) for ahead in (_LATER, _SOON))
    if client.ask("DELETE", f"/conversations/{later}")["status"] != "cancelled":
        raise NotDoneError("a conversation that was to begin later could not be cancelled")
    return lambda: "participants" in client.conversation(soon)


def _ask_for(client: Client, ahead: timedelta) -> str:
    body = {"to": HOST, "start_at": (datetime.now(UTC) + ahead).isoformat()}
    return str(client.ask("POST", "/conversations", body)["id"])


def _by_event(deployment: Deployment, client: Client) -> IsDone:
    asked = {"asked": "bus"}
    entry = {
        "EventBusName": deployment.outputs["BusName"],
        "Source": "crm",
        "DetailType": "StartConversation",
        "Detail": json.dumps({"to": HOST, "metadata": asked}),
    }
    deployment.client("events").put_events(Entries=[entry])
    return lambda: asked in [each["metadata"] for each in _newest(client)]


def _by_failover(deployment: Deployment, client: Client, url: str) -> IsDone:
    call = "v3:through-the-other-door"
    _, body = body_of(
        "call.initiated",
        ["payload.direction=incoming", f"payload.to={OURS}", f"payload.call_control_id={call}"],
    )
    headers = {"host": urlsplit(url).netloc, **Signer().headers(body)}
    names = ("host", "telnyx-timestamp", "telnyx-signature-ed25519")
    deployment.client("sqs").send_message(
        QueueUrl=deployment.outputs["FailoverDeadLettersUrl"],
        MessageBody=body.decode(),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": headers[name]} for name in names
        },
    )
    redrive("failover", STACK, deployment.client)
    return lambda: any(
        leg["call_control_id"] == call
        for conversation in _newest(client)
        for participant in conversation["participants"]
        for leg in participant["legs"]
    )


def _newest(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.ask("GET", "/conversations?limit=50")["conversations"]
    return found


def _wait(what: str, is_done: IsDone) -> None:
    deadline = time.monotonic() + _PATIENCE_SECS
    while not is_done():
        if time.monotonic() > deadline:
            raise NotDoneError(f"waited in vain: {what}")
        time.sleep(_LOOK_SECS)
