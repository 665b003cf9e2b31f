"""Put new timeline events on the bus: the Lambda function behind the table's stream.

An event source mapping reads the stream, filters the new `EVENT#` rows, and invokes this function
with batches of records, in the order in which the table took the rows.

The position of the first record that failed in its batch decides how a failure ends:

- A later record: the function returns that record's sequence number (ReportBatchItemFailures).
  Lambda delivers that record and all that follow again, so the events of a conversation stay in
  order. Some events may reach the bus twice.
- The first record: the function raises. Lambda then halves the batch (BisectBatchOnFunctionError)
  until the bad record is alone. If the function returned the first sequence number instead, Lambda
  would retry the whole batch until its attempts are used up, and drop good records with the bad.

A record that fails alone in all attempts goes to the on-failure queue, and the shard moves on. The
reason may be an unreadable row, an event that the bus refuses, or an event that is larger than the
bus accepts although its long texts are cut. `partyline redrive events` reads that queue.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from partyline.bootstrap import App, with_app
from partyline.domain.masking import mask_fields
from partyline.domain.model.events import EVENT_VERSION
from partyline.store.events import event_in
from partyline.telemetry import Metric, count, logger

SOURCE = "partyline"
MAX_ENTRIES = 10  # PutEvents accepts at most this many entries in one request

MAX_PUT_BYTES = 256_000
"""A request's entries together stay below the 256 KB of PutEvents (AWS: EventBridge quotas)."""

CUT_CHARS = 1_000  # of a text in an event that is larger than that

Detail = dict[str, Any]
Entry = dict[str, str]
Result = dict[str, list[dict[str, str]]]


class EventNotRelayedError(Exception):
    """The first record of a batch could not be relayed; the message holds no event data."""


class EventTooLargeError(ValueError):
    """The event is larger than the bus accepts, although its texts are cut."""


def event_relay() -> Callable[[Any, Any], Result]:
    """Return the handler, which answers the record from which Lambda must start again, if any."""

    def handle(app: App, event: dict[str, Any], _context: Any) -> Result:
        changes = [record["dynamodb"] for record in event["Records"]]
        bus = os.environ["EVENT_BUS_NAME"]
        done, reason = relay(app.events_client, bus, [c["NewImage"] for c in changes])
        count(Metric.EVENT_SENT, done)
        if reason is None:
            return {"batchItemFailures": []}
        number = changes[done]["SequenceNumber"]
        logger.error("event not relayed", extra={"sequence_number": number, "reason": reason})
        if done == 0:
            raise EventNotRelayedError(f"{number}: {reason}")
        return {"batchItemFailures": [{"itemIdentifier": number}]}

    return with_app(handle)


def relay(client: Any, bus: str, rows: Sequence[Mapping[str, Any]]) -> tuple[int, str | None]:
    """Put the events of `rows` (in DynamoDB's JSON) on the bus, in order, up to the first failure.

    Returns how many rows are done, and why the next row failed: None when all are done.
    """
    entries, reason = [], None
    for row in rows:
        try:
            entries.append(_entry(row, bus))
        except (ValueError, LookupError, TypeError) as error:
            reason = type(error).__name__
            break
    done = 0
    for request in _requests(entries):
        try:
            answer = client.put_events(Entries=request)
        except (ClientError, BotoCoreError) as error:
            response = getattr(error, "response", {})
            return done, response.get("Error", {}).get("Code") or type(error).__name__
        if answer["FailedEntryCount"]:
            codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
            failed = next(index for index, code in enumerate(codes) if code)
            return done + failed, codes[failed]
        done += len(request)
    return done, reason


def detail_of(row: Mapping[str, Any]) -> Detail:
    """Return the `detail` that the bus carries for an event's row, with all phone numbers masked.

    Raises ValueError or LookupError for a row that cannot be read.
    """
    conversation_id, event = event_in(row)
    detail: Detail = mask_fields(
        {
            "version": EVENT_VERSION,
            "conversation_id": conversation_id,
            "seq": event.seq,
            "type": event.type,
            "occurred_at": event.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "cause": event.cause,
            # A row may be older than the attribute `trace_id`.
            "trace_id": row.get("trace_id", {}).get("S", ""),
            "data": event.data,
        }
    )
    return detail


def _entry(row: Mapping[str, Any], bus: str) -> Entry:
    detail = detail_of(row)
    entry = _entry_of(detail)
    size = _size(entry)
    if size > MAX_PUT_BYTES:
        entry = _entry_of({**detail, "data": _cut(detail["data"]), "cut_from_bytes": size})
    if _size(entry) > MAX_PUT_BYTES:
        raise EventTooLargeError
    return {"EventBusName": bus, **entry}


def _entry_of(detail: Detail) -> Entry:
    text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    return {"Source": SOURCE, "DetailType": str(detail["type"]), "Detail": text}


def _cut(value: Any) -> Any:
    """Cut the long texts of an event that the bus does not accept; the timeline has the whole."""
    if isinstance(value, str):
        return value[:CUT_CHARS]
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    return [_cut(item) for item in value] if isinstance(value, list) else value


def _requests(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    request: list[Entry] = []
    for entry in entries:
        full = len(request) == MAX_ENTRIES
        if full or sum(map(_size, [*request, entry])) > MAX_PUT_BYTES:
            yield request
            request = []
        request.append(entry)
    if request:
        yield request


def _size(entry: Entry) -> int:
    """Return an entry's size as PutEvents counts bytes: source, detail type and detail."""
    return sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))
