"""What was said is read from the API: live where asked for, and after the end in any case."""

import re
from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, OUR_NUMBER

SCRIPT = (("hours", "We are open from nine to five."),)
SAID = [
    ("assistant", "Hello, how can I help?"),
    ("user", "What are your hours?"),
    ("assistant", "We are open from nine to five."),
]
ENDED = "call.conversation.ended"
INSIGHTS = "call.conversation_insights.generated"


def settings(**more: Any) -> Settings:
    return Settings(accepts_conversation_keys=True, script=SCRIPT, **more)


def talk(lab: Lab, number: str = CALLER) -> None:
    """The person asks, and the assistant answers."""
    lab.telnyx.say(lab.leg(number).call_control_id, "What are your hours?")
    lab.run(3)


def called(lab: Lab, *, live: bool = False) -> str:
    """A caller talks to the assistant. Returns the conversation's id."""
    lab.route(OUR_NUMBER, live_transcript=live)
    conversation_id = lab.inbound()
    talk(lab)
    return conversation_id


def transcript(lab: Lab, conversation_id: str, query: str = "") -> dict[str, Any]:
    answer = lab.ask("GET", f"/conversations/{conversation_id}/transcript{query}")
    assert answer.status == 200, answer.json
    return answer.json


def said(lab: Lab, conversation_id: str) -> list[tuple[str, str]]:
    messages = transcript(lab, conversation_id)["messages"]
    return [(message["role"], message["text"]) for message in messages]


def ready(lab: Lab, conversation_id: str) -> list[dict[str, Any]]:
    events = lab.timeline(conversation_id)
    return [event["data"] for event in events if event["type"] == "transcript.ready"]


def test_the_end_brings_what_was_said(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings())
    conversation_id = called(lab)
    before = transcript(lab, conversation_id)
    assert before == {"messages": [], "final": False, "complete": False, "next_cursor": None}

    lab.hang_up(CALLER)
    lab.run(5)

    after = transcript(lab, conversation_id)
    assert (after["final"], after["complete"]) == (True, True)
    assert said(lab, conversation_id) == SAID
    places = [(message["run"], message["position"]) for message in after["messages"]]
    assert places == [(0, 0), (0, 1), (0, 2)]
    assert all(message["at"] for message in after["messages"])
    assert ready(lab, conversation_id) == [{"count": 3, "runs": 1, "complete": True}]
    assert "transcript.updated" not in lab.event_types(conversation_id)
    lab.run(minutes(10))
    reads = [entry.path for entry in lab.telnyx.ledger if entry.path.endswith("/messages")]
    assert not reads, "the end has brought all messages"
    lab.assert_clean()


def test_a_live_transcript_has_each_message_while_the_assistant_runs(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings())
    conversation_id = called(lab, live=True)
    assert said(lab, conversation_id) == SAID
    updates = [
        e["data"] for e in lab.timeline(conversation_id) if e["type"] == "transcript.updated"
    ]
    texts = [(update["first"], [m["text"] for m in update["messages"]]) for update in updates]
    assert texts == [(nth, [text]) for nth, (_, text) in enumerate(SAID)]
    lab.hang_up(CALLER)
    lab.run(5)
    assert said(lab, conversation_id) == SAID
    lab.assert_clean()


def test_an_interrupted_sentence_is_stored_as_far_as_it_was_heard(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings())
    conversation_id = called(lab, live=True)
    lab.telnyx.say(lab.leg(CALLER).call_control_id, "Thanks", interrupts=True)
    lab.run(2)
    heard = [*SAID[:2], ("assistant", "We are open fro"), ("user", "Thanks")]
    assert said(lab, conversation_id) == heard


def test_an_outbound_start_may_ask_for_a_live_transcript(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings())
    conversation_id = lab.start(live_transcript=True)
    lab.run(5)
    talk(lab, HOST)
    assert said(lab, conversation_id) == SAID


@pytest.mark.parametrize("rows", ["new", "all"])
def test_added_messages_make_a_live_transcript_where_the_history_does_not_come(
    new_lab: NewLab, rows: Any
) -> None:
    lab = new_lab(settings=settings(sends_messages_added=True, messages_added_rows=rows))
    history = "call.ai_gather.message_history_updated"
    lab.telnyx.deliverer.settings[history] = DeliverySettings(drop=1.0)
    assert said(lab, called(lab, live=True)) == SAID


@pytest.mark.parametrize("fault", ["lost", "cut", "without messages"])
def test_messages_that_the_end_does_not_bring_are_fetched(new_lab: NewLab, fault: str) -> None:
    forms = {"cut": "of_people", "without messages": "none"}
    lab = new_lab(settings=settings(ended_messages=forms.get(fault, "all")))
    if fault == "lost":
        lab.telnyx.deliverer.settings[ENDED] = DeliverySettings(drop=1.0)
    conversation_id = called(lab)
    lab.hang_up(CALLER)
    lab.run(minutes(3))
    assert said(lab, conversation_id) == SAID
    assert ready(lab, conversation_id) == [{"count": 3, "runs": 1, "complete": True}]


