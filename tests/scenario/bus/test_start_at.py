"""A conversation that is asked for now and begins later, or is taken back in time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from partyline.entrypoints.answers import ApiError
from partyline.store import DedupeRecord
from partyline.store.errors import VersionConflictError
from partyline.store.scheduled import ScheduledConversation, ScheduledConversations
from tests.scenario.bus.conftest import Behind
from tests.support.lab import URL, minutes
from tests.support.people import DANA, HOST

Set = Callable[..., Behind]
Json = dict[str, Any]


def when(it: Behind, mins: float) -> str:
    lab = it.lab.clock.now() + timedelta(minutes=mins)
    return lab.isoformat()


def scheduled(it: Behind, mins: float = 30, **more: Any) -> Json:
    body = {"to": HOST, "name": "Robin", "start_at": when(it, mins), **more}
    answer = it.lab.ask("POST", "/conversations", body)
    assert answer.status == 202, answer.json
    assert answer.json["status"] == "scheduled"
    return answer.json


def show(it: Behind, conversation_id: str) -> Json:
    answer = it.lab.ask("GET", f"/conversations/{conversation_id}")
    assert answer.status == 200
    return answer.json


def cancel(it: Behind, conversation_id: str) -> tuple[int, Json]:
    answer = it.lab.ask("DELETE", f"/conversations/{conversation_id}")
    return answer.status, answer.json


def test_it_begins_when_it_is_time_and_not_before(behind: Set) -> None:
    it = behind()
    made = scheduled(it, metadata={"ticket": "4711"}, participants=[{"to": DANA, "name": "Dana"}])
    conversation_id = made["id"]
    it.lab.run(minutes(29))
    assert it.lab.people_dialled() == []
    assert show(it, conversation_id) == made
    assert it.lab.conversations() == []
    it.lab.run(minutes(2))
    assert it.lab.people_dialled() == ["host", "Dana"]
    found = show(it, conversation_id)
    assert (found["status"], found["metadata"]) == ("active", {"ticket": "4711"})
    assert it.lab.commands("dial")[0]["webhook_url"] == f"{URL}/webhooks"
    assert it.backstage.scheduler.schedules == [], "an alarm that has rung is no more"
    it.lab.hang_up(HOST)
    it.lab.run(minutes(2))
    it.lab.assert_clean()


def test_taken_back_in_time_nobody_is_called(behind: Set) -> None:
    it = behind()
    conversation_id = scheduled(it)["id"]
    it.lab.run(minutes(10))
    status, said = cancel(it, conversation_id)
    assert (status, said["status"]) == (200, "cancelled")
    assert it.backstage.scheduler.schedules == []
    assert cancel(it, conversation_id) == (status, said), "twice is as good as once"
    it.lab.run(minutes(60))
    assert it.lab.people_dialled() == []
    assert show(it, conversation_id)["status"] == "cancelled"


def test_an_alarm_that_rings_after_all_starts_nothing(behind: Set) -> None:
    """EventBridge had taken it out already when it was deleted."""
    it = behind()
    conversation_id = scheduled(it)["id"]
    [alarm] = it.backstage.scheduler.schedules
    cancel(it, conversation_id)
    function = it.lab.gateway._template.functions["StartScheduledFunction"]
    assert it.lab.gateway.invoke(function, alarm.input) == {"status": "not_started"}
    assert it.lab.people_dialled() == []


@dataclass(frozen=True)
class Meanwhile(ScheduledConversations):
    """Schedules that somebody else moves after they were read, or makes first, or clashes over."""

    after_read: list[Callable[[], object]] = field(default_factory=list)
    made_first: bool = False
    clashes: list[VersionConflictError] = field(default_factory=list)

    def get(self, conversation_id: str) -> ScheduledConversation | None:
        found = super().get(conversation_id)
        if self.after_read:
            self.after_read.pop()()
        return found

    def add(self, schedule: ScheduledConversation, inbox: DedupeRecord | None) -> None:
        if self.clashes:
            raise self.clashes.pop()
        super().add(schedule, inbox)
        if self.made_first:
            raise VersionConflictError


def meanwhile(it: Behind, *after_read: Callable[[], object], **more: Any) -> None:
    """Let something happen between a look at a schedule and what follows from it."""
    ours = it.lab.app.scheduled
    it.lab.app.scheduled = Meanwhile(ours.client, ours.table, list(after_read), **more)


def test_taken_back_while_the_alarm_rings_nobody_is_called(behind: Set) -> None:
    it = behind()
    conversation_id = scheduled(it)["id"]
    [alarm] = it.backstage.scheduler.schedules
    function = it.lab.gateway._template.functions["StartScheduledFunction"]
    taken_back = []
    meanwhile(it, lambda: taken_back.append(cancel(it, conversation_id)[0]))
    assert it.lab.gateway.invoke(function, alarm.input) == {"status": "not_started"}
    assert taken_back == [200]
    assert it.lab.people_dialled() == []
    assert show(it, conversation_id)["status"] == "cancelled"


def test_an_alarm_that_rings_while_it_is_taken_back_starts_one(behind: Set) -> None:
    it = behind()
    conversation_id = scheduled(it)["id"]
    [alarm] = it.backstage.scheduler.schedules
    function = it.lab.gateway._template.functions["StartScheduledFunction"]
    meanwhile(it, lambda: it.lab.gateway.invoke(function, alarm.input))
    status, said = cancel(it, conversation_id)
    assert (status, said["error"]["code"]) == (409, "already_started")
    assert it.lab.people_dialled() == ["host"]


def test_the_same_request_twice_at_once_is_one_appointment(behind: Set) -> None:
    """DynamoDB lets one of two transactions on the same rows through, and cancels the other."""
    it = behind()
    meanwhile(it, made_first=True)
    body = {"to": HOST, "start_at": when(it, 30)}
    answer = it.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (answer.status, answer.json["status"]) == (200, "scheduled")
    it.lab.run(minutes(31))
    assert it.lab.people_dialled() == ["host"]


def test_a_request_that_lost_to_one_that_came_to_nothing_may_be_made_again(behind: Set) -> None:
    """DynamoDB may cancel both of two transactions on the same rows."""
    it = behind()
    meanwhile(it, clashes=[VersionConflictError()])
    body = {"to": HOST, "start_at": when(it, 30)}
    answer = it.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (answer.status, answer.json["error"]["code"]) == (503, "busy")
    assert it.lab.ask("POST", "/conversations", body, idempotency_key="k").status == 202
    it.lab.run(minutes(31))
    assert it.lab.people_dialled() == ["host"]


def test_the_key_of_a_start_is_not_one_for_an_appointment(behind: Set) -> None:
    it = behind()
    assert it.lab.ask("POST", "/conversations", {"to": HOST}, idempotency_key="k").status == 202
    body = {"to": HOST, "start_at": when(it, 30)}
    answer = it.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (answer.status, answer.json["error"]["code"]) == (422, "idempotency_key_reused")


def test_an_alarm_that_rings_twice_starts_one(behind: Set) -> None:
    it = behind()
    scheduled(it)
    [alarm] = it.backstage.scheduler.schedules
    function = it.lab.gateway._template.functions["StartScheduledFunction"]
    it.lab.run(minutes(31))
    it.lab.gateway.invoke(function, alarm.input)
    it.lab.run(25)
    assert it.lab.people_dialled() == ["host"]
    assert len(it.lab.conversations()) == 1


def test_once_begun_it_cannot_be_taken_back(behind: Set) -> None:
    it = behind()
    conversation_id = scheduled(it)["id"]
    it.lab.run(minutes(31))
    status, said = cancel(it, conversation_id)
    assert (status, said["error"]["code"]) == (409, "already_started")
    started = it.lab.start()
    assert cancel(it, started)[0] == 409
    assert cancel(it, "nobody")[0] == 404


def test_the_same_key_is_the_same_appointment(behind: Set) -> None:
    it = behind()
    body = {"to": HOST, "start_at": when(it, 30)}
    first = it.lab.ask("POST", "/conversations", body, idempotency_key="k")
    again = it.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (first.status, again.status) == (202, 200)
    assert first.json == again.json
    for other in ({**body, "start_at": when(it, 40)}, {"to": HOST}):
        refused = it.lab.ask("POST", "/conversations", other, idempotency_key="k")
        assert (refused.status, refused.json["error"]["code"]) == (422, "idempotency_key_reused")
    it.lab.run(minutes(31))
    assert it.lab.people_dialled() == ["host"]
    assert len(it.lab.conversations()) == 1


def test_what_is_sure_to_be_refused_is_refused_at_once(behind: Set) -> None:
    it = behind()
    for wrong in (
        {"to": "+443125550101", "start_at": when(it, 30)},
        {"to": HOST, "start_at": when(it, -1)},
        {"to": HOST, "start_at": when(it, 60 * 24 * 400)},
        {"to": HOST, "start_at": "tomorrow"},
        {"to": HOST, "start_at": "2026-12-24T18:00:00"},
        {"to": HOST, "start_at": 1790000000},
        {"call_control_id": "v3:call-1", "start_at": when(it, 30)},
    ):
        answer = it.lab.ask("POST", "/conversations", wrong)
        assert answer.status == 422, (wrong, answer.json)
        assert answer.json["error"]["details"][0]["field"] in ("start_at", "to")
    assert it.backstage.scheduler.schedules == []


def test_what_is_refused_when_it_is_time_is_shown(
    behind: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = behind()
    conversation_id = scheduled(it)["id"]
    it.lab.app.settings = it.lab.app.settings.model_copy(
        update={"allowed_destination_prefixes": ("+44",)}
    )
    it.lab.run(minutes(31))
    assert it.lab.people_dialled() == []
    shown = show(it, conversation_id)
    assert shown["status"] == "failed"
    assert shown["failure"]["code"]
    assert len(it.backstage.queues.waiting("StartDeadLetters")) == 1


def kept_back(it: Behind) -> tuple[str, Callable[[], Json]]:
    """One whose time has come while as many calls go on as may; and Lambda's next try."""
    it.lab.app.settings = it.lab.app.settings.model_copy(update={"max_conversations": 1})
    conversation_id = scheduled(it, 1)["id"]
    [alarm] = it.backstage.scheduler.schedules
    function = it.lab.gateway._template.functions["StartScheduledFunction"]
    it.lab.start()
    it.lab.run(90)
    assert show(it, conversation_id)["status"] == "starting", "it may come about yet"
    return conversation_id, lambda: it.lab.gateway.invoke(function, alarm.input)


