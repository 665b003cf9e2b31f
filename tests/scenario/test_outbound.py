"""Outbound calls: the assistant talks to the host, and guests join and leave."""

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from partyline.telnyx.webhooks import WEBHOOK_TYPES
from tests.support.lab import URL, NewLab
from tests.support.people import DANA, HOST, KIM, LEE


def test_the_host_answers_and_the_assistant_starts(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start(
        HOST, name="Robin", assistant={"id": "assistant-7", "greeting": "Hello Robin"}
    )
    assert lab.status(conversation_id) == "connecting"
    lab.run(5)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "active"
    assert conversation["telnyx_conversation_id"] == lab.telnyx_conversation().conversation_id
    assert lab.person(conversation_id, "Robin")["status"] == "joined"
    assert lab.commands_in_words() == ["dial host", "start host"]
    (start,) = lab.commands("ai_assistant_start")
    assert start["assistant"]["id"] == "assistant-7"
    assert start["assistant"]["greeting"] == "Hello Robin"
    assert "assistant: Hello Robin" in lab.heard_by(HOST)
    lab.assert_clean()


def test_a_whole_call_sends_exactly_these_commands_to_telnyx(new_lab: NewLab) -> None:
    lab = new_lab([Person(LEE, behaviour="busy")])
    conversation_id = lab.start(HOST, name="Robin", metadata={"ticket": "4711"})
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    lab.invite(conversation_id, LEE, name="Lee")
    lab.run(5)
    lab.message(conversation_id, "Robin is a customer of ten years: be generous.")
    lab.hang_up(DANA)
    lab.run(5)
    assert lab.status(conversation_id) == "active"
    lab.hang_up(HOST)
    lab.run(10)
    assert lab.commands_in_words() == [
        "dial host",
        "start host",
        "dial Dana",
        "join Dana",
        "tell host",
        "dial Lee",
        "tell host",
        "tell host",
        "tell host",
    ]
    assert lab.messages_to_assistant() == [
        "“Dana” has joined the conversation.",
        "“Lee” could not be reached: the line is busy.",
        "Robin is a customer of ten years: be generous.",
        "“Dana” has left the conversation.",
    ]
    conversation = lab.conversation(conversation_id)
    assert (conversation["status"], conversation["metadata"]) == ("ended", {"ticket": "4711"})
    assert len(conversation["insights"]) == len(lab.settings.insight_results)
    assert lab.person(conversation_id, "Lee")["status"] == "failed"
    lab.assert_clean()
    lab.assert_no_leg_up()


def test_each_webhook_type_is_sent_to_its_own_function(new_lab: NewLab) -> None:
    lab = new_lab()
    lab.start()
    lab.run(5)
    lab.hang_up(HOST)
    lab.run(10)
    attempts = lab.telnyx.deliverer.attempts
    assert {attempt.status for attempt in attempts} == {200}
    with_function = {name for name, known in WEBHOOK_TYPES.items() if known.has_function}
    own = [attempt for attempt in attempts if attempt.event_type in with_function]
    assert [attempt.url.rpartition("/")[2] for attempt in own] == [
        attempt.event_type for attempt in own
    ]
    assert {attempt.url for attempt in attempts if attempt not in own} == {f"{URL}/webhooks"}


def test_one_guest_joins_by_name_and_the_assistant_hears_that_another_is_busy(
    new_lab: NewLab,
) -> None:
    lab = new_lab([Person(LEE, behaviour="busy")])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.invite(conversation_id, LEE, name="Lee")
    lab.run(5)
    (join,) = lab.commands("ai_assistant_join")
    assert join["participant"]["name"] == "Dana"
    assert join["participant"]["id"] == lab.leg(DANA).call_control_id
    assert join["conversation_id"] == lab.telnyx_conversation().conversation_id
    assert lab.outcomes(conversation_id, "Lee") == ["busy"]
    assert sorted(lab.messages_to_assistant()) == [
        "“Dana” has joined the conversation.",
        "“Lee” could not be reached: the line is busy.",
    ]
    lab.assert_clean()


@pytest.mark.parametrize(
    ("behaviour", "outcome", "words"),
    [
        ("busy", "busy", "“Lee” could not be reached: the line is busy."),
        ("decline", "rejected", "“Lee” could not be reached: the call was rejected."),
        ("no_answer", "no_answer", "“Lee” did not answer the call."),
        ("unreachable", "unreachable", "“Lee” could not be reached: the number is not available."),
    ],
)
def test_the_assistant_is_told_why_a_guest_was_not_reached(
    new_lab: NewLab, behaviour: str, outcome: str, words: str
) -> None:
    lab = new_lab([Person(LEE, behaviour=behaviour)])  # type: ignore[arg-type]
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, LEE, name="Lee", ring_timeout_secs=10)
    lab.run(15)
    assert lab.person(conversation_id, "Lee")["outcome"] == outcome
    assert lab.messages_to_assistant() == [words]
    assert lab.status(conversation_id) == "active"
    assert lab.legs_up() == ["host"]
    lab.assert_clean()


