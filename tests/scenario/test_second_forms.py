"""Telnyx refuses the form of a command, and takes the command in another form."""

from collections.abc import Callable
from typing import Any

import pytest

from local.live_test.report import parameters_of
from local.simulator.model import LedgerEntry, Person
from local.simulator.settings import Settings
from local.stack.template import Template
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE
from tests.support.refusing_transport import JOINING_LEG

ASSISTANT: dict[str, Any] = {
    "id": "assistant-1",
    "greeting": "Hello.",
    "instructions": "Be kind.",
    "voice": "Telnyx.Ultra.nobody",
    "message_history": [{"role": "user", "content": "Earlier."}],
}
KEYS = Settings(accepts_conversation_keys=True)


def events(lab: Lab, conversation_id: str, type_: str) -> list[dict[str, Any]]:
    timeline = lab.ask("GET", f"/conversations/{conversation_id}/timeline").json["events"]
    return [event["data"] for event in timeline if event["type"] == type_]


def sent(lab: Lab, action: str) -> list[LedgerEntry]:
    return [entry for entry in lab.telnyx.ledger if entry.action == action]


def bodies(lab: Lab, action: str) -> list[dict[str, Any]]:
    return [entry.body for entry in sent(lab, action) if entry.body is not None]


@pytest.mark.parametrize(
    ("refused", "kept"),
    [
        (["message_history"], "assistant.voice_settings"),
        (["assistant.voice_settings"], "message_history"),
        (["assistant.voice_settings", "message_history"], "assistant.greeting"),
    ],
)
def test_a_start_refused_for_optional_fields_is_sent_once_more_without_these_fields(
    new_lab: NewLab, refused: list[str], kept: str
) -> None:
    lab = new_lab([], KEYS)
    lab.transport.refuses = {f"/{field.replace('.', '/')}" for field in refused}
    conversation_id = lab.start(assistant=ASSISTANT)
    lab.run(5)

    assert lab.status(conversation_id) == "active"
    [start] = bodies(lab, "ai_assistant_start")
    fields = {*start, *(f"assistant.{name}" for name in start["assistant"])}
    assert not fields & set(refused)
    assert {kept, "assistant.instructions"} <= fields
    [changed] = events(lab, conversation_id, "command.changed")
    assert sorted(changed["changes"]) == refused
    assert changed["command_id"] == start["command_id"]
    assert changed["refusal"]["code"] == "10015"
    assert changed["action"] == "start"


def test_a_start_refused_for_another_field_too_fails_at_once(new_lab: NewLab) -> None:
    lab = new_lab([], KEYS)
    lab.transport.refuses = {"/message_history", "/assistant/instructions"}
    conversation_id = lab.start(assistant=ASSISTANT)
    lab.run(5)

    assert lab.status(conversation_id) == "failed"
    assert sent(lab, "ai_assistant_start") == []
    assert events(lab, conversation_id, "command.changed") == []
    lab.assert_no_leg_up()


def test_a_join_refused_on_the_joining_leg_is_sent_on_the_assistants_leg(new_lab: NewLab) -> None:
    lab = new_lab([], KEYS)
    lab.transport.refuses = {JOINING_LEG}
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)

    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    [changed] = events(lab, conversation_id, "command.changed")
    assert changed["changes"] == ["assistant_leg"]


def test_a_join_refused_on_both_legs_fails_and_the_assistant_is_told_at_once(
    new_lab: NewLab,
) -> None:
    lab = new_lab([], KEYS)
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuses = {"/participant"}
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)

    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert len(events(lab, conversation_id, "command.changed")) == 1
    assert lab.legs_up() == ["host"]
    assert "technical error" in lab.messages_to_assistant()[-1]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_join_into_an_unknown_conversation_fails_within_a_webhook(
    new_lab: NewLab, status: int
) -> None:
    lab = new_lab([], KEYS)
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuse("ai_assistant_join", status, "10007", "No such conversation.")
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(3)

    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert events(lab, conversation_id, "command.changed") == []
    assert sent(lab, "ai_assistant_join") == []
    assert "technical error" in lab.messages_to_assistant()[-1]
    assert lab.legs_up() == ["host"]


