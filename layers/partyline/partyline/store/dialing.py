"""The emergency stop: a row in the table that switches all dials off.

An operator writes the row with rights in AWS (`partyline dialing off`). No function writes the row,
so a leaked bearer key cannot switch dials on again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from partyline.store import keys
from partyline.store.table import Table

SEEN_WITHIN = timedelta(seconds=30)
"""How long a process relies on its last read: with a slow start, a stop is seen within a minute."""


class DialingSwitch:
    """Whether dials are switched off, read at most twice a minute in a process."""

    def __init__(self, client: Any, table_name: str, clock: Callable[[], datetime]) -> None:
        self._table = Table(client, table_name)
        self._clock = clock
        self._off = False
        self._read_at: datetime | None = None

    def is_off(self) -> bool:
        """Return whether dials are off. Raises an `AwsError`, also after an earlier read.

        So a process that cannot read the row does not dial.
        """
        now = self._clock()
        if self._read_at is None or not timedelta() <= now - self._read_at < SEEN_WITHIN:
            self._off = self._table.get(keys.DIALING_OFF) is not None
            self._read_at = now
        return self._off
