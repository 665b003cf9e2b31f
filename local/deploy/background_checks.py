"""The checks of a deployed stack's background parts: bus, schedules, stream, failover queue.

The local stack has doubles of these parts. Here they are CloudFormation's own resources in the
embedded AWS, where EventBridge, Scheduler, SQS and Lambda call the deployed functions.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.client import Client
from local.deploy.deployment import STACK, Deployment
from local.deploy.redrive import redrive
from local.loopback import TOKEN_HEADER
from local.simulator.signing import Signer
from local.stack.intrinsics import ACCOUNT_ID, REGION
from local.stack.webhook_fixtures import body_of

HOST, OURS = "+13125550111", "+13125550100"
_PATIENCE_SECS, _LOOK_SECS = 300.0, 1.0
_SOON, _LATER = timedelta(seconds=10), timedelta(hours=1)

IsDone = Callable[[], bool]


class NotDoneError(Exception):
    """An expected effect did not occur; the message names the effect."""


def run_checks(deployment: Deployment, url: str, api_key: str) -> Iterator[str]:
    """Start all checks, then yield the name of each as it succeeds; `url` is the API's.

    Raises NotDoneError.
    """
    with closing(Client(url, api_key, _PATIENCE_SECS)) as client:
        checks = {
            "a timeline has reached a consumer of the bus": _check_relay(deployment, client),
            "a schedule has started a conversation": _check_schedules(client),
            "an event has started a conversation": _check_start_event(deployment, client),
            "a redriven webhook was handled": _check_failover(deployment, client, url),
            "an IAM user has started a conversation": _check_iam_caller(deployment),
            "the smoke test of a release passes": _check_smoke(deployment),
        }
        for name, is_done in checks.items():
            _wait(name, is_done)
            yield name


def _check_relay(deployment: Deployment, client: Client) -> IsDone:
    sqs, events = deployment.client("sqs"), deployment.client("events")
    queue, bus = sqs.create_queue(QueueName="consumer")["QueueUrl"], deployment.outputs["BusName"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": ["partyline"]})
    events.put_rule(Name="consumer", EventBusName=bus, EventPattern=pattern)
    target = {"Id": "consumer", "Arn": attributes["Attributes"]["QueueArn"]}
    events.put_targets(Rule="consumer", EventBusName=bus, Targets=[target])
    conversation = str(client.ask("POST", "/conversations", {"to": HOST})["id"])
    received: set[int] = set()

    def is_done() -> bool:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", ()):
            detail = json.loads(message["Body"])["detail"]
            if detail["conversation_id"] == conversation:
                received.add(detail["seq"])
        timeline = {event["seq"] for event in client.timeline(conversation)}
        return bool(received) and received == timeline

    return is_done


def _check_schedules(client: Client) -> IsDone:
    # The later conversation first: its request starts the function, which answers the next in time.
    later, soon = (_start_in(client, ahead) for ahead in (_LATER, _SOON))
    if client.ask("DELETE", f"/conversations/{later}")["status"] != "cancelled":
        raise NotDoneError("a scheduled conversation could not be cancelled")
    return lambda: "participants" in client.conversation(soon)


def _start_in(client: Client, ahead: timedelta) -> str:
    body = {"to": HOST, "start_at": (datetime.now(UTC) + ahead).isoformat()}
    return str(client.ask("POST", "/conversations", body)["id"])


def _check_start_event(deployment: Deployment, client: Client) -> IsDone:
    metadata = {"requested": "bus"}
    entry = {
        "EventBusName": deployment.outputs["BusName"],
        "Source": "partyline.starts",
        "DetailType": "StartConversation",
        "Detail": json.dumps({"to": HOST, "metadata": metadata}),
    }
    deployment.client("events").put_events(Entries=[entry])
    return lambda: metadata in [conversation["metadata"] for conversation in _newest(client)]


def _check_failover(deployment: Deployment, client: Client, url: str) -> IsDone:
    call = "v3:through-the-failover-queue"
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


def _check_iam_caller(deployment: Deployment) -> IsDone:
    """Start a conversation as an IAM user. The embedded AWS does not verify the signature."""
    iam, path = deployment.client("iam"), deployment.resources["IamApi"]
    iam.create_user(UserName="crm")
    made = iam.create_access_key(UserName="crm")["AccessKey"]
    key = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    url = f"{deployment.access.url}/_aws/execute-api/{path}/conversations"
    signed = AWSRequest("POST", url, data=json.dumps({"to": HOST}))
    SigV4Auth(key, "execute-api", REGION).add_auth(signed)
    statuses = [
        httpx.post(
            url,
            content=signed.data,
            headers={TOKEN_HEADER: deployment.access.token, **headers},
            timeout=_PATIENCE_SECS,
            trust_env=False,
        ).status_code
        for headers in ({}, dict(signed.headers))
    ]
    if statuses != [403, 202]:
        raise NotDoneError(f"without and with a signature, IamApi answers {statuses}")
    caller = f"iam/{ACCOUNT_ID}/user/crm"
    return lambda: any(line.get("key_id") == caller for line in deployment.log())


def _check_smoke(deployment: Deployment) -> IsDone:
    function = f"CodeDeployHook_{STACK}"
    answer = deployment.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    result = json.loads(answer["Payload"].read())
    if result != {"failed": []}:
        raise NotDoneError(f"the smoke test answers {result}")
    return lambda: True


def _newest(client: Client) -> list[dict[str, Any]]:
    page: dict[str, list[dict[str, Any]]] = client.ask("GET", "/conversations?limit=50")
    return page["conversations"]


def _wait(name: str, is_done: IsDone) -> None:
    deadline = time.monotonic() + _PATIENCE_SECS
    while not is_done():
        if time.monotonic() > deadline:
            raise NotDoneError(f"not done in {_PATIENCE_SECS:.0f} s: {name}")
        time.sleep(_LOOK_SECS)
