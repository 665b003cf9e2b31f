"""Inbound calls whose answer starts the assistant (a route with `start`: `with_answer`)."""

from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, OUR_NUMBER


def with_answer(lab: Lab, **assistant: Any) -> str:
    """Call a number whose route starts the assistant with the answer."""
    settings = {"id": "assistant-sales", **assistant}
    lab.route(OUR_NUMBER, assistant=settings, start="with_answer")
    return lab.inbound()


def test_the_answer_starts_the_assistant_and_no_start_follows(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = with_answer(lab, greeting="Hello from sales.")

    assert lab.status(conversation_id) == "active"
    assert lab.commands_in_words() == ["answer caller"]
    (answer,) = lab.commands("answer")
    assert answer["assistant"] == {"id": "assistant-sales", "greeting": "Hello from sales."}
    assert "assistant: Hello from sales." in lab.heard_by(CALLER)
    assert {attempt.status for attempt in lab.telnyx.deliverer.attempts} == {200}
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    lab.hang_up(CALLER)
    lab.run(10)
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_without_the_option_a_start_follows_the_answer(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER)
    lab.inbound()

    assert lab.commands_in_words() == ["answer caller", "start caller"]
    assert "assistant" not in lab.commands("answer")[0]


@pytest.mark.parametrize(
    ("start", "wait"),
    [("after_answer", "created_after_secs"), ("with_answer", "warm_created_after_secs")],
)
def test_an_assistant_that_starts_with_the_answer_speaks_sooner(
    new_lab: NewLab, start: str, wait: str
) -> None:
    lab = new_lab()
    lab.route(OUR_NUMBER, start=start)
    lab.inbound()

    heard = {notice.split(":")[0]: at for at, notice in lab.leg(CALLER).heard}
    silence_secs = (heard["assistant"] - heard["answered"]).total_seconds()
    assert silence_secs == getattr(lab.settings, wait)


def test_an_unknown_assistant_is_reported_by_a_webhook_and_fails_the_call(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.settings.assistants = frozenset({"assistant-1"})
    conversation_id = with_answer(lab)

    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "failed"
    assert conversation["failure"]["code"] == "start_failed"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_failed_start_of_which_no_webhook_comes_ends_the_call(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.settings.assistants = frozenset({"assistant-1"})
    lab.telnyx.deliverer.settings["call.conversation.start_failed"] = DeliverySettings(drop=1.0)
    conversation_id = with_answer(lab)

    lab.run(minutes(5))

    assert lab.conversation(conversation_id)["failure"]["code"] == "unanswered"
    assert lab.commands_in_words() == ["answer caller", "hang up caller"]
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (
            {"assistant": {"id": "a-1", "message_history": [{"role": "user", "content": "Hi"}]}},
            "assistant.message_history",
        ),
        (
            {"assistant": {"id": "a-1", "interruption_settings": {"enable": False}}},
            "assistant.interruption_settings",
        ),
        ({"assistant": {"id": "a-1"}, "machine_detection": "premium"}, "machine_detection"),
    ],
)
def test_a_route_that_cannot_start_with_the_answer_is_refused_by_the_field(
    new_lab: NewLab, body: dict[str, Any], field: str
) -> None:
    lab = new_lab()

    answer = lab.ask("PUT", f"/routes/{OUR_NUMBER}", {**body, "start": "with_answer"})

    assert answer.status == 422
    assert [detail["field"] for detail in answer.json["error"]["details"]] == [field]


def test_an_outbound_call_does_not_take_the_option(new_lab: NewLab) -> None:
    lab = new_lab()

    answer = lab.ask("POST", "/conversations", {"to": HOST, "start": "with_answer"})

    assert answer.status == 422
    assert [detail["field"] for detail in answer.json["error"]["details"]] == ["start"]
    assert lab.telnyx.ledger == []
