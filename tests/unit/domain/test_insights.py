"""Insights are kept by run and id, the newest result wins, and the search ends when all are in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID
from partyline.domain.model.inputs import ConversationEnded, InsightsGenerated
from partyline.domain.model.insight import Insight
from partyline.domain.model.results import InsightsFound, Succeeded
from partyline.domain.model.statuses import OnHangup
from tests.support.domain_story import (
    T0,
    TELNYX_ID,
    Story,
    active_story,
    call_ref,
    joined_story,
    success,
)

SECOND_ID = "telnyx-conversation-2"


def insights_come(
    story: Story,
    *results: tuple[str | None, Any],
    on: str = "host",
    run: str | None = None,
    at: int = 0,
) -> list[tuple[int, str, Any]]:
    """Insights come by webhook; returns run, id and result of those that are stored."""
    insights = tuple(
        Insight(insight_id=id_, result=result, telnyx_conversation_id=run)
        for id_, result in results
    )
    occurred_at = T0 + timedelta(seconds=at)
    webhook = InsightsGenerated(
        id="", call=call_ref(on), insights=insights, occurred_at=occurred_at
    )
    return stored(story, lambda: story.receive(webhook))


def insights_found(
    story: Story, *results: tuple[str, str, Any], complete: bool = True
) -> list[tuple[int, str, Any]]:
    """A fetch finds insights, each of a Telnyx conversation."""
    insights = tuple(
        Insight(telnyx_conversation_id=run, insight_id=id_, result=result)
        for run, id_, result in results
    )
    found = InsightsFound(insights=insights, complete=complete)
    story.transcript_found("Hello")
    return stored(story, lambda: story.result("fetch_insights", found))


def stored(story: Story, step: Any) -> list[tuple[int, str, Any]]:
    before = len(story.stored)
    step()
    return [(i.run, str(i.insight_id), i.result) for i in story.stored[before:]]


def restarted_story() -> Story:
    """The host has left, and the assistant runs again on Dana's call."""
    story = joined_story(host={"on_hangup": OnHangup.CONTINUE})
    story.hang_up("host")
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=SECOND_ID))
    return story


def test_both_runs_of_an_assistant_keep_their_result_of_an_insight() -> None:
    story = restarted_story()
    assert insights_come(story, ("summary", "first")) == [(0, "summary", "first")]
    story.receive(ConversationEnded(id="", call=call_ref("dana"), telnyx_conversation_id=SECOND_ID))
    assert insights_come(story, ("summary", "second"), on="dana") == [(1, "summary", "second")]
    assert list(story.state.insights) == ["0/summary", "1/summary"]


@pytest.mark.parametrize(("run", "number"), [(TELNYX_ID, 0), (SECOND_ID, 1), (None, 0)])
def test_a_named_run_counts_more_than_the_call_of_a_webhook(run: str | None, number: int) -> None:
    story = restarted_story()
    assert insights_come(story, ("summary", "x"), run=run) == [(number, "summary", "x")]


def test_a_fetch_stores_the_insights_of_each_run() -> None:
    story = restarted_story()
    story.hang_up("dana")
    assert story.advance(60) == ["fetch_insights", "fetch_transcript"]
    results = [(TELNYX_ID, "summary", "first"), (SECOND_ID, "summary", "second")]
    assert insights_found(story, *results) == [(0, "summary", "first"), (1, "summary", "second")]


def test_the_newest_result_of_an_insight_wins_in_any_order() -> None:
    for order in ([1, 2], [2, 1]):
        story = active_story()
        story.hang_up()
        for at in order:
            insights_come(story, ("summary", f"at {at}"), at=at)
        assert story.stored[-1].result == "at 2"


def test_a_result_that_is_stored_already_makes_no_event() -> None:
    """A webhook has an object where a fetch has its text (Telnyx API: conversations-insights)."""
    story = active_story()
    story.hang_up()
    insights_come(story, ("mood", {"mood": "good", "score": 1}), at=1)
    story.advance(60)
    assert insights_found(story, (TELNYX_ID, "mood", '{"score": 1, "mood": "good"}')) == []
    assert story.event_types.count("conversation.insights_generated") == 1


def test_a_lost_webhook_is_made_good_although_another_came() -> None:
    story = active_story()
    story.hang_up()
    insights_come(story, ("one", "1"))
    assert story.advance(60) == ["fetch_insights", "fetch_transcript"]
    results = [(TELNYX_ID, "one", "1"), (TELNYX_ID, "two", "2")]
    assert insights_found(story, *results) == [(0, "two", "2")]
    assert story.state.due_at is None


