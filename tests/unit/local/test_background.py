"""The local queues, bus and scheduler behave as AWS documents."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from starlette.applications import Starlette

from local.serving import serve
from local.stack.event_bus import Bus, BusEvent, invoke_async
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest
from local.stack.intrinsics import REGION
from local.stack.queues import Queues
from local.stack.scheduler import Scheduler
from local.stack.template import Function, Template

SIGNED = [("telnyx-signature-ed25519", "c2ln"), ("telnyx-timestamp", "1790000000"), ("host", "h")]


class Functions:
    """An `Invoke` with the results of the test, and a clock that the test sets."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, Any]] = []
        self.results: dict[str, Any] = {}
        self.time = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self, function: Function, event: Any) -> Any:
        self.invoked.append((function.folder, event))
        result = self.results.get(function.folder)
        if isinstance(result, Exception):
            raise result
        return result

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def queues(template: Template, functions: Functions) -> Queues:
    return Queues(template, functions, functions.now)


def test_a_request_to_failover_is_a_message_with_its_signature(
    template: Template, functions: Functions
) -> None:
    gateway = Gateway(template, invoke=functions)
    body = '{"data": "Zoë"}'.encode()
    request = HttpRequest("POST", "/failover", headers=[*SIGNED, ("x-other", "1")], body=body)
    assert gateway.handle(request).status == 200
    [message] = gateway.queues.waiting("FailoverQueue")
    assert message.body.encode() == body
    assert message.attributes == {**dict(SIGNED), "tool": "tool:"}
    assert functions.invoked == [], "no function is in front of the queue"


def test_a_message_has_its_sending_time(queues: Queues, functions: Functions) -> None:
    queues.send(queues.arn("FailoverQueue"), "{}", {"host": "h"})
    functions.time += timedelta(minutes=3)
    assert queues.drain() == 1
    [(folder, event)] = functions.invoked
    [record] = event["Records"]
    assert folder == "failover"
    assert record["attributes"]["SentTimestamp"] == str(1795338000000)
    assert record["messageAttributes"] == {"host": {"stringValue": "h", "dataType": "String"}}
    assert queues.waiting("FailoverQueue") == []


def test_after_a_function_error_the_whole_batch_returns(
    queues: Queues, functions: Functions
) -> None:
    functions.results["failover"] = RuntimeError("crashed")
    queues.send(queues.arn("FailoverQueue"), "{}")
    assert queues.drain() == 1
    assert queues.drain() == 0, "hidden for its visibility timeout"
    functions.time += timedelta(seconds=60)
    assert queues.drain() == 1
    assert len(queues.waiting("FailoverQueue")) == 1


def test_a_batch_holds_ten_messages_and_only_failed_messages_stay(
    queues: Queues, functions: Functions
) -> None:
    ids = [queues.send(queues.arn("FailoverQueue"), "{}") for _ in range(12)]
    functions.results["failover"] = {"batchItemFailures": [{"itemIdentifier": ids[3]}]}
    queues.drain()
    assert [len(event["Records"]) for _, event in functions.invoked] == [10, 2]
    assert [message.id for message in queues.waiting("FailoverQueue")] == [ids[3]]


def put_events(client: Any, *details: str, bus: str = "partyline-PartylineBus") -> Any:
    entries = [
        {"EventBusName": bus, "Source": "partyline", "DetailType": "t", "Detail": detail}
        for detail in details
    ]
    return client.put_events(Entries=entries)


def test_put_events_of_the_bus_works_with_the_aws_sdk(
    template: Template, functions: Functions, queues: Queues
) -> None:
    bus = Bus(template, partial(invoke_async, template, functions, queues), functions.now)
    received: list[BusEvent] = []
    bus.follow(received.append)
    running = serve(Starlette(routes=bus.routes))
    session = boto3.Session("local", "local", region_name=REGION)
    client = session.client("events", endpoint_url=running.url)
    try:
        answer = put_events(client, '{"seq": 1}', "{", '{"seq": 3}')
        assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
            *(None, "MalformedDetail", None)
        ]
        assert answer["FailedEntryCount"] == 1
        assert [event["detail"]["seq"] for event in received] == [1, 3]
        assert functions.invoked == [], "the sender does not wait for the functions"
        assert bus.run_due() == 2
        assert functions.invoked == [("fan_out_hooks", event) for event in received]
        for wrong in (["{}"] * 11, [json.dumps("x" * 256 * 1024)]):
            with pytest.raises(client.exceptions.ClientError, match="ValidationException"):
                put_events(client, *wrong)
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            put_events(client, "{}", bus="another")
    finally:
        client.close()
        running.stop()


