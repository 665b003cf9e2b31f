"""The dials of the assistant's tool count, for the dialled number and for the conversation."""

from functools import partial
from typing import Any

import pytest

from local.simulator.model import Person
from tests.support.lab import Lab, NewLab
from tests.support.people import CALLER, DANA, KIM, LEE, OUR_NUMBER

OTHER_NUMBER = "+13125550101"


def limited(name: str) -> str:
    """The answer to the model beyond the limit."""
    return f"The limit of calls is reached, so “{name}” is not being called."


def lab_at_second_zero(new_lab: NewLab, *people: Person, **parameters: str) -> Lab:
    """Create a lab whose time is the beginning of a minute."""
    lab = new_lab(people, **parameters)
    lab.run(60 - lab.clock.now().second)
    return lab


def wide_contacts(contacts: int = 19, numbers: int = 10) -> dict[str, Any]:
    """Contacts with as many numbers and rounds as a request takes."""
    return {
        f"Contact {nth}": {
            "to": [f"+1312555{3000 + 10 * nth + place}" for place in range(numbers)],
            "strategy": "at_once",
            "max_attempts": 3,
            "pause_secs": 0,
        }
        for nth in range(contacts)
    }


def test_six_uses_of_the_tool_on_a_wide_route_stay_within_the_bound(new_lab: NewLab) -> None:
    contacts = wide_contacts()
    numbers = [number for plan in contacts.values() for number in plan["to"]]
    busy = [Person(number, behaviour="busy") for number in numbers]
    lab = new_lab(busy, MaxParticipants="20", MaxLegsAtOnce="20")
    lab.route(OUR_NUMBER, contacts)
    lab.inbound()
    answers = [lab.use_tool("invite", name=f"Contact {nth}") for nth in range(6)]
    assert answers[0] == "Calling “Contact 0” now."
    assert answers[2:] == [limited(f"Contact {nth}") for nth in range(2, 6)]
    for nth in range(6, 12):
        lab.run(65)
        lab.use_tool("invite", name=f"Contact {nth}")
    lab.run(300)
    assert 0 < len([leg for leg in lab.telnyx.legs if leg.direction == "outgoing"]) <= 60


def test_the_tool_has_a_limit_for_the_dialled_number_in_a_minute(new_lab: NewLab) -> None:
    lab = lab_at_second_zero(new_lab, MaxToolDialsPerMinute="2")
    contacts = {"Dana": {"to": DANA}, "Lee": {"to": LEE}, "Kim": {"to": KIM}}
    for number in (OUR_NUMBER, OTHER_NUMBER):
        lab.route(number, contacts)
    first, second = lab.ring_in(CALLER), lab.ring_in("+13125550177")
    other = lab.ring_in("+13125550178", OTHER_NUMBER)
    lab.run(5)
    use = partial(lab.use_tool, "invite")
    assert use(first, name="Dana") == "Calling “Dana” now."
    assert use(second, name="Lee") == "Calling “Lee” now."
    assert use(first, name="Kim") == limited("Kim")
    assert use(other, name="Kim") == "Calling “Kim” now."
    lab.run(61)
    assert use(first, name="Kim") == "Calling “Kim” now."


def test_a_request_cannot_choose_another_counter_for_the_tool(new_lab: NewLab) -> None:
    phones = ["+13125550130", "+13125550131"]
    lab = lab_at_second_zero(new_lab, *map(Person, phones), MaxToolDialsPerMinute="1")
    contacts = {"Dana": {"to": DANA, "from": OUR_NUMBER}, "Lee": {"to": LEE, "from": OUR_NUMBER}}
    lab.route("default", contacts)
    answers = []
    for nth, phone in enumerate(phones):
        call = lab.telnyx.outside_call(CALLER, phone)
        lab.run(2)
        lab.attach(call, **{"from": f"+1312555014{nth}"})
        lab.run(1)
        answers.append(lab.use_tool("invite", call, name="Dana"))
    assert answers == ["Calling “Dana” now.", limited("Dana")]
    assert len(lab.commands("dial")) == 1


def test_the_tool_has_a_limit_for_the_whole_conversation(new_lab: NewLab) -> None:
    lab = new_lab(MaxToolDials="2")
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}, "Lee": {"to": LEE}, "Kim": {"to": KIM}})
    lab.inbound()
    assert lab.use_tool("invite", name="Dana") == "Calling “Dana” now."
    assert lab.use_tool("invite", name="Lee") == "Calling “Lee” now."
    for _ in range(2):
        lab.run(90)
        assert lab.use_tool("invite", name="Kim") == limited("Kim")
    another = lab.ring_in("+13125550177")
    lab.run(5)
    assert lab.use_tool("invite", another, name="Kim") == "Calling “Kim” now."


def test_a_handover_counts_as_an_invitation_does(new_lab: NewLab) -> None:
    lab = new_lab(MaxToolDials="1")
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}, "Lee": {"to": [LEE, KIM]}})
    lab.inbound()
    assert lab.use_tool("handover", name="Lee") == limited("Lee")
    assert lab.people_dialled() == []
    assert lab.use_tool("handover", name="Dana").startswith("Calling “Dana” now.")


@pytest.mark.parametrize("plan", [{"to": [DANA, LEE, KIM]}, {"to": DANA, "max_attempts": 3}])
def test_each_number_of_a_hunt_and_each_round_counts(new_lab: NewLab, plan: dict[str, Any]) -> None:
    lab = new_lab(MaxToolDials="2")
    lab.route(OUR_NUMBER, {"Dana": plan})
    lab.inbound()
    assert lab.use_tool("invite", name="Dana") == limited("Dana")
    assert lab.people_dialled() == []


def test_a_free_number_counts(new_lab: NewLab) -> None:
    lab = new_lab(MaxToolDials="1")
    lab.route(OUR_NUMBER, {}, dial_any_number=True)
    lab.inbound()
    answers = [lab.use_tool("invite", number=number) for number in (DANA, LEE)]
    assert answers[0] == "Calling “the number ending in 0112” now."
    assert answers[1].startswith("The limit of calls is reached, so “the number ending in")
    lab.run(5)
    assert lab.people_dialled() == ["Dana"]


def test_a_repeated_tool_request_counts_once(new_lab: NewLab) -> None:
    lab = new_lab(MaxToolDials="2")
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}, "Lee": {"to": LEE}})
    lab.inbound()
    for _ in range(3):
        assert "Dana" in lab.use_tool("invite", name="Dana")
    assert lab.use_tool("invite", name="Lee") == "Calling “Lee” now."


def test_the_tool_takes_nothing_of_a_keys_allowance(new_lab: NewLab) -> None:
    lab = lab_at_second_zero(new_lab, MaxDialsPerMinute="1")
    lab.route(OUR_NUMBER, {"Dana": {"to": DANA}})
    lab.inbound()
    assert lab.use_tool("invite", name="Dana") == "Calling “Dana” now."
    assert lab.ask("POST", "/conversations", {"to": LEE}).status == 202