def test_guests_who_answer_before_the_host_wait_and_are_joined_when_the_assistant_runs(
    new_lab: NewLab,
) -> None:
    lab = new_lab([Person(HOST, answer_after_secs=8)])
    conversation_id = lab.start(
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    lab.run(5)
    assert lab.person(conversation_id, "Dana")["status"] == "waiting"
    assert lab.telnyx.conversations == []
    lab.run(5)
    assert sorted(lab.people_joined()) == ["Dana", "Lee"]
    assert lab.person(conversation_id, "Dana")["status"] == "joined"
    lab.assert_clean()


def test_a_message_sent_too_early_is_kept_until_the_assistant_runs(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    assert lab.message(conversation_id, "Robin speaks Spanish.").status == 202
    assert lab.commands("ai_assistant_add_messages") == []
    lab.run(5)
    assert lab.messages_to_assistant() == ["Robin speaks Spanish."]
    lab.assert_clean()


def test_with_tell_assistant_off_the_assistant_is_not_told_of_the_guest(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", tell_assistant=False)
    lab.run(5)
    assert lab.people_joined() == ["Dana"]
    assert lab.messages_to_assistant() == []


def test_messages_to_the_assistant_use_the_conversations_own_phrases(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start(words={"joined": "{name} ist jetzt dabei."})
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(5)
    assert lab.messages_to_assistant() == ["“Dana” ist jetzt dabei."]


@pytest.mark.parametrize("behaviour", ["busy", "decline", "no_answer", "unreachable"])
def test_a_host_who_is_not_reached_fails_the_conversation_and_ends_the_guests_calls(
    new_lab: NewLab, behaviour: str
) -> None:
    lab = new_lab(
        [Person(HOST, behaviour=behaviour), Person(LEE, behaviour="manual")]  # type: ignore[arg-type]
    )
    conversation_id = lab.start(
        ring_timeout_secs=20,
        participants=[
            {"to": DANA, "name": "Dana"},
            {"to": LEE, "name": "Lee", "ring_timeout_secs": 60},
        ],
    )
    lab.run(30)
    conversation = lab.conversation(conversation_id)
    assert conversation["status"] == "failed"
    assert conversation["failure"]["code"] in {"busy", "rejected", "no_answer", "unreachable"}
    assert {participant["status"] for participant in conversation["participants"]} <= {
        "failed",
        "left",
    }
    assert lab.commands("ai_assistant_start") == []
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_with_machine_detection_the_assistant_starts_on_the_verdict(new_lab: NewLab) -> None:
    lab = new_lab([], Settings(accepts_conversation_keys=True, detection_after_secs=4.0))
    conversation_id = lab.start(machine_detection="premium")
    lab.run(4)
    assert lab.commands("ai_assistant_start") == []
    lab.run(4)
    assert lab.commands_in_words() == ["dial host", "screen host", "start host"]
    assert "voice: One moment, please." in lab.heard_by(HOST)
    assert lab.commands("dial")[0]["answering_machine_detection"] == "premium"
    assert lab.status(conversation_id) == "active"


def test_an_answering_machine_of_the_host_gets_no_assistant(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, behaviour="machine")])
    conversation_id = lab.start(machine_detection="standard")
    lab.run(10)
    conversation = lab.conversation(conversation_id)
    assert (conversation["status"], conversation["failure"]["code"]) == ("failed", "machine")
    assert lab.commands_in_words() == ["dial host", "hang up host"]
    lab.assert_no_leg_up()


def test_three_guests_at_once_are_all_joined_once(new_lab: NewLab) -> None:
    lab = new_lab()
    guests = [{"to": to, "name": name} for to, name in ((DANA, "Dana"), (LEE, "Lee"), (KIM, "Kim"))]
    conversation_id = lab.start(participants=guests)
    lab.run(10)
    assert sorted(lab.people_joined()) == ["Dana", "Kim", "Lee"]
    assert sorted(lab.people_dialled()) == ["Dana", "Kim", "Lee", "host"]
    assert len(lab.messages_to_assistant()) == 3
    assert {
        participant["status"] for participant in lab.conversation(conversation_id)["participants"]
    } == {"joined"}
    lab.assert_clean()
