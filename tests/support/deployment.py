"""A deployment for tests: the real handlers, a real table, and a Telnyx with planned answers."""

import base64
import importlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx
from nacl.signing import SigningKey

from local.stack.handlers import LambdaContext
from partyline.bootstrap import App
from partyline.services.bearer_keys import Right
from partyline.services.secrets import Secret
from partyline.store import ConversationStore
from tests.support.threads import at_once

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SIGNING_KEY = SigningKey(bytes(range(32)))
PUBLIC_KEY = base64.b64encode(bytes(SIGNING_KEY.verify_key)).decode()
HOST_NUMBER, GUEST_NUMBER, OUR_NUMBER = "+13125550101", "+13125550102", "+13125550100"
ACTION = re.compile(r"/v2/calls/([^/]+)/actions/(\w+)")

Json = dict[str, Any]

HOOK_DELIVERIES = "https://sqs.example/hook-deliveries"
ALL_DEAD_LETTERS = ("https://sqs.example/dead-1", "https://sqs.example/dead-2")
HOOK_DEAD_LETTERS = "https://sqs.example/hook-dead-letters"


class Clock:
    """A clock that moves by `advance` only."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, secs: float) -> None:
        self.now += timedelta(seconds=secs)


@dataclass
class SentRequest:
    """A request to Telnyx: action (`dial`, `hangup`, ... or GET), call id or path, and body."""

    action: str
    call: str
    body: Json


@dataclass
class FakeTelnyx:
    """Accepts every command, unless `answers` has an answer for the next request of an action."""

    sent: list[SentRequest] = field(default_factory=list)
    answers: dict[str, list[httpx.Response | Exception]] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)  # the calls that a query finds alive
    on_request: Callable[[SentRequest], None] = lambda sent: None
    _dialled: dict[str, str] = field(default_factory=dict)

    def refuse(
        self, action: str, status: int, code: str, detail: str = "No.", times: int = 1
    ) -> None:
        error = {"errors": [{"code": code, "title": "Refused", "detail": detail}]}
        queue = self.answers.setdefault(action, [])
        queue += [httpx.Response(status, json=error) for _ in range(times)]

    def sent_actions(self) -> list[str]:
        return [request.action for request in self.sent]

    def only_request(self, action: str) -> SentRequest:
        [request] = [request for request in self.sent if request.action == action]
        return request

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        action = ACTION.fullmatch(path)
        name = action[2] if action else "dial" if request.method == "POST" else "GET"
        body = json.loads(request.content) if request.content else {}
        sent = SentRequest(name, unquote(action[1]) if action else path, body)
        self.sent.append(sent)
        self.on_request(sent)
        queue = self.answers.get(name)
        if queue:
            answer = queue.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return httpx.Response(200, json={"data": self._done(sent)})

    def _done(self, sent: SentRequest) -> Any:
        if sent.action == "dial":
            known = self._dialled.setdefault(sent.body["command_id"], f"v3:{len(self._dialled)}")
            return {"call_control_id": known, "call_leg_id": f"leg-{known[3:]}", "is_alive": False}
        if sent.action in ("ai_assistant_start", "ai_assistant_join"):
            return {"result": "ok", "conversation_id": "telnyx-conversation-1"}
        if sent.action == "GET" and sent.call.startswith("/v2/calls/"):
            alive = unquote(sent.call.removeprefix("/v2/calls/")) in self.alive
            return {"is_alive": alive, "call_duration": 1 if alive else 0}
        if sent.action == "GET" and sent.call.endswith("/active_calls"):
            return [
                {"call_control_id": call, "call_leg_id": f"leg-{call[3:]}"}
                for call in sorted(self.alive)
            ]
        return [] if sent.action == "GET" else {"result": "ok"}


class CountingDynamoDB:
    """A DynamoDB client that records each operation, and fails those with a planned failure."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self.calls: list[str] = []
        self.failures: dict[str, list[Exception]] = {}

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)
        if name not in ("get_item", "batch_get_item", "query", "transact_write_items"):
            return operation

        def call(**request: Any) -> Any:
            self.calls.append(name)
            if self.failures.get(name):
                raise self.failures[name].pop(0)
            return operation(**request)

        return call


