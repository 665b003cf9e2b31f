"""Hooks with their table and queues in memory, a clock, and a receiver with planned answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.stack.memory_table import MemoryTable
from local.stack.template import Template
from partyline.domain.model.events import ConversationEnded, Event
from partyline.domain.model.hooks import Delivery
from partyline.services.hook_delivery import HookDelivery, HookFanOut
from partyline.services.hook_queue import Attempt, HookQueue
from partyline.services.hook_sender import Answer, HookSender
from partyline.services.hooks import HookFields, Hooks
from partyline.store import keys
from partyline.store.directory import Change
from partyline.store.events import detail_of, event_put
from partyline.store.hooks import HookStore

KEY = "k" * 64
DELIVERIES, DEAD_LETTERS = "https://sqs.example/deliveries", "https://sqs.example/dead-letters"
RECEIVER = "https://hooks.example.com/partyline"
BEGIN = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)


@dataclass
class Request:
    """A request that the receiver got."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


@dataclass
class Receiver(HookSender):
    """The receiver of all hooks: `answer` plans the answer to each request."""

    answer: Callable[[Request], Answer] = lambda request: Answer(204)
    requests: list[Request] = field(default_factory=list)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        request = Request(url, headers, body)
        self.requests.append(request)
        return self.answer(request)


@dataclass
class Sqs:
    """A client of SQS with queues in memory, by their URLs; those of `full` take no message."""

    now: Callable[[], datetime]
    messages: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        assert 0 < len(Entries) <= 10
        if QueueUrl in self.full:
            return {"Failed": [{"Id": entry["Id"]} for entry in Entries]}
        for entry in Entries:
            assert 0 <= entry["DelaySeconds"] <= 900
            due = self.now() + timedelta(seconds=entry["DelaySeconds"])
            self.messages.setdefault(QueueUrl, []).append((due, entry["MessageBody"]))
        return {"Successful": Entries}


class HookLab:
    """All parts of hooks. `now` is the time, `run` lets time pass."""

    def __init__(self, template: Template) -> None:
        self.now = BEGIN
        self.table_name = template.table.name
        self.dynamodb = MemoryTable(template.table.create)
        self.store = HookStore(self.dynamodb, self.table_name)
        self.sqs = Sqs(lambda: self.now)
        self.receiver = Receiver()
        queue = HookQueue(lambda: self.sqs, DELIVERIES, self.clock)
        dead_letters = HookQueue(lambda: self.sqs, DEAD_LETTERS, self.clock)
        self.hooks = Hooks(self.store, queue, lambda: KEY, allow_loopback=False)
        self.fan_out = HookFanOut(self.store, queue, self.clock)
        self.delivery = HookDelivery(
            self.store, queue, dead_letters, self.receiver, lambda: KEY, self.clock
        )

    def clock(self) -> datetime:
        return self.now

    def change(self) -> Change:
        return Change(key_id="ops", request_id=f"r{self.now.timestamp()}", at=self.now)

    def put(self, hook_id: str = "crm", url: str = RECEIVER, **fields: Any) -> str:
        """Put a hook; returns its secret, or an empty text for a hook that existed."""
        plan = {"event_types": [], "description": None, "enabled": True, **fields}
        return self.hooks.put(hook_id, HookFields(url, **plan), self.change()).secret or ""

    def store_event(self, conversation_id: str = "c-1", seq: int = 1) -> dict[str, Any]:
        """Store an event of a conversation; returns its content on the bus."""
        event = Event(
            seq=seq,
            type=ConversationEnded.type,
            occurred_at=self.now,
            cause="webhook-1",
            data={"reason": "stop"},
        )
        put = event_put(keys.event(conversation_id, seq), event, conversation_id)
        self.dynamodb.put_item(TableName=self.table_name, **put)
        return detail_of(put["Item"])

    def emit(self, conversation_id: str = "c-1", seq: int = 1) -> dict[str, Any]:
        """Store an event and give the event of the bus to the hooks."""
        detail = self.store_event(conversation_id, seq)
        self.fan_out.fan_out(detail)
        return detail

    def waiting(self, queue: str = DELIVERIES) -> list[tuple[datetime, str]]:
        return self.sqs.messages.setdefault(queue, [])

    def run(self, until: datetime | None = None) -> int:
        """Deliver the messages in the order of their times; returns how many there were."""
        handled = 0
        while self.waiting():
            message = min(self.waiting())
            due, body = message
            if until and due > until:
                break
            self.now = max(self.now, due)
            self.delivery.deliver(Attempt.parse(body))
            self.waiting().remove(message)
            handled += 1
        return handled

    def deliveries(self, hook_id: str = "crm") -> list[Delivery]:
        return list(self.store.deliveries(hook_id, 1000, None).items)

    def event_types(self) -> list[str]:
        """The types of the events about hooks, in their order."""
        rows = self.dynamodb.query(
            TableName=self.table_name,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.HOOKS},
                ":first": {"S": "EVENT#"},
                ":last": {"S": "EVENT#~"},
            },
        )["Items"]
        return [str(detail_of(row)["type"]) for row in rows]
