"""Lists and timelines come in pages that fit into an answer of Lambda."""

from functools import partial

import pytest

from local.simulator.model import Person
from tests.support.lab import NewLab
from tests.support.people import DANA, HOST, KIM, LEE

LAMBDA_ANSWER_BYTES = 6_000_000
"""The most that Lambda answers (AWS Lambda quotas)."""


def test_a_list_of_conversations_with_large_assistants_fits_into_an_answer(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    lab.app.settings = lab.app.settings.model_copy(update={"max_dials_per_minute": 100})
    large = {"tools": [{"type": "hangup", "hangup": {"description": "x" * 97_000}}]}
    started = [lab.start(assistant=large) for _ in range(50)]
    listed: list[str] = []
    query = "?limit=50"
    while query:
        answer = lab.ask("GET", f"/conversations{query}")
        assert len(answer.body) < LAMBDA_ANSWER_BYTES
        for conversation in answer.json["conversations"]:
            assert conversation["assistant"] == {"id": "assistant-default"}
        listed += [conversation["id"] for conversation in answer.json["conversations"]]
        cursor = answer.json["next_cursor"]
        query = f"?limit=50&cursor={cursor}" if cursor else ""
    assert sorted(listed) == sorted(started)
    shown = lab.ask("GET", f"/conversations/{started[0]}").json
    assert shown["assistant"]["tools"] == large["tools"]


def test_the_pages_of_a_timeline_hold_every_event_once(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    whole = lab.timeline(conversation_id)
    timeline = lab.app.store.timeline
    monkeypatch.setattr(lab.app.store, "timeline", partial(timeline, limit=3))
    events, query = [], ""
    while True:
        page = lab.ask("GET", f"/conversations/{conversation_id}/timeline{query}").json
        assert len(page["events"]) <= 3
        events += page["events"]
        if page["next_cursor"] is None:
            break
        query = f"?cursor={page['next_cursor']}"
    assert events == whole
    assert len(whole) > 3


def test_a_timeline_refuses_the_cursor_of_another_list(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    answer = lab.ask("GET", f"/conversations/{conversation_id}/timeline?cursor=nonsense")
    assert (answer.status, answer.json["error"]["code"]) == (422, "invalid_request")
    assert answer.json["error"]["details"][0]["field"] == "cursor"


def test_a_participant_shows_the_newest_call_and_its_number(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy"), Person(KIM, behaviour="manual")])
    conversation_id = lab.start()
    lab.run(5)
    assert lab.person(conversation_id, "host")["attempt"] == {
        "status": "answered",
        "number": 1,
        "of": 1,
    }
    lab.invite(conversation_id, [LEE, KIM, DANA], name="Kim")
    lab.run(5)
    kim = lab.person(conversation_id, "Kim")
    assert kim["status"] == "dialing"
    assert kim["attempt"] == {"status": "ringing", "number": 2, "of": 3}
    leg = lab.telnyx.outside_call(DANA, HOST)
    guest = lab.ask(
        "POST",
        f"/conversations/{conversation_id}/participants",
        {"call_control_id": leg.call_control_id},
    )
    assert guest.json["attempt"] is None, "no number is tried for a live call"
