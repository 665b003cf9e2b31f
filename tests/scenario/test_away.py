"""The assistant leaves two or three people to each other, and returns; every step may fail."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE

Json = dict[str, Any]

REPAIR_SECS = minutes(5)
SPEECH = "Can you hear me?"
WEBHOOKS = ("call.conversation.ended", "call.bridged", "call.conversation.created", "call.hangup")
PEOPLE = {2: [HOST, DANA], 3: [HOST, DANA, LEE]}
NAMES = {DANA: "Dana", LEE: "Lee", KIM: "Kim"}


def lab_of(new_lab: NewLab, people: int, settings: Settings | None = None) -> tuple[Lab, str]:
    """Create a lab with an active conversation of so many people."""
    lab = new_lab([], settings or Settings())
    guests = [{"to": number, "name": NAMES[number]} for number in PEOPLE[people][1:]]
    conversation_id = lab.start(name="Robin", participants=guests)
    lab.run(10)
    assert statuses(lab, conversation_id) == ["joined"] * people
    return lab, conversation_id


def set_mode(lab: Lab, conversation_id: str, mode: str) -> int:
    path = f"/conversations/{conversation_id}/assistant"
    answer = lab.ask("POST", path, {"mode": mode})
    assert answer.status in (202, 409, 503), answer.body
    return answer.status


def modes(lab: Lab, conversation_id: str) -> tuple[str, str]:
    shown = lab.conversation(conversation_id)
    return shown["mode"], shown["wanted_mode"]


def statuses(lab: Lab, conversation_id: str) -> list[str]:
    return [person["status"] for person in lab.conversation(conversation_id)["participants"]]


def mode_events(lab: Lab, conversation_id: str) -> list[Json]:
    events = lab.timeline(conversation_id)
    return [event["data"] for event in events if event["type"].startswith("assistant.")]


def is_settled(lab: Lab, conversation_id: str) -> bool:
    mode, wanted = modes(lab, conversation_id)
    return mode == wanted


def hear_each_other(lab: Lab, *numbers: str) -> bool:
    """Whether every person hears the others, with the assistant or without."""
    for number in numbers:
        lab.telnyx.say(lab.leg(number).call_control_id, SPEECH)
    return all(
        any(f"{other}: {SPEECH}" in heard for heard in lab.heard_by(number)[-6:])
        for number in numbers
        for other in numbers
        if other != number
    )


def with_assistant(lab: Lab) -> list[str]:
    """The numbers that are in the assistant's newest conversation now."""
    newest = lab.telnyx_conversation()
    legs = [leg for leg in lab.telnyx.legs if leg.conversation_id == newest.conversation_id]
    return sorted(leg.person_number for leg in legs if newest.status == "active")


def assert_ends_well(lab: Lab, conversation_id: str) -> None:
    lab.hang_up(HOST)
    lab.run(minutes(6))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.parametrize("people", [2, 3])
def test_the_people_talk_to_each_other_until_the_assistant_is_back(
    new_lab: NewLab, people: int
) -> None:
    lab, conversation_id = lab_of(new_lab, people)
    assert set_mode(lab, conversation_id, "away") == 202
    lab.run(5)
    assert modes(lab, conversation_id) == ("away", "away")
    assert with_assistant(lab) == []
    assert hear_each_other(lab, *PEOPLE[people])
    set_mode(lab, conversation_id, "speaking")
    lab.run(5)
    assert modes(lab, conversation_id) == ("speaking", "speaking")
    assert with_assistant(lab) == sorted(PEOPLE[people])
    assert "assistant: I am back with you." in lab.heard_by(HOST)
    news = [text for text in lab.messages_to_assistant() if text.startswith("You were away")]
    assert len(news) == 1
    assert "Dana" in news[0]
    assert_ends_well(lab, conversation_id)


def test_two_people_are_bridged_and_three_are_in_a_conference(new_lab: NewLab) -> None:
    for people, words in (
        (2, ["stop host", "bridge host"]),
        (3, ["stop host", "confer host", "add Dana", "add Lee"]),
    ):
        lab, conversation_id = lab_of(new_lab, people)
        lab.telnyx.ledger.clear()
        set_mode(lab, conversation_id, "away")
        lab.run(5)
        assert lab.commands_in_words() == words


