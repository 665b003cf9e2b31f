"""The template's queues on this machine: how they are filled through the API, and who drains them.

In this process and only in memory. As in SQS, a message that was not taken in comes again when its
visibility timeout is over, and after `maxReceiveCount` times goes to the dead letters.
"""

import base64
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local.stack.handlers import Invoke
from local.stack.http_api import HttpRequest, HttpResponse
from local.stack.intrinsics import REGION
from local.stack.template import Template, function_of

MAX_MESSAGE_BYTES = 1024 * 1024

_VARIABLE = re.compile(r"\$\{(context\.domainName|request\.header\.([\w-]+))\}")


class RefusedError(Exception):
    """SQS would not take the message; says why."""


@dataclass(frozen=True)
class Queue:
    """A queue; `dead_letters` is the ARN of the queue for what failed `max_receives` times."""

    logical_id: str
    arn: str
    url: str
    visibility_secs: int
    dead_letters: str | None
    max_receives: int


@dataclass(frozen=True)
class QueueRoute:
    """A route that leads to a queue; `parameters` are those of API Gateway's SQS-SendMessage."""

    method: str
    path: str
    parameters: Mapping[str, str]

    @property
    def key(self) -> str:
        """The route as API Gateway names it, e.g. `POST /failover`."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Drain:
    """An event source mapping: which function a queue's messages go to, how many at a time."""

    queue: str
    function: str
    batch: int


@dataclass
class Message:
    """A message; `attributes` are its message attributes, all of them strings."""

    body: str
    attributes: Mapping[str, str]
    sent_at: datetime
    visible_at: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    receives: int = 0


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def queue_routes(template: Template) -> tuple[QueueRoute, ...]:
    """Every route of the HTTP API that leads to a queue and not to a function."""
    routes = []
    for path, operations in template.api_body()["paths"].items():
        for method, operation in operations.items():
            integration = operation["x-amazon-apigateway-integration"]
            if integration.get("integrationSubtype") == "SQS-SendMessage":
                parameters = template.resolver.resolve(integration["requestParameters"])
                routes.append(QueueRoute(method.upper(), path, parameters))
    return tuple(routes)


