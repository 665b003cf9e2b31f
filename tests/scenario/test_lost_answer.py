"""A person whose `call.answered` is lost hears silence for eight seconds at most."""

from itertools import product

import pytest

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER, DANA, HOST, OUR_NUMBER

SILENCE_SECS = 8.0

WORLDS = {
    "the duration counts from the answer": {},
    "the duration counts from the dial": {"duration_counts_from": "start"},
    "a call that rings is not alive": {"ringing_is_alive": False},
    "both": {"duration_counts_from": "start", "ringing_is_alive": False},
}
"""What Telnyx does not document about the state of a call that rings."""

RINGS_SECS = [0.5, 4.9, 5.1, 11.5, 17.0, 28.5]


def lab_of(new_lab: NewLab, world: str, *people: Person) -> Lab:
    lab = new_lab(people, Settings(accepts_conversation_keys=True, **WORLDS[world]))  # type: ignore[arg-type]
    lab.telnyx.deliverer.settings["call.answered"] = DeliverySettings(drop=1.0)
    return lab


def silence_of(lab: Lab, number: str, action: str) -> float:
    """The seconds from a person's answer to the command that ends the silence."""
    leg = lab.leg(number)
    assert leg.answered_at is not None
    [at] = [
        entry.at
        for entry in lab.telnyx.ledger
        if (entry.action, entry.call_control_id) == (action, leg.call_control_id)
    ]
    return (at - leg.answered_at).total_seconds()


@pytest.mark.parametrize(("world", "rings_secs"), [*product(WORLDS, RINGS_SECS)])
def test_a_host_hears_silence_for_eight_seconds_at_most(
    new_lab: NewLab, world: str, rings_secs: float
) -> None:
    lab = lab_of(new_lab, world, Person(HOST, answer_after_secs=rings_secs))
    conversation_id = lab.start()
    lab.run(rings_secs + SILENCE_SECS + 2)
    assert lab.status(conversation_id) == "active"
    assert silence_of(lab, HOST, "ai_assistant_start") <= SILENCE_SECS
    assert "command.repaired" in lab.event_types(conversation_id)
    lab.assert_clean()


@pytest.mark.parametrize(("world", "rings_secs"), [*product(WORLDS, RINGS_SECS[::2])])
def test_a_guest_hears_silence_for_eight_seconds_at_most(
    new_lab: NewLab, world: str, rings_secs: float
) -> None:
    lab = lab_of(new_lab, world, Person(DANA, answer_after_secs=rings_secs))
    conversation_id = lab.start()
    lab.run(20)
    lab.invite(conversation_id, DANA, name="Dana")
    lab.run(rings_secs + SILENCE_SECS + 2)
    assert lab.people_joined() == ["Dana"]
    assert silence_of(lab, DANA, "ai_assistant_join") <= SILENCE_SECS
    lab.assert_clean()


@pytest.mark.parametrize("world", WORLDS)
def test_a_caller_hears_silence_for_eight_seconds_at_most(new_lab: NewLab, world: str) -> None:
    lab = lab_of(new_lab, world)
    lab.inbound()
    lab.run(10)
    assert silence_of(lab, CALLER, "ai_assistant_start") <= SILENCE_SECS
    lab.assert_clean()


@pytest.mark.parametrize("also_lost", [None, "call.conversation.created"])
def test_a_caller_of_an_assistant_that_the_answer_starts_is_kept(
    new_lab: NewLab, also_lost: str | None
) -> None:
    lab = lab_of(new_lab, "both")
    lab.route(OUR_NUMBER, start="with_answer")
    if also_lost:
        lab.telnyx.deliverer.settings[also_lost] = DeliverySettings(drop=1.0)
    conversation_id = lab.inbound()
    lab.run(minutes(1))
    assert lab.status(conversation_id) == "active"
    assert lab.commands_in_words() == ["answer caller"]
    lab.assert_clean()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("lost", ["call.answered", "call.hangup", "*"])
def test_a_phone_that_rings_in_vain_is_never_taken_for_answered(
    new_lab: NewLab, world: str, lost: str
) -> None:
    people = [Person(HOST, behaviour="no_answer"), Person(DANA, behaviour="busy")]
    lab = lab_of(new_lab, world, *people)
    lab.telnyx.deliverer.settings[lost] = DeliverySettings(drop=1.0)
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(minutes(2))
    assert lab.status(conversation_id) == "failed"
    assert "leg.answered" not in lab.event_types(conversation_id)
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_call_that_rings_for_thirty_seconds_costs_five_requests(new_lab: NewLab) -> None:
    lab = new_lab([Person(HOST, behaviour="no_answer")])
    lab.start()
    lab.run(minutes(2))
    actions = [entry.action for entry in lab.telnyx.ledger]
    assert actions == ["dial", *["retrieve"] * 5]


def test_an_answered_call_whose_duration_counts_from_its_end_is_kept(new_lab: NewLab) -> None:
    """Only the webhooks of the call tell the answer, and they are asked for late."""
    settings = Settings(accepts_conversation_keys=True, duration_counts_from="end")
    lab = new_lab([Person(HOST, answer_after_secs=10)], settings)
    lab.telnyx.deliverer.settings["call.answered"] = DeliverySettings(drop=1.0)
    conversation_id = lab.start()
    lab.run(minutes(1))
    assert lab.status(conversation_id) == "active"
    assert lab.legs_up() == ["host"]
    lab.assert_clean()
