"""The dials of the last minute: a row for each calendar minute, with a count for each second.

A request counts in the row of its minute. The dials of the minute before that are at most 61 s old
count against the limit too: no 60 seconds have more dials than the limit, wherever they begin. The
row of the minute before is read, and only the row of the present minute is in the transaction. So
two transactions at the same time cannot pass the limit together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from partyline.store import keys
from partyline.store.keys import Key
from partyline.store.table import Row, Table, key_of

COUNTER_KEPT_FOR = timedelta(hours=1)  # how long the counter of a minute is kept after that minute


@dataclass(frozen=True)
class QuotaCharge:
    """An addition of `units` to a counter that may reach `most`; part of the step's transaction.

    Without `most` the counter has no limit, and `units` may be less than nothing. The counter may
    be deleted after `expires_at`. `second` is the attribute that counts the units
    of a second as well; None for a counter that is not of a minute.
    """

    key: Key
    units: int
    most: int | None
    expires_at: datetime
    second: str | None = None


class DialCounts:
    """The counters of dials in the table. Every method may raise an `AwsError`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def charge(self, name: str, units: int, limit: int, now: datetime) -> QuotaCharge:
        """Return the charge of `units` dials under a name that may make `limit` dials a minute."""
        before = self._table.get(keys.dials(name, now - timedelta(minutes=1))) or {}
        recent = sum(
            int(value["N"])
            for attribute, value in before.items()
            if attribute.startswith(_SECOND) and attribute >= _second(now)
        )
        expires_at = now + COUNTER_KEPT_FOR
        return QuotaCharge(
            keys.dials(name, now), units, limit - recent, expires_at, second=_second(now)
        )


def charge_update(charge: QuotaCharge) -> Row:
    """The update of a counter, on the condition that the counter stays within its limit."""
    values = {
        ":units": {"N": str(charge.units)},
        ":expires_at": {"N": str(int(charge.expires_at.timestamp()))},
    }
    update: Row = {
        "Key": key_of(charge.key),
        "UpdateExpression": "ADD units :units SET expires_at = :expires_at",
        "ExpressionAttributeValues": values,
    }
    if charge.most is not None:
        room, fits = charge.most - charge.units, "units <= :room"
        # Without a row, a comparison is false.
        condition = fits if room < 0 else f"attribute_not_exists(units) OR {fits}"
        update["ConditionExpression"] = condition
        values[":room"] = {"N": str(room)}
    if charge.second:
        expression = f"ADD units :units, {charge.second} :units SET expires_at = :expires_at"
        update["UpdateExpression"] = expression
    return update


_SECOND = "second_"


def _second(at: datetime) -> str:
    return f"{_SECOND}{at.second:02}"
