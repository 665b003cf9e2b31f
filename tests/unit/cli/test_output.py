"""Lists, conversations and timelines: for a person, in a pipe, as JSON."""

import json
import time
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest

from local import printing
from local.cli import common
from local.cli.summary import summary
from tests.support.fake_api import BOOKING, FIRST, SECOND, FakeApi, conversation, event, person
from tests.support.patience import PATIENCE_SECS


def on_terminal(show: Any, *arguments: Any) -> str:
    """What a terminal of 80 columns shows."""
    console = printing.DataConsole(file=StringIO(), width=80, force_terminal=True, no_color=True)
    show(console, *arguments)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_a_terminal_of_80_columns_shows_short_ids_and_all_people() -> None:
    people = [person(f"Person {nth}", f"guest-{nth}") for nth in range(6)]
    text = on_terminal(printing.conversations, [conversation(FIRST, participants=people)])
    assert "402ec47c" in text
    assert FIRST not in text
    assert "…" not in text
    assert all(f"Person {nth}" in text for nth in range(6))


def test_in_a_pipe_each_conversation_is_a_line_with_the_whole_id(api: FakeApi) -> None:
    lines = api.run("conversations", "list").stdout.splitlines()
    began, people, status, id_ = lines[0].split("\t")
    assert (began, status, id_) == ("2026-03-01T12:00:00Z", "active", FIRST)
    assert people == "Robin (joined), Dana (joined)"
    assert len(lines) == 2
    booking = api.run("conversations", "list", "--status", "scheduled").stdout
    assert booking == f"{BOOKING['start_at']}\tcrm\tscheduled\t{BOOKING['id']}\n"


def test_a_list_has_the_rows_that_are_asked_for(api: FakeApi) -> None:
    api.conversations = [
        conversation(f"{nth:08x}-0000-4000-8000-000000000000") for nth in range(120)
    ]
    result = api.run("conversations", "list", "--limit", "70")
    assert len(result.stdout.splitlines()) == 70
    assert "There are more: --limit, or --cursor 70" in result.stderr
    rest = json.loads(api.run("conversations", "list", "--cursor", "115", "--json").stdout)
    assert [len(rest["conversations"]), rest["next_cursor"]] == [5, None]


def test_an_empty_list_says_so_on_stderr(api: FakeApi) -> None:
    api.conversations = []
    result = api.run("conversations", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "No conversation yet.\n"
    assert json.loads(api.run("conversations", "list", "--json").stdout)["conversations"] == []


def test_a_name_cannot_break_a_line_in_a_pipe(api: FakeApi) -> None:
    odd = person("Da\tna\n\x1b[2J", "guest-1")
    api.conversations = [conversation(FIRST, participants=[odd])]
    assert api.run("conversations", "list").stdout.count("\t") == 3
    assert api.run("conversations", "list").stdout.count("\n") == 1


def test_json_is_whole_and_harmless_to_a_terminal() -> None:
    name = "Zoë \u202egnp.exe\x9b2J\x7f"
    text = printing.json_text({"name": name})
    assert json.loads(text) == {"name": name}
    assert "Zoë" in text
    assert not set("\u202e\x9b\x7f") & set(text)


def test_a_conversation_is_shown_with_its_people_or_as_json(api: FakeApi) -> None:
    lines = api.run("conversations", "show", FIRST).stdout.splitlines()
    assert lines[2] == "Robin\t+13125550112 human\tjoined\thost"
    assert json.loads(api.run("conversations", "show", FIRST, "--json").stdout)["id"] == FIRST


def test_a_timeline_is_a_line_an_event_or_json(api: FakeApi) -> None:
    api.timeline = [event(1, "leg.dialing", name="Robin", to="***0111"), event(2, "leg.ringing")]
    result = api.run("conversations", "timeline", FIRST)
    assert result.stdout.splitlines()[0] == "2026-03-01T12:00:01Z\tleg.dialing\tRobin ***0111"
    document = json.loads(api.run("conversations", "timeline", FIRST, "--json").stdout)
    assert document == {"events": api.timeline}


NOW = datetime(2026, 3, 1, 12, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "active for 1:12: Robin is on the line, Dana is on the line"),
        (
            {"status": "ended", "ended_at": "2026-03-01T12:00:31Z"},
            "ended after 0:30: Robin is on the line, Dana is on the line",
        ),
        (
            {"mode": "away", "participants": [person(None, "host", "waiting")]},
            "active for 1:12, the assistant is away: host waits",
        ),
        (
            {
                "status": "failed",
                "active_at": None,
                "failure": {"code": "busy", "message": "The line is busy."},
                "participants": [person("Robin", "host", "failed", outcome="busy")],
            },
            "failed (busy: The line is busy.): Robin was busy",
        ),
        (
            {
                "participants": [
                    person(
                        *("Dana", "guest-1", "dialing"),
                        attempt={"status": "ringing", "number": 2, "of": 3},
                    ),
                    person("Lee", "guest-2", "failed", outcome="limited"),
                ]
            },
            "active for 1:12: Dana is ringing, number 2 of 3, Lee was not reached (limited)",
        ),
    ],
)
def test_a_sentence_tells_each_person(fields: dict[str, Any], sentence: str) -> None:
    assert summary(conversation(SECOND, **fields), NOW) == sentence


