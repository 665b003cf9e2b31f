"""Telnyx refuses commands."""

import pytest

from local.simulator.settings import CALL_EVENTS, Settings
from tests.support.lab import NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE

KEYED = {"call.initiated", "call.answered", "call.hangup"}


def test_a_refused_dial_is_the_conversations_failure_with_telnyxs_message(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.transport.refuse("dial", 422, "10016", "The 'to' parameter must be in +E164 format")
    answer = lab.ask("POST", "/conversations", {"to": HOST})
    assert answer.status == 202
    assert answer.json["status"] == "failed"
    assert answer.json["failure"] == {
        "code": "10016",
        "message": "The 'to' parameter must be in +E164 format",
    }
    lab.run(minutes(5))
    assert lab.people_dialled() == []
    assert lab.status(answer.json["id"]) == "failed"


def test_an_unknown_connection_is_reported_to_the_api_caller(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(connection_id="1"))
    answer = lab.ask("POST", "/conversations", {"to": HOST})
    assert (answer.status, answer.json["status"]) == (202, "failed")
    assert answer.json["failure"]["code"] == "10015"


def test_an_unknown_assistant_is_reported_and_the_host_is_hung_up(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(assistants=frozenset({"assistant-known"})))
    conversation_id = lab.start(assistant={"id": "assistant-unknown"})
    lab.run(5)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "failed"
    assert conversation["failure"] == {"code": "10005", "message": "The assistant does not exist"}
    lab.assert_no_leg_up()


def test_an_unknown_assistant_for_a_live_call_is_reported_and_the_call_stays_up(
    new_lab: NewLab,
) -> None:
    lab = new_lab([], Settings(assistants=frozenset({"assistant-known"})))
    leg = lab.telnyx.outside_call(DANA, HOST)
    body = {"call_control_id": leg.call_control_id, "assistant": {"id": "assistant-unknown"}}
    answer = lab.ask("POST", "/conversations", body)
    assert answer.status < 300
    assert answer.json["status"] == "failed"
    assert answer.json["failure"]["message"] == "The assistant does not exist"
    assert leg.state == "answered"


def test_a_refused_assistant_is_reported_and_the_host_is_hung_up(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    lab.transport.refuse("ai_assistant_start", 422, "10015", "The assistant is not usable")
    conversation_id = lab.start()
    lab.run(5)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "failed"
    assert conversation["failure"] == {"code": "10015", "message": "The assistant is not usable"}
    lab.assert_no_leg_up()


def test_a_refused_assistant_on_a_live_call_is_reported_and_the_call_stays_up(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    leg = lab.telnyx.outside_call(DANA, HOST)
    lab.transport.refuse("ai_assistant_start", 422, "10015", "The assistant is not usable")
    answer = lab.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    assert answer.status == 202
    assert answer.json["status"] == "failed"
    assert answer.json["failure"]["message"] == "The assistant is not usable"
    assert leg.state == "answered"


@pytest.mark.parametrize(
    ("status", "code", "outcome", "words"),
    [
        (422, "10016", "error", "“Dana” could not be brought into the conversation: a technical"),
        (403, "90041", "limited", "“Dana” could not be called: "),
    ],
)
def test_a_guest_whose_dial_is_refused_fails_and_the_assistant_is_told(
    new_lab: NewLab, status: int, code: str, outcome: str, words: str
) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuse("dial", status, code, "No.")
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    dana = lab.person(conversation_id, "Dana")
    assert (dana["status"], dana["outcome"]) == ("failed", outcome)
    assert dana["legs"][0]["failure"] == {"code": code, "message": "No."}
    assert len(lab.messages_to_assistant()) == 1
    assert lab.messages_to_assistant()[0].startswith(words)
    assert lab.status(conversation_id) == "active"
    assert lab.legs_up() == ["host"]


def test_a_refused_join_hangs_the_guest_up_and_the_assistant_is_told(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuse("ai_assistant_join", 422, "10015", "The conversation is full.", times=2)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    # The join was tried on Dana's leg, then on the assistant's leg.
    [changed] = [e for e in lab.timeline(conversation_id) if e["type"] == "command.changed"]
    assert changed["data"]["refusal"]["message"] == "The conversation is full."
    failure = lab.person(conversation_id, "Dana")["legs"][0]["failure"]
    assert failure["message"] == "The conversation is full."
    assert len(lab.messages_to_assistant()) == 1
    assert lab.messages_to_assistant()[0].startswith(
        "“Dana” could not be brought into the conversation"
    )
    assert lab.legs_up() == ["host"]


def test_a_refused_answer_fails_the_inbound_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.transport.refuse("answer", 422, "10015", "Not this one.")
    lab.ring_in()
    lab.run(5)
    (conversation,) = lab.conversations()
    assert conversation["status"] == "failed"
    assert conversation["failure"] == {"code": "10015", "message": "Not this one."}
    assert lab.telnyx.conversations == []


def test_a_refused_message_is_an_event_and_the_conversation_continues(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuse("ai_assistant_add_messages", 422, "10015", "Too many words.")
    assert lab.message(conversation_id, "Hello").status == 202
    lab.run(5)
    (failed,) = [
        event for event in lab.timeline(conversation_id) if event["type"] == "message.failed"
    ]
    assert failed["data"]["failure"]["message"] == "Too many words."
    assert lab.status(conversation_id) == "active"


def test_a_guest_whose_screening_is_refused_is_hung_up(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuse("gather_using_speak", 422, "10015", "No voice.")
    lab.invite(conversation_id, DANA, name="Dana", screening={"say": "Press 1."})
    lab.run(5)
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert lab.people_joined() == []
    assert len(lab.messages_to_assistant()) == 1
    assert lab.legs_up() == ["host"]


def test_a_dial_refused_for_its_webhook_urls_is_repeated_without_them_once(
    new_lab: NewLab,
) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=False))
    conversation_id = lab.start()
    lab.run(5)
    refused, accepted = [entry for entry in lab.telnyx.ledger if entry.action == "dial"]
    assert refused.response["errors"][0]["code"] == "90057"
    assert accepted.body is not None
    assert KEYED < set(accepted.body["webhook_urls"]) <= CALL_EVENTS
    assert lab.people_dialled() == ["host"]
    assert lab.status(conversation_id) == "active"
    lab.hang_up(HOST)
    lab.run(10)
    assert lab.status(conversation_id) == "ended"
    assert lab.conversation(conversation_id)["insights"]


def test_refused_webhook_urls_are_left_out_of_later_dials(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=False))
    conversation_id = lab.start()
    lab.run(5)
    for number in (DANA, LEE, KIM):
        lab.invite(conversation_id, number)
    lab.run(5)
    statuses = [entry.status for entry in lab.telnyx.ledger if entry.action == "dial"]
    assert statuses == [422, 200, 200, 200, 200]


def test_an_answer_refused_for_its_webhook_urls_is_repeated_without_them(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=False))
    lab.inbound()
    assert [e.status for e in lab.telnyx.ledger if e.action == "answer"] == [422, 200]
    assert lab.commands_in_words() == ["answer caller", "start caller"]


def test_a_limit_of_the_rate_is_waited_for(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.fail("dial", "refuse", status=429, reset_secs=30)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(25)  # the request has waited for 4 s
    assert len(lab.commands("dial")) == 1
    lab.run(minutes(2))
    assert len(lab.commands("dial")) == 2
    assert lab.people_joined() == ["Dana"]


def test_of_several_dials_at_once_one_meets_the_limit_and_the_guest_is_limited(
    new_lab: NewLab,
) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.fail("dial", "refuse", 10, status=429, reset_secs=3600)
    lab.invite(conversation_id, [DANA, KIM, LEE], name="Dana", strategy="at_once")
    lab.run(minutes(5))
    assert lab.telnyx.faults.active[0].times == 9
    assert lab.person(conversation_id, "Dana")["outcome"] == "limited"
    assert "limit of calls" in lab.messages_to_assistant()[-1]
