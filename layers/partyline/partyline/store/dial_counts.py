"""The dials of the last minute: a row for each calendar minute, with a count for each second.

A request counts in the row of its minute. The dials of the minute before that are at most 61 s old
count against the limit too: no 60 seconds have more dials than the limit, wherever they begin. The
row of the minute before is read, and only the row of the present minute is in the transaction. So
two transactions at the same time cannot pass the limit together.
"""

from datetime import datetime, timedelta

from partyline.store import keys
from partyline.store.quota_charges import QuotaCharge
from partyline.store.table import Table

COUNTER_KEPT_FOR = timedelta(hours=1)  # how long the counter of a minute is kept after that minute


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


_SECOND = "second_"


def _second(at: datetime) -> str:
    return f"{_SECOND}{at.second:02}"
