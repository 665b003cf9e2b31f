"""The table in memory with DynamoDB's waits and units, and two observations of its rows."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.scale.clock import InvocationClock
from local.stack.memory_table import Item, Key, MemoryTable, size_of

READ_SECS, WRITE_SECS = 0.005, 0.01
"""The time of a request: about the averages that CloudWatch shows for small items."""

READ_BYTES, WRITE_BYTES = 4096, 1024
"""The size of a read unit and of a write unit (DynamoDB: read and write capacity)."""

_AWAITED = re.compile(r'"awaited_at":"([^"]+)"')


class MeteredTable(MemoryTable):
    """Counts units from the sizes of items: `units` has `reads` and `writes`.

    An index that gets a changed row is a write too. A transaction writes twice. `lateness_secs` has
    the delay of each timer for which a person waits: from its moment to the step that follows.
    `legs_ended` has the time of the step by which a call is recorded as ended.
    """

    def __init__(self, create: Mapping[str, Any], clock: InvocationClock) -> None:
        super().__init__(create)
        self.units: Counter[str] = Counter()
        self.lateness_secs: list[float] = []
        self.legs_ended: dict[tuple[str, str, int], datetime] = {}
        self._clock = clock
        self._copies = 1

    def get_item(self, **request: Any) -> Item:
        """DynamoDB API: GetItem."""
        answer = super().get_item(**request)
        self._read(request, size_of(answer.get("Item", {})))
        self._clock.sleep(READ_SECS)
        return answer

    def batch_get_item(self, **request: Any) -> Item:
        """DynamoDB API: BatchGetItem; each item is rounded up, a missing item is a unit."""
        answer = super().batch_get_item(**request)
        [(name, batch)] = request["RequestItems"].items()
        found = answer["Responses"][name]
        for item in found:
            self._read(batch, size_of(item))
        for _ in range(len(batch["Keys"]) - len(found)):
            self._read(batch, 0)
        self._clock.sleep(READ_SECS)
        return answer

    def query(self, **request: Any) -> Item:
        """DynamoDB API: Query; the sizes of the items are added before the sum is rounded up."""
        answer = super().query(**request)
        self._read(request, sum(map(size_of, answer["Items"])))
        self._clock.sleep(READ_SECS)
        return answer

    def put_item(self, **request: Any) -> Item:
        """DynamoDB API: PutItem."""
        self._clock.sleep(WRITE_SECS)
        return super().put_item(**request)

    def transact_write_items(self, **request: Any) -> Item:
        """DynamoDB API: TransactWriteItems."""
        self._clock.sleep(WRITE_SECS)
        self._copies = 2
        try:
            return super().transact_write_items(**request)
        finally:
            self._copies = 1

    def _read(self, request: Mapping[str, Any], size: int) -> None:
        units = max(1, math.ceil(size / READ_BYTES))
        self.units["reads"] += units if request.get("ConsistentRead") else units / 2  # type: ignore[assignment]

    def _keep(self, after: Mapping[Key, Item]) -> None:
        for key, item in after.items():
            before = self._items.get(key, {})
            self.units["writes"] += self._copies * _write_units(before, item)
            self.units["writes"] += sum(self._index_units(before, item))
            if key[1] == "STATE":
                self._observe_timer(before, item)
            elif key[1].startswith("EVENT#") and '"leg.ended"' in item["event"]["S"]:
                self._observe_end(key, json.loads(item["event"]["S"])["data"])
        super()._keep(after)

    def _index_units(self, before: Item, after: Item) -> list[int]:
        """The units of each index: none for an unchanged row, two when its key changes."""
        units = []
        for name, by in self._indexes.items():
            shown = {*by, *self._key, *self._projected[name]}
            rows = [
                {field: item[field] for field in shown if field in item}
                if all(field in item for field in by)
                else {}
                for item in (before, after)
            ]
            old, new = rows
            if old == new:
                continue
            moved = bool(old and new) and any(old[field] != new[field] for field in by)
            units.append(_write_units(old, new) * (2 if moved else 1))
        return units

    def _observe_timer(self, before: Item, after: Item) -> None:
        moment, now = _awaited_at(before), self._clock.now()
        if moment and moment <= now and moment != _awaited_at(after):
            self.lateness_secs.append((now - moment).total_seconds())

    def _observe_end(self, key: Key, data: Mapping[str, Any]) -> None:
        leg = key[0].partition("#")[2], str(data["participant_id"]), int(data["leg"])
        self.legs_ended.setdefault(leg, self._clock.now())


def _write_units(before: Item, after: Item) -> int:
    """An update has the units of the larger of both items."""
    return max(1, math.ceil(max(size_of(before), size_of(after)) / WRITE_BYTES))


def _awaited_at(item: Item) -> datetime | None:
    document = item.get("document", {}).get("S", "")
    match = _AWAITED.search(document)
    return datetime.fromisoformat(match[1]) if match else None
