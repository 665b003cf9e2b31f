"""Events out: what consumers get of a row of the timeline.

The table's stream brings each new row once or more, in the order of its conversation. A pipe picks
the events, has them put into plain JSON here, and hands them to the bus.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from partyline.domain.model.events import masked
from partyline.entrypoints.api.responses import event_view
from partyline.store import event_in
from partyline.telemetry import Metric, count, lambda_handler

PHONE_NUMBER = re.compile(r"\+\d{7,15}")

Detail = dict[str, Any]


def event_relay() -> Callable[[Any, Any], list[Detail]]:
    """The handler of the pipe's enrichment: details of events for records of the table's stream.

    One that is no event, or cannot be read, fails the batch; the pipe then halves it until what is
    wrong stands alone, and puts that among its dead letters.
    """

    @lambda_handler
    def handler(records: Any, _context: Any) -> list[Detail]:
        details = [detail_of(record["dynamodb"]["NewImage"]) for record in records]
        count(Metric.EVENT_SENT, len(details))
        return details

    return handler


def detail_of(image: Mapping[str, Any]) -> Detail:
    """The `detail` on the bus of an event's row, as DynamoDB writes items.

    Numbers are masked wherever they stand, in what somebody said to the assistant too.
    """
    conversation_id, event = event_in(image)
    detail: Detail = _masked({"conversation_id": conversation_id, **event_view(event)})
    # A row may be older than this, and the pipe's template knows no field that may be missing.
    return {**detail, "trace_id": image.get("trace_id", {}).get("S", "")}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return PHONE_NUMBER.sub(lambda found: str(masked(found[0])), value)
    if isinstance(value, Mapping):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_masked(each) for each in value]
    return value
