"""The lab of a cell: hooks at requests to Telnyx, lost webhooks, and the silence on each line."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.simulator.model import Person, SimulatedLeg
from local.simulator.settings import Settings
from tests.faults.lab import FaultLab
from tests.faults.points import FaultInjector, Place
from tests.handover.silence import SilenceMeter

Hook = Callable[[], str | None]
"""Runs when Telnyx gets a request. Returns a fault for the request, or None."""


@dataclass
class _Watch:
    """A hook at the `nth` request for an operation of the set, counted from now on."""

    place: Place
    operations: frozenset[str]
    nth: int
    hook: Hook


class HookInjector(FaultInjector):
    """Runs hooks at requests to the outside: an event can happen while the request is under way."""

    watches: list[_Watch]

    def watch(self, place: Place, operations: Iterable[str], hook: Hook, nth: int = 1) -> None:
        """Run a hook at the `nth` request for an operation of the list."""
        self.watches.append(_Watch(place, frozenset(operations), nth, hook))

    def reach(self, place: Place, operation: str) -> str | None:
        """Record a point, and run its hooks; returns the fault that is injected there."""
        fault = super().reach(place, operation)
        if self._observers:
            return fault
        for watch in list(self.watches):
            if watch.place != place or operation not in watch.operations:
                continue
            watch.nth -= 1
            if watch.nth == 0:
                self.watches.remove(watch)
                fault = watch.hook() or fault
        return fault


class GridLab(FaultLab):
    """A lab whose Telnyx requests have hooks, and whose webhooks can be lost from any moment on."""

    def __init__(self, people: Iterable[Person], settings: Settings) -> None:
        """Set up the lab and the meter of silence."""
        super().__init__(people, settings)
        self.io: HookInjector = HookInjector(self.clock)
        self.io.watches = []
        self.faulty._io = self.faulty_queue._io = self.io
        self.new_process()
        self.loses: Callable[[str, datetime], bool] = lambda _type, _now: False
        """Whether a webhook of this type that arrives now is lost."""
        self.lost: list[str] = []
        self.meter = SilenceMeter(self)

    def refuse(self, operation: str, status: int = 422, code: str = "10015") -> None:
        """Refuse every further request for an operation of Telnyx."""
        transport: Any = self.app._telnyx_transport
        transport._line.refuse(operation, status, code, "No.", times=50)

    def legs_of(self, *numbers: str) -> list[SimulatedLeg]:
        """Return the calls with the people at these numbers, oldest first."""
        return [leg for leg in self.telnyx.legs if leg.person_number in numbers]

    def hang_up_leg(self, leg: SimulatedLeg) -> None:
        """Let the person on a call hang up, if the call is up."""
        if leg.state != "ended":
            self.telnyx.hang_up(leg.call_control_id)

    def _receive_webhook(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        type_ = str(json.loads(body)["data"]["event_type"])
        if self.loses(type_, self.clock.now()):
            self.lost.append(type_)
            return 200
        return super()._receive_webhook(url, body, headers)