def test_insights_are_searched_until_telnyx_is_done() -> None:
    story = active_story()
    story.hang_up()
    story.advance(60)
    insights_found(story, (TELNYX_ID, "one", "1"), complete=False)
    assert story.advance(120) == ["fetch_insights"]
    assert insights_found(story, (TELNYX_ID, "two", "2")) == [(0, "two", "2")]
    assert story.state.due_at is None


def test_insights_without_ids_are_kept_once_each() -> None:
    story = active_story()
    story.hang_up()
    first = insights_come(story, (None, "one"), (None, "two"), (None, "one"))
    assert [result for _, _, result in first] == ["one", "two"]
    assert len({id_ for _, id_, _ in first}) == 2
    story.advance(60)
    nameless = Insight(insight_id=None, result="one", telnyx_conversation_id=TELNYX_ID)
    story.result("fetch_insights", InsightsFound(insights=(nameless,), complete=True))
    assert len(story.stored) == 2


@pytest.mark.parametrize("result", [10**400, {"a": [None, 1e300]}, "", "{", "[1", "\0"])
def test_any_result_is_kept(result: Any) -> None:
    story = active_story()
    story.hang_up()
    assert insights_come(story, ("any", result)) == [(0, "any", result)]


def test_an_insight_too_large_for_the_conversation_is_marked_as_cut_with_its_size() -> None:
    story = active_story()
    story.hang_up()
    insights_come(story, ("large", "x" * 1_999_998), ("small", "y"), ("larger", "z" * 2_000_000))
    large, small, larger = story.stored
    assert (len(large.result), large.cut_from_bytes) == (1_999_998, None)
    for cut, size in ((small, 3), (larger, 2_000_002)):
        assert cut.cut_from_bytes == size
        assert 0 < len(cut.result) <= 2_000


def test_insights_of_an_earlier_assistant_on_an_attached_call_are_left() -> None:
    story = Story()
    story.attach()
    story.result("start:host:1", success("start:host:1"))
    assert insights_come(story, ("summary", "of another")) == []
    assert insights_come(story, ("summary", "of another"), run="telnyx-conversation-0") == []
    assert insights_come(story, ("early", "ours"), run=TELNYX_ID) == [(0, "early", "ours")]
    story.stop()
    story.result("stop:host:1", success("stop:host:1"))
    assert insights_come(replace(story), ("summary", "ours")) == [(0, "summary", "ours")]


def test_the_insights_of_an_analysis_are_kept_by_run_with_those_of_webhooks() -> None:
    story = restarted_story()
    insights_come(story, ("summary", "first"), at=1)
    results = (("summary", "second"), (None, "nameless"))
    insights = tuple(
        Insight(insight_id=id_, result=result, telnyx_conversation_id=SECOND_ID)
        for id_, result in results
    )
    _, (run, id_, result) = stored(story, lambda: story.analyzed(SECOND_ID, insights=insights))
    assert (run, id_.partition("-")[0], result) == (1, "unnamed", "nameless")
    assert list(story.state.insights)[:2] == ["0/summary", "1/summary"]
    assert stored(story, lambda: story.analyzed(SECOND_ID, insights=insights)) == []


def test_the_insights_of_an_analysis_without_a_known_run_belong_to_the_run_of_the_call() -> None:
    story = restarted_story()
    story.state.previous_telnyx_ids[0] = UNKNOWN_CONVERSATION_ID
    insight = Insight(insight_id="summary", result="x", telnyx_conversation_id=TELNYX_ID)
    analyzed = stored(story, lambda: story.analyzed(TELNYX_ID, insights=(insight,)))
    assert analyzed == [(0, "summary", "x")]


def test_the_run_after_a_run_that_the_answer_started_is_the_second() -> None:
    story = Story()
    story.inbound_call(start="with_answer", on_hangup=OnHangup.CONTINUE)
    story.succeed("answer:host:1")
    story.answer()
    story.assistant_created()
    story.invite()
    story.succeed("dial:dana:1")
    story.answer("dana")
    story.succeed("join:dana:1")
    story.hang_up("host")
    story.assistant_ended()
    story.result("start:dana:1", Succeeded(telnyx_conversation_id=SECOND_ID))
    assert insights_come(story, ("summary", "first")) == [(0, "summary", "first")]
    assert insights_come(story, ("summary", "second"), on="dana") == [(1, "summary", "second")]


def test_a_start_that_telnyx_refuses_is_no_run() -> None:
    story = joined_story()
    story.set_mode("away")
    story.succeed("stop:host:1:1")
    story.refuse("bridge:host:1:1")
    story.refuse("start:host:1:2")
    story.result("start:dana:1:3", Succeeded(telnyx_conversation_id=SECOND_ID))
    story.stop()
    story.succeed("stop:dana:1")
    assert insights_come(story, ("summary", "first")) == [(0, "summary", "first")]
    assert insights_come(story, ("summary", "second"), on="dana") == [(1, "summary", "second")]
