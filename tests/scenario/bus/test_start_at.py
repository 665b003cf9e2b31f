"""A conversation that is requested now and starts later, or is cancelled before."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.model.error_codes import ErrorCode
from partyline.services.conversations import Conversations
from partyline.services.errors import RequestError
from partyline.store import DedupeRecord
from partyline.store.errors import VersionConflictError
from partyline.store.scheduled import ScheduledConversation, ScheduledConversations
from tests.scenario.bus.conftest import BusStack, NewStack
from tests.support.lab import URL, minutes
from tests.support.people import DANA, HOST

Json = dict[str, Any]


def when(stack: BusStack, mins: float) -> str:
    """Return the time in `mins` minutes, in ISO 8601."""
    return (stack.lab.clock.now() + timedelta(minutes=mins)).isoformat()


def scheduled(stack: BusStack, mins: float = 3, **more: Any) -> Json:
    body = {"to": HOST, "name": "Robin", "start_at": when(stack, mins), **more}
    answer = stack.lab.ask("POST", "/conversations", body)
    assert answer.status == 202, answer.json
    assert answer.json["status"] == "scheduled"
    return answer.json


def show(stack: BusStack, conversation_id: str) -> Json:
    answer = stack.lab.ask("GET", f"/conversations/{conversation_id}")
    assert answer.status == 200
    return answer.json


def cancel(stack: BusStack, conversation_id: str) -> tuple[int, Json]:
    answer = stack.lab.ask("DELETE", f"/conversations/{conversation_id}")
    return answer.status, answer.json


def test_a_conversation_starts_at_its_time_and_not_before(new_stack: NewStack) -> None:
    stack = new_stack()
    created = scheduled(
        stack, metadata={"ticket": "4711"}, participants=[{"to": DANA, "name": "Dana"}]
    )
    conversation_id = created["id"]
    stack.lab.run(minutes(2.5))
    assert stack.lab.people_dialled() == []
    assert show(stack, conversation_id) == created
    assert stack.lab.conversations() == []
    stack.lab.run(minutes(2))
    assert stack.lab.people_dialled() == ["host", "Dana"]
    shown = show(stack, conversation_id)
    assert (shown["status"], shown["metadata"]) == ("active", {"ticket": "4711"})
    assert stack.lab.commands("dial")[0]["webhook_url"] == f"{URL}/webhooks"
    assert stack.background.scheduler.schedules == [], "a schedule that ran is deleted"
    stack.lab.hang_up(HOST)
    stack.lab.run(minutes(2))
    stack.lab.assert_clean()


def test_a_conversation_cancelled_before_its_time_calls_nobody(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    stack.lab.run(minutes(1))
    status, answer = cancel(stack, conversation_id)
    assert (status, answer["status"]) == (200, "cancelled")
    assert stack.background.scheduler.schedules == []
    assert cancel(stack, conversation_id) == (status, answer), (
        "a second cancellation changes nothing"
    )
    stack.lab.run(minutes(4))
    assert stack.lab.people_dialled() == []
    assert show(stack, conversation_id)["status"] == "cancelled"


def test_a_schedule_that_runs_after_its_cancellation_starts_nothing(new_stack: NewStack) -> None:
    """EventBridge may run a schedule that is being deleted."""
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    [schedule] = stack.background.scheduler.schedules
    cancel(stack, conversation_id)
    function = stack.lab.gateway._template.functions["StartScheduledFunction"]
    assert stack.lab.gateway.invoke(function, schedule.input) == {"status": "not_started"}
    assert stack.lab.people_dialled() == []


class ConcurrentChanges(ScheduledConversations):
    """The store of schedules, with a concurrent change after a read or during a write."""

    def __init__(
        self,
        store: ScheduledConversations,
        after_read: list[Callable[[], object]],
        *,
        created_first: bool = False,
        clashes: Sequence[VersionConflictError] = (),
    ) -> None:
        self._table = store._table
        self.after_read = after_read
        self.created_first = created_first
        self.clashes = list(clashes)

    def get(self, conversation_id: str) -> ScheduledConversation | None:
        schedule = super().get(conversation_id)
        if self.after_read:
            self.after_read.pop()()
        return schedule

    def add(self, schedule: ScheduledConversation, dedupe: DedupeRecord | None, most: int) -> None:
        if self.clashes:
            raise self.clashes.pop()
        super().add(schedule, dedupe, most)
        if self.created_first:
            raise VersionConflictError


def change_concurrently(stack: BusStack, *after_read: Callable[[], object], **more: Any) -> None:
    """Run `after_read` between the read of a schedule and the write that follows."""
    store = stack.lab.app.scheduled
    stack.lab.app.scheduled = ConcurrentChanges(store, list(after_read), **more)


def test_a_conversation_cancelled_while_its_schedule_runs_calls_nobody(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    [schedule] = stack.background.scheduler.schedules
    function = stack.lab.gateway._template.functions["StartScheduledFunction"]
    cancelled_with = []
    change_concurrently(stack, lambda: cancelled_with.append(cancel(stack, conversation_id)[0]))
    assert stack.lab.gateway.invoke(function, schedule.input) == {"status": "not_started"}
    assert cancelled_with == [200]
    assert stack.lab.people_dialled() == []
    assert show(stack, conversation_id)["status"] == "cancelled"


def test_a_schedule_that_runs_during_the_cancellation_starts_the_conversation(
    new_stack: NewStack,
) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    [schedule] = stack.background.scheduler.schedules
    function = stack.lab.gateway._template.functions["StartScheduledFunction"]
    change_concurrently(stack, lambda: stack.lab.gateway.invoke(function, schedule.input))
    status, answer = cancel(stack, conversation_id)
    assert (status, answer["error"]["code"]) == (409, "conversation_running")
    assert stack.lab.people_dialled() == ["host"]


def test_two_equal_requests_at_once_schedule_a_single_conversation(new_stack: NewStack) -> None:
    """DynamoDB accepts a single transaction of two on the same rows, and cancels the other."""
    stack = new_stack()
    change_concurrently(stack, created_first=True)
    body = {"to": HOST, "start_at": when(stack, 3)}
    answer = stack.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (answer.status, answer.json["status"]) == (200, "scheduled")
    stack.lab.run(minutes(4))
    assert stack.lab.people_dialled() == ["host"]


def test_a_request_can_be_repeated_after_a_conflict_without_a_winner(new_stack: NewStack) -> None:
    """DynamoDB may cancel both of two transactions on the same rows."""
    stack = new_stack()
    change_concurrently(stack, clashes=[VersionConflictError()])
    body = {"to": HOST, "start_at": when(stack, 3)}
    answer = stack.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (answer.status, answer.json["error"]["code"]) == (503, "busy")
    assert stack.lab.ask("POST", "/conversations", body, idempotency_key="k").status == 202
    stack.lab.run(minutes(4))
    assert stack.lab.people_dialled() == ["host"]


def test_the_idempotency_key_of_a_start_is_refused_for_a_scheduled_start(
    new_stack: NewStack,
) -> None:
    stack = new_stack()
    assert stack.lab.ask("POST", "/conversations", {"to": HOST}, idempotency_key="k").status == 202
    body = {"to": HOST, "start_at": when(stack, 3)}
    answer = stack.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (answer.status, answer.json["error"]["code"]) == (422, "idempotency_key_reused")


def test_a_schedule_that_runs_twice_starts_a_single_conversation(new_stack: NewStack) -> None:
    stack = new_stack()
    scheduled(stack)
    [schedule] = stack.background.scheduler.schedules
    function = stack.lab.gateway._template.functions["StartScheduledFunction"]
    stack.lab.run(minutes(4))
    stack.lab.gateway.invoke(function, schedule.input)
    stack.lab.run(25)
    assert stack.lab.people_dialled() == ["host"]
    assert len(stack.lab.conversations()) == 1


def test_a_started_conversation_cannot_be_cancelled(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    stack.lab.run(minutes(4))
    status, answer = cancel(stack, conversation_id)
    assert (status, answer["error"]["code"]) == (409, "conversation_running")
    started = stack.lab.start()
    assert cancel(stack, started)[0] == 409
    assert cancel(stack, "nobody")[0] == 404


def test_the_same_idempotency_key_is_the_same_scheduled_conversation(new_stack: NewStack) -> None:
    stack = new_stack()
    body = {"to": HOST, "start_at": when(stack, 3)}
    first = stack.lab.ask("POST", "/conversations", body, idempotency_key="k")
    again = stack.lab.ask("POST", "/conversations", body, idempotency_key="k")
    assert (first.status, again.status) == (202, 200)
    assert first.json == again.json
    for other in ({**body, "start_at": when(stack, 4)}, {"to": HOST}):
        refused = stack.lab.ask("POST", "/conversations", other, idempotency_key="k")
        assert (refused.status, refused.json["error"]["code"]) == (422, "idempotency_key_reused")
    stack.lab.run(minutes(4))
    assert stack.lab.people_dialled() == ["host"]
    assert len(stack.lab.conversations()) == 1


def test_an_invalid_scheduled_start_is_refused_at_once(new_stack: NewStack) -> None:
    stack = new_stack()
    for body in (
        {"to": "+443125550101", "start_at": when(stack, 3)},
        {"to": HOST, "start_at": when(stack, -1)},
        {"to": HOST, "start_at": when(stack, 60 * 24 * 400)},
        {"to": HOST, "start_at": "tomorrow"},
        {"to": HOST, "start_at": "2026-12-24T18:00:00"},
        {"to": HOST, "start_at": 1790000000},
        {"call_control_id": "v3:call-1", "start_at": when(stack, 3)},
    ):
        answer = stack.lab.ask("POST", "/conversations", body)
        assert answer.status == 422, (body, answer.json)
        assert answer.json["error"]["details"][0]["field"] in ("start_at", "to")
    assert stack.background.scheduler.schedules == []


def test_a_conversation_may_be_scheduled_up_to_366_days_ahead(new_stack: NewStack) -> None:
    stack = new_stack()
    year = 60 * 24 * 366
    scheduled(stack, year - 1)
    answer = stack.lab.ask(
        "POST", "/conversations", {"to": HOST, "start_at": when(stack, year + 1)}
    )
    assert (answer.status, answer.json["error"]["details"][0]["field"]) == (422, "start_at")
    assert len(stack.background.scheduler.schedules) == 1


@pytest.mark.parametrize("code", ["too_many_conversations", "too_many_dials", "pending"])
def test_a_start_refused_for_the_moment_starts_at_the_next_attempt(
    new_stack: NewStack, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack, 1)["id"]
    [schedule] = stack.background.scheduler.schedules
    function = stack.lab.gateway._template.functions["StartScheduledFunction"]

    def refuse(*_: object) -> None:
        raise RequestError(ErrorCode(code), "Not now.")

    with monkeypatch.context() as patched:
        patched.setattr(Conversations, "start", refuse)
        stack.lab.run(90)
    assert show(stack, conversation_id)["status"] == "starting"
    assert stack.lab.gateway.invoke(function, schedule.input) == {"status": "started"}
    assert stack.lab.people_dialled() == ["host"]


def test_a_start_that_is_refused_at_its_time_is_shown_as_failed(
    new_stack: NewStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    stack.lab.app.settings = stack.lab.app.settings.model_copy(
        update={"allowed_destination_prefixes": ("+44",)}
    )
    stack.lab.run(minutes(4))
    assert stack.lab.people_dialled() == []
    shown = show(stack, conversation_id)
    assert shown["status"] == "failed"
    assert shown["failure"]["code"]
    assert len(stack.background.queues.waiting("StartDeadLetters")) == 1


def delayed_by_quota(stack: BusStack) -> tuple[str, Callable[[], Json]]:
    """Schedule a conversation whose time comes while the quota of open conversations is used up.

    Returns its id, and a function that makes Lambda's next attempt.
    """
    stack.lab.app.settings = stack.lab.app.settings.model_copy(update={"max_conversations": 1})
    conversation_id = scheduled(stack, 1)["id"]
    [schedule] = stack.background.scheduler.schedules
    function = stack.lab.gateway._template.functions["StartScheduledFunction"]
    stack.lab.start()
    stack.lab.run(90)
    assert show(stack, conversation_id)["status"] == "starting", "a later attempt may succeed"
    return conversation_id, lambda: stack.lab.gateway.invoke(function, schedule.input)


def test_a_start_delayed_by_the_quota_succeeds_when_there_is_room(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id, again = delayed_by_quota(stack)
    stack.lab.hang_up(HOST)
    stack.lab.run(5)
    assert again() == {"status": "started"}
    assert show(stack, conversation_id)["status"] == "connecting"


def test_a_start_delayed_by_the_quota_for_too_long_fails_with_the_reason(
    new_stack: NewStack,
) -> None:
    stack = new_stack()
    conversation_id, again = delayed_by_quota(stack)
    with pytest.raises(RequestError):
        again()
    assert show(stack, conversation_id)["status"] == "starting"
    stack.lab.run(minutes(2))
    with pytest.raises(RequestError):
        again()
    shown = show(stack, conversation_id)
    assert (shown["status"], shown["failure"]["code"]) == ("failed", "too_many_conversations")
    with pytest.raises(RequestError):
        again()
    assert show(stack, conversation_id) == shown, "a failed conversation stays failed"


def test_an_event_may_request_a_later_start(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.background.bus.put(
        "partyline.starts", "StartConversation", {"to": HOST, "start_at": when(stack, 3)}
    )
    stack.lab.run(minutes(2.5))
    assert stack.lab.people_dialled() == []
    stack.lab.run(minutes(2))
    assert stack.lab.people_dialled() == ["host"]


def test_a_scheduled_conversation_has_an_empty_timeline(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    answer = stack.lab.ask("GET", f"/conversations/{conversation_id}/timeline")
    assert (answer.status, answer.json) == (200, {"events": [], "next_cursor": None})


def test_a_stop_cancels_a_scheduled_conversation(new_stack: NewStack) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    stopped = stack.lab.ask("POST", f"/conversations/{conversation_id}/stop", {"hang_up": True})
    assert (stopped.status, stopped.json["status"]) == (202, "cancelled")
    again = stack.lab.ask("POST", f"/conversations/{conversation_id}/stop")
    assert (again.status, again.json["error"]["code"]) == (409, "conversation_over")
    stack.lab.run(minutes(5))
    assert stack.lab.people_dialled() == []


@pytest.mark.parametrize(
    ("is_cancelled", "code"), [(False, "not_started"), (True, "conversation_over")]
)
def test_a_scheduled_conversation_takes_no_other_request(
    new_stack: NewStack, is_cancelled: bool, code: str
) -> None:
    stack = new_stack()
    conversation_id = scheduled(stack)["id"]
    if is_cancelled:
        cancel(stack, conversation_id)
    path = f"/conversations/{conversation_id}"
    requests: list[tuple[str, str, Json | None]] = [
        ("POST", f"{path}/participants", {"to": DANA}),
        ("POST", f"{path}/messages", {"role": "system", "content": "Hello."}),
        ("DELETE", f"{path}/participants/guest-1", None),
    ]
    for method, place, body in requests:
        answer = stack.lab.ask(method, place, body)
        assert (answer.status, answer.json["error"]["code"]) == (409, code), place
    assert show(stack, conversation_id)["status"] == ("cancelled" if is_cancelled else "scheduled")
