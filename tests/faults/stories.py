"""The stories that are told with every fault at every point: people, and what they do."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.faults.lab import FaultLab
from tests.support.lab import URL
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER

ASKED = {"say": "Somebody wants to speak to you. Press 1."}


@dataclass(frozen=True)
class Story:
    """A story: `tell` plays it; `settings` go to the simulated Telnyx."""

    name: str
    tell: Callable[[FaultLab], None]
    people: Sequence[Person] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    alike: Sequence[str] = ()
    """Those of whom any one may do: who of them is first is luck."""

    def new_lab(
        self,
        strikes: dict[int, str] | None = None,
        meanwhile: dict[int, float] | None = None,
    ) -> FaultLab:
        """The stage on which it is told."""
        settings = Settings(accepts_conversation_keys=True, **self.settings)
        return FaultLab(self.people, settings, strikes, meanwhile)


def _outbound(lab: FaultLab) -> None:
    lab.begin(to=HOST, name="Robin", participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_for("Dana")
    lab.asks_in(LEE, "Lee")
    lab.wait_for("Dana", "Lee")
    lab.demand("POST", "/messages", {"role": "system", "content": "Be generous."})
    lab.wait(lambda: "Be generous." in _told(lab), 60)
    _leaves(lab, DANA, "Dana")
    _leaves(lab, HOST)


def _inbound(lab: FaultLab) -> None:
    lab.ring_in()
    lab.talking()
    lab.asks_in(DANA, "Dana")
    lab.wait_for("Dana")
    _leaves(lab, DANA, "Dana")
    _leaves(lab, CALLER)


def _attached(lab: FaultLab) -> None:
    call = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
    lab.begin(call_control_id=call.call_control_id)
    lab.talking()
    lab.asks_in(DANA, "Dana")
    lab.wait_for("Dana")
    _leaves(lab, CALLER)


def _stop(lab: FaultLab) -> None:
    lab.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_for("Dana")
    lab.asks_in(LEE, "Lee")
    lab.wait(lambda: LEE in [leg.person_number for leg in lab.telnyx.legs] or lab.gone("Lee"))
    lab.demand("POST", "/stop")
    lab.wait(lambda: lab.now_is() == "ended")


def _stop_and_hang_up(lab: FaultLab) -> None:
    lab.begin(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_for("Dana")
    lab.demand("POST", "/stop", {"hang_up": True})
    lab.wait(lambda: lab.now_is() == "ended")


def _host_leaves_first(lab: FaultLab) -> None:
    lab.begin(
        to=HOST,
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    lab.wait_for("Dana", "Lee")
    _leaves(lab, HOST)


def _goes_on_without_host(lab: FaultLab) -> None:
    lab.begin(
        to=HOST,
        name="Robin",
        on_host_hangup="continue_conversation",
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    lab.wait_for("Dana", "Lee")
    _leaves(lab, HOST)
    lab.wait(
        lambda: (
            len(lab.telnyx.conversations) == 2 and len(lab.telnyx_conversation().participants) == 1
        )
    )
    lab.run(10)
    _leaves(lab, LEE, "Lee")
    _leaves(lab, DANA)


def _hunt(lab: FaultLab) -> None:
    lab.begin(to=HOST)
    lab.talking()
    lab.asks_in([LEE, KIM, DANA], "Dana", machine_detection="standard", screening=ASKED)
    lab.wait_for("Dana")
    _leaves(lab, HOST)


def _at_once(lab: FaultLab) -> None:
    lab.begin(to=HOST)
    lab.talking()
    lab.asks_in([LEE, KIM, DANA], "Dana", strategy="at_once")
    lab.wait_for("Dana")
    lab.run(5)
    _leaves(lab, HOST)


def _declined(lab: FaultLab) -> None:
    lab.begin(to=HOST)
    lab.talking()
    lab.asks_in(DANA, "Dana", screening=ASKED)
    lab.wait(lambda: bool(_told(lab)))
    _leaves(lab, HOST)


def _tool(lab: FaultLab) -> None:
    contacts = {"billing": {"to": DANA, "name": "Dana"}}
    route = {"assistant": {"id": "assistant-1"}, "contacts": contacts}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", route).status in (200, 201)
    call = lab.ring_in()
    lab.talking()
    body = json.dumps({"call_control_id": call.call_control_id, "name": "Billing"}).encode()
    for _ in range(5):  # whether Telnyx asks again is not known; the model may
        if lab.telnyx.deliverer.post(f"{URL}/tools/invite", body) == 200:
            break
        lab.run(3)
    lab.wait_for("Dana")
    _leaves(lab, CALLER)


def _told(lab: FaultLab) -> list[str]:
    return lab.messages_to_assistant() if lab.telnyx.conversations else []


def _leaves(lab: FaultLab, number: str, name: str | None = None) -> None:
    """The person hangs up, if they were ever called; the assistant is told of a guest."""
    if not [leg for leg in lab.telnyx.legs if leg.person_number == number]:
        return
    lab.hang_up(number)
    if name:
        lab.wait(lambda: f"{name} has left the conversation." in _told(lab))


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