class Queues:
    """Every queue of the template; `now` is the time, for any thread."""

    def __init__(
        self,
        template: Template,
        invoke: Invoke,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.now = now
        self.routes = queue_routes(template)
        self._template = template
        self._invoke = invoke
        self._queues = {each.arn: each for each in _queues(template)}
        self._mappings = tuple(_mappings(template))
        self._messages: dict[str, list[Message]] = {arn: [] for arn in self._queues}
        self._lock = threading.Lock()

    def through_api(self, route: QueueRoute, request: HttpRequest) -> HttpResponse:
        """Put a request into the route's queue, as API Gateway does, and answer it."""
        url, body, attributes = _mapped(route, request)
        [queue] = [each for each in self._queues.values() if each.url == url]
        try:
            message_id = self.send(queue.arn, body, attributes)
        except RefusedError as error:
            return HttpResponse.message(400, str(error))
        said = json.dumps({"SendMessageResponse": {"SendMessageResult": {"MessageId": message_id}}})
        return HttpResponse(200, [("content-type", "application/json")], said.encode())

    def send(self, arn: str, body: str, attributes: Mapping[str, str] | None = None) -> str:
        """Put a message into a queue; its id. Raises RefusedError, as SQS would refuse it."""
        attributes = attributes or {}
        if not body or len(body.encode()) > MAX_MESSAGE_BYTES:
            raise RefusedError("a message has 1 byte to 1 MiB")
        if empty := [name for name, value in attributes.items() if not value]:
            raise RefusedError(f"message attribute {empty[0]} must contain a non-empty value")
        message = Message(body, attributes, self.now(), self.now())
        with self._lock:
            self._messages[arn].append(message)
        return message.id

    def waiting(self, logical_id: str) -> list[Message]:
        """What is in a queue now, the oldest first, seen or not."""
        [queue] = [each for each in self._queues.values() if each.logical_id == logical_id]
        with self._lock:
            return list(self._messages[queue.arn])

    def take(self, logical_id: str) -> list[Message]:
        """Take everything out of a queue, as an operator who empties it."""
        found = self.waiting(logical_id)
        [arn] = [arn for arn, each in self._queues.items() if each.logical_id == logical_id]
        with self._lock:
            self._messages[arn] = [each for each in self._messages[arn] if each not in found]
        return found

    def arn(self, logical_id: str) -> str:
        """The ARN of a queue."""
        return str(self._template.resolver.resolve({"Fn::GetAtt": [logical_id, "Arn"]}))

    def drain(self) -> int:
        """Give what is visible to the functions that wait for it; how many messages that was."""
        given = 0
        for mapping in self._mappings:
            while batch := self._receive(mapping):
                self._deliver(mapping, batch)
                given += len(batch)
        return given

    def _receive(self, mapping: Drain) -> list[Message]:
        queue, now = self._queues[mapping.queue], self.now()
        with self._lock:
            messages = self._messages[queue.arn]
            for message in [each for each in messages if each.visible_at <= now]:
                if queue.dead_letters and message.receives >= queue.max_receives:
                    messages.remove(message)
                    # SQS keeps the time at which a message was sent when it moves it there.
                    self._messages[queue.dead_letters].append(replace(message, receives=0))
            visible = [each for each in messages if each.visible_at <= now][: mapping.batch]
            for message in visible:
                message.receives += 1
                message.visible_at = now + timedelta(seconds=queue.visibility_secs)
            return visible

    def _deliver(self, mapping: Drain, batch: Iterable[Message]) -> None:
        function = self._template.functions[mapping.function]
        event = {"Records": [_record(each, mapping.queue) for each in batch]}
        try:
            answer = self._invoke(function, event) or {}
            failed = {each["itemIdentifier"] for each in answer.get("batchItemFailures", ())}
        except Exception:  # noqa: BLE001 - a function that fails has taken nothing in
            return
        with self._lock:
            messages = self._messages[mapping.queue]
            for message in batch:
                if message.id not in failed and message in messages:
                    messages.remove(message)


def _queues(template: Template) -> Iterable[Queue]:
    for logical_id, resource in template.of_type("AWS::SQS::Queue"):
        properties = template.resolver.resolve(resource.get("Properties", {}))
        redrive = properties.get("RedrivePolicy", {})
        yield Queue(
            logical_id=logical_id,
            arn=template.resolver.resolve({"Fn::GetAtt": [logical_id, "Arn"]}),
            url=template.resolver.resolve({"Ref": logical_id}),
            visibility_secs=properties.get("VisibilityTimeout", 30),
            dead_letters=redrive.get("deadLetterTargetArn"),
            max_receives=redrive.get("maxReceiveCount", 0),
        )


def _mappings(template: Template) -> Iterable[Drain]:
    for _, resource in template.of_type("AWS::Lambda::EventSourceMapping"):
        properties = template.resolver.resolve(resource["Properties"])
        if ":sqs:" in properties["EventSourceArn"]:
            function = function_of(properties["FunctionName"])
            yield Drain(properties["EventSourceArn"], function, properties["BatchSize"])


def _mapped(route: QueueRoute, request: HttpRequest) -> tuple[str, str, dict[str, str]]:
    """The queue's URL, the body and the attributes that the route's parameters make of a request.

    AWS's page "Create AWS service integrations for HTTP APIs": `$request.body` is all of the body,
    and a variable stands in braces where there is text around it.
    """
    headers = request.header_map()

    def value_of(match: re.Match[str]) -> str:
        # The name of the domain is what the request's own header says.
        return headers.get((match[2] or "host").lower(), "")

    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        body = base64.b64encode(request.body).decode()
    given = json.loads(route.parameters["MessageAttributes"])
    attributes = {
        name: _VARIABLE.sub(value_of, each["StringValue"]) for name, each in given.items()
    }
    return route.parameters["QueueUrl"], body, attributes


def _record(message: Message, arn: str) -> dict[str, Any]:
    """A message as a function gets it (AWS Lambda docs, "Using Lambda with Amazon SQS")."""
    return {
        "messageId": message.id,
        "receiptHandle": f"{message.id}-{message.receives}",
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at.timestamp() * 1000)),
        },
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"}
            for name, value in message.attributes.items()
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }
