"""`partyline erase`, `receipt`, and the cancellation that erases nothing."""

import json
from typing import Any

import pytest

from tests.support.fake_api import BOOKING, FIRST, SCHEDULED, FakeApi, conversation

PERSON = "+13125550112"
ERASURE: dict[str, Any] = {
    "id": "e-1",
    "kind": "person",
    "status": "running",
    "created_at": "2026-03-01T12:00:00Z",
    "done_at": None,
    "erased": {"conversations": 2, "bookings": 0, "contacts": 1},
    "telnyx_owed": 1,
    "telnyx_given_up": [],
}


def test_an_erasure_asks_before_its_request(api: FakeApi) -> None:
    refused = api.run("erase", PERSON, stdin="n\n")
    assert refused.exit_code == 1
    assert PERSON in refused.output
    assert api.changes() == []


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((PERSON,), f"/people/{PERSON}"),
        ((PERSON, "--do-not-call"), f"/people/{PERSON}"),
        ((FIRST[:8],), f"/conversations/{FIRST}"),
    ],
)
def test_an_erasure_shows_its_receipt(api: FakeApi, arguments: tuple[str, ...], path: str) -> None:
    api.conversations = [conversation(FIRST, "ended")]
    api.erasures = [ERASURE]
    done = api.run("erase", *arguments, "--yes")
    assert done.exit_code == 0, done.output
    assert done.stdout == "e-1\n"
    assert "2 conversations, 1 contacts erased. 1 at Telnyx to come" in done.stderr
    assert api.changes() == [("DELETE", path, None)]
    assert ("do_not_call=delete" in api.queries) is ("--do-not-call" in arguments)


def test_an_erasure_can_be_waited_for(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.cli.erase.POLL_SECS", 0)
    given_up = {"status": "done", "telnyx_owed": 0, "telnyx_given_up": ["t-1"]}
    api.erasures = [ERASURE, ERASURE, {**ERASURE, **given_up}]
    done = api.run("erase", PERSON, "--yes", "--wait", "--json")
    assert json.loads(done.stdout)["status"] == "done"
    api.erasures = [{**ERASURE, **given_up}]
    shown = api.run("receipt", "e-1")
    assert "not deleted at Telnyx: t-1" in shown.stderr


def test_a_scheduled_start_is_erased_and_not_only_cancelled(api: FakeApi) -> None:
    api.conversations, api.erasures = [BOOKING], [ERASURE]
    assert api.run("erase", SCHEDULED, "--yes").exit_code == 0
    assert api.changes() == [("DELETE", f"/conversations/{SCHEDULED}", None)]
    assert "scheduled=erase" in api.queries


@pytest.mark.parametrize("status", ["ended", "active"])
def test_a_cancellation_never_erases_a_conversation(api: FakeApi, status: str) -> None:
    api.conversations = [conversation(FIRST, status)]
    refused = api.run("conversations", "cancel", FIRST)
    assert refused.exit_code == 2
    assert api.changes() == []


def test_conversations_are_listed_by_a_number(api: FakeApi) -> None:
    api.run("conversations", "list", "--number", PERSON)
    assert any("number=%2B13125550112" in query for query in api.queries)


def test_a_conversation_has_no_do_not_call_entry(api: FakeApi) -> None:
    assert api.run("erase", FIRST, "--do-not-call", "--yes").exit_code == 2
