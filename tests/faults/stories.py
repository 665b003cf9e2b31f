"""The stories that are told with every fault at every point: people, and what they do."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.faults.stage import FaultStage
from tests.scenario.people import CALLER, DANA, HOST, KIM, LEE, OURS
from tests.scenario.stage import URL

ASKED = {"say": "Somebody wants to speak to you. Press 1."}


@dataclass(frozen=True)
class Story:
    """A story: `tell` plays it; `settings` go to the simulated Telnyx."""

    name: str
    tell: Callable[[FaultStage], None]
    people: Sequence[Person] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    alike: Sequence[str] = ()
    """Those of whom any one may do: who of them is first is luck."""

    def stage(
        self,
        strikes: dict[int, str] | None = None,
        meanwhile: dict[int, float] | None = None,
    ) -> FaultStage:
        """The stage on which it is told."""
        settings = Settings(accepts_conversation_keys=True, **self.settings)
        return FaultStage(self.people, settings, strikes, meanwhile)


def _outbound(at: FaultStage) -> None:
    at.begin(to=HOST, name="Robin", participants=[{"to": DANA, "name": "Dana"}])
    at.wait_for("Dana")
    at.asks_in(LEE, "Lee")
    at.wait_for("Dana", "Lee")
    at.demand("POST", "/messages", {"role": "system", "content": "Be generous."})
    at.wait(lambda: "Be generous." in _told(at), 60)
    _leaves(at, DANA, "Dana")
    _leaves(at, HOST)


def _inbound(at: FaultStage) -> None:
    at.ring_in()
    at.talking()
    at.asks_in(DANA, "Dana")
    at.wait_for("Dana")
    _leaves(at, DANA, "Dana")
    _leaves(at, CALLER)


def _attached(at: FaultStage) -> None:
    call = at.telnyx.outside_call(CALLER, OURS, f"{URL}/webhooks")
    at.begin(call_control_id=call.call_control_id)
    at.talking()
    at.asks_in(DANA, "Dana")
    at.wait_for("Dana")
    _leaves(at, CALLER)


def _stop(at: FaultStage) -> None:
    at.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    at.wait_for("Dana")
    at.asks_in(LEE, "Lee")
    at.wait(lambda: LEE in [leg.person_number for leg in at.telnyx.legs] or at.gone("Lee"))
    at.demand("POST", "/stop")
    at.wait(lambda: at.now_is() == "ended")


def _stop_and_hang_up(at: FaultStage) -> None:
    at.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    at.wait_for("Dana")
    at.demand("POST", "/stop", {"hang_up": True})
    at.wait(lambda: at.now_is() == "ended")


def _host_leaves_first(at: FaultStage) -> None:
    at.begin(
        to=HOST,
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    at.wait_for("Dana", "Lee")
    _leaves(at, HOST)


def _goes_on_without_host(at: FaultStage) -> None:
    at.begin(
        to=HOST,
        name="Robin",
        on_host_hangup="continue_conversation",
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    at.wait_for("Dana", "Lee")
    _leaves(at, HOST)
    at.wait(lambda: len(at.telnyx.conversations) == 2 and len(at.ai().participants) == 1)
    at.run(10)
    _leaves(at, LEE, "Lee")
    _leaves(at, DANA)


def _hunt(at: FaultStage) -> None:
    at.begin(to=HOST)
    at.talking()
    at.asks_in([LEE, KIM, DANA], "Dana", machine_detection="standard", screening=ASKED)
    at.wait_for("Dana")
    _leaves(at, HOST)


def _at_once(at: FaultStage) -> None:
    at.begin(to=HOST)
    at.talking()
    at.asks_in([LEE, KIM, DANA], "Dana", strategy="at_once")
    at.wait_for("Dana")
    at.run(5)
    _leaves(at, HOST)


def _declined(at: FaultStage) -> None:
    at.begin(to=HOST)
    at.talking()
    at.asks_in(DANA, "Dana", screening=ASKED)
    at.wait(lambda: bool(_told(at)))
    _leaves(at, HOST)


def _tool(at: FaultStage) -> None:
    contacts = {"billing": {"to": DANA, "name": "Dana"}}
    route = {"assistant": {"id": "assistant-1"}, "contacts": contacts}
    assert at.ask("PUT", f"/routes/{OURS}", route).status in (200, 201)
    call = at.ring_in()
    at.talking()
    body = json.dumps({"call_control_id": call.call_control_id, "name": "Billing"}).encode()
    for _ in range(5):  # whether Telnyx asks again is not known; the model may
        if at.telnyx.deliverer.post(f"{URL}/tools/invite", body) == 200:
            break
        at.run(3)
    at.wait_for("Dana")
    _leaves(at, CALLER)


def _told(at: FaultStage) -> list[str]:
    return at.told() if at.telnyx.conversations else []


def _leaves(at: FaultStage, number: str, name: str | None = None) -> None:
    """The person hangs up, if they were ever called; the assistant is told of a guest."""
    if not [leg for leg in at.telnyx.legs if leg.person_number == number]:
        return
    at.hang_up(number)
    if name:
        at.wait(lambda: f"{name} has left the conversation." in _told(at))


STORIES = (
    Story("outbound with two guests", _outbound),
    Story("inbound", _inbound),
    Story("attached", _attached),
    Story("stop", _stop, [Person(LEE, behaviour="manual")]),
    Story("stop and hang up", _stop_and_hang_up),
    Story("host leaves first", _host_leaves_first),
    Story("goes on without its host", _goes_on_without_host),
    Story(
        "hunt of three",
        _hunt,
        [Person(LEE, behaviour="busy"), Person(KIM, behaviour="machine"), Person(DANA, digits="1")],
    ),
    Story("at once", _at_once, alike=["Lee", "Kim", "Dana"]),
    Story("declined screening", _declined, [Person(DANA, digits="2")]),
    Story("the assistant invites", _tool),
)
