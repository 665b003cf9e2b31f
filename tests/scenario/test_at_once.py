"""All numbers of a plan ring at once, and the first phone to accept is joined."""

from collections.abc import Callable
from itertools import permutations

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from local.stack.http_api import HttpRequest
from tests.support.backend import Backend
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import DANA, HOST, KIM, LEE, NAMES

NUMBERS = [LEE, KIM, DANA]
JOINED = "“Dana” has joined the conversation."

Arrive = Callable[[Lab, list[HttpRequest]], object]


def in_order(lab: Lab, webhooks: list[HttpRequest]) -> None:
    lab.deliver(webhooks)


def reversed_(lab: Lab, webhooks: list[HttpRequest]) -> None:
    lab.deliver(webhooks[::-1])


def together(lab: Lab, webhooks: list[HttpRequest]) -> None:
    """Deliver on real threads, then redeliver each webhook that got 503, as Telnyx does."""
    statuses = lab.deliver_together(webhooks)
    assert set(statuses) <= {200, 503}
    lab.deliver(
        [webhook for webhook, status in zip(webhooks, statuses, strict=True) if status == 503]
    )


arriving = pytest.mark.parametrize("arrive", [in_order, reversed_, together])


@pytest.fixture
def arrive() -> Arrive:
    return in_order


@pytest.fixture
def backend(arrive: Arrive, backend: Backend, request: pytest.FixtureRequest) -> Backend:
    """The embedded AWS for a scenario that writes to the table on several threads."""
    if arrive is not together:
        return backend
    embedded: Backend = request.getfixturevalue("embedded_backend")
    return embedded


def ringing(new_lab: NewLab, settings: Settings | None = None, **more: object) -> tuple[Lab, str]:
    """Create a lab in which three phones ring for Dana until the test answers them.

    Returns the lab and the conversation's id.
    """
    lab = new_lab(
        [Person(number, behaviour="manual") for number in NUMBERS],
        settings or Settings(accepts_conversation_keys=True),
    )
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, NUMBERS, name="Dana", strategy="at_once", **more)
    lab.run(1)
    assert lab.people_dialled() == ["host", "Lee", "Kim", "Dana"]
    return lab, conversation_id


def assert_exactly_one_joined(lab: Lab, conversation_id: str, *, of: list[str]) -> None:
    """Check that exactly one of these phones was joined and that the others were hung up."""
    assert len(lab.commands("ai_assistant_join")) == 1
    (winner,) = lab.people_joined()
    assert winner in {NAMES[number] for number in of}
    assert sorted(lab.legs_up()) == sorted([winner, "host"])
    assert lab.messages_to_assistant() == [JOINED]
    dana = lab.person(conversation_id, "Dana")
    assert dana["status"] == "joined"
    assert sorted(leg["outcome"] for leg in dana["legs"]) == ["cancelled", "cancelled", "human"]
    lab.assert_clean()


def test_the_first_phone_to_answer_is_joined_and_the_others_stop_ringing(new_lab: NewLab) -> None:
    lab, conversation_id = ringing(new_lab)
    lab.pick_up(KIM)
    lab.run(5)
    assert lab.people_joined() == ["Kim"]
    assert_exactly_one_joined(lab, conversation_id, of=[KIM])
    assert lab.heard_by(LEE)[-1] == "the line is dead"


@arriving
def test_when_two_phones_answer_at_the_same_moment_exactly_one_is_joined(
    new_lab: NewLab, arrive: Arrive
) -> None:
    lab, conversation_id = ringing(new_lab)
    lab.hold()
    lab.pick_up(LEE, KIM)
    arrive(lab, lab.release())
    lab.run(minutes(2))
    assert_exactly_one_joined(lab, conversation_id, of=[LEE, KIM])


@pytest.mark.parametrize("order", list(permutations(NUMBERS)))
def test_when_all_three_phones_answer_any_order_of_webhooks_joins_exactly_one(
    new_lab: NewLab, order: tuple[str, ...]
) -> None:
    lab, conversation_id = ringing(new_lab)
    lab.hold()
    lab.pick_up(*order)
    lab.deliver(lab.release())
    lab.run(5)
    assert_exactly_one_joined(lab, conversation_id, of=NUMBERS)


@pytest.mark.parametrize("arrive", [together])
def test_when_all_three_phones_answer_and_the_webhooks_arrive_together_exactly_one_is_joined(
    new_lab: NewLab, arrive: Arrive
) -> None:
    lab, conversation_id = ringing(new_lab)
    lab.hold()
    lab.pick_up(*NUMBERS)
    arrive(lab, lab.release())
    lab.run(minutes(2))
    assert_exactly_one_joined(lab, conversation_id, of=NUMBERS)


