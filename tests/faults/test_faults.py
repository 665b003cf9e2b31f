"""A fault at a point of a story: it ends as without, or says honestly what failed.

`make faults` tells every story with every fault at every point; here it is a sample of them, spread
over all stories, faults and points. And the judges are judged: with a bug planted, they see it.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from local.simulator.delivery import DeliverySettings
from partyline.domain import decide
from partyline.domain.rules import pending_commands
from partyline.services.command_executor import LegCommand
from partyline.store import ConversationStore, keys
from partyline.store import conversations as storing
from tests.faults.cases import Case, Verdict, cases, faultless, judged
from tests.faults.lost import Loss, losses, missed
from tests.faults.points import Point
from tests.faults.stories import STORIES
from tests.support.people import HOST

NAMES = [story.name for story in STORIES]

UNSURE = ("500 twice", "times out twice")
"""After these nobody knows what was done, and by the next sweep it is too late to do it again."""

COMMIT = Point("table", "transact_write_items")


def sample() -> dict[str, list[Case]]:
    """The bounded form, by story: each fault at each kind of point, each time in another story."""
    by_kind = defaultdict[tuple[str, ...], list[Case]](list)
    for case in cases():
        detail = (case.point.what,) if case.point.place in ("table", "telnyx") else ()
        by_kind[case.point.place, case.fault, *detail].append(case)
    found = defaultdict[str, list[Case]](list)
    for turn, kind in enumerate(sorted(by_kind)):
        some = by_kind[kind]
        case = some[turn * 37 % len(some)]
        found[case.story].append(case)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_without_a_fault_every_story_ends_well(name: str) -> None:
    right, points = faultless(name)
    assert right.status == "ended"
    assert right.failed == frozenset()
    assert len(points) > 40


@pytest.mark.parametrize("name", NAMES)
def test_with_a_fault_it_ends_as_without_or_says_what_failed(name: str) -> None:
    verdicts = [judged(case) for case in sample()[name]]
    assert [f"{each.case}: {each.wrong}" for each in verdicts if each.wrong] == []
    honest = [each for each in verdicts if each.honest and each.case.fault not in UNSURE]
    assert [f"{each.case}: {each.honest}" for each in honest] == []


@pytest.mark.parametrize("fault", ["dies before", "dies after", "times out", "stalls"])
def test_whoever_asks_again_gets_the_call_that_a_dead_process_owed(fault: str) -> None:
    chosen = [
        case
        for case in cases(STORIES[:1])
        if case.fault == fault and case.point in (Point("telnyx", "dial"), COMMIT)
    ]
    assert [f"{v.case}: {v.honest}" for v in map(judged, chosen[:6]) if v.wrong or v.honest] == []


def test_webhooks_that_never_come_are_made_good() -> None:
    known = list(losses())
    wrong = {str(loss): missed(loss) for loss in known[:: len(known) // 10]}
    assert {loss: found for loss, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    "lost", ["call.conversation.ended", "call.conversation_insights.generated", "call.hangup"]
)
def test_the_end_of_the_first_of_two_assistants_is_noticed_all_the_same(lost: str) -> None:
    assert missed(Loss("goes on without its host", (lost,))) == []


def test_a_shard_that_cannot_be_read_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = STORIES[0].new_lab()
    lab.telnyx.deliverer.knobs["*"] = DeliverySettings(drop=1.0)
    lab.begin(to=HOST)
    ours = keys.shard(lab.here)
    shards = [*(each for each in keys.shards() if each != ours), ours]
    monkeypatch.setattr(keys, "shards", lambda: shards)
    lab.io.strike(len(lab.io.points) + 1, "throttled")  # the first one after the sweep's own point
    lab.run(61)
    assert lab.io.struck == [(Point("table", "query"), "throttled")]
    assert lab.now_is() == "active"


# The judges, judged


def a_new_id_each_time(patch: pytest.MonkeyPatch) -> None:
    envelope = property(
        lambda self: {"command_id": str(uuid4()), "client_state": self.client_state}
    )
    patch.setattr(LegCommand, "envelope", envelope)


def what_was_begun_is_never_taken_up_again(patch: pytest.MonkeyPatch) -> None:
    def claim(step: Any) -> Any:
        return [each for each in pending_commands.claim_due(step) if each.attempts == 1]

    patch.setattr(decide, "claim_due", claim)


def nobody_is_let_go(patch: pytest.MonkeyPatch) -> None:
    rules = tuple(rule for rule in decide.RULES if rule.__name__ != "release_calls")
    patch.setattr(decide, "RULES", rules)


def whoever_writes_last_wins(patch: pytest.MonkeyPatch) -> None:
    put = storing._state_put

    def unconditional(*arguments: Any) -> Any:
        found = put(*arguments)
        for name in ("ConditionExpression", "ExpressionAttributeValues"):
            found.pop(name, None)
        return found

    patch.setattr(storing, "_state_put", unconditional)


def an_event_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    commit = ConversationStore.commit

    def forgetful(self: ConversationStore, before: Any, decision: Any, *more: Any) -> Any:
        if len(decision.events) > 2:
            decision = replace(decision, events=decision.events[:-1])
        return commit(self, before, decision, *more)

    patch.setattr(ConversationStore, "commit", forgetful)


PLANTED: list[tuple[Callable[[pytest.MonkeyPatch], None], str, str]] = [
    (a_new_id_each_time, "ai_assistant_join): dies after", "joined twice"),
    (what_was_begun_is_never_taken_up_again, "ai_assistant_join): dies before", "failed"),
    (nobody_is_let_go, "transact_write_items): dies after", "due all the same"),
    (whoever_writes_last_wins, "transact_write_items): stalls", "never answered"),
    (an_event_is_forgotten, "telnyx dial): 500", "gap"),
]


@pytest.mark.parametrize(("plant", "where", "seen"), PLANTED)
def test_a_planted_bug_is_seen(
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
    found = [wrong for case in chosen[:6] for wrong in _seen(judged(case))]
    assert any(seen in wrong for wrong in found)


def _seen(verdict: Verdict) -> list[str]:
    return [*verdict.wrong, *verdict.honest]
