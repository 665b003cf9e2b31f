"""The metrics that alarms look at, in the format that CloudWatch reads."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local.bench.usage import MINUTE_FUNCTIONS, MINUTE_METRICS
from local.stack.template import Template
from partyline.domain.model.events import EventType
from partyline.services.engine import EVENT_METRICS, RESULT_METRICS
from partyline.services.eraser import ALARMING
from partyline.services.errors import RequestError
from partyline.services.hook_sender import Answer, HookSender
from partyline.services.request_forms import FORM_METRICS
from partyline.services.scheduler import StartScheduler
from partyline.services.timers import TimerMessage
from partyline.settings import ConversationSettings
from partyline.store import keys
from partyline.store.erasures import Erasure
from partyline.store.events import detail_of
from partyline.store.open_counts import OPEN_API, addition
from partyline.store.table import key_of
from partyline.telemetry import Metric
from tests.support.deployment import GUEST_NUMBER, HOST_NUMBER, OUR_NUMBER, Deployment

Written = Callable[[], str]
HOUR = 3600
OURS = json.dumps({"data": {"payload": {"connection_id": "1494404757140276705"}}})
"""A body with the id of our Telnyx application."""
IGNORED_TYPES = (
    "call.cost",
    "call_answered",
    "call.conversation.messages_added",
    "ai.x",
    "call.new",
    "",
)


def emf(written: Written) -> Iterator[dict[str, Any]]:
    """Every log line with metrics."""
    for line in written().splitlines():
        if line.startswith('{"_aws"'):
            yield json.loads(line)


def figures(written: Written) -> dict[str, float]:
    """The sum of each metric that was written."""
    sums: dict[str, float] = {}
    for line in emf(written):
        [described] = line["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == "Partyline"
        assert described["Dimensions"] == [["service"]]
        assert line["service"] == "partyline"
        for metric in described["Metrics"]:
            value = line[metric["Name"]]
            values = value if isinstance(value, list) else [value]
            sums[metric["Name"]] = sums.get(metric["Name"], 0.0) + sum(values)
    return sums


def units(written_lines: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The unit of each metric that was written."""
    return {
        metric["Name"]: metric["Unit"]
        for line in written_lines
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


class AcceptingBus:
    """EventBridge's client: accepts every event."""

    def put_events(self, *, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in Entries]}


class SilentScheduler(StartScheduler):
    """A scheduler that accepts every start and never runs one."""

    def schedule(self, conversation_id: str, at: datetime) -> None: ...

    def cancel(self, conversation_id: str) -> None: ...


def sweep(deployment: Deployment) -> None:
    """Run the sweep and deliver the messages that the sweep sends."""
    deployment.queue.messages.clear()
    deployment.invoke("sweep", {})
    deployment.fire_timers()


def test_a_minute_without_calls_writes_a_single_metric_of_each_function(
    deployment: Deployment, written: Written
) -> None:
    """CloudWatch charges each metric that has a value in an hour."""
    for function in MINUTE_FUNCTIONS:
        deployment.invoke(function, {})
    assert figures(written) == dict.fromkeys(MINUTE_METRICS, 0)


def switch_dials_off(deployment: Deployment) -> None:
    pk, sk = keys.DIALING_OFF
    row = {"pk": {"S": pk}, "sk": {"S": sk}}
    deployment.dynamodb.put_item(TableName=deployment.table_name, Item=row)


def test_a_sweep_counts_that_all_dials_are_off(deployment: Deployment, written: Written) -> None:
    switch_dials_off(deployment)
    sweep(deployment)
    assert figures(written)["DialingOff"] == 1


def test_the_age_of_the_oldest_pending_command_is_measured(
    deployment: Deployment, written: Written
) -> None:
    deployment.telnyx.refuse("dial", 503, "10007", times=100)
    began = deployment.clock.now
    deployment.start()
    written()
    deployment.clock.now = began + timedelta(seconds=30)
    sweep(deployment)
    assert figures(written)["OldestPendingSecs"] == 30
    deployment.telnyx.answers.clear()
    deployment.clock.advance(60)
    sweep(deployment)
    assert figures(written)["OldestPendingSecs"] == 0


