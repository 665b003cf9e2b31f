"""`partyline trigger` changes fields that a fixture has, and sends the webhook as of now."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.stack.webhook_fixtures import body_of, data_of, fixtures, set_field
from tests.support.fake_api import FIRST, FakeApi, conversation, person


def sent(api: FakeApi) -> Any:
    """The data of the webhook that was sent."""
    [(_, path, body)] = api.changes()
    assert body is not None
    assert path == f"/webhooks/{body['data']['event_type']}"
    return body["data"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("payload.hangup_casue=user_busy", "did you mean payload.hangup_cause?"),
        ("payload.nope.x=1", "there is no field payload.nope.x"),
        ("hangup_cause=user_busy", "there is no field hangup_cause"),
        ("payload.from.x=1", "there is no field payload.from.x"),
        ("nonsense", "write field=value"),
        ("=1", "write field=value"),
    ],
)
def test_a_field_that_the_fixture_lacks_is_refused(api: FakeApi, change: str, told: str) -> None:
    result = api.run("trigger", "call.hangup", "--set", change)
    assert (result.exit_code, api.requests) == (2, [])
    assert told in result.stderr


def test_a_new_field_is_added_on_request(api: FakeApi) -> None:
    result = api.run("trigger", "call.hangup", "--new", "payload.nope.x=1")
    assert result.exit_code == 0, result.output
    assert sent(api)["payload"]["nope"] == {"x": 1}


def test_a_value_is_json_or_text() -> None:
    fields: dict[str, Any] = {"a": 0, "b": {"c": 0}}
    for change in ("a=null", "b.c=+13125550100"):
        set_field(fields, change)
    assert fields == {"a": None, "b": {"c": "+13125550100"}}
    set_field(fields, "b.c=[1, 2]")
    set_field(fields, "a=a text = with signs")
    assert fields == {"a": "a text = with signs", "b": {"c": [1, 2]}}


def test_the_webhook_happens_now(api: FakeApi) -> None:
    api.run("trigger", "call.hangup")
    age = datetime.now(UTC) - datetime.fromisoformat(sent(api)["occurred_at"])
    assert timedelta() <= age < timedelta(minutes=5)


def test_a_change_of_the_time_counts_more_than_now() -> None:
    change = ["occurred_at=2026-01-01T00:00:00Z"]
    body = json.loads(body_of("call.hangup", change, occurred_at=datetime.now(UTC))[1])
    assert body["data"]["occurred_at"] == "2026-01-01T00:00:00Z"


def test_the_call_of_a_person_is_filled_in(api: FakeApi) -> None:
    result = api.run("trigger", "call.hangup", "--conversation", "newest", "--person", "Dana")
    assert result.exit_code == 0, result.output
    payload = sent(api)["payload"]
    assert payload["call_control_id"] == "v3:guest-f1ed6d9c3091"
    assert payload["to"] == "+13125550112"
    api.requests.clear()
    api.run("trigger", "call.conversation.ended", "--conversation", FIRST[:8])
    payload = sent(api)["payload"]
    assert payload["call_control_id"] == "v3:host", "the host without --person"
    assert payload.keys() == data_of("call.conversation.ended")["payload"].keys()


def test_a_person_without_a_call_is_an_error(api: FakeApi) -> None:
    api.conversations = [conversation(FIRST, participants=[person("Robin", "host", legs=[])])]
    result = api.run("trigger", "call.hangup", "--conversation", FIRST)
    assert (result.exit_code, api.changes()) == (1, [])
    assert "Robin has no call yet." in result.stderr
    assert api.run("trigger", "call.hangup", "--person", "Dana").exit_code == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, {"status": "ignored"}), "--conversation names a call that is up"),
        ((200, {"status": "duplicate"}), "has been processed before"),
        ((401, {"error": {"code": "bad_signature"}}), "--signing-key names the key"),
    ],
)
def test_an_answer_without_effect_is_explained(
    api: FakeApi, answer: tuple[int, dict[str, Any]], told: str
) -> None:
    api.errors = [answer]
    result = api.run("trigger", "call.hangup")
    assert told in result.stderr
    assert result.stdout.startswith("--> call.hangup [")
    api.errors = [answer]
    document = json.loads(api.run("trigger", "call.hangup", "--json").stdout)
    assert document["status"] == answer[0]


def test_a_missing_signing_key_is_a_sentence(api: FakeApi) -> None:
    result = api.run("trigger", "call.hangup", "--signing-key", "/nope")
    assert (result.exit_code, api.requests) == (2, [])
    assert "/nope can't be read: No such file or directory" in result.stderr


def test_every_fixture_can_be_sent(api: FakeApi) -> None:
    for event_type in fixtures():
        api.requests.clear()
        assert api.run("trigger", event_type).exit_code == 0
        assert sent(api)["event_type"] == event_type
