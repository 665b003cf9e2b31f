"""The report on a conversation: what the report says, when the report comes, and that it is one."""

from typing import Any

import pytest

from local.simulator.model import Person
from partyline.domain.rules import report as rules
from partyline.store import keys
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, LEE, OUR_NUMBER

Json = dict[str, Any]


def report_of(lab: Lab, conversation_id: str) -> Json:
    answer = lab.ask("GET", f"/conversations/{conversation_id}/report")
    assert answer.status == 200, answer.json
    report: Json = answer.json["report"]
    return report


def reports_of(lab: Lab, conversation_id: str) -> list[Json]:
    """The report events in the timeline."""
    events = lab.ask("GET", f"/conversations/{conversation_id}/timeline").json["events"]
    return [event for event in events if event["type"] == "conversation.report"]


def talked(lab: Lab, **more: Any) -> str:
    """A conversation of two people that is over, and that all has come of."""
    conversation_id = lab.start(name="Robin", metadata={"deal": "17"}, **more)
    lab.run(5)
    lab.invite(conversation_id, [DANA, LEE], name="Lee")
    lab.run(30)
    lab.message(conversation_id, "Be brief.")
    lab.run(30)
    lab.hang_up(HOST)
    lab.run(minutes(3))
    return conversation_id


def test_a_report_says_what_happened_and_what_it_cost(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA, behaviour="busy")])
    conversation_id = talked(lab)
    report = report_of(lab, conversation_id)
    assert report["shape_version"] == 1
    assert (report["direction"], report["assistant_id"]) == ("outbound", "assistant-default")
    assert (report["reason"], report["metadata"]) == ("host_left", {"deal": "17"})
    robin, lee = report["people"]
    assert (robin["name"], robin["host"], robin["status"]) == ("Robin", True, "left")
    assert [leg["outcome"] for leg in lee["legs"]] == ["busy", "human"]
    assert [leg["to"] for leg in lee["legs"]] == ["***0112", "***0113"]
    busy, answered = lee["legs"]
    assert (busy["hangup_cause"], busy["seconds"], busy["cost"]) == ("user_busy", None, None)
    assert answered["seconds"] > 50
    assert answered["cost"] == {"total": "0.0070", "currency": "USD"}
    assert answered["mos"] == 4.5
    # The analysis counts the calls too: 0.0030 of 0.0630.
    assert report["costs"] == {"USD": {"total": "0.0810", "assistant": "0.0600", "calls": "0.0210"}}
    assert report["messages_sent"] >= 2
    assert [insight["result"] for insight in report["insights"]]
    times = report["times"]
    assert times["asked"] < times["answered"] <= times["first_word"] < times["ended"]
    assert report["duration_secs"] > 60