STEPS = {
    2: ["ai_assistant_stop", "bridge", "conference_create", "ai_assistant_start", "*"],
    3: [
        *("ai_assistant_stop", "conference_create", "conference_join", "conference_leave"),
        *("ai_assistant_start", "ai_assistant_join", "*"),
    ],
}
FAULTS: dict[str, Json] = {
    "refused": {"kind": "refuse", "status": 403},
    "refused for now": {"kind": "refuse", "status": 503},
    "lost on the way": {"kind": "drop"},
    "answer lost": {"kind": "lose_reply"},
    "answer lost four times": {"kind": "lose_reply", "times": 4},
    "no answer for long": {"kind": "drop", "times": 30},
}


def _cases() -> Iterator[Any]:
    for people, steps in STEPS.items():
        for step in steps:
            for fault in FAULTS:
                yield pytest.param(people, step, fault, id=f"{people} people, {step} {fault}")


@pytest.mark.sampled
@pytest.mark.parametrize(("people", "step", "fault"), list(_cases()))
def test_everybody_stays_connected_when_a_step_fails(
    new_lab: NewLab, people: int, step: str, fault: str
) -> None:
    lab, conversation_id = lab_of(new_lab, people)
    lab.fail(step, **FAULTS[fault])
    for mode in ("away", "speaking"):
        set_mode(lab, conversation_id, mode)
        assert lab.run_until(lambda: is_settled(lab, conversation_id), REPAIR_SECS)
        lab.run(minutes(3) if "long" in fault else 30)
        assert is_settled(lab, conversation_id)
        if lab.status(conversation_id) == "active":
            present = [n for n in PEOPLE[people] if lab.leg(n).state == "answered"]
            assert hear_each_other(lab, *present), mode_events(lab, conversation_id)
    failed = [event for event in mode_events(lab, conversation_id) if "failure" in event]
    assert len(failed) <= 2
    lab.telnyx.faults.active.clear()
    if lab.leg(HOST).state == "answered":
        lab.hang_up(HOST)
    lab.run(minutes(6))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.sampled
@pytest.mark.parametrize("people", [2, 3])
@pytest.mark.parametrize("how", ["lost", "doubled"])
@pytest.mark.parametrize("webhook", WEBHOOKS)
def test_a_lost_or_doubled_webhook_changes_nothing(
    new_lab: NewLab, people: int, how: str, webhook: str
) -> None:
    lab, conversation_id = lab_of(new_lab, people)
    disturbed = DeliverySettings(drop=1.0) if how == "lost" else DeliverySettings(duplicates=2)
    lab.telnyx.deliverer.settings[webhook] = disturbed
    for mode in ("away", "speaking", "away"):
        set_mode(lab, conversation_id, mode)
        assert lab.run_until(lambda: is_settled(lab, conversation_id), REPAIR_SECS)
        lab.run(20)
        assert modes(lab, conversation_id) == (mode, mode)
        assert hear_each_other(lab, *PEOPLE[people])
    assert_ends_well(lab, conversation_id)


@pytest.mark.parametrize("people", [2, 3])
def test_the_assistant_is_back_within_a_webhook_when_telnyx_refuses_the_connection(
    new_lab: NewLab, people: int
) -> None:
    lab, conversation_id = lab_of(new_lab, people)
    lab.fail("bridge" if people == 2 else "conference_create", "refuse", status=403)
    set_mode(lab, conversation_id, "away")
    lab.run(3)
    assert modes(lab, conversation_id) == ("speaking", "speaking")
    assert with_assistant(lab) == sorted(PEOPLE[people])
    assert "assistant: I am back with you." in lab.heard_by(HOST)
    [failed] = mode_events(lab, conversation_id)
    assert (failed["mode"], bool(failed["failure"]["code"])) == ("away", True)
    assert lab.event_types(conversation_id).count("assistant.mode_failed") == 1
    assert_ends_well(lab, conversation_id)


def test_a_guest_who_leaves_the_bridge_gives_the_host_the_assistant_again(new_lab: NewLab) -> None:
    lab, conversation_id = lab_of(new_lab, 2)
    set_mode(lab, conversation_id, "away")
    lab.run(5)
    lab.hang_up(DANA)
    lab.run(5)
    assert modes(lab, conversation_id) == ("speaking", "speaking")
    assert with_assistant(lab) == [HOST]
    assert mode_events(lab, conversation_id)[-1]["reason"] == "alone"
    assert_ends_well(lab, conversation_id)


