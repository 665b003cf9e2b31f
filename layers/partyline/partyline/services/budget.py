"""The budget of a day: what the dials of this deployment may cost, by the prices of Telnyx.

A dial reserves an amount in the transaction that adds the dial; the price settles the reservation.
A request whose dials do not fit is refused in that transaction. Any other dial, such as a later
number of a plan, is reserved in any case, and checked by the dial policy before it is sent. A dial
that is sent therefore always has room, also when several processes dial at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.costs import amount_of
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.rules.costs import spending
from partyline.services.errors import RequestError
from partyline.store import QuotaCharge, keys
from partyline.store.errors import QuotaExceededError
from partyline.store.spending import SpendingStore
from partyline.telemetry import Metric, count

COUNTER_KEPT_FOR = timedelta(days=40)
"""How long a day's counter is kept: prices may come days later, and an operator may compare."""


@dataclass(frozen=True)
class Budget:
    """The budget of a day, in units (see `domain.model.costs`)."""

    daily: int
    store: SpendingStore
    clock: Callable[[], datetime]

    def charges(
        self, before: Conversation | None, after: Conversation, *, is_limited: bool
    ) -> list[QuotaCharge]:
        """Return the charges of a step. A step that `is_limited` must fit into the budget.

        Raises a QuotaExceededError for a step that does not fit into the budget of a whole day.
        """
        charges, expires_at = list[QuotaCharge](), self.clock() + COUNTER_KEPT_FOR
        for day, units in spending(before, after).items():
            most = self.daily if is_limited and units > 0 else None
            if most is not None and units > most:
                raise QuotaExceededError(of_budget=True)
            charges.append(QuotaCharge(keys.spend(day), units, most, expires_at))
        return charges

    def is_used_up(self, day: date) -> bool:
        """Whether the calls of a day cost more than the budget, with what is reserved for dials.

        A dial is reserved before this question is asked. Raises an `AwsError`.
        """
        spent = self.store.spent(day)
        if self.daily:
            count(Metric.BUDGET_USED, 100 * spent / self.daily)
        return spent > self.daily

    def exceeded(self) -> RequestError:
        """The error for a request whose dials do not fit into the rest of the budget."""
        count(Metric.BUDGET_EXCEEDED)
        left = amount_of(max(0, self.daily - self.store.spent(self.clock().date())))
        daily = amount_of(self.daily)
        message = f"The budget of the day is {daily}, and {left} is left."
        return RequestError(
            ErrorCode.BUDGET_EXCEEDED, message, [{"daily_budget": daily, "left": left}]
        )
