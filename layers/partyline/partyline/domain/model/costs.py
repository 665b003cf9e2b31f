"""What calls cost: Telnyx's prices of a call and of a run of the assistant, and ended calls.

Amounts are decimal numbers as text, as Telnyx sends amounts.
"""

from datetime import date, datetime
from decimal import ROUND_UP, Decimal

from pydantic import Field

from partyline.domain.model.statuses import Outcome
from partyline.domain.model.stored import Stored

UNKNOWN_CURRENCY = "unknown"
"""Stands for the currency of an amount without one."""

CODE_CHARS = 3  # of a currency (ISO 4217)

UNITS = 1_000_000
"""How many units of the budget a unit of the currency has: the table counts whole numbers."""

MOST_UNITS = 1_000_000 * UNITS
"""The largest amount that counts towards the budget: an odd amount of Telnyx stops at this."""


class LegCost(Stored):
    """The price of a call (Telnyx API: `call.cost`). `billed_secs` is the longest billed time."""

    total: str
    currency: str = UNKNOWN_CURRENCY
    billed_secs: int | None = None


class RunCost(Stored):
    """The price of a run of the assistant (Telnyx API: `call.analyzed`).

    `of_calls` is the part of the total that `call.cost` reports too.
    """

    total: str
    currency: str = UNKNOWN_CURRENCY
    of_calls: str = "0"


class EndedLeg(Stored):
    """What is kept of an ended call that the document does not hold any more."""

    number: int
    to: str | None = None  # masked
    dialed: bool = True
    outcome: Outcome | None = None
    hangup_cause: str | None = None
    sip_hangup_cause: str | None = None
    call_leg_id: str | None = None  # a price may still come
    created_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cost: LegCost | None = None
    mos: float | None = None


class OmittedLegs(Stored):
    """The sums of the ended calls of which nothing else is kept.

    Attributes:
        count: the number of calls.
        seconds: how long the calls were answered.
        costs: the amount by currency.
        spent: the units that count towards the budget, by day.
    """

    count: int = 0
    seconds: int = 0
    costs: dict[str, str] = Field(default_factory=dict)
    spent: dict[date, int] = Field(default_factory=dict)


def is_currency(word: str | None) -> bool:
    """Whether a word may be the code of a currency."""
    return word is not None and len(word) == CODE_CHARS and word.isascii() and word.isalpha()


def units_of(amount: str | Decimal) -> int:
    """Return an amount in units of the budget, rounded up; a credit counts as nothing."""
    units = (Decimal(amount) * UNITS).to_integral_value(ROUND_UP)
    return max(0, min(int(units), MOST_UNITS))


def amount_of(units: int) -> str:
    """Return units of the budget as an amount."""
    return str((Decimal(units) / UNITS).quantize(Decimal("0.000001")).normalize() + 0)
