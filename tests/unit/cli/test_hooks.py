"""`partyline hooks`: the requests of each command, and what a person sees."""

import json
from typing import Any

import pytest

from local.cli.api import Api
from tests.support.fake_api import FakeApi

URL = "https://hooks.example.com/"
HOOK = {
    "id": "crm",
    "url": URL,
    "event_types": [],
    "enabled": True,
    "disabled_reason": None,
    "failing_since": None,
}
DELIVERY = {
    "event_id": "msg_c-1_7",
    "type": "conversation.ended",
    "occurred_at": "2026-12-24T18:00:00Z",
    "status": "retrying",
    "attempts": 2,
    "http_status": None,
    "error": "timeout",
}


@pytest.fixture
def answers(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The answers of the API to the next requests; the requests are in `api.requests`."""
    planned: list[Any] = []

    def ask(_: object, method: str, path: str, body: Any = None) -> Any:
        api.requests.append((method, path, body))
        return planned.pop(0)

    monkeypatch.setattr(Api, "ask", ask)
    return planned


def test_put_prints_the_secret_of_a_new_hook_once(api: FakeApi, answers: list[Any]) -> None:
    answers += [{**HOOK, "secret": "whsec_x"}, {**HOOK, "secret": None}]
    result = api.run("hooks", "put", "crm", URL, "--types", "leg.ended,message.sent")
    assert result.stdout == "crm: on\nwhsec_x\n"
    assert "not shown again" in result.stderr
    assert api.run("hooks", "put", "crm", URL, "--off").stdout == "crm: on\n"
    types = ["leg.ended", "message.sent"]
    assert api.requests == [
        ("PUT", "/hooks/crm", {"url": URL, "enabled": True, "event_types": types}),
        ("PUT", "/hooks/crm", {"url": URL, "enabled": False}),
    ]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "on"),
        ({"failing_since": "2026-12-24T18:00:00Z"}, "failing since 2026-12-24T18:00:00Z"),
        ({"enabled": False}, "off"),
        ({"enabled": False, "disabled_reason": "gone"}, "off (gone)"),
    ],
)
def test_list_shows_the_status_of_each_hook(
    api: FakeApi, answers: list[Any], changes: dict[str, Any], status: str
) -> None:
    answers.append({"hooks": [{**HOOK, **changes}]})
    assert api.run("hooks", "list").stdout == f"crm\t{status}\tall\t{URL}\n"


def test_a_secret_is_replaced(api: FakeApi, answers: list[Any]) -> None:
    until = "2026-12-25T18:00:00Z"
    answers.append({**HOOK, "secret": "whsec_y", "former_secret_until": until})
    result = api.run("hooks", "secret", "crm")
    assert result.stdout == f"crm: the former secret signs until {until}\nwhsec_y\n"


def test_deliveries_are_lines_with_the_last_answer(api: FakeApi, answers: list[Any]) -> None:
    answers.append({"deliveries": [DELIVERY], "next_cursor": "next"})
    result = api.run("hooks", "deliveries", "crm", "--cursor", "a=")
    cells = ["2026-12-24T18:00:00Z", "conversation.ended", "retrying", "2", "timeout", "msg_c-1_7"]
    assert result.stdout == "\t".join(cells) + "\n"
    assert "--cursor next" in result.stderr
    assert api.requests == [("GET", "/hooks/crm/deliveries?limit=20&cursor=a%3D", None)]


def test_a_long_span_is_replayed_to_its_end(api: FakeApi, answers: list[Any]) -> None:
    answers += [{"replayed": 100, "next_cursor": "c"}, {"replayed": 7, "next_cursor": None}]
    span = ("--from", "2026-12-24T08:00:00Z", "--to", "2026-12-24T18:00:00Z")
    result = api.run("hooks", "replay", "crm", *span, "--json")
    assert json.loads(result.stdout) == {"replayed": 107}
    assert api.requests[-1][2]["cursor"] == "c"  # type: ignore[index]


def test_a_replay_needs_an_event_or_a_span(api: FakeApi) -> None:
    for words in ((), ("--from", "x"), ("--event", "e", "--from", "x", "--to", "y")):
        assert api.run("hooks", "replay", "crm", *words).exit_code == 2


def test_a_hook_is_deleted(api: FakeApi, answers: list[Any]) -> None:
    answers.append({"id": "crm", "deleted": True})
    assert api.run("hooks", "delete", "crm").stdout == "crm is deleted.\n"
