"""The routes of hooks, the handler of the bus's events, and that of the queue of deliveries."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from partyline.entrypoints.hooks import FanOutError
from partyline.services.hook_delivery import HookDelivery
from partyline.services.hook_queue import Attempt
from partyline.services.secrets import SecretUnreadableError
from tests.security.hostile_hooks import HOSTILE_URLS
from tests.support.deployment import Deployment

URL = "https://hooks.example.com/partyline"


def sqs_event(*bodies: str) -> dict[str, Any]:
    """A batch of messages, as Lambda reads a batch from SQS."""
    return {"Records": [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]}


def put(deployment: Deployment, hook_id: str = "crm", **fields: Any) -> tuple[int, Any]:
    return deployment.ask("put_hook", {"url": URL, **fields}, id=hook_id)


def code(answer: Any) -> str:
    return str(answer["error"]["code"])


def test_a_hook_is_put_shown_listed_and_deleted(deployment: Deployment) -> None:
    status, made = put(deployment, event_types=["conversation.ended"], description="The CRM")
    assert status == 200
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": "crm",
        "url": URL,
        "event_types": ["conversation.ended"],
        "description": "The CRM",
        "enabled": True,
        "disabled_reason": None,
        "failing_since": None,
        "created_at": "2026-11-22T09:00:00Z",
        "changed_at": "2026-11-22T09:00:00Z",
        "changed_by": "ops",
        "former_secret_until": None,
    }
    del made["former_secret_until"]
    assert deployment.ask("get_hook", id="crm") == (200, made)
    assert deployment.ask("list_hooks") == (200, {"hooks": [made]})
    assert put(deployment)[1]["secret"] is None, "a secret is shown once"
    assert deployment.ask("delete_hook", id="crm") == (200, {"id": "crm", "deleted": True})
    status, answer = deployment.ask("get_hook", id="crm")
    assert (status, code(answer)) == (404, "unknown_hook")


@pytest.mark.parametrize(
    "operation", ["get_hook", "delete_hook", "replace_secret", "list_deliveries", "replay"]
)
def test_an_unknown_hook_is_not_found(deployment: Deployment, operation: str) -> None:
    body = {"event_id": "msg_c-1_1"} if operation == "replay" else None
    status, answer = deployment.ask(operation, body, id="crm")
    assert (status, code(answer)) == (404, "unknown_hook")


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_url_that_is_not_allowed_is_refused_and_named(deployment: Deployment, url: str) -> None:
    status, answer = put(deployment, url=url)
    assert (status, code(answer)) == (422, "invalid_request")
    assert [detail["field"] for detail in answer["error"]["details"]] == ["url"]


def test_an_unknown_event_type_is_refused_and_named(deployment: Deployment) -> None:
    status, answer = put(deployment, event_types=["conversation.ended", "conversation.over"])
    assert status == 422
    assert answer["error"]["details"] == [
        {"field": "event_types.1", "message": "there is no event type conversation.over"}
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "event_id"),
        ({"event_id": "msg_c-1_1", "to": "2026-11-22T09:00:00Z"}, "event_id"),
        ({"from": "2026-11-22T09:00:00Z"}, "event_id"),
        ({"from": "2026-11-22T09:00:00", "to": "2026-11-22T09:00:00Z"}, "from"),
        ({"from": "2026-11-22T09:00:01Z", "to": "2026-11-22T09:00:00Z"}, "from"),
    ],
)
def test_a_replay_names_an_event_or_a_span(deployment: Deployment, body: Any, field: str) -> None:
    put(deployment)
    status, answer = deployment.ask("replay", body, id="crm")
    assert status == 422
    assert [detail["field"] for detail in answer["error"]["details"]] == [field]


def test_a_hook_that_is_off_has_no_replay(deployment: Deployment) -> None:
    put(deployment, enabled=False)
    status, answer = deployment.ask("replay", {"event_id": "msg_c-1_1"}, id="crm")
    assert (status, code(answer)) == (409, "hook_disabled")


def test_a_secret_is_replaced_and_shown_once(deployment: Deployment) -> None:
    _, made = put(deployment)
    status, replaced = deployment.ask("replace_secret", id="crm")
    assert status == 200
    assert replaced["secret"].startswith("whsec_")
    assert replaced["secret"] != made["secret"]
    assert replaced["former_secret_until"] == "2026-11-23T09:00:00Z"
    assert "secret" not in deployment.ask("get_hook", id="crm")[1]


def bus_events(deployment: Deployment, conversation_id: str) -> list[dict[str, Any]]:
    """The events of a conversation as the rule gives them to the function."""
    status, timeline = deployment.ask("get_timeline", id=conversation_id)
    assert status == 200
    return [
        {
            "detail-type": event["type"],
            "source": "partyline",
            "detail": {"conversation_id": conversation_id, **event, "trace_id": ""},
        }
        for event in timeline["events"]
    ]


def fan_out(deployment: Deployment, events: list[dict[str, Any]]) -> list[int]:
    """Give each event to the function, as the bus does; return the numbers of attempts."""
    return [deployment.invoke("fan_out_hooks", event)["queued"] for event in events]


def test_events_become_deliveries_that_are_listed_page_by_page(deployment: Deployment) -> None:
    put(deployment)
    events = bus_events(deployment, deployment.start()["id"])
    assert fan_out(deployment, events) == [1, 1]
    assert len(deployment.queue.hook_messages) == len(events) == 2
    query, listed = {"limit": "1"}, []
    while True:
        status, page = deployment.ask("list_deliveries", id="crm", query=query)
        assert status == 200
        listed += page["deliveries"]
        if page["next_cursor"] is None:
            break
        query = {"limit": "1", "cursor": page["next_cursor"]}
    ids = [f"msg_{event['detail']['conversation_id']}_{event['detail']['seq']}" for event in events]
    assert sorted(delivery["event_id"] for delivery in listed) == sorted(ids)
    moments = [delivery["occurred_at"] for delivery in listed]
    assert moments == sorted(moments, reverse=True)
    assert {delivery["status"] for delivery in listed} == {"pending"}


def test_a_cursor_of_another_hook_is_refused(deployment: Deployment) -> None:
    put(deployment)
    put(deployment, "other")
    fan_out(deployment, bus_events(deployment, deployment.start()["id"]))
    _, page = deployment.ask("list_deliveries", id="crm", query={"limit": "1"})
    query = {"cursor": page["next_cursor"]}
    status, answer = deployment.ask("list_deliveries", id="other", query=query)
    assert (status, code(answer)) == (422, "invalid_request")


def test_a_replay_of_an_event_and_of_a_span_are_queued(deployment: Deployment) -> None:
    put(deployment)
    conversation_id = deployment.start()["id"]
    body = {"event_id": f"msg_{conversation_id}_1"}
    assert deployment.ask("replay", body, id="crm") == (200, {"replayed": 1, "next_cursor": None})
    [attempt] = map(Attempt.parse, deployment.queue.hook_messages)
    assert (attempt.conversation_id, attempt.seq, attempt.number) == (conversation_id, 1, 1)
    now = deployment.clock()
    span = {"from": now.isoformat(), "to": (now + timedelta(seconds=1)).isoformat()}
    assert deployment.ask("replay", span, id="crm")[1]["replayed"] == 1
    assert len(deployment.queue.hook_messages) == 2


def test_an_event_whose_message_the_queue_does_not_take_fails_and_succeeds_again_later(
    deployment: Deployment,
) -> None:
    put(deployment)
    events = bus_events(deployment, deployment.start()["id"])[:1]
    failure = ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch")
    deployment.queue.failures = [failure]
    with pytest.raises(FanOutError, match="AwsUnavailableError"):
        fan_out(deployment, events)
    assert deployment.queue.hook_messages == []
    assert fan_out(deployment, events) == [1]
    assert len(deployment.queue.hook_messages) == 1


@pytest.mark.parametrize(
    "event", [{}, {"detail": None}, {"detail": {}}, {"detail": {"type": "leg.ended", "seq": "x"}}]
)
def test_an_unreadable_event_fails_and_its_error_holds_no_data(
    deployment: Deployment, event: Any
) -> None:
    put(deployment)
    with pytest.raises(FanOutError, match=r"^(KeyError|TypeError)$"):
        deployment.invoke("fan_out_hooks", event)


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"detail": {}}', "x"])
def test_an_unreadable_message_returns_to_its_queue(deployment: Deployment, body: str) -> None:
    put(deployment)
    answer = deployment.invoke("deliver_hooks", sqs_event(body))
    assert len(answer["batchItemFailures"]) == 1


def test_each_attempt_is_given_to_the_delivery(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(deployment)
    fan_out(deployment, bus_events(deployment, deployment.start()["id"]))
    seen: list[Attempt] = []
    monkeypatch.setattr(HookDelivery, "deliver", lambda self, attempt: seen.append(attempt))
    bodies = deployment.queue.hook_messages
    answer = deployment.invoke("deliver_hooks", sqs_event(*bodies))
    assert answer == {"batchItemFailures": []}
    assert seen == list(map(Attempt.parse, bodies))


def test_an_attempt_that_fails_for_any_reason_keeps_no_other_from_its_receiver(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(deployment)
    fan_out(deployment, bus_events(deployment, deployment.start()["id"])[:2])
    seen: list[Attempt] = []

    def deliver(_: HookDelivery, attempt: Attempt) -> None:
        seen.append(attempt)
        if len(seen) == 1:
            raise SecretUnreadableError("secret hook-key cannot be read")

    monkeypatch.setattr(HookDelivery, "deliver", deliver)
    event = sqs_event(*deployment.queue.hook_messages)
    [failed] = deployment.invoke("deliver_hooks", event)["batchItemFailures"]
    assert failed["itemIdentifier"] == event["Records"][0]["messageId"]
    assert len(seen) == 2


def test_logs_and_events_hold_no_url_and_no_secret(deployment: Deployment, written: Any) -> None:
    _, made = put(deployment, url="https://hooks.example.com/T0-secret-path")
    _, replaced = deployment.ask("replace_secret", id="crm")
    text = written()
    assert "hook.changed" in text
    for secret in (made["secret"], replaced["secret"], "T0-secret-path", "h" * 64):
        assert secret not in text
    table = json.dumps(deployment.dynamodb.scan(TableName=deployment.table_name)["Items"])
    assert made["secret"] not in table