@arriving
def test_when_two_phones_are_judged_human_at_the_same_moment_exactly_one_is_joined(
    new_lab: NewLab, arrive: Arrive
) -> None:
    lab, conversation_id = ringing(new_lab, machine_detection="standard")
    lab.pick_up(LEE, KIM)
    lab.run(0.2)
    lab.hold()
    lab.run(1)
    arrive(lab, lab.release())
    lab.run(minutes(2))
    assert_exactly_one_joined(lab, conversation_id, of=[LEE, KIM])


@arriving
def test_when_two_people_press_the_digit_at_the_same_moment_exactly_one_is_joined(
    new_lab: NewLab, arrive: Arrive
) -> None:
    lab, conversation_id = ringing(new_lab, screening={"say": "Press 1."})
    lab.pick_up(LEE, KIM)
    lab.run(1)
    assert lab.people_joined() == []
    lab.hold()
    lab.press(LEE, "1")
    lab.press(KIM, "1")
    arrive(lab, lab.release())
    lab.run(minutes(2))
    assert_exactly_one_joined(lab, conversation_id, of=[LEE, KIM])


def test_a_declined_phone_leaves_the_other_phones_ringing(new_lab: NewLab) -> None:
    lab, _ = ringing(new_lab, screening={"say": "Press 1."})
    lab.pick_up(LEE, KIM)
    lab.run(1)
    for _ in range(2):  # a first wrong key may be a mistake
        lab.press(LEE, "2")
        lab.run(1)
    assert lab.people_joined() == []
    assert sorted(lab.legs_up()) == ["Dana", "Kim", "host"]
    lab.press(KIM, "1")
    lab.run(5)
    assert lab.people_joined() == ["Kim"]
    assert sorted(lab.legs_up()) == ["Kim", "host"]
    assert lab.messages_to_assistant() == [JOINED]
    lab.assert_clean()


def test_an_answering_machine_is_not_joined_and_the_other_phones_ring_on(new_lab: NewLab) -> None:
    lab, conversation_id = ringing(new_lab, machine_detection="standard")
    lab.telnyx.set_person(Person(LEE, behaviour="machine"))
    lab.pick_up(LEE)
    lab.run(2)
    assert lab.people_joined() == []
    assert sorted(lab.legs_up()) == ["Dana", "Kim", "host"]
    lab.pick_up(KIM)
    lab.run(5)
    assert lab.people_joined() == ["Kim"]
    assert lab.outcomes(conversation_id, "Dana") == ["machine", "human", "cancelled"]
    assert lab.messages_to_assistant() == [JOINED]


def test_when_no_phone_answers_the_assistant_is_told_once(new_lab: NewLab) -> None:
    lab, conversation_id = ringing(new_lab, ring_timeout_secs=10)
    lab.run(minutes(1))
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert lab.messages_to_assistant() == [
        "“Dana” did not answer the call. There is no other number to try."
    ]
    assert lab.legs_up() == ["host"]


def test_a_phone_that_answers_and_hangs_up_at_once_is_never_joined(new_lab: NewLab) -> None:
    lab, conversation_id = ringing(new_lab)
    lab.hold()
    lab.pick_up(LEE)
    lab.hang_up(LEE)
    lab.deliver(lab.release())
    lab.run(minutes(2))
    assert JOINED not in lab.messages_to_assistant()
    assert len(lab.messages_to_assistant()) == 1
    assert lab.people_joined() == []
    assert lab.legs_up() == ["host"]
    assert lab.status(conversation_id) == "active"


@arriving
def test_when_two_phones_answer_while_the_host_hangs_up_every_call_ends(
    new_lab: NewLab, arrive: Arrive
) -> None:
    lab, conversation_id = ringing(new_lab)
    lab.hold()
    lab.pick_up(LEE, KIM)
    lab.hang_up(HOST)
    arrive(lab, lab.release())
    lab.run(minutes(3))
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
    lab.assert_clean()


def test_a_refused_join_does_not_join_another_phone(new_lab: NewLab) -> None:
    lab, conversation_id = ringing(new_lab)
    lab.transport.refuse("ai_assistant_join", 422, "10015", "No.")
    lab.pick_up(LEE)
    lab.run(5)
    assert lab.person(conversation_id, "Dana")["status"] == "failed"
    assert lab.people_joined() == []
    assert lab.legs_up() == ["host"]


def test_a_refused_dial_leaves_the_other_phones_ringing(new_lab: NewLab) -> None:
    lab = new_lab([Person(number, behaviour="manual") for number in NUMBERS])
    conversation_id = lab.start()
    lab.run(5)
    lab.transport.refuse("dial", 422, "10016", "No such number.")
    lab.invite(conversation_id, NUMBERS, name="Dana", strategy="at_once")
    lab.run(1)
    assert lab.people_dialled() == ["host", "Kim", "Dana"]
    lab.pick_up(KIM)
    lab.run(5)
    assert lab.outcomes(conversation_id, "Dana") == ["error", "human", "cancelled"]
    assert sorted(lab.legs_up()) == ["Kim", "host"]
    assert lab.messages_to_assistant() == [JOINED]