def test_what_a_limit_keeps_back_begins_when_there_is_room(behind: Set) -> None:
    it = behind()
    conversation_id, again = kept_back(it)
    it.lab.hang_up(HOST)
    it.lab.run(5)
    assert again() == {"status": "started"}
    assert show(it, conversation_id)["status"] == "connecting"


def test_what_a_limit_keeps_back_for_too_long_has_failed_and_says_why(behind: Set) -> None:
    it = behind()
    conversation_id, again = kept_back(it)
    with pytest.raises(ApiError):
        again()
    assert show(it, conversation_id)["status"] == "starting"
    it.lab.run(minutes(2))
    with pytest.raises(ApiError):
        again()
    shown = show(it, conversation_id)
    assert (shown["status"], shown["failure"]["code"]) == ("failed", "too_many_conversations")
    with pytest.raises(ApiError):
        again()
    assert show(it, conversation_id) == shown, "what has failed does not begin to start again"


def test_an_event_may_ask_for_later_too(behind: Set) -> None:
    it = behind()
    it.backstage.bus.put("crm", "StartConversation", {"to": HOST, "start_at": when(it, 30)})
    it.lab.run(minutes(29))
    assert it.lab.people_dialled() == []
    it.lab.run(minutes(2))
    assert it.lab.people_dialled() == ["host"]
