"""Deliveries to hooks: attempts for a day, dead letters, switching off, replay, secrets."""

import json
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from local.stack.template import Template
from partyline.aws_errors import AwsUnavailableError
from partyline.domain.model.hooks import FAILING_FOR, RETRY_PAUSES, DeliveryStatus, Hook
from partyline.services.errors import RequestError
from partyline.services.hook_queue import Attempt
from partyline.services.hook_sender import Answer
from tests.support.hook_lab import BEGIN, DEAD_LETTERS, DELIVERIES, HookLab, Request


@pytest.fixture
def lab(template: Template) -> HookLab:
    return HookLab(template)


def fails(_request: Request) -> Answer:
    return Answer(503)


def fail_all(lab: HookLab) -> list[datetime]:
    """Let every attempt fail from now on; returns a list that gets the time of each."""
    attempted = list[datetime]()

    def answer(request: Request) -> Answer:
        attempted.append(lab.now)
        return fails(request)

    lab.receiver.answer = answer
    return attempted


def statuses(lab: HookLab, hook_id: str = "crm") -> list[str]:
    return [delivery.status for delivery in lab.deliveries(hook_id)]


def test_an_event_goes_to_each_hook_that_takes_its_type(lab: HookLab) -> None:
    lab.put("all")
    lab.put("ends", event_types=["conversation.ended"])
    lab.put("starts", event_types=["conversation.started"])
    detail = lab.emit("c-1", 7)
    lab.run()
    assert statuses(lab, "all") == statuses(lab, "ends") == [DeliveryStatus.DELIVERED]
    assert statuses(lab, "starts") == []
    first, second = lab.receiver.requests
    assert first.event_id == second.event_id == "msg_c-1_7"
    assert json.loads(first.body) == {
        "type": "conversation.ended",
        "timestamp": detail["occurred_at"],
        "data": detail,
    }
    assert first.headers["content-type"] == "application/json"


