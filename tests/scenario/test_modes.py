"""The mode of the assistant by the API, through the real handlers and the simulated Telnyx."""

import json
from typing import Any

import pytest

from partyline.domain.rules.phrases import DEFAULTS
from tests.support.lab import Lab, NewLab
from tests.support.people import DANA

Json = dict[str, Any]


def mode_path(conversation_id: str) -> str:
    return f"/conversations/{conversation_id}/assistant"


def set_mode(lab: Lab, conversation_id: str, mode: str) -> Json:
    answer = lab.ask("POST", mode_path(conversation_id), {"mode": mode})
    assert answer.status == 202, answer.body
    shown: Json = json.loads(answer.body)
    return shown


def mode_of(lab: Lab, conversation_id: str) -> str:
    return str(lab.conversation(conversation_id)["mode"])


def mode_events(lab: Lab, conversation_id: str) -> list[Json]:
    events = lab.timeline(conversation_id)
    return [event["data"] for event in events if event["type"].startswith("assistant.")]


def test_the_assistant_is_silent_and_speaks_again(new_lab: NewLab) -> None:
    lab = new_lab([])
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(5)
    shown = set_mode(lab, conversation_id, "silent")
    assert shown == {"conversation_id": conversation_id, "mode": "silent", "wanted_mode": "silent"}
    assert lab.messages_to_assistant()[-1] == DEFAULTS["silent"]
    set_mode(lab, conversation_id, "speaking")
    assert lab.messages_to_assistant()[-1] == DEFAULTS["speaking"]
    assert mode_of(lab, conversation_id) == "speaking"
    assert [event["mode"] for event in mode_events(lab, conversation_id)] == ["silent", "speaking"]
    lab.assert_clean()


@pytest.mark.parametrize(
    "body", [{"mode": "asleep"}, {"mode": None}, {}, {"mode": "away", "to": 1}]
)
def test_an_unknown_mode_is_refused_with_the_name_of_the_field(new_lab: NewLab, body: Json) -> None:
    lab = new_lab([])
    conversation_id = lab.start()
    answer = lab.ask("POST", mode_path(conversation_id), body)
    assert answer.status == 422
    assert json.loads(answer.body)["error"]["details"][0]["field"] in ("mode", "to")


def test_a_mode_cannot_be_set_after_the_end(new_lab: NewLab) -> None:
    lab = new_lab([])
    conversation_id = lab.start()
    lab.stop(conversation_id, hang_up=True)
    lab.run(60)
    answer = lab.ask("POST", mode_path(conversation_id), {"mode": "silent"})
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "conversation_over")


def test_the_assistant_cannot_leave_a_person_alone(new_lab: NewLab) -> None:
    lab = new_lab([])
    conversation_id = lab.start()
    answer = lab.ask("POST", mode_path(conversation_id), {"mode": "away"})
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "too_few_people")
