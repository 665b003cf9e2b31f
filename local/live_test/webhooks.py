"""Webhooks of a call, as GET /webhook_deliveries lists them.

Telnyx API: list-webhook-deliveries. A row has the event's payload and, for each attempt, the URL,
the headers of the request and the status of the response. The newest attempt comes first. The
listing may write an event's type with underscores, so its spelling proves nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.connect.account import Json
from local.live_test.api import Api

_PATH = "/webhook_deliveries"
_PAGE = 250
_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""How far this computer's clock may be ahead of Telnyx's clock."""


@dataclass(frozen=True)
class Attempt:
    """A delivery of a webhook to a URL; `timestamp` is the header `telnyx-timestamp`."""

    at: datetime
    url: str
    timestamp: str | None


@dataclass(frozen=True)
class Webhook:
    """A webhook and its deliveries, oldest first."""

    event_type: str
    id: str
    at: datetime
    payload: Json
    attempts: tuple[Attempt, ...]

    def is_a(self, event_type: str) -> bool:
        """Whether the webhook has a type, in any spelling."""
        return self.event_type.replace(".", "_") == event_type.replace(".", "_")

    @property
    def urls(self) -> list[str]:
        """The URLs of the deliveries, without repetitions."""
        return list(dict.fromkeys(attempt.url for attempt in self.attempts))


def listed(api: Api, text: str, since: datetime) -> list[Webhook]:
    """Return the webhooks that contain a text, oldest first. Raises SurpriseError."""
    query = {
        "filter[started_at][gte]": (since - _CLOCK_DIFFERENCE).isoformat(),
        "filter[webhook][contains]": text,
        "page[size]": _PAGE,
    }
    rows: list[Json] = []
    number = 1
    while True:
        reply = api.get(_PATH, {**query, "page[number]": number})
        rows += reply.data
        if number >= (reply.body.get("meta") or {}).get("total_pages", 1):
            break
        number += 1
    return sorted((_webhook(row) for row in rows), key=lambda webhook: webhook.at)


def of_type(webhooks: list[Webhook], event_type: str) -> list[Webhook]:
    """Return the webhooks of a type."""
    return [webhook for webhook in webhooks if webhook.is_a(event_type)]


def _webhook(row: Json) -> Webhook:
    event = row["webhook"]
    attempts = [_attempt(attempt) for attempt in row.get("attempts") or ()]
    return Webhook(
        str(event["event_type"]),
        str(event["id"]),
        datetime.fromisoformat(event["occurred_at"]),
        event.get("payload") or {},
        tuple(sorted(attempts, key=lambda attempt: attempt.at)),
    )


def _attempt(row: Json) -> Attempt:
    request: Json = (row.get("http") or {}).get("request") or {}
    headers: dict[str, Any] = {
        str(name).lower(): value for name, value in request.get("headers") or ()
    }
    return Attempt(
        datetime.fromisoformat(row["started_at"]),
        str(request.get("url", "")),
        headers.get("telnyx-timestamp"),
    )
