"""Telnyx says no."""

import pytest

from local.simulator.settings import CALL_EVENTS, Settings
from tests.scenario.people import DANA, HOST, KIM, LEE
from tests.scenario.stage import Staged, minutes

KEYED = {"call.initiated", "call.answered", "call.hangup"}


def test_a_refused_dial_is_the_conversations_failure_in_telnyx_words(stage: Staged) -> None:
    at = stage()
    at.line.refuse("dial", 422, "10016", "The 'to' parameter must be in +E164 format")
    answer = at.ask("POST", "/conversations", {"to": HOST})
    assert answer.status == 202
    assert answer.json["status"] == "failed"
    assert answer.json["failure"] == {
        "code": "10016",
        "message": "The 'to' parameter must be in +E164 format",
    }
    at.run(minutes(5))
    assert at.dialled() == []
    assert at.status(answer.json["id"]) == "failed"


def test_a_connection_that_is_none_is_told_to_the_caller(stage: Staged) -> None:
    at = stage([], Settings(connection_id="1"))
    answer = at.ask("POST", "/conversations", {"to": HOST})
    assert (answer.status, answer.json["status"]) == (202, "failed")
    assert answer.json["failure"]["code"] == "10015"


def test_an_unknown_assistant_is_told_and_the_host_is_not_left_in_silence(stage: Staged) -> None:
    at = stage([], Settings(assistants=frozenset({"assistant-known"})))
    here = at.start(assistant={"id": "assistant-unknown"})
    at.run(5)
    seen = at.conversation(here)
    assert seen["status"] == "failed"
    assert seen["failure"] == {"code": "10005", "message": "The assistant does not exist"}
    at.assert_no_leg_up()


def test_an_unknown_assistant_for_a_live_call_is_told_and_the_call_stays(stage: Staged) -> None:
    at = stage([], Settings(assistants=frozenset({"assistant-known"})))
    leg = at.telnyx.outside_call(DANA, HOST)
    body = {"call_control_id": leg.call_control_id, "assistant": {"id": "assistant-unknown"}}
    answer = at.ask("POST", "/conversations", body)
    assert answer.status < 300
    assert answer.json["status"] == "failed"
    assert answer.json["failure"]["message"] == "The assistant does not exist"
    assert leg.state == "answered"


def test_an_assistant_that_telnyx_refuses_is_told_and_the_host_is_not_left_in_silence(
    stage: Staged,
) -> None:
    at = stage()
    at.line.refuse("ai_assistant_start", 422, "10015", "The assistant is not usable")
    here = at.start()
    at.run(5)
    seen = at.conversation(here)
    assert seen["status"] == "failed"
    assert seen["failure"] == {"code": "10015", "message": "The assistant is not usable"}
    at.assert_no_leg_up()


def test_an_assistant_refused_on_a_live_call_is_told_and_the_call_stays(stage: Staged) -> None:
    at = stage()
    leg = at.telnyx.outside_call(DANA, HOST)
    at.line.refuse("ai_assistant_start", 422, "10015", "The assistant is not usable")
    answer = at.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 202
    assert answer.json["status"] == "failed"
    assert answer.json["failure"]["message"] == "The assistant is not usable"
    assert leg.state == "answered"


@pytest.mark.parametrize(
    ("status", "code", "outcome", "words"),
    [
        (422, "10016", "error", "Dana could not be brought into the conversation: a technical"),
        (403, "90041", "limited", "Dana could not be called: "),
    ],
)
def test_a_guest_whose_dial_is_refused_fails_and_the_assistant_knows(
    stage: Staged, status: int, code: str, outcome: str, words: str
) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    at.line.refuse("dial", status, code, "No.")
    at.invite(here, DANA, name="Dana")
    at.run(5)
    dana = at.person(here, "Dana")
    assert (dana["status"], dana["outcome"]) == ("failed", outcome)
    assert dana["legs"][0]["failure"] == {"code": code, "message": "No."}
    assert len(at.told()) == 1
    assert at.told()[0].startswith(words)
    assert at.status(here) == "active"
    assert at.up() == ["host"]


def test_a_refused_join_hangs_the_guest_up_and_the_assistant_knows(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    at.line.refuse("ai_assistant_join", 422, "10015", "The conversation is full.")
    at.invite(here, DANA, name="Dana")
    at.run(5)
    assert at.person(here, "Dana")["status"] == "failed"
    assert at.person(here, "Dana")["legs"][0]["failure"]["message"] == "The conversation is full."
    assert len(at.told()) == 1
    assert at.told()[0].startswith("Dana could not be brought into the conversation")
    assert at.up() == ["host"]


def test_a_refused_answer_fails_the_inbound_conversation(stage: Staged) -> None:
    at = stage()
    at.line.refuse("answer", 422, "10015", "Not this one.")
    at.ring_in()
    at.run(5)
    (seen,) = at.conversations()
    assert seen["status"] == "failed"
    assert seen["failure"] == {"code": "10015", "message": "Not this one."}
    assert at.telnyx.conversations == []


def test_a_refused_message_is_an_event_and_no_more(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    at.line.refuse("ai_assistant_add_messages", 422, "10015", "Too many words.")
    assert at.message(here, "Hello").status == 202
    at.run(5)
    (failed,) = [each for each in at.timeline(here) if each["type"] == "message.failed"]
    assert failed["data"]["failure"]["message"] == "Too many words."
    assert at.status(here) == "active"


def test_a_refused_question_lets_the_guest_go(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    at.line.refuse("gather_using_speak", 422, "10015", "No voice.")
    at.invite(here, DANA, name="Dana", screening={"say": "Press 1."})
    at.run(5)
    assert at.person(here, "Dana")["status"] == "failed"
    assert at.joined() == []
    assert len(at.told()) == 1
    assert at.up() == ["host"]


def test_webhook_urls_that_telnyx_does_not_take_are_left_out_and_nobody_is_called_twice(
    stage: Staged,
) -> None:
    at = stage([], Settings(accepts_conversation_keys=False))
    here = at.start()
    at.run(5)
    refused, accepted = [entry for entry in at.telnyx.ledger if entry.action == "dial"]
    assert refused.response["errors"][0]["code"] == "90057"
    assert accepted.body is not None
    assert KEYED < set(accepted.body["webhook_urls"]) <= CALL_EVENTS
    assert at.dialled() == ["host"]
    assert at.status(here) == "active"
    at.hang_up(HOST)
    at.run(10)
    assert at.status(here) == "ended"
    assert at.conversation(here)["insights"]


def test_what_telnyx_does_not_take_is_remembered(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=False))
    here = at.start()
    at.run(5)
    for number in (DANA, LEE, KIM):
        at.invite(here, number)
    at.run(5)
    statuses = [entry.status for entry in at.telnyx.ledger if entry.action == "dial"]
    assert statuses == [422, 200, 200, 200, 200]


def test_webhook_urls_refused_on_an_answer_are_left_out_too(stage: Staged) -> None:
    at = stage([], Settings(accepts_conversation_keys=False))
    at.inbound()
    assert [e.status for e in at.telnyx.ledger if e.action == "answer"] == [422, 200]
    assert at.asked() == ["answer caller", "start caller"]
