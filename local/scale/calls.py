"""The calls of a run: N conversations of three people, which begin, last and end.

Half of the hosts call, the others are called. The guests answer in the ways that need timers: a
busy line, a line that is busy for a while, a phone that rings out, a screening, a verdict.
"""

import json
import math
import random
from collections.abc import Callable
from typing import Any

from local.scale.clock import InvocationClock
from local.scale.telnyx import HOST
from local.simulator.model import Person
from local.simulator.telnyx import Simulator
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest

BEGIN_SECS, SETTLE_SECS, HOLD_SECS = 120.0, 60.0, 120.0
"""The starts; then the last guests are reached; then all are on the line and nothing happens."""

GUESTS_LEAVE_SECS, WITHOUT_GUEST_SECS, HOSTS_LEAVE_SECS, AFTER_SECS = 60.0, 180.0, 60.0, 300.0
"""A guest of each conversation leaves; another guest comes; all leave; the calls settle."""

DIALS_A_KEY = 600
"""Dials a minute of a bearer key of the run. A key's counter is a row, and a dial writes it."""

AREAS = (312, 212, 415, 646, 718, 773, 213, 310)
OUR_NUMBER = "+13125550100"
INVITATIONS = 3  # of a conversation, at most
BUSY_SECS = 4.0  # the line of a guest is busy for so long

Json = dict[str, Any]


def key_count(conversations: int) -> int:
    """The number of bearer keys that may ask for all dials."""
    return math.ceil(conversations * 3 * 60 / BEGIN_SECS / DIALS_A_KEY)


def number(nth: int) -> str:
    """A phone number for each of 80,000 people."""
    return f"+1{AREAS[nth // 10_000]}555{nth % 10_000:04d}"


class Calls:
    """Lets the conversations of a run begin and end."""

    def __init__(
        self,
        conversations: int,
        clock: InvocationClock,
        gateway: Gateway,
        telnyx: Simulator,
        conversation_of: Callable[[str], str],
        seed: int,
    ) -> None:
        self.refused: list[Json] = []
        self._ids: dict[int, str] = {}
        self._count = conversations
        self._clock = clock
        self._gateway = gateway
        self._telnyx = telnyx
        self._conversation_of = conversation_of
        self._rng = random.Random(seed)
        self._keys = key_count(conversations)

    def begin(self) -> None:
        """Let all conversations begin, at any time of the first phase."""
        for nth in range(self._count):
            start = self._call if nth % 2 else self._ask
            self._later(self._rng.uniform(0, BEGIN_SECS), start, nth)

    def guests_leave(self) -> None:
        """Let the first guest of each conversation leave."""
        lines = self._lines()
        for nth in range(self._count):
            secs = self._rng.uniform(0, GUESTS_LEAVE_SECS)
            self._later(secs, self._hang_up, lines.get(number(4 * nth + 1), ""))

    def others_come(self) -> None:
        """Let a third of the conversations invite another guest, whose line is busy at first."""
        for nth in range(0, self._count, 3):
            number_, secs = number(4 * nth + 3), self._rng.uniform(0, WITHOUT_GUEST_SECS - 60)
            self._telnyx.set_person(Person(number_, behaviour="busy"))
            guest = {"to": number_, "name": "Kim", "max_attempts": 3, "pause_secs": 5}
            self._later(secs, self._invite, (nth, guest))
            self._later(secs + BUSY_SECS, self._telnyx.set_person, Person(number_))

    def all_leave(self) -> None:
        """Let the host of each conversation leave, and ten seconds later all guests."""
        lines = self._lines()
        for nth in range(self._count):
            secs = self._rng.uniform(0, HOSTS_LEAVE_SECS)
            self._later(secs, self._hang_up, lines.get(number(4 * nth), ""))
            for person in (2, 3):
                self._later(secs + 10, self._hang_up, lines.get(number(4 * nth + person), ""))

    def _later(self, secs: float, work: Callable[[Any], None], argument: Any) -> None:
        self._clock.call_later(secs, lambda: work(argument))

    def _lines(self) -> dict[str, str]:
        return {
            leg.person_number: leg.call_control_id
            for leg in self._telnyx.legs
            if leg.state == "answered"
        }

    def _hang_up(self, call_control_id: str) -> None:
        if call_control_id:
            self._telnyx.hang_up(call_control_id)

    def _ask(self, nth: int) -> None:
        body = {"to": number(4 * nth), "participants": self._guests(nth), "from": OUR_NUMBER}
        answer = self._post(nth, "/conversations", body)
        self._ids[nth] = str(answer.get("id"))

    def _call(self, nth: int) -> None:
        leg = self._telnyx.ring_in(number(4 * nth), OUR_NUMBER)
        self._ids[nth] = self._conversation_of(leg.call_control_id)
        for guest in self._guests(nth):
            self._later(8.0, self._invite, (nth, guest))

    def _invite(self, invitation: tuple[int, Json]) -> None:
        nth, guest = invitation
        self._post(nth, f"/conversations/{self._ids[nth]}/participants", guest)

    def _guests(self, nth: int) -> list[Json]:
        first, second, bad = (number(4 * nth + person) for person in (1, 2, 3))
        guest: Json = {"to": first, "name": "Dana"}
        other: Json = {"to": second, "name": "Lee", "machine_detection": "premium"}
        kind = nth % 5
        if kind == 0:
            self._telnyx.set_person(Person(bad, behaviour="busy"))
            guest["to"] = [bad, first]
        elif kind == 1:
            guest |= {"max_attempts": 3, "pause_secs": 5}
            self._telnyx.set_person(Person(first, behaviour="busy"))
            # The inbound host's guests are invited eight seconds later.
            free = BUSY_SECS + 8.0 * (nth % 2)
            self._later(free + 2.0, self._telnyx.set_person, Person(first))
        elif kind == 2:
            self._telnyx.set_person(Person(bad, behaviour="no_answer"))
            guest |= {"to": [bad, first], "ring_timeout_secs": 10}
        elif kind == 3:
            guest["screening"] = {"say": "A call for you. Press 1."}
            self._telnyx.set_person(Person(first, digits="1"))
        return [guest, other]

    def _post(self, nth: int, path: str, body: Json) -> Json:
        headers = [
            ("authorization", f"Bearer key-{nth % self._keys}"),
            ("content-type", "application/json"),
            ("host", HOST),
        ]
        text = json.dumps(body).encode()
        request = HttpRequest("POST", path, headers=headers, body=text, scheme="https")
        answer = self._gateway.handle(request)
        shown: Json = json.loads(answer.body)
        if answer.status not in (201, 202):
            self.refused.append(shown)
        return shown
