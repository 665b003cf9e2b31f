"""The charges of a step, and what is left of the budget of a day."""

from types import SimpleNamespace
from typing import Any

import pytest

from partyline.services.budget import Budget
from partyline.store.errors import QuotaExceededError
from tests.support.domain_story import T0
from tests.unit.domain.test_costs import DAY, RESERVED, conversation, leg


def budget(daily: int, spent: int = 0) -> Budget:
    store: Any = SimpleNamespace(spent=lambda _day: spent)
    return Budget(daily, store, lambda: T0)


def test_a_limited_step_has_to_fit_into_the_budget_of_a_day() -> None:
    [charge] = budget(RESERVED).charges(None, conversation(leg(1)), is_limited=True)
    assert (charge.units, charge.most) == (RESERVED, RESERVED)
    assert charge.expires_at > T0
    with pytest.raises(QuotaExceededError):
        budget(RESERVED - 1).charges(None, conversation(leg(1)), is_limited=True)
    [charge] = budget(RESERVED - 1).charges(None, conversation(leg(1)), is_limited=False)
    assert charge.most is None


def test_a_refund_needs_no_room() -> None:
    before, after = conversation(leg(1)), conversation(leg(1, "0.02"))
    [charge] = budget(RESERVED).charges(before, after, is_limited=True)
    assert (charge.units, charge.most) == (20_000 - RESERVED, None)


@pytest.mark.parametrize(
    ("daily", "spent", "used_up"), [(10, 10, False), (10, 11, True), (0, 0, False), (0, 1, True)]
)
def test_a_budget_is_used_up_beyond_its_amount(daily: int, spent: int, used_up: bool) -> None:
    assert budget(daily, spent).is_used_up(DAY) is used_up


def test_nothing_is_left_of_a_budget_that_was_passed() -> None:
    assert budget(1_000_000, 2_000_000).exceeded().details == [{"daily_budget": "1", "left": "0"}]
