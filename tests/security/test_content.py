"""What people say is masked before it is stored: 2,000 planted values are found nowhere."""

import json
from collections.abc import Sequence

import pytest

from partyline.domain.content_mask import ContentMask
from partyline.domain.model.inputs import (
    CallRef,
    CommandResult,
    ConversationStartFailed,
    Input,
)
from partyline.domain.model.results import Refused, TranscriptFound
from partyline.domain.model.transcript import RunMessages, TranscriptMessage
from partyline.services.content import Content
from tests.support.lab import Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, OUR_NUMBER
from tests.support.planted import Planted, left_in
from tests.support.planted_content import VALUES, deliver, insights, messages, texts_in


def assert_stored_nowhere(lab: Lab, values: Sequence[Planted]) -> None:
    """Check the table, the events for the bus, the API's answers and the logs."""
    ids = [conversation["id"] for conversation in lab.conversations()]
    places = {
        "table": list(lab.table.items()),
        "bus": lab.table.events(),
        "API": [lab.conversation(id_) for id_ in ids] + [lab.timeline(id_) for id_ in ids],
        "transcript": [lab.ask("GET", f"/conversations/{id_}/transcript").json for id_ in ids],
        "log": lab.logs.lines(),
    }
    for place, content in places.items():
        assert left_in(texts_in(content), values) == [], place


SAID = "Call 3125550187 or ada@example.com."
SPOKEN = RunMessages(
    telnyx_conversation_id="t-1", messages=(TranscriptMessage(role="user", text=SAID),)
)


@pytest.mark.parametrize(
    "came",
    [
        CommandResult(id="", key="dial:host:1", result=Refused(code="10016", message=SAID)),
        CommandResult(
            id="",
            key="fetch_transcript",
            result=TranscriptFound(runs=(SPOKEN,), telnyx_conversation_id="t-1"),
        ),
        ConversationStartFailed(id="", call=CallRef(), reason=SAID),
    ],
)
def test_a_refusal_a_fetched_transcript_and_a_failed_start_are_masked(came: Input) -> None:
    stored = str(Content(ContentMask).input(came))
    assert "Call ***0187 or ***@***." in stored
    assert SAID not in stored


def test_no_planted_value_of_insights_reasons_and_tools_is_stored(new_lab: NewLab) -> None:
    lab = new_lab()
    webhook, analysis, fetched = VALUES()[:600], VALUES()[600:1200], VALUES()[1200:1800]
    reason, briefs = VALUES()[1800:1801], VALUES()[1801:1809]
    lab.settings.insights_after_secs = 30.0
    lab.settings.insight_results = [item["result"] for item in insights(fetched, "")]
    lab.start()
    lab.run(5)
    deliver(lab, "call.conversation_insights.generated", HOST, results=insights(webhook, "w"))
    groups = [{"conversation_insights": insights(analysis, "a")}]
    deliver(lab, "call.analyzed", HOST, conversation_insights=groups)
    deliver(lab, "call.conversation.ended", HOST, reason=reason[0].text)
    lab.run(60)
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}})
    for value in briefs:
        lab.inbound()
        lab.run(2)
        lab.use_tool("invite", name="Dana", brief=f"The caller says {value.text}.")
        lab.hang_up(CALLER)
        lab.run(2)
    names = [row["sk"]["S"] for row in lab.table.items() if row["sk"]["S"].startswith("INSIGHT#")]
    assert {"w-0", "a-0"} <= {name.split("#")[2] for name in names}, "the insights are stored"
    assert len(names) > 90, "the fetched insights are stored, too"
    assert_stored_nowhere(lab, [*webhook, *analysis, *fetched, *reason, *briefs])


def test_no_planted_value_of_a_transcript_is_stored(new_lab: NewLab) -> None:
    lab = new_lab()
    live, ended = VALUES()[:1000], VALUES()[1000:]
    conversation_id = lab.start(live_transcript=True)
    lab.run(5)
    turn = "call.conversation.message_history_updated"
    deliver(lab, turn, HOST, message_history=messages(live))
    assert "transcript.updated" in lab.event_types(conversation_id)
    deliver(lab, "call.conversation.ended", HOST, messages=messages(ended))
    lab.run(60)
    assert [row for row in lab.table.items() if row["sk"]["S"].startswith("TRANSCRIPT#")]
    assert_stored_nowhere(lab, VALUES())


def test_a_message_reaches_the_assistant_whole_and_the_events_masked(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    values = VALUES()[1900:]
    for value in values:
        lab.message(conversation_id, f"The caller is {value.text}.")
        lab.run(2)
    told = " ".join(lab.messages_to_assistant())
    assert [value for value in values if value.text not in told] == []
    rows = [row for row in lab.table.items() if row["sk"]["S"].startswith("EVENT#")]
    assert len(rows) > len(values)
    assert left_in(json.dumps([row["event"] for row in rows]), values) == []


@pytest.mark.parametrize("switch", ["on", "off"])
def test_the_parameter_switches_the_mask(new_lab: NewLab, switch: str) -> None:
    lab = new_lab(MaskContent=switch)
    conversation_id = lab.start()
    lab.run(5)
    results = [{"insight_id": "i-1", "result": "Mail ada@example.com."}]
    deliver(lab, "call.conversation_insights.generated", HOST, results=results)
    [insight] = lab.conversation(conversation_id)["insights"]
    masked = ContentMask().text("Mail ada@example.com.")
    assert insight["result"] == (masked if switch == "on" else "Mail ada@example.com.")


def test_the_operators_patterns_are_masked(new_lab: NewLab) -> None:
    lab = new_lab(MaskPatterns=r"\bKD-\d{6}\b Scully")
    conversation_id = lab.start()
    lab.run(5)
    results = [{"insight_id": "i-1", "result": "KD-123456 is Dana Scully's"}]
    deliver(lab, "call.conversation_insights.generated", HOST, results=results)
    [insight] = lab.conversation(conversation_id)["insights"]
    assert insight["result"] == "*** is Dana ***'s"


def test_a_wrong_pattern_masks_all_content_and_ends_no_call(new_lab: NewLab) -> None:
    lab = new_lab(MaskPatterns="Fine (")
    conversation_id = lab.start()
    lab.run(5)
    results = [{"insight_id": "i-1", "result": {"mood": "Fine."}}]
    deliver(lab, "call.conversation_insights.generated", HOST, results=results)
    [insight] = lab.conversation(conversation_id)["insights"]
    assert insight["result"] == "***"
    assert lab.status(conversation_id) == "active"
    [line] = [line for line in lab.logs.lines() if line["message"] == "all content is masked"]
    assert line["reason"] == "MaskPatterns: no pattern of RE2: '('"