@dataclass
class FakeQueue:
    """A client of SQS with the timers' queue in memory; it raises a planned failure.

    `hook_messages` are the bodies of the messages to the queue of deliveries to hooks,
    `dead_letters` the numbers of visible and hidden messages in each dead-letter queue.
    """

    clock: Clock
    failures: list[Exception] = field(default_factory=list)
    messages: list[tuple[datetime, str]] = field(default_factory=list)
    hook_messages: list[str] = field(default_factory=list)
    dead_letters: tuple[int, int] = (0, 0)

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Json:  # noqa: N803
        assert QueueUrl in ALL_DEAD_LETTERS
        if self.failures:
            raise self.failures.pop(0)
        numbers = map(str, self.dead_letters)
        return {"Attributes": dict(zip(AttributeNames, numbers, strict=True))}

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> Json:  # noqa: N803
        assert QueueUrl == "https://sqs.example/timers"
        assert 0 <= DelaySeconds <= 900
        if self.failures:
            raise self.failures.pop(0)
        self.messages.append((self.clock() + timedelta(seconds=DelaySeconds), MessageBody))
        return {}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Json]) -> Json:  # noqa: N803
        assert 0 < len(Entries) <= 10
        if self.failures:
            raise self.failures.pop(0)
        if QueueUrl == HOOK_DEAD_LETTERS:
            return {}
        if QueueUrl == HOOK_DELIVERIES:
            self.hook_messages += [entry["MessageBody"] for entry in Entries]
            return {}
        for entry in Entries:
            delay = entry["DelaySeconds"]
            self.send_message(
                QueueUrl=QueueUrl, MessageBody=entry["MessageBody"], DelaySeconds=delay
            )
        return {}

    def take(self) -> list[str]:
        """Remove and return the bodies of the messages whose delay is over."""
        due = [body for at, body in self.messages if at <= self.clock()]
        self.messages = [(at, body) for at, body in self.messages if at > self.clock()]
        return due


