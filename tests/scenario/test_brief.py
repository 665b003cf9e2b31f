"""A brief: a called person hears why, before being joined. The caller never hears the brief."""

import json

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Answer, Lab, NewLab
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER

BRIEF = "An invoice of May that was paid twice."
CONTACTS = {"Dana": {"to": DANA}, "Lee": {"to": LEE, "screening": {"say": "Press 1 to join."}}}


def heard(lab: Lab, number: str) -> list[str]:
    """The sentences that a person heard a voice say."""
    notices = lab.heard_by(number)
    return [notice.removeprefix("voice: ") for notice in notices if notice.startswith("voice: ")]


def field_of(answer: Answer) -> str:
    """The field that a refused request has to correct."""
    (detail,) = answer.json["error"]["details"]
    return str(detail["field"])


def assert_kept_from_caller(lab: Lab, conversation_id: str, caller: str) -> None:
    """Neither the caller, the assistant, the events nor the API have a word of the brief."""
    told = [*heard(lab, caller), *lab.messages_to_assistant()]
    assert not [text for text in told if "invoice" in text]
    conversation = lab.telnyx.world.conversations.values()
    assert not [m for c in conversation for m in c.messages if "invoice" in m.content]
    for path in (f"/conversations/{conversation_id}", f"/conversations/{conversation_id}/events"):
        assert "invoice" not in json.dumps(lab.ask("GET", path).json)


def test_a_brief_without_a_screening_is_spoken_before_the_join_and_asks_for_1(
    new_lab: NewLab,
) -> None:
    lab = new_lab([Person(DANA, digits="1", digits_after_secs=3)])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", brief=BRIEF)
    lab.run(2)
    assert lab.people_joined() == []
    assert heard(lab, DANA) == [
        f"You have a call from a number ending in 0 1 1 1. It is about: “{BRIEF}”. "
        "Press 1 to take the call."
    ]
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    assert_kept_from_caller(lab, conversation_id, HOST)
    lab.assert_clean()


def test_a_person_who_hears_a_brief_and_presses_another_key_twice_is_not_joined(
    new_lab: NewLab,
) -> None:
    lab = new_lab([Person(DANA, digits="2")])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", brief=BRIEF)
    lab.run(30)
    assert lab.outcomes(conversation_id, "Dana") == ["declined"]
    assert_kept_from_caller(lab, conversation_id, HOST)


def test_a_screening_holds_the_caller_the_brief_and_the_metadata_of_the_conversation(
    new_lab: NewLab,
) -> None:
    lab = new_lab([Person(DANA, digits="7")])
    conversation_id = lab.start(name="Robin", metadata={"order": 42, "note": "{brief}"})
    lab.run(5)
    say = "{caller} calls about order {metadata.order}{metadata.none}: {brief} Press 7."
    screening = {"say": f"{say} {{metadata.note}}", "accept_digit": "7"}
    lab.invite(conversation_id, DANA, name="Dana", brief=BRIEF, screening=screening)
    lab.run(5)
    assert heard(lab, DANA)[0] == f"Robin calls about order 42: “{BRIEF}” Press 7. brief"
    assert lab.people_joined() == ["Dana"]


def test_the_assistant_gives_a_brief_in_its_own_words(new_lab: NewLab) -> None:
    people = [Person(DANA, digits="1"), Person(LEE, digits="1")]
    lab = new_lab(people, Settings(accepts_conversation_keys=True))
    lab.route(OUR_NUMBER, CONTACTS)
    conversation_id = lab.inbound()
    words = "An\ninvoice\u202e {{#integration_secret}}of “May”. " + "x" * 600
    assert lab.use_tool("invite", name="Dana", brief=words) == "Calling “Dana” now."
    lab.use_tool("invite", name="Lee", brief=BRIEF)
    lab.run(20)
    (to_dana,), (to_lee,) = heard(lab, DANA), heard(lab, LEE)
    assert "a number ending in 0 1 2 0" in to_dana
    assert "“An invoice #integration_secret of 'May'. xxx" in to_dana
    assert "\u202e" not in to_dana
    assert 500 < len(to_dana) < 600
    assert to_lee == f"“{BRIEF}” Press 1 to join."
    assert sorted(lab.people_joined()) == ["Dana", "Lee"]
    assert_kept_from_caller(lab, conversation_id, CALLER)


@pytest.mark.parametrize("brief", [None, "", 5, ["x"], "\n"])
def test_without_a_usable_brief_the_tool_calls_as_ever(new_lab: NewLab, brief: object) -> None:
    lab = new_lab([Person(DANA)], Settings(accepts_conversation_keys=True))
    lab.route(OUR_NUMBER, CONTACTS)
    lab.inbound()
    lab.use_tool("invite", name="Dana", brief=brief)
    lab.run(10)
    assert lab.people_joined() == ["Dana"]
    assert heard(lab, DANA) == []


@pytest.mark.parametrize("brief", ["", " ", "two\nlines", "a\u202ename", "x" * 501])
def test_a_brief_with_control_characters_or_of_no_length_is_refused(
    new_lab: NewLab, brief: str
) -> None:
    lab = new_lab([])
    conversation_id = lab.start()
    path = f"/conversations/{conversation_id}/participants"
    answer = lab.ask("POST", path, {"to": KIM, "brief": brief})
    assert (answer.status, field_of(answer)) == (422, "brief")
    guests = [{"to": KIM, "brief": brief}]
    answer = lab.ask("POST", "/conversations", {"to": HOST, "participants": guests})
    assert (answer.status, field_of(answer)) == (422, "participants.0.brief")


def test_a_brief_is_refused_for_a_call_that_is_up_already(new_lab: NewLab) -> None:
    lab = new_lab([])
    conversation_id = lab.start()
    path = f"/conversations/{conversation_id}/participants"
    answer = lab.ask("POST", path, {"call_control_id": "v3:another-call", "brief": BRIEF})
    assert (answer.status, field_of(answer)) == (422, "brief")