def test_a_dial_refused_for_lists_of_urls_is_sent_once_more_with_strings(new_lab: NewLab) -> None:
    lab = new_lab([], KEYS)
    lab.transport.takes_single_urls = True
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA)
    lab.run(5)

    assert lab.status(conversation_id) == "active"
    assert lab.transport.forms == ["list", "str", "str"]
    assert lab.people_dialled() == ["host", "Dana"]
    assert events(lab, conversation_id, "command.changed") == []


@pytest.mark.parametrize("form", ["text", "list"])
@pytest.mark.parametrize("keys", ["refused", "taken"])
def test_with_the_parameter_of_a_live_test_no_dial_is_refused(
    form: str, keys: str, new_lab: NewLab, deployed: Callable[..., Template]
) -> None:
    answers = {"webhook-urls-form": form, "conversation-keys": keys}
    lab = new_lab([], Settings.answering(answers), deployed(**parameters_of(answers)))
    lab.start()
    lab.run(5)

    assert [entry.status for entry in sent(lab, "dial")] == [200]
    types = {*bodies(lab, "dial")[0]["webhook_urls"]}
    assert ("call.conversation.ended" in types) == (keys == "taken")


def test_news_that_somebody_waits_for_triggers_a_response(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy")], KEYS)
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    lab.invite(conversation_id, LEE, name="Lee")
    lab.run(10)
    lab.hang_up(DANA)
    lab.run(minutes(1))

    told = {
        body["messages"][0]["content"]: body.get("trigger_response", False)
        for body in bodies(lab, "ai_assistant_add_messages")
    }
    assert told == {
        "“Dana” has joined the conversation.": False,
        "“Lee” could not be reached: the line is busy.": True,
        "“Dana” has left the conversation.": False,
    }


@pytest.mark.parametrize("asked", [None, False, True])
def test_a_request_says_whether_the_assistant_answers_its_message_at_once(
    new_lab: NewLab, asked: bool | None
) -> None:
    lab = new_lab([], KEYS)
    conversation_id = lab.start()
    lab.run(5)
    message = {"role": "system", "content": "Be generous."}
    flag = {} if asked is None else {"trigger_response": asked}
    answer = lab.ask("POST", f"/conversations/{conversation_id}/messages", {**message, **flag})

    assert answer.status == 202
    assert answer.json["trigger_response"] is bool(asked)
    [body] = bodies(lab, "ai_assistant_add_messages")
    assert body.get("trigger_response", False) is bool(asked)
    assert body["messages"] == [message]


def test_phones_that_lose_a_hunt_show_no_missed_call(new_lab: NewLab) -> None:
    lab = new_lab([Person(number, behaviour="manual") for number in (LEE, KIM)], KEYS)
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, [LEE, KIM, DANA], name="Dana", strategy="at_once")
    lab.run(5)
    lab.ask("POST", f"/conversations/{conversation_id}/stop", {"hang_up": True})
    lab.run(5)

    reasons = [body.get("reason") for body in bodies(lab, "hangup")]
    assert sorted(reasons, key=str) == ["Call completed elsewhere"] * 2 + [None] * 2


def test_a_start_without_an_answer_is_settled_by_its_webhook_and_not_repeated(
    new_lab: NewLab,
) -> None:
    lab = new_lab([], KEYS)
    lab.fail("ai_assistant_start", "lose_reply")
    conversation_id = lab.start()
    lab.run(5)

    assert lab.status(conversation_id) == "active"
    assert len(sent(lab, "ai_assistant_start")) == 1


def test_inline_tools_without_ours_are_reported(new_lab: NewLab) -> None:
    lab = new_lab([], KEYS)
    ours = {
        "type": "webhook",
        "webhook": {"name": "invite", "url": "https://a.example/tools/invite"},
    }
    answer = lab.ask(
        "POST", "/conversations", {"to": HOST, "assistant": {"id": "assistant-1", "tools": [ours]}}
    )

    assert answer.status == 202
    assert answer.json["warnings"] == [
        "The inline `tools` replace the assistant's stored tools, and lack Partyline's: handover, "
        "call_back, status."
    ]
    [started] = events(lab, answer.json["id"], "conversation.started")
    assert started["missing_tools"] == ["handover", "call_back", "status"]
    plain = lab.ask("POST", "/conversations", {"to": HOST})
    assert plain.json["warnings"] == []