def test_a_sentence_tells_a_scheduled_start() -> None:
    assert summary(BOOKING, NOW) == "scheduled, to start at 2027-01-04T15:00:00Z"


def test_a_watch_prints_each_event_once_and_ends_with_the_conversation(api: FakeApi) -> None:
    api.timeline = [event(1, "conversation.active"), event(2, "conversation.ended")]
    api.conversations = [
        conversation(FIRST, "ended", ended_at="2026-03-01T12:00:31Z"),
    ]
    result = api.run("watch", "newest")
    assert result.exit_code == 0
    types = [line.split("\t")[1] for line in result.stdout.splitlines()]
    assert types == ["conversation.active", "conversation.ended"]
    assert result.stderr.startswith("ended after 0:30: Robin")
    lines = api.run("watch", FIRST, "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == api.timeline


def test_a_watch_reads_the_timeline_again_after_a_change_only(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.timeline = [event(1, "conversation.active")]
    reads = 0
    found = api._found

    def answer(request: Any) -> dict[str, Any]:
        nonlocal reads
        reads += request.url.path == f"/conversations/{FIRST}"
        if reads == 3:
            api.timeline = [*api.timeline[:1], event(2, "conversation.failed")]
            changed = {"status": "failed", "updated_at": "2026-03-01T12:00:03Z"}
            api.conversations = [conversation(FIRST, **changed)]
        return found(request)

    monkeypatch.setattr(api, "_found", answer)
    result = api.run("watch", FIRST, "--every", "0.1")
    assert result.exit_code == 1, "the conversation failed"
    assert len(result.stdout.splitlines()) == 2
    paths = [path for _, path, _ in api.requests]
    assert paths.count(f"/conversations/{FIRST}") == 3
    assert paths.count(f"/conversations/{FIRST}/timeline") == 2


def test_a_call_can_be_followed(api: FakeApi) -> None:
    api.conversations = [conversation(FIRST, "ended")]
    api.timeline = [event(1, "conversation.ended")]
    result = api.run("call", "+13125550111", "--watch")
    assert result.stdout.splitlines()[0] == FIRST
    assert "conversation.ended" in result.stdout


@pytest.mark.parametrize(("after_secs", "is_shown"), [(0.0, True), (60.0, False)])
def test_progress_is_shown_after_a_while_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, after_secs: float, is_shown: bool
) -> None:
    screen = StringIO()
    console = printing.DataConsole(file=screen, force_terminal=True)
    monkeypatch.setattr(common, "stderr", lambda: console)
    monkeypatch.setattr(common, "_PROGRESS_AFTER_SECS", after_secs)
    with common.progress("Waiting for [/x] ..."):
        until = time.monotonic() + PATIENCE_SECS * is_shown
        while "Waiting for [/x] ..." not in screen.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert ("Waiting for [/x] ..." in screen.getvalue()) is is_shown


def test_progress_is_not_shown_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = StringIO()
    monkeypatch.setattr(common, "stderr", lambda: printing.DataConsole(file=screen))
    monkeypatch.setattr(common, "_PROGRESS_AFTER_SECS", 0.0)
    with common.progress("Waiting ..."):
        time.sleep(0.05)
    assert screen.getvalue() == ""


def test_a_terminal_shows_the_sentence_of_a_watch(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = printing.DataConsole(file=StringIO(), width=80, force_terminal=True, no_color=True)
    monkeypatch.setattr(common, "stdout", lambda: screen)
    api.conversations = [conversation(FIRST, "ended", ended_at="2026-03-01T12:00:31Z")]
    api.timeline = [event(1, "conversation.ended")]
    assert api.run("watch", FIRST).exit_code == 0
    text = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "conversation.ended" in text
    assert "ended after 0:30: Robin is on the line" in text


def test_the_verdict_of_a_machine_detection_is_told_in_words() -> None:
    assert printing.event_details({"machine": True, "to": "***0112"}) == "***0112, a machine"
    assert printing.event_details({"machine": False}) == "a person"