def test_a_message_in_a_queue_holds_no_content_of_the_event(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    [(_, body)] = lab.waiting()
    assert "reason" not in body
    assert Attempt.parse(body).body == body


def test_a_new_hook_gets_no_attempt_of_a_deleted_hook_with_the_same_id(lab: HookLab) -> None:
    lab.put()
    lab.emit("c-1")
    lab.now += timedelta(seconds=1)
    lab.hooks.delete("crm", lab.change())
    lab.put(url="https://other.example.com/")
    lab.emit("c-2")
    lab.run()
    assert [request.event_id for request in lab.receiver.requests] == ["msg_c-2_1"]


@pytest.mark.parametrize("request_name", ["put", "delete", "replace_secret"])
def test_a_change_is_carried_out_though_a_delivery_changes_the_hook_meanwhile(
    lab: HookLab, monkeypatch: pytest.MonkeyPatch, request_name: str
) -> None:
    lab.put()
    get, marked = lab.store.get, list[Hook]()

    def get_before_a_failure(hook_id: str) -> Hook | None:
        hook = get(hook_id)
        if hook and not marked:
            lab.store.save(hook.model_copy(update={"failing_since": lab.now}), None, lab.now, "")
            marked.append(hook)
        return hook

    monkeypatch.setattr(lab.store, "get", get_before_a_failure)
    if request_name == "put":
        lab.put(description="Changed")
        assert lab.hooks.get("crm").description == "Changed"
    else:
        getattr(lab.hooks, request_name)("crm", lab.change())
        hook = lab.store.get("crm")
        assert (hook and len(hook.secrets)) == (2 if request_name == "replace_secret" else None)
    assert marked


def test_a_failed_attempt_is_repeated_with_growing_pauses_for_a_day(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    attempted = fail_all(lab)
    lab.run()
    pauses = [after - before for before, after in pairwise(attempted)]
    assert pauses == list(RETRY_PAUSES)
    assert sorted(pauses) == pauses
    assert timedelta(days=1) <= attempted[-1] - attempted[0] < timedelta(hours=25)
    assert {request.event_id for request in lab.receiver.requests} == {"msg_c-1_1"}
    assert {request.body for request in lab.receiver.requests} == {lab.receiver.requests[0].body}


def test_a_delivery_that_failed_for_a_day_is_a_dead_letter_and_its_hook_is_off(
    lab: HookLab,
) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = fails
    lab.run()
    [delivery] = lab.deliveries()
    assert (delivery.status, delivery.http_status) == (DeliveryStatus.FAILED, 503)
    assert (delivery.attempts, delivery.next_attempt_at) == (len(RETRY_PAUSES) + 1, None)
    [(_, body)] = lab.waiting(DEAD_LETTERS)
    assert Attempt.parse(body).event_id == "msg_c-1_1"
    hook = lab.hooks.get("crm")
    assert (hook.enabled, hook.disabled_reason) == (False, "failing")
    assert lab.event_types() == ["hook.changed", "hook.disabled"]


def test_a_dead_letter_that_is_sent_again_is_attempted_again(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = fails
    lab.run()
    lab.receiver.answer = lambda request: Answer(200)
    lab.put()
    lab.sqs.messages[DEAD_LETTERS], letters = [], lab.waiting(DEAD_LETTERS)
    lab.waiting().extend(letters)
    lab.run()
    assert statuses(lab) == [DeliveryStatus.DELIVERED]


def test_a_hook_stays_on_when_a_delivery_of_the_day_succeeds(lab: HookLab) -> None:
    lab.put()
    lab.emit("c-1")
    lab.receiver.answer = lambda request: Answer(503 if "c-1" in request.event_id else 204)
    lab.run(until=BEGIN + timedelta(hours=20))
    assert lab.hooks.get("crm").failing_since == BEGIN
    lab.emit("c-2")
    lab.run(until=lab.now)
    assert lab.hooks.get("crm").failing_since is None
    lab.run()
    assert lab.hooks.get("crm").enabled
    assert sorted(statuses(lab)) == ["delivered", "failed"]


@pytest.mark.parametrize(
    ("status", "taken"), [(None, False), (199, False), (200, True), (299, True), (300, False)]
)
def test_a_receiver_takes_an_event_with_a_status_from_200_to_299(
    status: int | None, taken: bool
) -> None:
    assert Answer(status).is_success is taken


def test_a_receiver_that_is_gone_switches_its_hook_off_at_once(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = lambda request: Answer(410)
    lab.run()
    assert len(lab.receiver.requests) == 1
    assert lab.hooks.get("crm").disabled_reason == "gone"


def test_events_for_a_hook_that_is_off_are_listed_and_can_be_replayed(lab: HookLab) -> None:
    lab.put(enabled=False)
    lab.emit("c-1")
    assert lab.waiting() == []
    assert (statuses(lab), lab.receiver.requests) == ([DeliveryStatus.SKIPPED], [])
    with pytest.raises(RequestError, match="off"):
        lab.hooks.replay_event("crm", "msg_c-1_1", lab.now)
    with pytest.raises(RequestError, match="off"):
        lab.hooks.replay_span("crm", BEGIN, BEGIN + timedelta(seconds=1), None, lab.now)
    lab.put()
    replayed = lab.hooks.replay_span("crm", BEGIN, BEGIN + timedelta(seconds=1), None, lab.now)
    assert replayed == (1, None)
    lab.run()
    assert statuses(lab) == [DeliveryStatus.DELIVERED]


def test_a_hook_that_is_switched_off_gets_no_attempt_that_is_on_the_way(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.put(enabled=False)
    lab.run()
    assert (statuses(lab), lab.receiver.requests) == ([DeliveryStatus.SKIPPED], [])


def test_a_deleted_hook_gets_no_attempt_that_is_on_the_way(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.hooks.delete("crm", lab.change())
    lab.run()
    assert lab.receiver.requests == []


def test_an_event_that_was_erased_is_not_sent(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    key = {"pk": {"S": "CONVERSATION#c-1"}, "sk": {"S": "EVENT#000001"}}
    lab.dynamodb.delete_item(TableName=lab.table_name, Key=key)
    lab.run()
    [delivery] = lab.deliveries()
    assert (delivery.status, delivery.error) == (DeliveryStatus.FAILED, "event_gone")
    assert lab.receiver.requests == []


def test_an_event_of_no_conversation_is_delivered_too(lab: HookLab) -> None:
    lab.put()
    detail = lab.store_event() | {"conversation_id": "", "type": "route.changed", "cause": "r="}
    lab.fan_out.fan_out(detail)
    lab.run()
    [request] = lab.receiver.requests
    assert (request.event_id, request.data) == ("msg_route-changed_r-", detail)


def test_an_event_that_the_bus_sends_twice_is_delivered_once(lab: HookLab) -> None:
    lab.put()
    detail = lab.emit()
    lab.now += timedelta(minutes=1)
    lab.fan_out.fan_out(detail)
    assert len(lab.waiting()) == 2, "the message of the row may be lost"
    lab.run()
    lab.fan_out.fan_out(detail)
    lab.run()
    assert len(lab.receiver.requests) == 1


def test_two_messages_of_an_attempt_end_as_one(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.waiting().extend(list(lab.waiting()))
    lab.receiver.answer = fails
    lab.run()
    assert len(lab.receiver.requests) == len(RETRY_PAUSES) + 1


def test_an_event_that_one_of_two_messages_delivered_is_not_attempted_again(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    [(_, other)] = lab.waiting()

    def other_fails_meanwhile(_request: Request) -> Answer:
        lab.receiver.answer = fails
        lab.delivery.deliver(Attempt.parse(other))
        return Answer(204)

    lab.receiver.answer = other_fails_meanwhile
    lab.run()
    assert len(lab.receiver.requests) == 2
    assert statuses(lab) == [DeliveryStatus.DELIVERED]


@pytest.mark.parametrize("queue", [DELIVERIES, DEAD_LETTERS])
def test_an_attempt_comes_again_until_its_next_message_is_queued(lab: HookLab, queue: str) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = fails
    lab.sqs.full.add(queue)
    with pytest.raises(AwsUnavailableError):
        lab.run()
    lab.sqs.full.clear()
    lab.run()
    assert len(lab.waiting(DEAD_LETTERS)) == 1


def test_a_replay_has_its_own_pauses_whatever_is_left_of_the_earlier_series(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = fails
    lab.run(until=BEGIN + timedelta(minutes=10))
    lab.hooks.replay_event("crm", "msg_c-1_1", lab.now)
    attempted = fail_all(lab)
    lab.run()
    assert [after - before for before, after in pairwise(attempted)] == list(RETRY_PAUSES)


def test_a_replay_ends_the_earlier_series_of_attempts(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = fails
    lab.run(until=BEGIN + timedelta(minutes=10))
    lab.receiver.answer = lambda request: Answer(200)
    assert lab.hooks.replay_event("crm", "msg_c-1_1", lab.now) == 1
    before = len(lab.receiver.requests)
    lab.run()
    assert len(lab.receiver.requests) == before + 1
    assert statuses(lab) == [DeliveryStatus.DELIVERED]
    assert lab.receiver.requests[-1].event_id == lab.receiver.requests[0].event_id


def test_a_replay_during_the_last_attempt_is_delivered(lab: HookLab) -> None:
    lab.put()
    lab.emit()

    def replay_during_the_last(_request: Request) -> Answer:
        if len(lab.receiver.requests) == len(RETRY_PAUSES) + 1:
            lab.receiver.answer = lambda request: Answer(200)
            lab.hooks.replay_event("crm", "msg_c-1_1", lab.now + timedelta(seconds=1))
        return Answer(503)

    lab.receiver.answer = replay_during_the_last
    lab.run(until=BEGIN + timedelta(hours=12))
    lab.put(enabled=False)
    lab.put(enabled=True)  # without past failures: the hook stays on
    lab.run()
    assert statuses(lab) == [DeliveryStatus.DELIVERED]


def test_a_replay_is_stored_before_its_message_is_sent(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.run()
    lab.sqs.full.add(DELIVERIES)
    with pytest.raises(AwsUnavailableError):
        lab.hooks.replay_event("crm", "msg_c-1_1", lab.now)
    assert statuses(lab) == [DeliveryStatus.PENDING], "a message of an unknown series does nothing"


@pytest.mark.parametrize("event_id", ["msg_c-1_2", "msg_c-2_1", "msg_", "evt", "msg_c-1_1_"])
def test_an_unknown_event_is_not_replayed(lab: HookLab, event_id: str) -> None:
    lab.put()
    lab.emit()
    with pytest.raises(RequestError, match="No conversation has such an event"):
        lab.hooks.replay_event("crm", event_id, lab.now)


def test_a_span_is_replayed_page_by_page(lab: HookLab) -> None:
    lab.put()
    for seq in range(1, 251):
        lab.now += timedelta(seconds=1)
        lab.emit("c-1", seq)
    lab.run()
    end, cursor, pages = lab.now, None, []
    while True:
        replayed, cursor = lab.hooks.replay_span("crm", BEGIN, end, cursor, lab.now)
        pages.append(replayed)
        if cursor is None:
            break
    assert pages == [100, 100, 49], "the span ends before the last event"
    lab.run()
    assert len(lab.receiver.requests) == 250 + 249


def test_a_replaced_secret_signs_for_a_day_beside_the_new_secret(lab: HookLab) -> None:
    first = lab.put()
    made = lab.hooks.replace_secret("crm", lab.change())
    assert made.secret
    assert made.secret != first
    assert made.former_until == BEGIN + timedelta(days=1)
    assert len(lab.hooks.get("crm").nonces(lab.now)) == 2
    lab.emit("c-1")
    lab.run()
    lab.now = BEGIN + timedelta(days=1)
    lab.emit("c-2")
    lab.run()
    signatures = [request.headers["webhook-signature"] for request in lab.receiver.requests]
    assert [len(text.split()) for text in signatures] == [2, 1]


def test_a_hook_that_is_made_again_has_another_secret(lab: HookLab) -> None:
    first = lab.put()
    assert lab.put() == "", "a secret is shown once"
    lab.hooks.delete("crm", lab.change())
    assert lab.put() not in ("", first)


def test_a_hook_that_is_changed_keeps_its_secret(lab: HookLab) -> None:
    lab.put()
    nonces = lab.hooks.get("crm").nonces(lab.now)
    lab.put(description="changed")
    assert lab.hooks.get("crm").nonces(lab.now) == nonces


def test_a_hook_that_is_put_again_begins_without_past_failures(lab: HookLab) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = fails
    lab.run(until=BEGIN)
    assert lab.hooks.get("crm").failing_since == BEGIN
    lab.put(description="the same URL, still failing")
    assert lab.hooks.get("crm").failing_since == BEGIN
    lab.put(url="https://other.example.com/")
    assert lab.hooks.get("crm").failing_since is None


def test_a_failing_hook_that_is_switched_on_again_begins_without_past_failures(
    lab: HookLab,
) -> None:
    lab.put()
    lab.emit()
    lab.receiver.answer = fails
    lab.run()
    assert lab.hooks.get("crm").disabled_reason == "failing"
    lab.put()
    assert lab.hooks.get("crm").failing_since is None


@pytest.mark.parametrize("status", [500, 410])
def test_a_change_of_an_operator_counts_more_than_the_note_of_a_failure(
    lab: HookLab, status: int
) -> None:
    lab.put()
    lab.emit()

    def changed_meanwhile(_request: Request) -> Answer:
        lab.put(description="changed")
        return Answer(status)

    lab.receiver.answer = changed_meanwhile
    lab.run(until=BEGIN)
    hook = lab.hooks.get("crm")
    assert (hook.description, hook.enabled, hook.failing_since) == ("changed", True, None)


def test_there_are_fifty_hooks_at_most(lab: HookLab) -> None:
    for number in range(50):
        lab.put(f"hook-{number}")
    with pytest.raises(RequestError, match="50 hooks"):
        lab.put("another")
    lab.put("hook-0", description="an existing hook may change")


def test_the_last_attempt_comes_after_the_time_after_which_a_hook_is_failing() -> None:
    assert FAILING_FOR <= sum(RETRY_PAUSES, timedelta()) < FAILING_FOR + timedelta(hours=1)
