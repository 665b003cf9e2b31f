"""The second consumer of the table's stream: writes the index of people, off the caller's path.

An event source mapping invokes this function with the rows whose last step brought new numbers. An
entry of the index is the same each time, so Lambda may deliver a batch again after a failure.
"""

from collections.abc import Callable
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.store.people import Gained
from partyline.telemetry import Metric, count


def index_numbers() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The handler; its answer counts the entries. A record that cannot be indexed raises."""

    def handle(app: App, event: dict[str, Any], _context: Any) -> dict[str, int]:
        entries, now = 0, app.clock()
        for record in event["Records"]:
            gained = Gained.of(record["dynamodb"]["NewImage"])
            for person in sorted(app.number_hashes.of_all(gained.numbers)):
                app.person_index.add(person, gained, now)
                entries += 1
        count(Metric.NUMBERS_INDEXED, entries)
        return {"entries": entries}

    return with_app(handle)
