"""Shared parts of the simulator: the state, the clock, new ids, and webhooks."""

import base64
import random
import threading
import uuid
from collections.abc import Callable
from datetime import datetime

from local.simulator.clock import Clock, Timer
from local.simulator.delivery import Deliverer, Event, Route
from local.simulator.model import JsonObject, SimulatedLeg, World
from local.simulator.settings import Settings

_OF_CONVERSATIONS = "call.conversation"  # and `call.conversation_insights`


class Ids:
    """New identifiers in Telnyx's shapes, the same for the same seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def call_control_id(self) -> str:
        """Return an id like `v3:2EC-70CTEjlUq3tDM0CxKXIt5-5N4iP4wo7_-PfH-qub97Sk4EqO5w`."""
        return "v3:" + base64.urlsafe_b64encode(self._rng.randbytes(40)).decode().rstrip("=")

    def leg(self) -> str:
        """Return a UUID in the time-based form of call_leg_id and call_session_id."""
        low, middle, node = (self._rng.getrandbits(bits) for bits in (32, 16, 24))
        return f"{low:08x}-{middle:04x}-11f0-8{middle & 0xFFF:03x}-02420a{node:06x}"

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def timestamp(at: datetime) -> str:
    """Return ISO 8601 with microseconds and Z, as Telnyx writes times."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Switchboard:
    """The state that phones, assistants and the API share, under a single lock."""

    def __init__(
        self, clock: Clock, settings: Settings, deliverer: Deliverer, rng: random.Random
    ) -> None:
        self.clock = clock
        self.settings = settings
        self.world = World()
        self.ids = Ids(rng)
        self.lock = threading.RLock()
        self._deliverer = deliverer

    def now(self) -> datetime:
        """Return the present time of the simulator's clock."""
        return self.clock.now()

    def later(self, delay_secs: float, fn: Callable[[], None]) -> Timer:
        """Run `fn` later, under the lock. The caller holds the lock."""

        def locked() -> None:
            # A due timer may wait for the lock while another thread ends its leg.
            with self.lock:
                if not timer.cancelled:
                    fn()

        timer = self.clock.call_later(delay_secs, locked)
        return timer

    def change_ids(self, leg: SimulatedLeg, *, leg_id: bool = False) -> None:
        """Give a leg another call_control_id, and with `leg_id` another call_leg_id too.

        Telnyx then does not know the old call_control_id.
        """
        old, new = leg.call_control_id, self.ids.call_control_id()
        leg.call_control_id = new
        leg.call_leg_id = self.ids.leg() if leg_id else leg.call_leg_id
        for known in self.world.legs.values():
            known.bridged_to = new if known.bridged_to == old else known.bridged_to
        self.world.legs = {known.call_control_id: known for known in self.world.legs.values()}
        for conversation in self.world.conversations.values():
            if conversation.starting_call == old:
                conversation.starting_call = new
            for guest in conversation.participants:
                if guest.call_control_id == old:
                    guest.call_control_id = new
        for conference in self.world.conferences.values():
            conference.members = [new if call == old else call for call in conference.members]

    def record_heard(self, leg: SimulatedLeg, perception: str) -> None:
        """Record a perception of the person on `leg`."""
        leg.heard.append((self.now(), perception))

    def record_violation(self, violation: str) -> None:
        """Record an event that must never happen."""
        self.world.violations.record(violation)

    def emit(
        self, leg: SimulatedLeg, event_type: str, payload: JsonObject, *, stored: bool = False
    ) -> None:
        """Send a webhook about `leg`; `stored` events also have `data.created_at`.

        The URLs are the leg's for that event type, else the leg's, else the application's (Telnyx
        API: dial, `webhook_urls`). A leg of an application without a URL sends nothing.
        """
        leg.webhooks_sent.append((self.now(), event_type))
        application = self.world.applications.get(leg.connection_id, {})
        default_url = leg.webhooks.url or application.get("webhook_event_url")
        chosen = leg.webhooks.urls.get(event_type)
        if self.settings.ignores_conversation_keys and event_type.startswith(_OF_CONVERSATIONS):
            chosen = None
        urls = chosen or ([default_url] if default_url else [])
        if not urls:
            return
        if not self.settings.names_connection:
            payload = {name: value for name, value in payload.items() if name != "connection_id"}
        now = timestamp(self.now())
        data: JsonObject = {
            "record_type": "event",
            "event_type": event_type,
            "id": self.ids.uuid(),
            "occurred_at": now,
            "payload": payload,
        }
        if stored:
            data["created_at"] = now
        retries_ms = leg.webhooks.retries_ms.get(event_type, self.settings.retries_ms)
        version = self.settings.body_version or application.get("webhook_api_version", "2")
        failover_url = application.get("webhook_event_failover_url")
        event = Event(data["id"], event_type, leg.call_control_id, data, version)
        if self.settings.event_names == "underscores" and version == "2":
            data["event_type"] = event_type.replace(".", "_")
        for url in urls:
            self._deliverer.send(event, Route(url, tuple(retries_ms), failover_url))
        if self.settings.sends_ai_twins and event_type.startswith(_OF_CONVERSATIONS):
            self.emit(leg, event_type.replace("call.", "ai.", 1), payload, stored=stored)
