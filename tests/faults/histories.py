"""Any history over the real engine: people, what they do, and a line on which all goes wrong.

Webhooks are lost, doubled, late and overtaken; faults strike at points by their number; and at
some points the world goes on, so that several webhooks of one conversation are being taken in at
the same time.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.faults.invariants import broken
from tests.faults.lab import FaultLab
from tests.faults.points import Point, faults
from tests.support.lab import URL
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER

GUESTS = {"Dana": DANA, "Lee": LEE, "Kim": KIM}
ASKED = {"say": "Press 1."}
PLANS: dict[str, dict[str, Any]] = {
    "one number": {"to": DANA},
    "one that ends it": {"to": KIM, "on_hangup": "end_conversation"},
    "in order": {"to": [LEE, KIM, DANA], "deadline_secs": 90, "ring_timeout_secs": 10},
    "at once": {"to": [LEE, DANA], "strategy": "at_once", "screening": ASKED},
    "two rounds": {"to": LEE, "max_attempts": 2, "pause_secs": 20, "ring_timeout_secs": 10},
    "no machine": {"to": KIM, "machine_detection": "standard", "screening": ASKED},
}

MOST_POINTS = 160
EVERY_FAULT = sorted(
    {
        fault
        for point in (Point("table", "put_item"), Point("telnyx", "dial"), Point("webhook", ""))
        for fault in faults(point)
    }
)
KINDS = (
    "call.initiated",
    "call.answered",
    "call.hangup",
    "call.gather.ended",
    "call.machine.detection.ended",
    "call.conversation.created",
    "call.conversation.ended",
    "call.conversation_insights.generated",
)
MISTREATED = {
    "lost": DeliverySettings(drop=1.0),
    "late": DeliverySettings((0.0, 9.0)),
    "doubled": DeliverySettings((0.0, 3.0), duplicates=2),
    "overtaken": DeliverySettings(reorder=True),
}


@dataclass(frozen=True)
class History:
    """What is to happen; read it as the story of a call."""

    beginning: str
    host_goes: str
    people: dict[str, tuple[str, str | None, float | None]]
    """By number: what they do, which digit they press, after how long they hang up."""
    turns: list[tuple[Any, ...]]
    webhooks: dict[str, str]
    strikes: dict[int, str]
    meanwhile: dict[int, float]
    telnyx: dict[str, Any]


TURNS = st.one_of(
    st.tuples(st.just("invites"), st.sampled_from(sorted(PLANS))),
    st.tuples(st.just("waits"), st.sampled_from([0.5, 1.5, 4.0, 12.0, 50.0, 130.0])),
    st.tuples(
        st.just("somebody"),
        st.sampled_from(["hangs up", "hangs up", "answers", "presses 1", "presses 2"]),
        st.integers(0, 5),
    ),
    st.tuples(st.just("asks"), st.sampled_from(["message", "stop", "stop all", "remove"])),
)

PERSON = st.tuples(
    st.sampled_from(["answer", "answer", "answer", "busy", "machine", "manual", "decline"]),
    st.sampled_from([None, "1", "1", "2"]),
    st.sampled_from([None, None, 0.5, 3.0, 15.0]),
)

HISTORIES = st.builds(
    History,
    beginning=st.sampled_from(["outbound", "inbound", "attached"]),
    host_goes=st.sampled_from(["end_conversation", "continue_conversation"]),
    people=st.dictionaries(st.sampled_from([HOST, CALLER, DANA, LEE, KIM]), PERSON, max_size=5),
    turns=st.lists(TURNS, max_size=10),
    webhooks=st.dictionaries(
        st.sampled_from(KINDS), st.sampled_from(sorted(MISTREATED)), max_size=4
    ),
    strikes=st.dictionaries(st.integers(0, MOST_POINTS), st.sampled_from(EVERY_FAULT), max_size=4),
    meanwhile=st.dictionaries(
        st.integers(0, MOST_POINTS), st.sampled_from([0.1, 1.0, 3.0, 8.0]), max_size=6
    ),
    telnyx=st.fixed_dictionaries(
        {},
        optional={
            "host_hangup": st.sampled_from(["ends", "continues"]),
            "duplicate_reply": st.sampled_from(["same", "bare"]),
            "ended_once_per_leg": st.booleans(),
            "refuses_second_join": st.booleans(),
            "listed_after_secs": st.sampled_from([0.0, 5.0]),
        },
    ),
)


def lived(history: History) -> list[str]:
    """Live through a history until all is quiet, and say what must not be so and is."""
    people = [
        Person(number, behaviour=what, digits=digits, hangs_up_after_secs=goes)  # type: ignore[arg-type]
        for number, (what, digits, goes) in history.people.items()
    ]
    settings = Settings(accepts_conversation_keys=True, **history.telnyx)
    lab = FaultLab(people, settings, dict(history.strikes), dict(history.meanwhile))
    lab.telnyx.deliverer.knobs |= {kind: MISTREATED[how] for kind, how in history.webhooks.items()}
    _begin(lab, history)
    for what, *arguments in history.turns:
        _TURN[what](lab, *arguments)
    return _quiet(lab)


def _begin(lab: FaultLab, history: History) -> None:
    if history.beginning == "inbound":
        lab.ring_in()
        lab.run(3)
        lab.begun()
    elif history.beginning == "attached":
        call = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
        lab.begin(call_control_id=call.call_control_id, on_host_hangup=history.host_goes)
    else:
        lab.begin(
            to=HOST,
            on_host_hangup=history.host_goes,
            participants=[{"to": DANA, "name": "Dana"}],
        )


def _invites(lab: FaultLab, plan: str) -> None:
    if lab.begun():
        lab.demand("POST", "/participants", {"name": plan, **PLANS[plan]})


def _somebody(lab: FaultLab, does: str, nth: int) -> None:
    legs = [leg for leg in lab.telnyx.legs if leg.state != "ended"]
    if not legs:
        return
    leg = legs[nth % len(legs)]
    if does == "hangs up":
        lab.telnyx.hang_up(leg.call_control_id)
    elif does.startswith("presses"):
        lab.telnyx.press(leg.call_control_id, does.split()[1])
    elif leg.direction == "outgoing":
        lab.telnyx.answer(leg.call_control_id)


def _asks(lab: FaultLab, what: str) -> None:
    if not lab.begun():
        return
    if what == "message":
        lab.demand("POST", "/messages", {"role": "system", "content": "Be generous."})
    elif what == "remove":
        found = lab.stored.load(lab.here)
        if found:
            lab.demand("DELETE", f"/participants/{found.participants[-1].id}")
    else:
        lab.demand("POST", "/stop", {"hang_up": what == "stop all"})


_TURN: dict[str, Any] = {
    "invites": _invites,
    "waits": lambda lab, secs: lab.run(secs),
    "somebody": _somebody,
    "asks": _asks,
}


def _quiet(lab: FaultLab) -> list[str]:
    """Everything works again, and everybody hangs up; nothing may stay behind."""
    lab.run(60)
    lab.telnyx.deliverer.knobs.clear()
    for leg in lab.telnyx.legs:
        lab.telnyx.hang_up(leg.call_control_id)
    if not lab.begun():
        return [f"{who} is up" for who in lab.legs_up()]
    lab.rest()
    return broken(lab) + [f"{who} is up" for who in lab.legs_up()]
