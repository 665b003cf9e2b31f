"""The account's history: the commands and webhooks of each call, and the deliveries of webhooks."""

import json
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter

from local.simulator.delivery import Deliverer
from local.simulator.model import Delivery, JsonObject, LedgerEntry, SimulatedLeg, World
from local.simulator.queries import paged
from local.simulator.switchboard import Switchboard, timestamp


class History:
    """The handlers of the queries about the past."""

    def __init__(self, board: Switchboard, deliverer: Deliverer) -> None:
        self._board = board
        self._deliverer = deliverer

    def call_events(self, query: dict[str, str]) -> JsonObject:
        """Telnyx API: GET /call_events. An unknown filter is ignored, as seen on live accounts."""
        listed_before = self._board.now() - timedelta(
            seconds=self._board.settings.events_listed_after_secs
        )
        world = self._board.world
        if query.get("filter[type]") == "webhook":
            rows = [
                _event_row(leg, "webhook", event_type, at)
                for leg in world.legs.values()
                for at, event_type in leg.webhooks_sent
                if at <= listed_before
            ]
        else:
            commands = [entry for entry in world.ledger if entry.at <= listed_before]
            rows = [row for entry in commands if (row := _command_row(entry, world))]
        if not self._board.settings.events_name_commands:
            for row in rows:
                row["metadata"].pop("command_id", None)
        leg_id, call = query.get("filter[leg_id]"), query.get("filter[call_control_id]")
        rows = [
            row
            for row in rows
            if leg_id in (None, row["call_leg_id"])
            and call in (None, row["metadata"]["call_control_id"])
        ]
        return paged(rows, query)

    def webhook_deliveries(self, query: dict[str, str]) -> JsonObject:
        """Telnyx API: GET /webhook_deliveries, newest first."""
        since, status = query.get("filter[started_at][gte]"), query.get("filter[status][eq]")
        text = query.get("filter[webhook][contains]", "")
        attempts = [item for item in self._deliverer.attempts if text.encode() in item.body]
        attempts.sort(key=attrgetter("event_id"))
        groups = [list(group) for _, group in groupby(attempts, key=attrgetter("event_id"))]
        begin = None if since is None else datetime.fromisoformat(since)
        rows = [
            _delivery_row(group)
            for group in groups
            if status in (None, _status(group)) and (begin is None or group[0].at >= begin)
        ]
        rows.sort(key=lambda row: str(row["started_at"]), reverse=True)
        return paged(rows, query)


def _command_row(entry: LedgerEntry, world: World) -> JsonObject | None:
    """Return a command that took effect as a row, or None for any other request."""
    if entry.action != "dial" and entry.call_control_id is None:
        return None  # no command on a call
    if entry.method == "GET" or entry.status != HTTPStatus.OK or entry.duplicate:
        return None
    call = entry.call_control_id or entry.response["data"]["call_control_id"]
    # The id of a dialled leg may have changed since the response to the dial.
    leg = world.legs.get(call)
    if leg is None:
        return None
    row = _event_row(leg, "command", str(entry.action), entry.at)
    return {**row, "metadata": {"call_control_id": call, **(entry.body or {})}}


def _event_row(leg: SimulatedLeg, type_: str, name: str, at: datetime) -> JsonObject:
    return {
        "record_type": "call_event",
        "type": type_,
        "name": name,
        "call_leg_id": leg.call_leg_id,
        "call_session_id": leg.call_session_id,
        "event_timestamp": timestamp(at),
        "metadata": {"call_control_id": leg.call_control_id},
    }


def _delivery_row(attempts: list[Delivery]) -> JsonObject:
    """Return the attempts of an event as a row, with the latest attempt first."""
    first = attempts[0]
    body = json.loads(first.body)
    event = body.get("data", body)
    return {
        "record_type": "webhook_delivery",
        "id": first.event_id,
        "status": _status(attempts),
        "started_at": timestamp(first.at),
        "finished_at": timestamp(attempts[-1].at),
        "attempts": [_attempt_row(attempt) for attempt in reversed(attempts)],
        "webhook": {
            "record_type": "event",
            "id": first.event_id,
            "event_type": first.event_type,
            "occurred_at": event.get("occurred_at") or event["created_at"],
            "payload": event["payload"],
        },
    }


def _status(attempts: list[Delivery]) -> str:
    return "delivered" if any(_is_success(attempt) for attempt in attempts) else "failed"


def _attempt_row(attempt: Delivery) -> JsonObject:
    return {
        "status": "delivered" if _is_success(attempt) else "failed",
        "started_at": timestamp(attempt.at),
        "http": {
            "request": {"url": attempt.url, "headers": [["telnyx-timestamp", attempt.signed_at]]},
            "response": {"status": attempt.status},
        },
    }


def _is_success(attempt: Delivery) -> bool:
    return attempt.status is not None and attempt.status < 300
