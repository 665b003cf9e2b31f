"""The inputs of a conversation are kept with its events, and a replay decides the same again."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from local.replay import driver
from local.replay.export import ExportError, recorded_steps, with_stand_ins
from local.simulator import payloads
from local.simulator.model import Person
from local.stack.template import Template
from partyline.domain.model import steps as step_records
from tests.support.exports import exported, pages, replayed_difference
from tests.support.lab import Lab, NewLab
from tests.support.people import DANA, HOST, KIM, LEE

HEADERS = [{"name": "authorization", "value": "Bearer secret-of-a-tool"}]


def whole_call(lab: Lab) -> str:
    """A call with two guests, a message and insights."""
    conversation_id = lab.start(name="Robin", metadata={"customer": "Robin"})
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.invite(conversation_id, [LEE, KIM], name="dana", screening={"say": "Press 1, Dana."})
    lab.message(conversation_id, "The number of Robin is +1 312 444 7788.")
    lab.run(60)
    lab.hang_up(HOST)
    lab.run(300)
    return conversation_id


def answer_with_insight(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let the simulator's insights have this text."""
    real = payloads.insights

    def insights(leg: Any, group_id: str, results: list[dict[str, Any]]) -> Any:
        results[0]["result"] = text
        return real(leg, group_id, results)

    monkeypatch.setattr(payloads, "insights", insights)


def test_a_whole_call_is_decided_the_same_again(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy"), Person(KIM, digits="1")])
    conversation_id = whole_call(lab)
    steps = exported(lab, conversation_id)
    assert len(steps) > 15
    assert [step["version"] for step in steps] == list(range(1, len(steps) + 1))
    assert driver.replay(steps) is None
    text = json.dumps(steps, ensure_ascii=False)
    for private in ("Robin", "Dana", "dana", HOST, DANA, LEE, KIM):
        assert private not in text, private
    assert (
        re.search(r"\b7788\b", text) is None
    )  # a time or an id may have these digits among others


def test_the_pages_of_an_export_hold_every_step_once(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    conversation_id = whole_call(lab)
    whole = pages(lab, f"/conversations/{conversation_id}/export", "steps")
    monkeypatch.setattr("partyline.store.steps.MAX_PAGE_BYTES", 3000)
    assert len(lab.ask("GET", f"/conversations/{conversation_id}/export").json["steps"]) < 10
    assert pages(lab, f"/conversations/{conversation_id}/export", "steps") == whole


def test_an_unknown_conversation_and_a_foreign_cursor_are_refused(new_lab: NewLab) -> None:
    lab = new_lab()
    assert lab.ask("GET", "/conversations/unknown/export").status == 404
    conversation_id = lab.start()
    cursor = "bm9uc2Vuc2V8MQ=="
    answer = lab.ask("GET", f"/conversations/{conversation_id}/export?cursor={cursor}")
    assert answer.status == 422


def test_no_secret_of_a_tool_is_kept(new_lab: NewLab) -> None:
    lab = new_lab()
    tools = [
        {
            "type": "webhook",
            "webhook": {"name": "crm", "url": "https://crm.example/x", "headers": HEADERS},
        }
    ]
    conversation_id = lab.start(assistant={"id": "assistant-1", "tools": tools})
    kept = pages(lab, f"/conversations/{conversation_id}/export", "steps")
    assert "crm.example" in json.dumps(kept)
    assert "secret-of-a-tool" not in json.dumps(kept)


def test_without_keep_inputs_no_input_is_kept(
    new_lab: NewLab, deployed: Callable[..., Template]
) -> None:
    lab = new_lab(template=deployed(KeepInputs="off"))
    conversation_id = lab.start()
    assert pages(lab, f"/conversations/{conversation_id}/export", "steps") == []
    with pytest.raises(ExportError, match="KeepInputs was off"):
        recorded_steps([], lab.timeline(conversation_id))


def test_a_large_insight_is_kept_in_pieces(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    answer_with_insight(monkeypatch, "ä" * 170_000)
    conversation_id = whole_call(lab)
    assert "conversation.insights_generated" in lab.event_types(conversation_id)
    assert replayed_difference(lab, conversation_id) is None


def test_an_input_that_is_too_large_does_not_break_the_step(
    new_lab: NewLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    monkeypatch.setattr(step_records, "MAX_STEP_BYTES", 3000)
    answer_with_insight(monkeypatch, "a" * 5000)
    conversation_id = whole_call(lab)
    assert "conversation.insights_generated" in lab.event_types(conversation_id)
    kept = pages(lab, f"/conversations/{conversation_id}/export", "steps")
    steps, left_out = recorded_steps(kept, lab.timeline(conversation_id))
    assert f"step {len(steps) + 1} was too large to be kept" == left_out
    assert driver.replay(with_stand_ins(steps)) is None
