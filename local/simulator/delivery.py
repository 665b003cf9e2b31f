"""Deliver webhooks as Telnyx does: signed and retried, and by setting duplicated, late or lost.

Telnyx docs, webhook fundamentals and voice webhooks: any 2xx acknowledges; 408, 429, 5xx and no
answer are retried, other answers are not; the application's failover URL comes last. A retry
increments `meta.attempt`, keeps the event's id and has a new signature, unless set otherwise.
"""

import json
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import httpx

from local.simulator.clock import Clock
from local.simulator.model import Delivery, JsonObject
from local.simulator.signing import Signer
from local.tls import tls_context

_RETRIED = frozenset({408, 429})
# The longest time that a held event waits for the next event of the same call.
_HOLD_SECS = 5.0
_OVERTAKEN_SECS = 0.05


@dataclass(frozen=True)
class Event:
    """An event to deliver; `data` is the envelope's. Version "1" is flat (Telnyx API: the default
    of an application made through the API)."""

    id: str
    event_type: str
    call_control_id: str | None
    data: JsonObject
    version: str = "2"
    sent_at: float = 0.0
    """Seconds since 1970."""


@dataclass(frozen=True)
class Route:
    """The URL of an event. `retries_ms` are the pauses before each further attempt."""

    url: str
    retries_ms: tuple[int, ...]
    failover_url: str | None = None


@dataclass
class DeliverySettings:
    """Delivery faults of an event type (or `*`).

    `delay_secs` is a range; `duplicates` is the number of further deliveries of the same event;
    `drop` is the probability of no delivery; with `reorder` the call's next event comes first;
    `version` is an API version in place of the application's. The faults are those of the next
    `times` events (None: of all events).
    """

    delay_secs: tuple[float, float] = (0.0, 0.0)
    duplicates: int = 0
    drop: float = 0.0
    reorder: bool = False
    version: str | None = None
    times: int | None = None


Post = Callable[[str, bytes, dict[str, str]], int | None]
"""Post a body with headers to a URL. Returns the HTTP status, or None if no answer came in time."""


class HttpPost:
    """Post over HTTP, from any thread; `timeout_secs` is Telnyx's timeout for a receiver."""

    def __init__(self, timeout_secs: float = 10.0) -> None:
        self._client = httpx.Client(timeout=timeout_secs, trust_env=False, verify=tls_context())

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        """Post `body` to `url`; a redirect is an answer and is not followed."""
        try:
            return self._client.post(url, content=body, headers=headers).status_code
        except httpx.HTTPError:
            return None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def inline(task: Callable[[], None]) -> None:
    """Run at once on the caller's thread: with a virtual clock, deliveries are repeatable."""
    task()


