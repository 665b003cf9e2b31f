"""Any history over the real engine: people, their actions, and faults of every kind.

Webhooks are lost, doubled, late and overtaken; faults are injected at points by number; and at some
points time goes on, so that several webhooks of a conversation are handled at the same time.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.faults.invariants import violations_of
from tests.faults.lab import FaultLab
from tests.faults.points import ANSWERED, Point, faults
from tests.support.exports import replayed_difference
from tests.support.lab import URL
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER

GUESTS = {"Dana": DANA, "Lee": LEE, "Kim": KIM}
SCREENING = {"say": "Press 1."}
PLANS: dict[str, dict[str, Any]] = {
    "one number": {"to": DANA},
    "a guest who ends the conversation": {"to": KIM, "on_hangup": "end_conversation"},
    "in order": {"to": [LEE, KIM, DANA], "deadline_secs": 90, "ring_timeout_secs": 10},
    "at once": {"to": [LEE, DANA], "strategy": "at_once", "screening": SCREENING},
    "two rounds": {"to": LEE, "max_attempts": 2, "pause_secs": 20, "ring_timeout_secs": 10},
    "no machine": {"to": KIM, "machine_detection": "standard", "screening": SCREENING},
}

MAX_POINTS = 160
EVERY_FAULT = sorted(
    {
        fault
        for point in (
            Point("table", "put_item"),
            Point("telnyx", "retrieve"),
            Point("queue", ""),
            Point("webhook", ANSWERED),
        )
        for fault in faults(point)
    }
)
WEBHOOK_TYPES = (
    "call.initiated",
    "call.answered",
    "call.hangup",
    "call.gather.ended",
    "call.machine.detection.ended",
    "call.conversation.created",
    "call.conversation.ended",
    "call.conversation_insights.generated",
)
DELIVERIES = {
    "lost": DeliverySettings(drop=1.0),
    "late": DeliverySettings((0.0, 9.0)),
    "doubled": DeliverySettings((0.0, 3.0), duplicates=2),
    "overtaken": DeliverySettings(reorder=True),
    "version 1": DeliverySettings(version="1"),
}


@dataclass(frozen=True)
class History:
    """The plan of a history."""

    beginning: str
    host_goes: str
    people: dict[str, tuple[str, str | None, float | None]]
    """By number: behaviour, pressed digit, seconds until the hangup."""
    turns: list[tuple[Any, ...]]
    webhooks: dict[str, str]
    strikes: dict[int, str]
    meanwhile: dict[int, float]
    telnyx: dict[str, Any]


TURNS = st.one_of(
    st.tuples(st.just("invite"), st.sampled_from(sorted(PLANS))),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1.5, 4.0, 12.0, 50.0, 130.0])),
    st.tuples(
        st.just("act"),
        st.sampled_from(["hangs up", "hangs up", "answers", "presses 1", "presses 2"]),
        st.integers(0, 5),
    ),
    st.tuples(st.just("request"), st.sampled_from(["message", "stop", "stop all", "remove"])),
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
        st.sampled_from(WEBHOOK_TYPES), st.sampled_from(sorted(DELIVERIES)), max_size=4
    ),
    strikes=st.dictionaries(st.integers(0, MAX_POINTS), st.sampled_from(EVERY_FAULT), max_size=4),
    meanwhile=st.dictionaries(
        st.integers(0, MAX_POINTS), st.sampled_from([0.1, 1.0, 3.0, 8.0]), max_size=6
    ),
    telnyx=st.fixed_dictionaries(
        {},
        optional={
            "host_hangup": st.sampled_from(["ends", "continues"]),
            "duplicate_dial": st.sampled_from(["same", "bare"]),
            "duplicate_start": st.sampled_from(["same", "bare"]),
            "duplicate_join": st.sampled_from(["same", "bare"]),
            "ended_once_per_leg": st.booleans(),
            "refuses_second_join": st.booleans(),
            "new_ids_at_answer": st.sampled_from(["call", "all"]),
            "listed_after_secs": st.sampled_from([0.0, 5.0]),
        },
    ),
)


def run_history(history: History) -> list[str]:
    """Run a history until the conversation has settled; returns the violated invariants.

    The export of the conversation has to be decided the same again.
    """
    people = [
        Person(number, behaviour=behaviour, digits=digits, hangs_up_after_secs=goes)  # type: ignore[arg-type]
        for number, (behaviour, digits, goes) in history.people.items()
    ]
    settings = Settings(accepts_conversation_keys=True, **history.telnyx)
    lab = FaultLab(people, settings, dict(history.strikes), dict(history.meanwhile))
    lab.telnyx.deliverer.settings |= {
        kind: DELIVERIES[how] for kind, how in history.webhooks.items()
    }
    _start(lab, history)
    for turn, *arguments in history.turns:
        _TURN_HANDLERS[turn](lab, *arguments)
    return _settle(lab)


def _start(lab: FaultLab, history: History) -> None:
    if history.beginning == "inbound":
        lab.ring_in()
        lab.run(3)
        lab.has_conversation()
    elif history.beginning == "attached":
        call = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
        lab.start_conversation(
            call_control_id=call.call_control_id, on_host_hangup=history.host_goes
        )
    else:
        lab.start_conversation(
            to=HOST,
            on_host_hangup=history.host_goes,
            participants=[{"to": DANA, "name": "Dana"}],
        )


def _invite(lab: FaultLab, plan: str) -> None:
    if lab.has_conversation():
        lab.request("POST", "/participants", {"name": plan, **PLANS[plan]})


def _act(lab: FaultLab, action: str, nth: int) -> None:
    legs = [leg for leg in lab.telnyx.legs if leg.state != "ended"]
    if not legs:
        return
    leg = legs[nth % len(legs)]
    if action == "hangs up":
        lab.telnyx.hang_up(leg.call_control_id)
    elif action.startswith("presses"):
        lab.telnyx.press(leg.call_control_id, action.split()[1])
    elif leg.direction == "outgoing":
        lab.telnyx.answer(leg.call_control_id)


def _request(lab: FaultLab, kind: str) -> None:
    if not lab.has_conversation():
        return
    if kind == "message":
        lab.request("POST", "/messages", {"role": "system", "content": "Be generous."})
    elif kind == "remove":
        conversation = lab.stored.load(lab.conversation_id)
        if conversation:
            lab.request("DELETE", f"/participants/{conversation.participants[-1].id}")
    else:
        lab.request("POST", "/stop", {"hang_up": kind == "stop all"})


_TURN_HANDLERS: dict[str, Any] = {
    "invite": _invite,
    "wait": lambda lab, secs: lab.run(secs),
    "act": _act,
    "request": _request,
}


def _settle(lab: FaultLab) -> list[str]:
    """Heal all faults and hang up all calls; returns the violated invariants."""
    lab.run(60)
    lab.telnyx.deliverer.settings.clear()
    for leg in lab.telnyx.legs:
        lab.telnyx.hang_up(leg.call_control_id)
    if not lab.has_conversation():
        return [f"{name} is up" for name in lab.legs_up()]
    lab.settle()
    violations = violations_of(lab) + [f"{name} is up" for name in lab.legs_up()]
    difference = replayed_difference(lab, lab.conversation_id)
    return violations + ([f"decided differently: {difference}"] if difference else [])
