"""The emergency stop holds for starts from the bus and for scheduled starts."""

from datetime import timedelta
from typing import Any

import pytest

from partyline.store import keys
from partyline.store.dialing import SEEN_WITHIN
from tests.scenario.bus.conftest import BusStack, NewStack
from tests.support.lab import minutes
from tests.support.people import HOST

PK, SK = keys.DIALING_OFF


@pytest.fixture
def stack(new_stack: NewStack) -> BusStack:
    """A stack whose dials are off."""
    stack = new_stack()
    stack.lab.table.put({"pk": {"S": PK}, "sk": {"S": SK}})
    stack.lab.run(SEEN_WITHIN.total_seconds() + 1)
    return stack


def test_an_event_starts_nothing_and_becomes_a_dead_letter(stack: BusStack) -> None:
    stack.background.bus.put("partyline.starts", "StartConversation", {"to": HOST})
    stack.lab.run(minutes(3))
    letters: list[Any] = stack.background.queues.waiting("StartDeadLetters")
    assert ["switched all dials off" in letter.body for letter in letters] == [True]
    assert stack.lab.people_dialled() == []


def test_a_scheduled_start_fails_with_the_code(stack: BusStack) -> None:
    at = (stack.lab.clock.now() + timedelta(minutes=3)).isoformat()
    booked = stack.lab.ask("POST", "/conversations", {"to": HOST, "start_at": at}).json
    stack.lab.run(minutes(6))
    shown = stack.lab.ask("GET", f"/conversations/{booked['id']}").json
    assert (shown["status"], shown["failure"]["code"]) == ("failed", "dialing_off")
    assert stack.lab.people_dialled() == []
