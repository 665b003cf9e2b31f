"""The template's queues on this machine, with the API routes and the functions at their ends.

Messages are in the memory of this process. As in SQS, a message that was not deleted returns after
its visibility timeout, and after `maxReceiveCount` receipts it goes to the dead letters.
"""

import base64
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from local.stack.handlers import Invoke
from local.stack.http_api import ApiRoute, HttpRequest, HttpResponse
from local.stack.intrinsics import REGION
from local.stack.template import Template, function_of

MAX_MESSAGE_BYTES, MAX_DELAY_SECS = 1024 * 1024, 900

_TEMPLATES = 8
"""The templates whose queues are kept."""

_VARIABLE = re.compile(r"\$\{(context\.domainName|request\.header\.([\w-]+))\}")


OPERATOR = "AIDALOCAL"
"""The SenderId of a message that is not API Gateway's."""


class RefusedError(Exception):
    """SQS would refuse the message; the text gives the reason."""


@dataclass(frozen=True)
class Queue:
    """A queue; a message received `max_receives` times moves to `dead_letters` (an ARN)."""

    logical_id: str
    arn: str
    url: str
    visibility_secs: int
    dead_letters: str | None
    max_receives: int


@dataclass(frozen=True)
class QueueRoute(ApiRoute):
    """A route to a queue; `parameters` are those of API Gateway's SQS-SendMessage.

    `role_id` is the id of the role with which API Gateway sends.
    """

    parameters: Mapping[str, str]
    role_id: str


@dataclass(frozen=True)
class QueueMapping:
    """An event source mapping: a queue, its function, and the most messages of a batch."""

    queue: str
    function: str
    batch: int


@dataclass
class Message:
    """A message; `attributes` are its message attributes, all strings."""

    body: str
    attributes: Mapping[str, str]
    sent_at: datetime
    visible_at: datetime
    sender: str = OPERATOR
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    receives: int = 0


def utc_now() -> datetime:
    """Return the time with its zone."""
    return datetime.now(UTC)


def queue_routes(template: Template) -> tuple[QueueRoute, ...]:
    """Return every route of the HTTP API that leads to a queue."""
    routes = []
    for path, operations in template.api_body()["paths"].items():
        for method, operation in operations.items():
            integration = operation["x-amazon-apigateway-integration"]
            if integration.get("integrationSubtype") == "SQS-SendMessage":
                parameters = template.resolver.resolve(integration["requestParameters"])
                role, _ = integration["credentials"]["Fn::GetAtt"]
                role_id = template.resolver.resolve({"Fn::GetAtt": [role, "RoleId"]})
                routes.append(QueueRoute(method.upper(), path, parameters, role_id))
    return tuple(routes)