def test_the_alarm_on_pending_commands_stays_until_none_is_pending(
    deployment: Deployment, written: Written, template: Template
) -> None:
    """A minute in which no command is due has no figure: the alarm takes the minute for a 0."""
    conversation_id = deployment.start()["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0])
    for what in ("hangup", "GET"):
        deployment.telnyx.refuse(what, 503, "10007", times=1000)
    deployment.telnyx.on_request = lambda _: deployment.clock.advance(2)
    deployment.ask("stop_conversation", {"hang_up": True}, id=conversation_id)
    began, per_minute = deployment.clock.now, []
    for minute in range(1, 31):
        deployment.clock.now = began + timedelta(minutes=minute)
        written()
        sweep(deployment)
        per_minute.append(figures(written).get("OldestPendingSecs", 0))
    assert 0 in per_minute[6:], "no minute without a due command: the test proves too little"
    [alarm] = [
        resource["Properties"]
        for name, resource in template.of_type("AWS::CloudWatch::Alarm")
        if name == "CommandsPend"
    ]
    assert alarm["Statistic"] == "Maximum"
    minutes, periods = alarm["Period"] // 60, alarm["EvaluationPeriods"]
    looks = range(minutes * periods, len(per_minute) + 1)
    on = [
        all(
            max(per_minute[end - (nth + 1) * minutes : end - nth * minutes]) > alarm["Threshold"]
            for nth in range(periods)
        )
        for end in looks
    ]
    assert on[-1]
    assert sorted(on) == on, "off, then on until the end"


def test_the_duration_of_a_command_is_measured(
    deployment: Deployment, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = deployment.telnyx.__call__

    def slowly(request: httpx.Request) -> httpx.Response:
        time.sleep(0.05)
        return answer(request)

    monkeypatch.setattr(type(deployment.telnyx), "__call__", lambda _, request: slowly(request))
    deployment.start()
    lines = [json.loads(line) for line in written().splitlines()]
    [sent] = [line for line in lines if line.get("message") == "command"]
    assert sent["took_ms"] >= 50
    [counted] = [line for line in lines if "CommandLatency" in line]
    assert counted["CommandLatency"] == [sent["took_ms"]]
    [described] = counted["_aws"]["CloudWatchMetrics"]
    assert {"Name": "CommandLatency", "Unit": "Milliseconds"} in described["Metrics"]


def test_a_conversation_that_is_open_for_too_long_is_counted(
    deployment: Deployment, written: Written
) -> None:
    conversation_id = deployment.start()["id"]
    began = deployment.clock.now
    ended = deployment.start()["id"]
    deployment.ask("stop_conversation", {}, id=ended)
    deployment.deliver_for("call.hangup", deployment.dials()[1], "v3:1")
    store = deployment.app.store
    before = partial(store.open_counts.count_in_index, OPEN_API)
    assert before(keys.moment(began)) == 0, "it began at that time, not before"
    assert before(keys.moment(began + timedelta(seconds=1))) == 1, "the other has ended"
    # The conversation is stuck: the sweep cannot read its document.
    pk, sk = keys.state(conversation_id)
    deployment.dynamodb.update_item(
        TableName=deployment.table_name,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET document = :broken",
        ExpressionAttributeValues={":broken": {"S": "{"}},
    )
    # The time limit counts from the answer, and a phone may ring for ten minutes.
    for secs, counted in ((4 * HOUR + 600, 0), (600, 1)):
        deployment.clock.advance(secs)
        written()
        sweep(deployment)
        assert figures(written).get("ConversationsOpenLong", 0) == counted


def test_failed_webhooks_and_failed_requests_are_separate_metrics(
    deployment: Deployment, written: Written
) -> None:
    deployment.start()
    [dial] = deployment.dials()
    deployment.telnyx.refuse("ai_assistant_start", 503, "10007", times=9)
    written()
    status, _ = deployment.deliver_for("call.answered", dial)
    assert status == 503
    metrics = figures(written)
    assert (metrics["WebhookFailed"], metrics["Failed"]) == (1, 1)
    deployment.dynamodb.failures["get_item"] = [
        EndpointConnectionError(endpoint_url="https://dynamodb")
    ]
    status, _ = deployment.ask("get_conversation", id="c1")
    assert status == 503
    metrics = figures(written)
    assert metrics["Failed"] == 1
    assert "WebhookFailed" not in metrics


def test_no_metric_holds_personal_data(deployment: Deployment, written: Written) -> None:
    deployment.start(name="Robin")
    text = json.dumps(list(emf(written)))
    assert text != "[]"
    assert "Robin" not in text
    assert HOST_NUMBER[-4:] not in text


def failover_record(
    deployment: Deployment, body: str, message_id: str = "m-1", *, signed: bool = True
) -> dict[str, Any]:
    """A message as API Gateway puts a webhook into the failover queue."""
    headers = deployment.signed(body) if signed else {}
    return {
        "messageId": message_id,
        "body": body,
        "attributes": {"SentTimestamp": str(int(deployment.clock.now.timestamp() * 1000))},
        "messageAttributes": {name: {"stringValue": value} for name, value in headers.items()},
    }


def test_the_failover_function_counts_verified_and_dropped_messages(
    deployment: Deployment, written: Written
) -> None:
    body = json.dumps({"data": {"event_type": "call.bridged", "id": "e1", "payload": {}}})
    records = [
        failover_record(deployment, body, "m1"),
        failover_record(deployment, body, "m2", signed=False),
    ]
    written()
    assert deployment.invoke("failover", {"Records": records}) == {"batchItemFailures": []}
    metrics = figures(written)
    assert (metrics["FailoverReceived"], metrics["FailoverRefused"]) == (1, 1)
    assert metrics["UnsignedRefused"] == 1
    assert "FailoverPutBack" not in metrics


@pytest.mark.parametrize("function", ["webhook_default", "tool_invite", "tool_status"])
@pytest.mark.parametrize("body", ["", "{}", '{"connection_id": "1234567890"}'])
def test_unsigned_requests_of_strangers_ring_no_alarm_and_write_no_line(
    deployment: Deployment, written: Written, function: str, body: str
) -> None:
    written()
    forged = {"telnyx-timestamp": "1", "telnyx-signature-ed25519": "A" * 86 + "=="}
    for headers in ({}, forged):
        status, _ = deployment.deliver_raw(body, function, headers=headers)
        assert status == 401
    lines = [json.loads(line) for line in written().splitlines()]
    assert all("_aws" in line for line in lines), "lines of metrics only"
    assert sum(line["UnsignedRefused"][0] for line in lines) == 2
    assert not any("SignatureRefused" in line for line in lines)


def test_a_refused_webhook_of_our_application_counts_and_is_logged(
    deployment: Deployment, written: Written
) -> None:
    written()
    assert deployment.deliver_raw(OURS, headers={})[0] == 401
    lines = [json.loads(line) for line in written().splitlines()]
    assert [line["reason"] for line in lines if "_aws" not in line] == ["missing_signature"]
    assert [line["SignatureRefused"] for line in lines if "_aws" in line] == [[1.0]]


def refused(operation: str) -> ClientError:
    """The answer of AWS to a request that the function may not make."""
    error: Any = {"Error": {"Code": "AccessDeniedException", "Message": ""}}
    return ClientError(error, operation)


def without_destinations(deployment: Deployment) -> ConversationSettings:
    """The settings of a deployment that may call no number any more."""
    return deployment.app.settings.model_copy(update={"allowed_destination_prefixes": ()})


def go_beyond_the_limits_of_calls(deployment: Deployment) -> None:
    """Ring in without a share for inbound calls, and invite more numbers than the tool may."""
    called = {"direction": "incoming", "to": OUR_NUMBER}
    deployment.deliver("call.initiated", call_control_id="v3:inbound", **called)
    settings = deployment.app.settings
    limited = {"inbound_share": 0, "max_tool_dials": 1}
    deployment.app.settings = settings.model_copy(update=limited)
    answer = deployment.deliver("call.initiated", call_control_id="v3:further", **called)
    assert answer == (200, {"status": "ignored"})
    contact = {"to": [HOST_NUMBER, GUEST_NUMBER]}
    route = {"assistant": {"id": "assistant-1"}, "contacts": {"Dana": contact}}
    assert deployment.ask("put_route", route, number="default")[0] == 200
    arguments = json.dumps({"name": "Dana", "call_control_id": "v3:inbound"})
    _, said = deployment.deliver_raw(arguments, "tool_invite")
    assert "limit of calls" in said["message"]
    deployment.app.settings = settings


BY_KIND = {*EVENT_METRICS.values(), *RESULT_METRICS.values(), *FORM_METRICS.values()}
"""The metrics of which a table has one for each event type, result or form of `webhook_urls`."""


def erase_with_failures(deployment: Deployment) -> None:
    """Index a number; an erasure fails at first, and then Telnyx has refused it for two days."""
    place = {"S": "2026-11-22T09:00:00.000000Z#c"}
    gained = {"listed_at": place, "new_numbers": {"S": HOST_NUMBER}}
    deployment.invoke("index_numbers", {"Records": [{"dynamodb": {"NewImage": gained}}]})
    at = deployment.clock() - timedelta(days=2)
    owing = Erasure(id="e-1", kind="conversation", created_at=at, key_id="ops", owed=["run-1"])
    deployment.app.erasures.add(owing)
    deployment.dynamodb.failures["transact_write_items"] = [refused("transact_write_items")]
    deployment.telnyx.answers["GET"] = [httpx.Response(503) for _ in range(4)]
    for _ in range(2):
        deployment.invoke("erase", {})


def deliver_to_a_hook(deployment: Deployment, row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver the event of a row twice, of which the second attempt comes too late.

    The receiver answers 500, then 204; to a replay 410. The last message is unreadable.
    """
    answers = [Answer(500), Answer(204), Answer(410)]
    monkeypatch.setattr(HookSender, "post", lambda *_: answers.pop(0))
    deployment.ask("put_hook", {"url": "https://hooks.example.com/"}, id="crm")
    detail = detail_of(row)
    deployment.invoke("fan_out_hooks", {"detail": detail})
    event_id = f"msg_{detail['conversation_id']}_{detail['seq']}"
    for _ in range(3):
        for message in list(deployment.queue.hook_messages):
            deployment.clock.advance(10)
            record = {"messageId": "1", "body": message}
            deployment.invoke("deliver_hooks", {"Records": [record]})
        if len(answers) == 1:
            deployment.ask("replay", {"event_id": event_id}, id="crm")
    deployment.invoke("deliver_hooks", {"Records": [{"messageId": "1", "body": "unreadable"}]})
    assert answers == []


def answer_and_lose_the_hangup(deployment: Deployment) -> None:
    """Answer a call, with an unknown verdict, and run sweep and census hours later, dials off."""
    deployment.deliver_for("call.answered", deployment.dials()[0])
    deployment.deliver_for("call.machine.detection.ended", deployment.dials()[0], result="robot")
    switch_dials_off(deployment)
    deployment.clock.advance(5 * HOUR)
    deployment.invoke("sweep", {})
    deployment.invoke("census", {})


def go_beyond_the_budget(deployment: Deployment) -> None:
    """Call a second number within a budget of three calls, and ask for four calls more."""
    app = deployment.app
    app.settings = app.settings.model_copy(
        update={
            "daily_budget": Decimal(3),
            "reserved_per_call": Decimal(1),
            "allowed_destination_prefixes": ("+1",),
        }
    )
    for built in ("budget", "dial_policy", "engine"):
        app.__dict__.pop(built, None)
    deployment.dynamodb.delete_item(TableName=deployment.table_name, Key=key_of(keys.DIALING_OFF))
    deployment.start(to=[HOST_NUMBER, GUEST_NUMBER])
    deployment.deliver_for("call.hangup", deployment.dials()[-1], hangup_cause="user_busy")
    more = {"to": HOST_NUMBER, "participants": [{"to": GUEST_NUMBER}] * 3}
    status, answer = deployment.ask("start_conversation", more)
    assert (status, answer["error"]["code"]) == (429, "budget_exceeded")


def test_a_run_writes_every_metric_with_its_unit(
    deployment: Deployment, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with all kinds of functions, with refusals, outages and bugs."""
    monkeypatch.setenv("API_URL", "https://api.example.com")
    monkeypatch.setenv("EVENT_BUS_NAME", "the-bus")
    deployment.app.start_scheduler = SilentScheduler(None, "", "", "")
    deployment.app.events_client = AcceptingBus()

    # API, authorizer, bus and scheduler
    deployment.invoke("authorizer", {"headers": {}})
    go_beyond_the_limits_of_calls(deployment)
    deployment.telnyx.refuse("dial", 503, "10007", times=4)
    deployment.queue.failures = [refused("send_message")]
    deployment.start()
    asked = {"source": "crm", "id": "event-1", "detail": {"to": HOST_NUMBER}}
    deployment.invoke("start_from_event", asked)
    start_at = (deployment.clock.now + timedelta(hours=1)).isoformat()
    booked = {"to": HOST_NUMBER, "start_at": start_at}
    [(_, first), (_, second)] = [deployment.ask("start_conversation", booked) for _ in range(2)]
    assert first["id"] != second["id"]
    deployment.invoke("start_scheduled", {"conversation_id": first["id"]})
    monkeypatch.setattr(deployment.app, "settings", without_destinations(deployment))
    with pytest.raises(RequestError):
        deployment.invoke("start_scheduled", {"conversation_id": second["id"]})
    row = next(
        row
        for row in deployment.dynamodb.scan(TableName=deployment.table_name)["Items"]
        if row["sk"]["S"].startswith("EVENT#")
    )
    deployment.invoke(
        "event_relay", {"Records": [{"dynamodb": {"NewImage": row, "SequenceNumber": "1"}}]}
    )

    # Timers, webhooks, tools, failover, sweep, census
    deployment.store.table.write([addition(OPEN_API, keys.FIRST_SHARD, 1)])
    for _ in range(2):
        sweep(deployment)
    message = TimerMessage(first["id"], deployment.clock())
    records = [{"messageId": "1", "body": body} for body in (message.body, "unreadable")]
    deployment.invoke("timer", {"Records": records})
    deployment.dynamodb.failures["get_item"] = [refused("get_item")]
    deployment.invoke("timer", {"Records": records})
    deployment.deliver_raw("{}", "tool_status")
    for event_type in IGNORED_TYPES:
        deployment.deliver(event_type, call_control_id="v3:x")
    deployment.deliver_raw('{"event_type": "call_answered", "payload": {}}')
    deployment.deliver_raw("not JSON")
    deployment.deliver_raw("{}", headers={})
    deployment.deliver_raw(OURS, headers={})
    deployment.invoke("failover", {"Records": [failover_record(deployment, "{not JSON")]})
    body = json.dumps(
        {"data": {"event_type": "call.answered", "payload": {"call_control_id": "v3:0"}}}
    )
    for operation in ("batch_get_item", "get_item", "query"):
        deployment.dynamodb.failures[operation] = [refused(operation) for _ in range(3)]
    deployment.invoke("failover", {"Records": [failover_record(deployment, body)]})
    assert deployment.deliver_raw(body)[0] == 500
    assert deployment.ask("get_conversation", id="c1")[0] == 500
    sweep(deployment)
    deployment.dynamodb.failures.clear()
    answer_and_lose_the_hangup(deployment)

    deliver_to_a_hook(deployment, row, monkeypatch)
    for further in (erase_with_failures, go_beyond_the_budget):
        further(deployment)

    found = units(emf(written))
    named = {metric.value: metric.unit.value for metric in Metric if metric not in BY_KIND}
    assert {name: unit for name, unit in found.items() if name in named} == named
    assert set(found) <= set(Metric)


def test_a_conversation_that_telnyx_does_not_delete_is_as_many_failures_as_ring(
    deployment: Deployment, written: Written
) -> None:
    at = deployment.clock() - timedelta(days=2)
    owing = Erasure(id="e-1", kind="conversation", created_at=at, key_id="ops", owed=["run-1"])
    deployment.app.erasures.add(owing)
    deployment.telnyx.answers["GET"] = [httpx.Response(503) for _ in range(4)]
    written()
    deployment.invoke("erase", {})
    counted = figures(written)
    assert (counted["ErasureGivenUp"], counted["ErasureFailed"]) == (1, ALARMING)


def test_an_interrupted_pass_of_an_erasure_is_a_failure(
    deployment: Deployment, written: Written
) -> None:
    at = deployment.clock()
    deployment.app.erasures.add(Erasure(id="e-1", kind="conversation", created_at=at, key_id=""))
    deployment.dynamodb.failures["transact_write_items"] = [refused("transact_write_items")]
    written()
    deployment.invoke("erase", {})
    assert figures(written)["ErasureFailed"] == 1


def test_each_event_and_each_result_counts_once(deployment: Deployment, written: Written) -> None:
    conversation_id = deployment.start()["id"]
    deployment.deliver_for("call.answered", deployment.dials()[0])
    deployment.telnyx.refuse("ai_assistant_stop", 422, "90018")
    deployment.ask("stop_conversation", {}, id=conversation_id)
    text = written()
    lines = [json.loads(line) for line in text.splitlines()]
    results = [line["result"] for line in lines if line.get("message") == "command"]
    assert results == ["Succeeded", "Succeeded", "CallEnded"]
    expected = Counter[str](
        EVENT_METRICS[EventType(type_)] for type_ in deployment.timeline(conversation_id)
    )
    expected.update(f"Command{result}" for result in results)
    counted = figures(lambda: text)
    expected[Metric.WEBHOOK_URLS_LIST] = 1
    assert {name: counted[name] for name in counted if name in BY_KIND} == expected


@pytest.mark.parametrize(
    ("result", "unknown"),
    [
        *((word, False) for word in ("human", "human_business", "silence", "not_sure", "machine")),
        *((word, True) for word in ("robot", None)),
    ],
)
def test_an_unknown_verdict_of_the_machine_detection_is_counted_and_means_a_person(
    deployment: Deployment, written: Written, result: str | None, unknown: bool
) -> None:
    deployment.start(machine_detection="premium")
    [dial] = deployment.dials()
    deployment.deliver_for("call.answered", dial)
    written()
    verdict = "call.machine.premium.detection.ended"
    assert deployment.deliver_for(verdict, dial, result=result)[0] == 200
    counted = figures(written)
    assert counted.get("MachineResultUnknown", 0) == int(unknown)
    starts = [request for request in deployment.telnyx.sent if "assistant" in request.action]
    assert len(starts) == (result != "machine")