def test_an_event_that_fails_three_times_is_a_dead_letter(
    template: Template, functions: Functions, queues: Queues
) -> None:
    bus = Bus(template, partial(invoke_async, template, functions, queues), functions.now)
    functions.results["start_from_event"] = ValueError("no such number")
    bus.put("partyline.starts", "StartConversation", {"to": "x"})
    assert [folder for folder, _ in functions.invoked] == ["start_from_event"] * 3
    [letter] = queues.waiting("StartDeadLetters")
    record = json.loads(letter.body)
    assert record["responsePayload"]["errorMessage"] == "no such number"
    assert record["requestPayload"]["detail"] == {"to": "x"}


def test_an_event_that_hooks_cannot_take_is_a_dead_letter(
    template: Template, functions: Functions, queues: Queues
) -> None:
    bus = Bus(template, partial(invoke_async, template, functions, queues), functions.now)
    functions.results["fan_out_hooks"] = ValueError("no such table")
    bus.put("partyline", "leg.ended", {"seq": 1})
    assert [folder for folder, _ in functions.invoked] == ["fan_out_hooks"] * 3
    [letter] = queues.waiting("HookDeadLetters")
    assert json.loads(letter.body)["requestPayload"]["detail"] == {"seq": 1}


@pytest.fixture
def scheduler(
    template: Template, functions: Functions, queues: Queues
) -> Iterator[tuple[Any, Scheduler]]:
    """A client of the AWS SDK, and the scheduler that serves the client."""
    scheduler = Scheduler(partial(invoke_async, template, functions, queues), functions.now)
    running = serve(Starlette(routes=scheduler.routes))
    session = boto3.Session("local", "local", region_name=REGION)
    yield session.client("scheduler", endpoint_url=running.url), scheduler
    running.stop()


def schedule(time: str, **more: Any) -> dict[str, Any]:
    return {
        "Name": "c1",
        "GroupName": "starts",
        "ScheduleExpression": f"at({time})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": "arn:aws:lambda:us-east-1:000000000000:function:StartScheduledFunction:live",
            "RoleArn": "arn:aws:iam::000000000000:role/starts",
            "Input": '{"conversation_id": "c1"}',
        },
        **more,
    }


def test_a_schedule_runs_once_at_its_time(
    functions: Functions, scheduler: tuple[Any, Scheduler]
) -> None:
    client, local = scheduler
    client.create_schedule(**schedule("2026-11-22T09:30:00"))
    with pytest.raises(client.exceptions.ConflictException):
        client.create_schedule(**schedule("2026-11-22T09:31:00"))
    client.update_schedule(**schedule("2026-11-22T09:40:00"))
    functions.time += timedelta(minutes=39)
    assert local.run_due() == 0
    functions.time += timedelta(minutes=1)
    assert local.run_due() == 1
    assert local.run_due() == 0
    assert functions.invoked == [("start_scheduled", {"conversation_id": "c1"})]


def test_a_deleted_schedule_does_not_run(
    functions: Functions, scheduler: tuple[Any, Scheduler]
) -> None:
    client, local = scheduler
    client.create_schedule(**schedule("2026-11-22T09:30:00"))
    client.delete_schedule(Name="c1", GroupName="starts")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_schedule(Name="c1", GroupName="starts")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.update_schedule(**schedule("2026-11-22T09:40:00"))
    functions.time += timedelta(hours=1)
    assert local.run_due() == 0
    assert functions.invoked == []
