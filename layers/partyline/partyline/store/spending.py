"""What the calls of a day cost, and what is reserved for calls, in a counter of the table.

The transaction of each step that changes a cost changes the counter, by the charges of
`services.budget` (see `domain.rules.costs`).
"""

from datetime import date
from typing import Any

from partyline.store import keys
from partyline.store.table import Table


class SpendingStore:
    """The counters of all days. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def spent(self, day: date) -> int:
        """The units of the budget that a day has spent or reserved."""
        row = self._table.get(keys.spend(day))
        return int(row["units"]["N"]) if row else 0
