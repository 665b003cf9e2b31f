"""Charges: additions to counters of quotas, in the transaction of the step that uses the quotas.

The counters are those of dials (`store.dial_counts`), of the assistant's tool, and of the budget of
a day (`store.spending`).
"""

from dataclasses import dataclass
from datetime import datetime

from partyline.store.keys import Key
from partyline.store.table import Row, key_of


@dataclass(frozen=True)
class QuotaCharge:
    """An addition of `units` to a counter that may reach `most`; part of the step's transaction.

    Without `most` the counter has no limit, and `units` may be less than nothing. The counter may
    be deleted after `expires_at`. `second` is the attribute that counts the units of a second as
    well; None for a counter that is not of a minute.
    """

    key: Key
    units: int
    most: int | None
    expires_at: datetime
    second: str | None = None


def charge_update(charge: QuotaCharge) -> Row:
    """The update of a counter, on the condition that the counter stays within its limit."""
    values = {
        ":units": {"N": str(charge.units)},
        ":expires_at": {"N": str(int(charge.expires_at.timestamp()))},
    }
    of_second = f", {charge.second} :units" if charge.second else ""
    update: Row = {
        "Key": key_of(charge.key),
        "UpdateExpression": f"ADD units :units{of_second} SET expires_at = :expires_at",
        "ExpressionAttributeValues": values,
    }
    if charge.most is not None:
        room, fits = charge.most - charge.units, "units <= :room"
        # Without a row, a comparison is false.
        condition = fits if room < 0 else f"attribute_not_exists(units) OR {fits}"
        update["ConditionExpression"] = condition
        values[":room"] = {"N": str(room)}
    return update