class Secrets:
    """A Secrets Manager client in memory."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.reads = 0

    def get_secret_value(self, SecretId: str, **_: Any) -> Json:  # noqa: N803 - AWS's own name
        self.reads += 1
        return {"SecretString": self.values[SecretId]}


ALL_RIGHTS = " ".join(Right)

OPERATIONS = {
    "start_conversation": ("trigger", "POST /conversations"),
    "invite_participant": ("trigger", "POST /conversations/{id}/participants"),
    "hand_over": ("trigger", "POST /conversations/{id}/handover"),
    "remove_participant": ("control", "DELETE /conversations/{id}/participants/{participant_id}"),
    "send_message": ("control", "POST /conversations/{id}/messages"),
    "set_assistant_mode": ("control", "POST /conversations/{id}/assistant"),
    "stop_conversation": ("control", "POST /conversations/{id}/stop"),
    "cancel_conversations": ("control", "DELETE /conversations"),
    "delete_conversation": ("control", "DELETE /conversations/{id}"),
    "list_conversations": ("query", "GET /conversations"),
    "get_conversation": ("query", "GET /conversations/{id}"),
    "get_timeline": ("query", "GET /conversations/{id}/timeline"),
    "put_route": ("directory", "PUT /routes/{number}"),
    "get_route": ("directory", "GET /routes/{number}"),
    "delete_route": ("directory", "DELETE /routes/{number}"),
    "list_routes": ("directory", "GET /routes"),
    "put_do_not_call": ("directory", "PUT /do-not-call/{number}"),
    "get_do_not_call": ("directory", "GET /do-not-call/{number}"),
    "delete_do_not_call": ("directory", "DELETE /do-not-call/{number}"),
    "erase_person": ("people", "DELETE /people/{number}"),
    "get_erasure": ("people", "GET /erasures/{id}"),
    "put_hook": ("hooks", "PUT /hooks/{id}"),
    "get_hook": ("hooks", "GET /hooks/{id}"),
    "list_hooks": ("hooks", "GET /hooks"),
    "delete_hook": ("hooks", "DELETE /hooks/{id}"),
    "replace_secret": ("hooks", "POST /hooks/{id}/secret"),
    "list_deliveries": ("hooks", "GET /hooks/{id}/deliveries"),
    "replay": ("hooks", "POST /hooks/{id}/replay"),
}
"""The function and the route of each operation of the API."""


def delete_all_items(client: "DynamoDBClient", table_name: str) -> None:
    """Delete every item of a table. This is faster than a new table."""
    for page in client.get_paginator("scan").paginate(
        TableName=table_name, ProjectionExpression="pk, sk"
    ):
        deletes: list[Any] = [{"DeleteRequest": {"Key": key}} for key in page["Items"]]
        for first in range(0, len(deletes), 25):  # the limit of BatchWriteItem
            client.batch_write_item(RequestItems={table_name: deletes[first : first + 25]})


class Deployment:
    """A deployment whose functions, Telnyx and table a test controls."""

    def __init__(self, dynamodb: "DynamoDBClient", table_name: str) -> None:
        self.clock = Clock()
        self.telnyx = FakeTelnyx()
        self.dynamodb = CountingDynamoDB(dynamodb)
        self.store = ConversationStore(dynamodb, table_name)
        self.table_name = table_name
        bearer = {"keys": [{"id": "ops", "sha256": sha256(b"key-1").hexdigest()}]}
        self.secrets = Secrets(
            telnyx='{"api_key": "KEY1"}', bearer=json.dumps(bearer), number='{"key": "key-1"}'
        )
        self.secrets.values["hook-key"] = json.dumps({"key": "h" * 64})
        self.queue = FakeQueue(self.clock)
        self.headers: dict[str, str] = {}
        self.authorizer: Json | None = None  # in place of the authorizer of bearer keys
        self.stage_variables: dict[str, str] | None = None
        self.app = App(
            begin=at_once,
            clock=self.clock,
            telnyx_transport=httpx.MockTransport(self.telnyx),
            dynamodb=self.dynamodb,
            sqs=self.queue,
            sleep=self.clock.advance,
        )
        self.app.__dict__["telnyx_api_key"] = Secret("telnyx", lambda: self.secrets, 300)
        self.app.__dict__["bearer_keys"] = Secret("bearer", lambda: self.secrets, 30)
        self.app.__dict__["number_key"] = Secret("number", lambda: self.secrets, 300)
        self.app.__dict__["hook_key"] = Secret("hook-key", lambda: self.secrets, 300)

    def fire_timers(self) -> list[str]:
        """Deliver the messages of the timers' queue whose delay is over.

        Returns the ids of the messages to deliver again.
        """
        records = [
            {"messageId": str(nth), "body": body} for nth, body in enumerate(self.queue.take())
        ]
        answer = self.invoke("timer", {"Records": records})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def invoke(self, function: str, event: Json) -> Any:
        handler = importlib.import_module(f"functions.{function}.app").handler
        return handler(event, LambdaContext(function, 1024, 10))

    def ask(
        self,
        operation: str,
        body: Any = None,
        *,
        raw: str | None = None,
        key: str | None = None,
        key_id: str | None = "ops",
        may: str = ALL_RIGHTS,
        path: str | None = None,
        query: dict[str, str] | None = None,
        encoded: bool = False,
        **parameters: str,
    ) -> tuple[int, Json]:
        """Ask the API for an operation; returns the status and the body of the answer.

        `headers` then has the headers of the answer, with their names in lower case.
        """
        function, route = OPERATIONS[operation]
        method, _, template = route.partition(" ")
        names = re.findall(r"{(\w+)}", template)
        parameters = {name: parameters.get(name, "unknown") for name in names}
        path = path or template.format_map(parameters)
        event = {
            "version": "2.0",
            "routeKey": route,
            "rawPath": path,
            "headers": {"content-type": "application/json"}
            | ({"idempotency-key": key} if key else {}),
            "queryStringParameters": query,
            "pathParameters": parameters,
            "isBase64Encoded": encoded,
            "body": raw if raw is not None else None if body is None else json.dumps(body),
            "requestContext": {
                "requestId": f"request-{len(self.dynamodb.calls)}",
                "domainName": "api.example.com",
                "stage": "$default",
                "http": {"method": method, "path": path},
                "authorizer": self.authorizer
                or {"lambda": {"key_id": key_id, "may": may} if key_id else None},
            },
        }
        if self.stage_variables:
            event["stageVariables"] = self.stage_variables
        answer = self.invoke(function, event)
        self.headers = {name.lower(): value for name, value in answer["headers"].items()}
        assert self.headers["content-type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"])

    def start(self, **more: Any) -> Json:
        """Start a conversation with the host's number. Returns the conversation."""
        status, body = self.ask("start_conversation", {"to": HOST_NUMBER, **more})
        assert status == 202, body
        return body

    def deliver(
        self, event_type: str, function: str = "webhook_default", **payload: Any
    ) -> tuple[int, Json]:
        """Deliver a signed webhook. `id` in the payload is the id of the event."""
        event_id = payload.pop("id", f"{event_type}-{payload.get('call_control_id')}")
        data = {
            "event_type": event_type,
            "id": event_id,
            "occurred_at": self.clock.now.isoformat(),
            "payload": payload,
            "record_type": "event",
        }
        return self.deliver_raw(json.dumps({"data": data, "meta": {"attempt": 1}}), function)

    def deliver_raw(
        self,
        body: str,
        function: str = "webhook_default",
        *,
        headers: dict[str, str] | None = None,
        encoded: bool = False,
    ) -> tuple[int, Json]:
        sent = base64.b64encode(body.encode()).decode() if encoded else body
        event = {
            "headers": self.signed(body) if headers is None else headers,
            "body": sent,
            "rawPath": f"/{function}",
            "isBase64Encoded": encoded,
            "requestContext": {"domainName": "api.example.com", "requestId": "request"},
        }
        answer = self.invoke(function, event)
        return answer["statusCode"], json.loads(answer["body"])

    def signed(self, body: str) -> dict[str, str]:
        timestamp = str(int(self.clock.now.timestamp()))
        signature = SIGNING_KEY.sign(f"{timestamp}|{body}".encode()).signature
        return {
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
            "telnyx-timestamp": timestamp,
        }

    def conversation(self, conversation_id: str) -> Json:
        status, body = self.ask("get_conversation", id=conversation_id)
        assert status == 200
        return body

    def timeline(self, conversation_id: str) -> list[str]:
        status, body = self.ask("get_timeline", id=conversation_id)
        assert status == 200
        return [event["type"] for event in body["events"]]

    def item_count(self) -> int:
        """The number of items in the table."""
        scanned = self.dynamodb.scan(TableName=self.table_name, Select="COUNT")
        return int(scanned["Count"])

    def dials(self) -> list[SentRequest]:
        return [request for request in self.telnyx.sent if request.action == "dial"]

    def deliver_for(
        self, event_type: str, dial: SentRequest, call: str = "v3:0", **more: Any
    ) -> tuple[int, Json]:
        """Deliver a webhook of a dialled call, with the client_state of the dial."""
        state = dial.body["client_state"]
        return self.deliver(event_type, call_control_id=call, client_state=state, **more)
