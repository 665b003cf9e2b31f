"""Calls that get other ids at their answer."""

from typing import Literal

import pytest

from local.simulator.settings import Settings
from tests.support.lab import NewLab
from tests.support.people import DANA, HOST


@pytest.mark.parametrize("change", ["call", "all"])
def test_a_conversation_runs_on_calls_that_get_other_ids_at_their_answer(
    new_lab: NewLab, change: Literal["call", "all"]
) -> None:
    settings = Settings(accepts_conversation_keys=True, new_ids_at_answer=change)
    lab = new_lab([], settings)
    conversation_id = lab.start(participants=[{"to": DANA, "name": "Dana"}])
    lab.run(10)
    assert lab.status(conversation_id) == "active"
    assert lab.people_joined() == ["Dana"]

    lab.hang_up(DANA)
    lab.run(5)
    assert lab.person(conversation_id, "Dana")["status"] == "left"
    lab.hang_up(HOST)
    lab.run(5)
    assert lab.status(conversation_id) == "ended"
    lab.assert_no_leg_up()