class Queues:
    """Every queue of the template; safe for threads. `now` tells the time."""

    def __init__(
        self, template: Template, invoke: Invoke, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.now = now
        self.routes = queue_routes(template)
        self._template = template
        self._invoke = invoke
        self._queues = {queue.arn: queue for queue in _queues(template)}
        self._mappings = _mappings(template)
        self._messages: dict[str, list[Message]] = {arn: [] for arn in self._queues}
        self._lock = threading.Lock()

    def accept_request(self, route: QueueRoute, request: HttpRequest) -> HttpResponse:
        """Put a request into the route's queue and return API Gateway's response."""
        url, body, attributes = _map_request(route, request)
        try:
            arn, sender = self.arn_at(url), f"{route.role_id}:api"
            message_id = self.send(arn, body, attributes, sender=sender)
        except RefusedError as error:
            return HttpResponse.message(400, str(error))
        result = {"SendMessageResponse": {"SendMessageResult": {"MessageId": message_id}}}
        headers = [("content-type", "application/json")]
        return HttpResponse(200, headers, json.dumps(result).encode())

    def send(
        self,
        arn: str,
        body: str,
        attributes: Mapping[str, str] | None = None,
        delay_secs: int = 0,
        sender: str = OPERATOR,
    ) -> str:
        """Put a message into a queue and return its id. Raises RefusedError by the rules of SQS.

        `sender` is SQS's SenderId: a user's id, or `<role id>:<session>`.
        """
        attributes = attributes or {}
        if not body or len(body.encode()) > MAX_MESSAGE_BYTES:
            raise RefusedError("a message has 1 byte to 1 MiB")
        if empty := [name for name, value in attributes.items() if not value]:
            raise RefusedError(f"message attribute {empty[0]} must contain a non-empty value")
        if not 0 <= delay_secs <= MAX_DELAY_SECS:
            raise RefusedError(f"DelaySeconds is between 0 and {MAX_DELAY_SECS}")
        now = self.now()
        message = Message(body, attributes, now, now + timedelta(seconds=delay_secs), sender)
        with self._lock:
            self._messages[arn].append(message)
        return message.id

    def waiting(self, logical_id: str) -> list[Message]:
        """Return the messages of a queue, the oldest first, visible or not."""
        with self._lock:
            return list(self._messages[self.arn(logical_id)])

    def depth(self, arn: str) -> tuple[int, int]:
        """Return how many messages of a queue are visible, and how many a receiver hides.

        A message whose delay is not over counts as hidden; SQS has a third number for those.
        """
        now = self.now()
        with self._lock:
            messages = self._messages[arn]
            visible = sum(message.visible_at <= now for message in messages)
            return visible, len(messages) - visible

    def receive(self, arn: str, most: int, hidden_secs: int) -> list[Message]:
        """Return visible messages of a queue, and hide them for a while."""
        now = self.now()
        with self._lock:
            visible = [m for m in self._messages[arn] if m.visible_at <= now][:most]
            for message in visible:
                message.receives += 1
                message.visible_at = now + timedelta(seconds=hidden_secs)
        return visible

    def delete(self, arn: str, message_id: str) -> None:
        """Delete a message of a queue; a message that is gone is no error."""
        with self._lock:
            messages = self._messages[arn]
            messages[:] = [message for message in messages if message.id != message_id]

    def take(self, logical_id: str) -> list[Message]:
        """Remove and return all messages of a queue."""
        with self._lock:
            messages = self._messages[self.arn(logical_id)]
            taken = list(messages)
            messages.clear()
        return taken

    def arn(self, logical_id: str) -> str:
        """Return the ARN of a queue."""
        return str(self._template.resolver.resolve({"Fn::GetAtt": [logical_id, "Arn"]}))

    def arn_at(self, url: str) -> str:
        """Return the ARN of the queue with a URL. Raises RefusedError for an unknown URL."""
        for queue in self._queues.values():
            if queue.url == url:
                return queue.arn
        raise RefusedError("The specified queue does not exist.")

    def drain(self) -> int:
        """Deliver the visible messages to their functions; return how many messages there were."""
        delivered = 0
        for mapping in self._mappings:
            # Most queues are empty, and tests drain each second of virtual time.
            while self._messages[mapping.queue] and (batch := self._receive(mapping)):
                self._deliver(mapping, batch)
                delivered += len(batch)
        return delivered

    def _receive(self, mapping: QueueMapping) -> list[Message]:
        queue, now = self._queues[mapping.queue], self.now()
        with self._lock:
            messages = self._messages[queue.arn]
            for message in [m for m in messages if m.visible_at <= now]:
                if queue.dead_letters and message.receives >= queue.max_receives:
                    messages.remove(message)
                    # SQS keeps the sending time of a message that it moves.
                    self._messages[queue.dead_letters].append(replace(message, receives=0))
            visible = [m for m in messages if m.visible_at <= now][: mapping.batch]
            for message in visible:
                message.receives += 1
                message.visible_at = now + timedelta(seconds=queue.visibility_secs)
            return visible

    def _deliver(self, mapping: QueueMapping, batch: Iterable[Message]) -> None:
        function = self._template.functions[mapping.function]
        event = {"Records": [sqs_record(message, mapping.queue) for message in batch]}
        try:
            answer = self._invoke(function, event) or {}
            failed = {item["itemIdentifier"] for item in answer.get("batchItemFailures", ())}
        except Exception:  # noqa: BLE001 - after a failure the whole batch returns
            return
        with self._lock:
            messages = self._messages[mapping.queue]
            for message in batch:
                if message.id not in failed and message in messages:
                    messages.remove(message)


# A thousand tests make a stack each, of the same few templates.
@lru_cache(_TEMPLATES)
def _queues(template: Template) -> tuple[Queue, ...]:
    queues = []
    for logical_id, properties in template.properties_of("AWS::SQS::Queue"):
        redrive = properties.get("RedrivePolicy", {})
        queue = Queue(
            logical_id=logical_id,
            arn=template.resolver.resolve({"Fn::GetAtt": [logical_id, "Arn"]}),
            url=template.resolver.resolve({"Ref": logical_id}),
            visibility_secs=properties.get("VisibilityTimeout", 30),
            dead_letters=redrive.get("deadLetterTargetArn"),
            max_receives=redrive.get("maxReceiveCount", 0),
        )
        queues.append(queue)
    return tuple(queues)


@lru_cache(_TEMPLATES)
def _mappings(template: Template) -> tuple[QueueMapping, ...]:
    mappings = []
    for _, properties in template.properties_of("AWS::Lambda::EventSourceMapping"):
        if ":sqs:" in properties["EventSourceArn"]:
            function = function_of(properties["FunctionName"])
            mappings.append(
                QueueMapping(properties["EventSourceArn"], function, properties["BatchSize"])
            )
    return tuple(mappings)


def _map_request(route: QueueRoute, request: HttpRequest) -> tuple[str, str, dict[str, str]]:
    """Return the queue's URL, the message body and its attributes, by the route's parameters.

    AWS's page "Create AWS service integrations for HTTP APIs": `$request.body` is the whole body,
    and a variable within text stands in braces.
    """
    headers = request.header_map()

    def value_of(match: re.Match[str]) -> str:
        # The domain name is the request's own header.
        return headers.get((match[2] or "host").lower(), "")

    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        body = base64.b64encode(request.body).decode()
    templates = json.loads(route.parameters["MessageAttributes"])
    attributes = {
        name: _VARIABLE.sub(value_of, template["StringValue"])
        for name, template in templates.items()
    }
    return route.parameters["QueueUrl"], body, attributes


def sqs_record(message: Message, arn: str) -> dict[str, Any]:
    """Return the function's form of a message (AWS Lambda docs, "Using Lambda with Amazon SQS")."""
    return {
        "messageId": message.id,
        "receiptHandle": f"{message.id}-{message.receives}",
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at.timestamp() * 1000)),
            "SenderId": message.sender,
        },
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"}
            for name, value in message.attributes.items()
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }
