"""A story with a fault ends as without the fault, or its timeline reports the failure.

`make faults` runs every story with every fault at every point. These tests run a sample, spread
over all stories, faults and points. Planted bugs show that the invariants detect bugs.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import uuid4

import pytest

from local.simulator.delivery import DeliverySettings
from partyline.domain import decide
from partyline.domain.rules import pending_commands
from partyline.services.leg_commands import LegCommand
from partyline.store import ConversationStore, keys
from partyline.store import conversations as storing
from partyline.store.open_counts import count_updates
from partyline.store.steps import step_puts
from tests.faults.cases import Case, Verdict, cases, faultless_run, judge
from tests.faults.lost import Loss, loss_violations, losses
from tests.faults.points import Point
from tests.faults.stories import STORIES
from tests.support.lab import TIMERS
from tests.support.people import HOST
from tests.support.sampling import sampled

NAMES = [story.name for story in STORIES]

UNSURE = ("500 twice", "times out twice")
"""Faults that leave a command in doubt until it is too late to send the command again."""

COMMIT = Point("table", "transact_write_items")


@cache
def sample() -> dict[str, list[Case]]:
    """The bounded form, by story: each fault at each kind of point, each time in another story."""
    by_kind = defaultdict[tuple[str, ...], list[Case]](list)
    for case in cases():
        detail = (case.point.operation,) if case.point.place in ("table", "telnyx") else ()
        by_kind[case.point.place, case.fault, *detail].append(case)
    by_story = defaultdict[str, list[Case]](list)
    for turn, kind in enumerate(sorted(by_kind)):
        some = by_kind[kind]
        case = some[turn * 37 % len(some)]
        by_story[case.story].append(case)
    return by_story


@pytest.mark.parametrize("name", NAMES)
def test_without_a_fault_every_story_ends_well(name: str) -> None:
    run = faultless_run(name)
    assert run.ending.status == "ended"
    assert run.ending.failed == frozenset()
    assert len(run.points) > 40


@pytest.mark.parametrize("name", NAMES)
def test_a_story_with_a_fault_ends_as_without_or_reports_the_failure(name: str) -> None:
    verdicts = [judge(case) for case in sampled(sample()[name])]
    assert [f"{v.case}: {v.violations}" for v in verdicts if v.violations] == []
    honest = [v for v in verdicts if v.reported_failures and v.case.fault not in UNSURE]
    assert [f"{v.case}: {v.reported_failures}" for v in honest] == []


@pytest.mark.parametrize("fault", ["dies before", "dies after", "times out", "stalls"])
def test_a_repeated_request_carries_out_the_dial_of_a_dead_process(fault: str) -> None:
    chosen = [
        case
        for case in cases(STORIES[:1])
        if case.fault == fault and case.point in (Point("telnyx", "dial"), COMMIT)
    ]
    assert [
        f"{v.case}: {v.reported_failures}"
        for v in map(judge, chosen[:6])
        if v.violations or v.reported_failures
    ] == []


def test_webhooks_that_never_come_are_made_good() -> None:
    known = list(losses())
    wrong = {str(loss): loss_violations(loss) for loss in known[:: len(known) // 10]}
    assert {loss: broken for loss, broken in wrong.items() if broken} == {}


@pytest.mark.parametrize(
    "lost", ["call.conversation.ended", "call.conversation_insights.generated", "call.hangup"]
)
def test_the_end_of_the_first_of_two_assistants_is_noticed_all_the_same(lost: str) -> None:
    assert loss_violations(Loss("goes on without its host", (lost,))) == []


def test_a_shard_that_cannot_be_read_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = STORIES[0].new_lab()
    lab.telnyx.deliverer.settings["*"] = DeliverySettings(drop=1.0)
    lab.start_conversation(to=HOST)
    lab.gateway.queues.take(TIMERS)  # only the sweep finds the conversation
    ours = keys.shard(lab.conversation_id)
    shards = [*(shard for shard in keys.shards() if shard != ours), ours]
    monkeypatch.setattr(keys, "shards", lambda: shards)
    lab.io.add_fault(len(lab.io.points) + 1, "throttled")  # the point after the sweep's own
    lab.run(63)
    assert lab.io.injected == [(Point("table", "query"), "throttled")]
    assert lab.current_status() == "active"


# The judges, judged


def a_new_id_each_time(patch: pytest.MonkeyPatch) -> None:
    envelope = property(
        lambda self: {"command_id": str(uuid4()), "client_state": self.client_state}
    )
    patch.setattr(LegCommand, "envelope", envelope)


def no_command_is_sent_again(patch: pytest.MonkeyPatch) -> None:
    def claim(step: Any) -> Any:
        return [c for c in pending_commands.claim_due(step) if c.attempts == 1]

    patch.setattr(decide, "claim_due", claim)


def no_call_is_released(patch: pytest.MonkeyPatch) -> None:
    rules = tuple(rule for rule in decide.RULES if rule.__name__ != "release_calls")
    patch.setattr(decide, "RULES", rules)


def the_last_writer_wins(patch: pytest.MonkeyPatch) -> None:
    state_put = storing._state_put

    def unconditional(request: dict[str, Any]) -> dict[str, Any]:
        condition = ("ConditionExpression", "ExpressionAttributeValues")
        return {name: value for name, value in request.items() if name not in condition}

    patch.setattr(storing, "_state_put", lambda *args: unconditional(state_put(*args)))
    patch.setattr(storing, "step_puts", lambda *args: map(unconditional, step_puts(*args)))


def an_event_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    commit = ConversationStore.commit

    def forgetful(self: ConversationStore, before: Any, decision: Any, *more: Any) -> Any:
        if len(decision.events) > 2:
            decision = replace(decision, events=decision.events[:-1])
        return commit(self, before, decision, *more)

    patch.setattr(ConversationStore, "commit", forgetful)


def a_count_is_no_part_of_its_step(patch: pytest.MonkeyPatch) -> None:
    commit = ConversationStore.commit
    patch.setattr(storing, "count_updates", lambda *_: [])

    def counting(self: ConversationStore, before: Any, decision: Any, *more: Any) -> Any:
        without_faults = ConversationStore(self.table._client._table, self.table._name)
        for update in count_updates(before, decision.conversation):
            without_faults.table.write([update])
        return commit(self, before, decision, *more)

    patch.setattr(ConversationStore, "commit", counting)


PLANTED_BUGS: list[Any] = [
    pytest.param(
        *(a_new_id_each_time, "ai_assistant_join): dies after", "joined twice"),
        marks=pytest.mark.violates,
    ),
    (no_command_is_sent_again, "ai_assistant_join): dies before", "failed"),
    (no_call_is_released, "transact_write_items): dies after", "up too often"),
    (the_last_writer_wins, "transact_write_items): stalls", "never answered"),
    (a_count_is_no_part_of_its_step, "transact_write_items): dies before", "counted as open"),
    (an_event_is_forgotten, "telnyx dial): 500", "gap"),
]


@pytest.mark.parametrize(("plant", "where", "seen"), PLANTED_BUGS)
def test_a_planted_bug_is_detected(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    where: str,
    seen: str,
) -> None:
    chosen = [
        case
        for name in ("outbound with two guests", "host leaves first")
        for case in cases([story for story in STORIES if story.name == name])
        if str(case).endswith(where)
    ]
    plant(monkeypatch)
    findings = [finding for case in chosen[:6] for finding in _findings(judge(case))]
    assert any(seen in finding for finding in findings)


def _findings(verdict: Verdict) -> list[str]:
    return [*verdict.violations, *verdict.reported_failures]