@pytest.mark.parametrize("people", [2, 3])
def test_the_host_who_leaves_while_the_assistant_is_away_ends_the_conversation(
    new_lab: NewLab, people: int
) -> None:
    lab, conversation_id = lab_of(new_lab, people)
    set_mode(lab, conversation_id, "away")
    lab.run(5)
    lab.hang_up(HOST)
    lab.run(60)
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


@pytest.mark.parametrize("answer", ["hung-up", "parked"])
def test_guests_have_the_assistant_after_a_host_who_lets_the_conversation_go_on(
    new_lab: NewLab, answer: str
) -> None:
    lab = new_lab([], Settings.answering({"bridge-end": answer}))
    guest = {"to": DANA, "name": "Dana"}
    on_hangup = "continue_conversation"
    conversation_id = lab.start(participants=[guest], on_host_hangup=on_hangup)
    lab.run(10)
    set_mode(lab, conversation_id, "away")
    lab.run(5)
    lab.hang_up(HOST)
    lab.run(10)
    assert modes(lab, conversation_id) == ("speaking", "speaking")
    assert with_assistant(lab) == [DANA]
    lab.hang_up(DANA)
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_third_person_is_put_to_the_two_in_the_bridge(new_lab: NewLab) -> None:
    lab, conversation_id = lab_of(new_lab, 2)
    set_mode(lab, conversation_id, "away")
    lab.run(5)
    lab.invite(conversation_id, LEE, name="Lee")
    lab.run(10)
    assert statuses(lab, conversation_id) == ["joined"] * 3
    assert modes(lab, conversation_id) == ("away", "away")
    assert hear_each_other(lab, HOST, DANA, LEE)
    set_mode(lab, conversation_id, "speaking")
    lab.run(10)
    assert with_assistant(lab) == sorted([HOST, DANA, LEE])
    assert_ends_well(lab, conversation_id)


@pytest.mark.parametrize("hang_up", [True, False])
def test_a_stop_while_the_assistant_is_away_ends_the_conversation(
    new_lab: NewLab, hang_up: bool
) -> None:
    lab, conversation_id = lab_of(new_lab, 3)
    set_mode(lab, conversation_id, "away")
    lab.run(5)
    lab.stop(conversation_id, hang_up=hang_up)
    lab.run(20)
    assert lab.status(conversation_id) == "ended"
    if not hang_up:
        assert hear_each_other(lab, HOST, DANA, LEE)
        lab.hang_up(HOST)
        lab.hang_up(DANA)
        lab.hang_up(LEE)
    lab.run(minutes(2))
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_two_requests_for_away_at_once_are_one(new_lab: NewLab) -> None:
    lab, conversation_id = lab_of(new_lab, 2)
    key = {"idempotency_key": "once"}
    path = f"/conversations/{conversation_id}/assistant"
    answers = [lab.ask("POST", path, {"mode": "away"}, **key) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert json.loads(answers[0].body) == json.loads(answers[1].body)
    lab.run(5)
    assert len(lab.commands("ai_assistant_stop")) == 1
    assert len(lab.commands("bridge")) == 1


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("unknown", "answer"),
    [
        ("legs-after-stop", "hung-up"),
        ("connect-after-stop", "refused"),
        ("stop-event", "none"),
        ("start-again", "refused"),
        ("start-on-joined", "refused"),
        ("conference-bridged", "sent"),
        ("conference-events", "none"),
        ("end-names-conversation", "unnamed"),
        ("no-assistant", "ok"),
    ],
)
@pytest.mark.parametrize("people", [2, 3])
def test_nobody_is_left_without_a_connection_under_each_answer_of_telnyx(
    new_lab: NewLab, people: int, unknown: str, answer: str
) -> None:
    lab, conversation_id = lab_of(new_lab, people, Settings.answering({unknown: answer}))
    for mode in ("away", "speaking"):
        if set_mode(lab, conversation_id, mode) == 409:
            break
        lab.run(30)
    if lab.status(conversation_id) == "active":
        assert is_settled(lab, conversation_id)
        present = [n for n in PEOPLE[people] if lab.leg(n).state == "answered"]
        assert hear_each_other(lab, *present)
        lab.hang_up(HOST)
    lab.run(minutes(6))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()