class Deliverer:
    """Delivers events and records all attempts.

    `run` starts an attempt: `inline`, or on threads so that webhooks of a call arrive in parallel.
    """

    def __init__(
        self,
        clock: Clock,
        post: Post,
        signing_seed: bytes,
        rng: random.Random,
        run: Callable[[Callable[[], None]], object] = inline,
    ) -> None:
        self.settings: dict[str, DeliverySettings] = {}
        self.redelivery_id: Literal["same", "new"] = "same"
        self.redelivery_signature: Literal["new", "first"] = "new"
        self.attempts: list[Delivery] = []
        self.dropped: list[Event] = []
        self.signer = Signer(signing_seed)
        self._clock = clock
        self._post = post
        self.rng = rng
        self._run = run
        self._held: dict[str, Callable[[], None]] = {}
        self._lock = threading.Lock()

    def post(self, url: str, body: bytes) -> int | None:
        """Post a signed body once and return the status, or None if no answer came."""
        return self._post(url, body, self.signature_headers(body))

    def signature_headers(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """Return Telnyx's headers for `body`, signed `at` (seconds since 1970) or now."""
        return self.signer.headers(body, self._clock.now().timestamp() if at is None else at)

    def send(self, event: Event, route: Route) -> None:
        """Schedule the delivery of `event` as its settings say; returns before the first post."""
        settings = self._use_settings(event.event_type)
        if settings.drop and self.rng.random() < settings.drop:
            self.dropped.append(event)
            return

        version = settings.version or event.version
        event = replace(event, version=version, sent_at=self._clock.now().timestamp())

        def start() -> None:
            for nth in range(1 + settings.duplicates):
                delivery = self._again(event, f"duplicate {nth}") if nth else event
                self._try_later(self.rng.uniform(*settings.delay_secs), delivery, route, 1, 0)

        call = event.call_control_id or ""
        with self._lock:
            overtaken = self._held.pop(call, None)
            if settings.reorder and overtaken is None:
                self._held[call] = start
                self._clock.call_later(_HOLD_SECS, lambda: self._release(call, start))
                return
        start()
        if overtaken is not None:
            self._clock.call_later(_OVERTAKEN_SECS, overtaken)

    def _use_settings(self, event_type: str) -> DeliverySettings:
        """Return the settings of an event, and count the use of settings with `times`."""
        for name in (event_type, "*"):
            settings = self.settings.get(name)
            if settings is not None and settings.times != 0:
                if settings.times is not None:
                    settings.times -= 1
                return settings
        return DeliverySettings()

    def _release(self, call: str, start: Callable[[], None]) -> None:
        with self._lock:
            if self._held.get(call) is not start:
                return
            del self._held[call]
        start()

    def _again(self, event: Event, delivery: str) -> Event:
        """Return the event for a further delivery, which may have another id."""
        if self.redelivery_id == "same":
            return event
        new_id = str(uuid.uuid5(uuid.UUID(event.id), delivery))
        return replace(event, id=new_id, data={**event.data, "id": new_id})

    def _try_later(
        self, delay_secs: float, event: Event, route: Route, attempt: int, retry: int
    ) -> None:
        self._clock.call_later(
            delay_secs, lambda: self._run(lambda: self._try(event, route, attempt, retry))
        )

    def _try(self, event: Event, route: Route, attempt: int, retry: int) -> None:
        began = self._clock.now()
        body = encode(event, attempt, route.url)
        signed_at = event.sent_at if self.redelivery_signature == "first" else None
        headers = self.signature_headers(body, signed_at)
        status = self._post(route.url, body, headers)
        self.attempts.append(
            Delivery(
                at=began,
                event_id=event.id,
                event_type=event.event_type,
                url=route.url,
                attempt=attempt,
                status=status,
                duration_secs=(self._clock.now() - began).total_seconds(),
                call_control_id=event.call_control_id,
                body=body,
                signed_at=headers["telnyx-timestamp"],
            )
        )
        if status is not None and status < 500 and status not in _RETRIED:
            return
        event = self._again(event, f"attempt {attempt + 1}")
        if retry < len(route.retries_ms):
            pause_secs = route.retries_ms[retry] / 1000
            self._try_later(pause_secs, event, route, attempt + 1, retry + 1)
        elif route.failover_url:
            failover = Route(route.failover_url, route.retries_ms)
            self._try_later(0.0, event, failover, attempt + 1, 0)


def encode(event: Event, attempt: int, url: str) -> bytes:
    """Return the body of a delivery of an event."""
    if event.version == "1":
        return version_one_body(event.data)
    document: JsonObject = {"data": event.data, "meta": {"attempt": attempt, "delivered_to": url}}
    return json.dumps(document, ensure_ascii=False).encode()


def version_one_body(data: JsonObject) -> bytes:
    """Return the flat body of API version 1 for an event's `data` of version 2."""
    document = {
        "id": data["id"],
        "record_type": "event",
        "event_type": data["event_type"].replace(".", "_"),
        "created_at": data["occurred_at"],
        "payload": data["payload"],
    }
    return json.dumps(document, ensure_ascii=False).encode()
