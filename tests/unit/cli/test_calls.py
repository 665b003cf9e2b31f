"""The commands that change a conversation: their requests, their output, their errors."""

import json
from typing import Any

import pytest

from tests.support.fake_api import FIRST, FakeApi

SHORT = FIRST[:8]
OF_FIRST = f"/conversations/{FIRST}"


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (
            ["call", "+13125550111", "--name", "Robin", "--greeting", "Hello."],
            "POST",
            "/conversations",
            {"to": "+13125550111", "name": "Robin", "assistant": {"greeting": "Hello."}},
        ),
        (
            ["call", "+13125550111", "+13125550112", "--from", "+13125550100"],
            "POST",
            "/conversations",
            {"to": ["+13125550111", "+13125550112"], "from": "+13125550100"},
        ),
        (
            [
                *("call", "+13125550111", "--set", "machine_detection=premium"),
                *("--set", "metadata.ticket=4711", "--at", "2027-01-04T15:00:00Z"),
            ],
            "POST",
            "/conversations",
            {
                "to": "+13125550111",
                "machine_detection": "premium",
                "metadata": {"ticket": 4711},
                "start_at": "2027-01-04T15:00:00Z",
            },
        ),
        (
            ["call", "--set", "call_control_id=v3:live"],
            "POST",
            "/conversations",
            {"call_control_id": "v3:live"},
        ),
        (
            [
                *("invite", SHORT, "+13125550112", "+13125550113", "--at-once"),
                *("--say", "Press 1.", "--brief", "An order."),
            ],
            "POST",
            f"{OF_FIRST}/participants",
            {
                "to": ["+13125550112", "+13125550113"],
                "strategy": "at_once",
                "screening": {"say": "Press 1."},
                "brief": "An order.",
            },
        ),
        (
            ["handover", SHORT, "+13125550112", "--brief", "An order.", "--then", "away"],
            "POST",
            f"{OF_FIRST}/handover",
            {"to": "+13125550112", "brief": "An order.", "then": "away"},
        ),
        (
            ["handover", SHORT, "--person", "Dana"],
            "POST",
            f"{OF_FIRST}/handover",
            {"participant_id": "guest-f1ed6d9c3091"},
        ),
        (["mode", FIRST, "silent"], "POST", f"{OF_FIRST}/assistant", {"mode": "silent"}),
        (
            ["tell", SHORT, "Be generous."],
            "POST",
            f"{OF_FIRST}/messages",
            {"role": "system", "content": "Be generous.", "trigger_response": False},
        ),
        (
            ["tell", SHORT, "-", "--role", "user", "--answer"],
            "POST",
            f"{OF_FIRST}/messages",
            {"role": "user", "content": "from a file", "trigger_response": True},
        ),
        (
            ["remove", SHORT, "dana"],
            "DELETE",
            f"{OF_FIRST}/participants/guest-f1ed6d9c3091",
            None,
        ),
        (
            ["remove", SHORT, "f1ed"],
            "DELETE",
            f"{OF_FIRST}/participants/guest-f1ed6d9c3091",
            None,
        ),
        (["stop", SHORT, "--hang-up"], "POST", f"{OF_FIRST}/stop", {"hang_up": True}),
        (["stop", SHORT], "POST", f"{OF_FIRST}/stop", {"hang_up": False}),
    ],
)
def test_a_command_sends_one_change(
    api: FakeApi, arguments: list[str], method: str, path: str, body: Any
) -> None:
    result = api.run(*arguments, stdin="from a file\n")
    assert result.exit_code == 0, result.output
    assert api.changes() == [(method, path, body)]
    api.requests.clear()
    assert json.loads(api.run(*arguments, "--json", stdin="from a file").stdout)["id"]


def test_the_only_output_of_a_start_is_the_whole_id(api: FakeApi) -> None:
    result = api.run("call", "+13125550111", "--name", "Robin")
    assert result.stdout == f"{FIRST}\n"
    assert "Calling Robin. Next: partyline watch 402ec47c" in result.stderr
    assert api.run("invite", SHORT, "+13125550112").stdout == "guest-f1ed6d9c3091\n"
    assert api.run("handover", SHORT, "+13125550112").stdout == "handover-1\n"


def test_a_stop_without_hang_up_names_the_calls_that_stay_up(api: FakeApi) -> None:
    assert "these calls stay up: host." in api.run("stop", SHORT).stderr


@pytest.mark.parametrize("number", ["5550100", "+1312", "nonsense"])
@pytest.mark.parametrize("command", [("call",), ("invite", SHORT), ("handover", SHORT)])
def test_a_text_that_is_no_number_is_refused_before_any_request(
    api: FakeApi, command: tuple[str, ...], number: str
) -> None:
    result = api.run(*command, number)
    assert result.exit_code == 2
    assert f"“{number}” is no phone number: write the country code too" in result.stderr
    assert api.requests == []


def test_other_spellings_and_sip_addresses_are_left_to_the_api(api: FakeApi) -> None:
    for number in ("+1 (312) 555-0111", "sip:dana@pbx.example", "+13125550111,200"):
        assert api.run("call", number).exit_code == 0


def test_a_malformed_field_is_a_usage_error(api: FakeApi) -> None:
    result = api.run("call", "+13125550111", "--set", "nonsense")
    assert (result.exit_code, api.requests) == (2, [])
    assert "--set nonsense: write field=value" in result.stderr


def test_an_unknown_person_is_named_with_the_known_people(api: FakeApi) -> None:
    result = api.run("remove", SHORT, "Lee")
    assert result.exit_code == 1
    assert "“Lee” is not in the conversation. In the conversation: Robin, Dana." in result.stderr
    assert api.changes() == []


INVALID = {
    "error": {
        "code": "invalid_request",
        "message": "The body is not valid.",
        "details": [{"field": "to", "message": "not a phone number"}],
    }
}


@pytest.mark.parametrize(
    ("status", "answer", "exit_code", "told"),
    [
        (
            422,
            INVALID,
            1,
            "The body is not valid.\n  to: not a phone number\n(422 invalid_request)",
        ),
        (403, {"message": "Forbidden"}, 1, "refuses the bearer key (403)"),
        (404, {"message": "Not Found"}, 1, "has no such route (404)"),
        (429, {"error": {"code": "too_many_dials", "message": "Too many."}}, 3, "Too many."),
        (200, {}, 1, "is not Partyline"),
    ],
)
def test_a_refusal_is_a_sentence_on_stderr(
    api: FakeApi, status: int, answer: Any, exit_code: int, told: str
) -> None:
    api.errors = [(status, answer)]
    for options in ((), ("--json",)):
        api.errors = [(status, answer)]
        result = api.run("call", "+13125550111", *options)
        assert (result.exit_code, result.stdout) == (exit_code, "")
        assert told in result.stderr
    assert len(api.requests) == 2, "no refusal is tried again"


def test_a_request_is_repeated_with_the_same_key_while_the_api_is_away(api: FakeApi) -> None:
    away = (503, {"error": {"code": "unavailable", "message": "Away."}})
    api.errors = [away, away]
    assert api.run("call", "+13125550111").exit_code == 0
    keys = [headers["idempotency-key"] for headers in api.headers]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    api.errors = [away, away, away]
    result = api.run("call", "+13125550111")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Away." in result.stderr
    assert api.headers[-1]["idempotency-key"] != keys[0]


def test_a_url_where_nothing_answers_ends_with_3(api: FakeApi) -> None:
    result = api.run("call", "+13125550111", "--url", "http://127.0.0.1:1")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Nothing answers at http://127.0.0.1:1: is `partyline dev` running" in result.stderr