def test_a_report_that_has_expired_is_not_one_that_still_comes(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = talked(lab)
    [event] = reports_of(lab, conversation_id)
    lab.app.store.table.delete([keys.event(conversation_id, event["seq"])])
    answer = lab.ask("GET", f"/conversations/{conversation_id}/report")
    assert (answer.status, answer.json["error"]["code"]) == (404, "report_expired")


def test_a_report_lists_the_newest_calls_and_counts_the_others(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_LEGS", 2)
    lab = new_lab([Person(DANA, behaviour="busy")])
    report = report_of(lab, talked(lab))
    robin, lee = report["people"]
    assert robin["legs"] == []
    assert [leg["outcome"] for leg in lee["legs"]] == ["busy", "human"]
    assert report["rest"]["legs"] == 1
    assert report["rest"]["seconds"] > 60
    assert report["costs"]["USD"]["calls"] == "0.0210", "the costs are those of all calls"


def test_a_report_names_the_insights_that_are_too_large_together(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    stored = lab.app.store.load(talked(lab))
    assert stored is not None
    size = sum(insight.size for insight in stored.insights.values())
    reports = list[Json]()
    for most in (size, size - 1):
        monkeypatch.setattr(rules, "MAX_REPORTED_INSIGHTS_BYTES", most)
        lab = new_lab()
        reports.append(report_of(lab, talked(lab)))
    fits, cut = reports
    assert (fits["insights_cut"], cut["insights_cut"]) == (False, True)
    assert all(insight["result"] for insight in fits["insights"])
    ids = [(insight["run"], insight["insight_id"]) for insight in fits["insights"]]
    assert [(insight["run"], insight["insight_id"]) for insight in cut["insights"]] == ids
    assert not any(insight.get("result") for insight in cut["insights"])


def test_a_report_is_an_event_and_there_is_one(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = talked(lab)
    [event] = reports_of(lab, conversation_id)
    answer = lab.ask("GET", f"/conversations/{conversation_id}/report").json
    assert (answer["conversation_id"], answer["seq"]) == (conversation_id, event["seq"])
    lab.run(minutes(20))
    assert reports_of(lab, conversation_id) == [event]


def test_before_its_time_a_report_is_not_ready(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(10)
    for _ in range(2):
        answer = lab.ask("GET", f"/conversations/{conversation_id}/report")
        assert (answer.status, answer.json["error"]["code"]) == (404, "report_not_ready")
        lab.stop(conversation_id, hang_up=True)


def test_an_unknown_conversation_has_no_report(new_lab: NewLab) -> None:
    answer = new_lab().ask("GET", "/conversations/00000000-0000-4000-8000-000000000000/report")
    assert (answer.status, answer.json["error"]["code"]) == (404, "unknown_conversation")


def test_a_host_who_was_not_reached_has_a_report_at_once(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, behaviour="busy")])
    conversation_id = lab.start()
    lab.run(5)
    report = report_of(lab, conversation_id)
    assert report["failure"]["code"] == "busy"
    assert report["people"][0]["outcome"] == "busy"
    assert "answered" not in report["times"] or report["times"]["answered"] is None
    assert (report["costs"], report["insights"]) == ({}, [])


def test_the_report_waits_for_insights_seven_minutes_at_most(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.settings.insights_after_secs = None
    conversation_id = lab.start()
    lab.run(30)
    lab.stop(conversation_id, hang_up=True)
    lab.run(minutes(6))
    assert reports_of(lab, conversation_id) == []
    lab.run(minutes(2.2))
    assert len(reports_of(lab, conversation_id)) == 1


@pytest.mark.parametrize("after_secs", [4.0, None])
def test_the_report_waits_for_prices_half_a_minute_at_most(
    new_lab: NewLab, after_secs: float | None
) -> None:
    lab = new_lab()
    lab.settings.call_cost_after_secs = after_secs
    conversation_id = lab.start()
    lab.run(30)
    lab.stop(conversation_id, hang_up=True)
    lab.run(95)
    [leg] = report_of(lab, conversation_id)["people"][0]["legs"]
    assert (leg["cost"] is None) == (after_secs is None)


def test_a_price_after_the_report_is_shown_with_the_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.settings.call_cost_after_secs = minutes(10)
    conversation_id = lab.start()
    lab.run(30)
    lab.stop(conversation_id, hang_up=True)
    lab.run(minutes(12))
    assert report_of(lab, conversation_id)["people"][0]["legs"][0]["cost"] is None
    shown = lab.conversation(conversation_id)
    assert shown["participants"][0]["legs"][0]["cost"]["total"] == "0.0070"
    assert shown["costs"]["USD"]["calls"] == "0.0070"
    assert len(reports_of(lab, conversation_id)) == 1


def test_an_inbound_call_has_a_report(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.inbound()
    lab.run(30)
    lab.hang_up(CALLER)
    lab.run(minutes(3))
    report = report_of(lab, conversation_id)
    assert (report["direction"], report["route"]) == ("inbound", f"***{OUR_NUMBER[-4:]}")
