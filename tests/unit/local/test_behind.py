"""Queue, bus, pipe and scheduler of this machine: as AWS says they behave."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from starlette.applications import Starlette

from local.stack.event_bus import Bus
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest
from local.stack.intrinsics import REGION
from local.stack.queues import Queues
from local.stack.scheduler import Scheduler
from local.stack.serving import serve
from local.stack.template import Function, Template

SIGNED = [("telnyx-signature-ed25519", "c2ln"), ("telnyx-timestamp", "1790000000"), ("host", "h")]


class Behind:
    """Functions that the test plays, and a clock that stands still."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, Any]] = []
        self.answers: dict[str, Any] = {}
        self.at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self, function: Function, event: Any) -> Any:
        self.invoked.append((function.folder, event))
        answer = self.answers.get(function.folder)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def queues(template: Template, behind: Behind) -> Queues:
    return Queues(template, behind, behind.now)


def test_a_request_to_the_door_is_a_message_with_what_proves_it(
    template: Template, behind: Behind
) -> None:
    gateway = Gateway(template, invoke=behind)
    body = '{"data": "Zoë"}'.encode()
    request = HttpRequest("POST", "/failover", headers=[*SIGNED, ("x-other", "1")], body=body)
    assert gateway.handle(request).status == 200
    [message] = gateway.queues.waiting("FailoverQueue")
    assert message.body.encode() == body
    assert message.attributes == dict(SIGNED)
    assert behind.invoked == [], "no function stands in front"


def test_a_message_tells_when_it_was_sent(queues: Queues, behind: Behind) -> None:
    queues.send(queues.arn("FailoverQueue"), "{}", {"host": "h"})
    behind.at += timedelta(minutes=3)
    assert queues.drain() == 1
    [(folder, event)] = behind.invoked
    [record] = event["Records"]
    assert folder == "failover"
    assert record["attributes"]["SentTimestamp"] == str(1795338000000)
    assert record["messageAttributes"] == {"host": {"stringValue": "h", "dataType": "String"}}
    assert queues.waiting("FailoverQueue") == []


def test_a_function_that_fails_has_taken_nothing_in(queues: Queues, behind: Behind) -> None:
    behind.answers["failover"] = RuntimeError("crashed")
    queues.send(queues.arn("FailoverQueue"), "{}")
    assert queues.drain() == 1
    assert queues.drain() == 0, "hidden for its visibility timeout"
    behind.at += timedelta(seconds=60)
    assert queues.drain() == 1
    assert len(queues.waiting("FailoverQueue")) == 1


def test_a_batch_is_ten_and_only_what_failed_stays(queues: Queues, behind: Behind) -> None:
    ids = [queues.send(queues.arn("FailoverQueue"), "{}") for _ in range(12)]
    behind.answers["failover"] = {"batchItemFailures": [{"itemIdentifier": ids[3]}]}
    queues.drain()
    assert [len(event["Records"]) for _, event in behind.invoked] == [10, 2]
    assert [each.id for each in queues.waiting("FailoverQueue")] == [ids[3]]


def test_what_a_function_fails_at_three_times_is_a_dead_letter(
    template: Template, behind: Behind, queues: Queues
) -> None:
    bus = Bus(template, behind, queues, behind.now)
    behind.answers["start_from_event"] = ValueError("no such number")
    bus.put("crm", "StartConversation", {"to": "x"})
    assert [folder for folder, _ in behind.invoked] == ["start_from_event"] * 3
    [letter] = queues.waiting("StartDeadLetters")
    record = json.loads(letter.body)
    assert record["responsePayload"]["errorMessage"] == "no such number"
    assert record["requestPayload"]["detail"] == {"to": "x"}


@pytest.fixture
def scheduler(
    template: Template, behind: Behind, queues: Queues
) -> Iterator[tuple[Any, Scheduler]]:
    """A client of AWS's own SDK, and the scheduler that it talks to."""
    scheduler = Scheduler(template, behind, queues, behind.now)
    running = serve(Starlette(routes=scheduler.routes))
    session = boto3.Session("local", "local", region_name=REGION)
    yield session.client("scheduler", endpoint_url=running.url), scheduler
    running.stop()


def alarm(at: str, **more: Any) -> dict[str, Any]:
    return {
        "Name": "c1",
        "GroupName": "alarms",
        "ScheduleExpression": f"at({at})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": "arn:aws:lambda:us-east-1:000000000000:function:StartScheduledFunction:live",
            "RoleArn": "arn:aws:iam::000000000000:role/alarm",
            "Input": '{"conversation_id": "c1"}',
        },
        **more,
    }


def test_an_alarm_rings_once_when_it_is_time(
    behind: Behind, scheduler: tuple[Any, Scheduler]
) -> None:
    client, local = scheduler
    client.create_schedule(**alarm("2026-11-22T09:30:00"))
    with pytest.raises(client.exceptions.ConflictException):
        client.create_schedule(**alarm("2026-11-22T09:31:00"))
    client.update_schedule(**alarm("2026-11-22T09:40:00"))
    behind.at += timedelta(minutes=39)
    assert local.run_due() == 0
    behind.at += timedelta(minutes=1)
    assert local.run_due() == 1
    assert local.run_due() == 0
    assert behind.invoked == [("start_scheduled", {"conversation_id": "c1"})]


def test_an_alarm_that_was_deleted_does_not_ring(
    behind: Behind, scheduler: tuple[Any, Scheduler]
) -> None:
    client, local = scheduler
    client.create_schedule(**alarm("2026-11-22T09:30:00"))
    client.delete_schedule(Name="c1", GroupName="alarms")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_schedule(Name="c1", GroupName="alarms")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.update_schedule(**alarm("2026-11-22T09:40:00"))
    behind.at += timedelta(hours=1)
    assert local.run_due() == 0
    assert behind.invoked == []