def test_messages_and_insights_that_are_fetched_are_stored_in_a_step_each(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may fill a transaction."""
    lab = new_lab(settings=settings())
    for lost in (ENDED, INSIGHTS):
        lab.telnyx.deliverer.settings[lost] = DeliverySettings(drop=1.0)
    stored, commit = list[tuple[int, int]](), lab.app.store.commit

    def noted(before: Any, decision: Any, *more: Any) -> Any:
        stored.append((len(decision.insights), len(decision.messages)))
        return commit(before, decision, *more)

    monkeypatch.setattr(lab.app.store, "commit", noted)
    conversation_id = called(lab)
    lab.hang_up(CALLER)
    lab.run(minutes(3))
    assert said(lab, conversation_id) == SAID
    fetched = [counts for counts in stored if any(counts)]
    assert sorted(bool(insights) for insights, _ in fetched) == [False, True]
    assert sorted(bool(messages) for _, messages in fetched) == [False, True]


@pytest.mark.parametrize(("form", "count"), [("null", 3), ("mark", 3), ("left_out", 0)])
def test_a_transcript_that_telnyx_redacts_is_not_complete(
    new_lab: NewLab, form: Any, count: int
) -> None:
    lab = new_lab(settings=settings(retains_data=False, redaction=form))
    conversation_id = called(lab)
    lab.hang_up(CALLER)
    lab.run(minutes(10))
    shown = transcript(lab, conversation_id)
    assert [message["text"] for message in shown["messages"]] == [None] * count
    assert (shown["final"], shown["complete"]) == (True, False)
    [event] = ready(lab, conversation_id)
    assert event["complete"] is False


def test_each_run_of_the_assistant_has_its_messages(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings())
    guests = [{"to": DANA, "name": "Dana"}]
    conversation_id = lab.start(participants=guests, on_host_hangup="continue_conversation")
    lab.run(5)
    talk(lab, HOST)
    lab.hang_up(HOST)
    lab.run(60)
    talk(lab, DANA)
    lab.hang_up(DANA)
    lab.run(minutes(3))
    messages = transcript(lab, conversation_id)["messages"]
    runs = [[m["text"] for m in messages if m["run"] == run] for run in (0, 1)]
    assert runs == [[text for _, text in SAID]] * 2
    assert ready(lab, conversation_id) == [{"count": 6, "runs": 2, "complete": True}]
    text = text_of(lab, conversation_id)
    assert text.count("\n\n") == 1, "an empty line between two runs"
    assert " Person: What are your hours?" in text


def text_of(
    lab: Lab, conversation_id: str, query: str = "?format=text", accept: str | None = None
) -> str:
    path = f"/conversations/{conversation_id}/transcript{query}"
    answer = lab.ask_raw("GET", path, accept=accept)
    assert answer.status == 200
    assert dict(answer.headers)["content-type"] == "text/plain; charset=utf-8"
    return answer.body.decode()


def test_the_transcript_is_read_as_text(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings())
    conversation_id = called(lab)
    lab.hang_up(CALLER)
    lab.run(5)
    text = text_of(lab, conversation_id)
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in text.splitlines()]
    assert lines == [
        "Assistant: Hello, how can I help?",
        "Caller: What are your hours?",
        "Assistant: We are open from nine to five.",
    ]
    assert text_of(lab, conversation_id, "", accept="text/plain") == text
    assert transcript(lab, conversation_id, "?format=json")["messages"]


def test_pages_of_a_transcript_follow_each_other(new_lab: NewLab) -> None:
    lab = new_lab(settings=settings())
    conversation_id = called(lab, live=True)
    first = transcript(lab, conversation_id, "?limit=2")
    second = transcript(lab, conversation_id, f"?limit=2&cursor={first['next_cursor']}")
    texts = [message["text"] for page in (first, second) for message in page["messages"]]
    assert texts == [text for _, text in SAID]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("cursor=x", "cursor"),
        ("format=xml", "format"),
        ("page=2", "page"),
    ],
)
def test_a_wrong_parameter_is_named(new_lab: NewLab, query: str, field: str) -> None:
    lab = new_lab(settings=settings())
    conversation_id = called(lab)
    answer = lab.ask("GET", f"/conversations/{conversation_id}/transcript?{query}")
    assert (answer.status, answer.json["error"]["details"][0]["field"]) == (422, field)


def test_the_transcript_of_an_unknown_conversation_is_not_found(new_lab: NewLab) -> None:
    answer = new_lab().ask("GET", "/conversations/0/transcript")
    assert (answer.status, answer.json["error"]["code"]) == (404, "unknown_conversation")


def test_a_live_transcript_that_is_no_flag_is_refused(new_lab: NewLab) -> None:
    answer = new_lab().ask("POST", "/conversations", {"to": HOST, "live_transcript": "yes"})
    assert answer.status == 422
    assert answer.json["error"]["details"][0]["field"] == "live_transcript"
