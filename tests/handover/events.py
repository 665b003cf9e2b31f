"""The events of the grid: how each happens in a phase, and the outcomes that are right then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from tests.handover.phases import (
    AFTER_JOIN,
    BEFORE_JOIN,
    PHASES,
    SECOND_PHONE,
    Stage,
)
from tests.support.people import CALLER, DANA

Strike = Callable[[Stage], str | None]

DEADLINE_SECS = 20
LATE_ANSWER_SECS = 12.0
ANSWER_SECS = 1.5

MAX_SILENCE_SECS = 12.0
"""The longest silence of a person on a line that works: the wait for a verdict of the machine
detection (`plan.VERDICT_WAITS`), or the pause of the waiting words, and the requests."""

LOSS_SILENCE_SECS = 30.0
"""The longest silence when webhooks are lost."""


@dataclass(frozen=True)
class Event:
    """An event, the phases in which the event can happen, and the right outcomes by phase.

    `plan`, `person` and `settings` are changes of the plan, the person and the simulator.
    """

    name: str
    strike: Strike
    outcomes: Mapping[str, str]
    """By phase: the right outcomes, separated by spaces. A missing phase cannot have the event."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    person: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    ring_secs: float = ANSWER_SECS
    silence_secs: float = MAX_SILENCE_SECS


def outcomes(
    before: str = "", joining: str = "", after: str = "handed_over", **exceptions: str
) -> dict[str, str]:
    """Return the outcomes by phase: before the join, during the join, after the join.

    The names of `exceptions` are phases, with underscores for spaces. An empty text excludes the
    phase.
    """
    by_phase = {
        **dict.fromkeys(BEFORE_JOIN, before),
        "joining": joining,
        **dict.fromkeys(AFTER_JOIN, after),
        **{name.replace("_", " "): texts for name, texts in exceptions.items()},
    }
    by_phase["connecting"] = by_phase["stepping back"]
    by_phase["rejoining"] = by_phase["taking back"]
    return {phase: by_phase[phase] for phase in PHASES if by_phase[phase]}


# What happens


def nothing(_stage: Stage) -> None:
    """Make no change."""


def caller_leaves(stage: Stage) -> None:
    """Let the caller hang up."""
    stage.lab.hang_up(CALLER)


def person_leaves(stage: Stage) -> None:
    """Let the person hang up."""
    stage.is_quiet = True
    stage.lab.hang_up_leg(stage.leg)


def declines(stage: Stage) -> None:
    """Let the person reject the ringing call, or press another digit than the accepting digit."""
    if stage.leg.state == "ringing":
        stage.lab.telnyx.decline(stage.leg.call_control_id)
    else:
        stage.is_quiet = stage.leg.gather is not None
        stage.lab.telnyx.press(stage.leg.call_control_id, "2#")


def says_nothing(stage: Stage) -> None:
    """Keep the person still from now on."""
    stage.is_quiet = True


def is_machine(stage: Stage) -> None:
    """Let a machine answer, or the proof of a machine come late."""
    stage.lab.meter.machines.add(DANA)
    if stage.leg.state == "ringing":
        machine = Person(DANA, behaviour="manual", machine_result="machine")
        stage.lab.telnyx.set_person(machine)
        return
    detection: Any = stage.lab.telnyx._phones._detection
    detection._send_verdict(stage.leg, "machine")


def answered_by_machine(stage: Stage) -> None:
    """Let a machine answer: its owner does not."""
    stage.lab.meter.machines.add(DANA)


def is_busy(stage: Stage) -> None:
    """Let the line be busy."""
    stage.lab.telnyx.busy(stage.leg.call_control_id)


REFUSED = {
    "asked": "dial",
    "verdict": "gather_using_speak",
    "accepted": "ai_assistant_join",
    "joining": "ai_assistant_join",
    "joined": "ai_assistant_add_messages",
    "connecting": "bridge conference_create conference_join",
    "taking back": "ai_assistant_start",
    "rejoining": "ai_assistant_join",
}
"""The operations that Telnyx refuses, by phase."""


def telnyx_refuses(stage: Stage) -> None:
    """Let Telnyx refuse the next command of the phase, however often the command is sent."""
    operations = {"stepping back": {"away": "ai_assistant_stop", "silent": REFUSED["joined"]}}
    operation = operations.get(stage.phase, {}).get(stage.then) or REFUSED[stage.phase]
    for name in operation.split():
        stage.lab.refuse(name)


def next_webhook_lost(stage: Stage) -> None:
    """Lose the next webhook that says more than the begin of something."""
    stage.lab.loses = lambda type_, _now: not stage.lab.lost and not type_.endswith("started")


def webhooks_lost(stage: Stage) -> None:
    """Lose all webhooks of the next ten seconds."""
    until = stage.lab.clock.now() + timedelta(seconds=10)
    stage.lab.loses = lambda _type, now: now < until


def webhooks_doubled(stage: Stage) -> None:
    """Deliver every webhook from now on twice, and up to 1.5 s late."""
    doubled = DeliverySettings(delay_secs=(0.0, 1.5), duplicates=1)
    stage.lab.telnyx.deliverer.settings["*"] = doubled


def dies(place: Any, operations: str, fault: str) -> Strike:
    """Return an event: the function dies at the next request for an operation of the list."""

    def strike(stage: Stage) -> str | None:
        if stage.is_at_command and place == "telnyx":
            return fault
        stage.lab.io.watch(place, operations.split(), lambda: fault)
        return None

    return strike


COMMANDS = (
    "dial hangup gather_using_speak speak bridge conference_create conference_leave "
    "ai_assistant_start ai_assistant_join ai_assistant_stop ai_assistant_add_messages"
)


def deadline_passes(stage: Stage) -> None:
    """Let the deadline of the plan pass while the phase lasts."""
    passed_at = stage.asked_at + timedelta(seconds=DEADLINE_SECS + 1)
    left = (passed_at - stage.lab.clock.now()).total_seconds()
    stage.lab.run(max(left, 0.0))


def both_answer(stage: Stage) -> None:
    """Let both phones of the person do the same at the same time from now on."""
    stage.second_answers = True
    for leg in stage.legs[1:]:
        if leg.state == "ringing" and stage.phase != "ringing":
            stage.lab.telnyx.answer(leg.call_control_id)


def cancelled(stage: Stage) -> None:
    """Remove the person by a request of the application."""
    person = stage.participant()
    assert person is not None
    stage.lab.request("DELETE", f"/participants/{person.id}")


def stopped(stage: Stage) -> None:
    """Stop the assistant; the calls stay up."""
    stage.over_by_request = True
    stage.lab.request("POST", "/stop")


def stopped_and_hung_up(stage: Stage) -> None:
    """Stop the assistant and hang up every call."""
    stage.lab.request("POST", "/stop", {"hang_up": True})


SCREENS = {"machine_detection": "premium_ios_call_screening", "on_screen": {"say": "Robin calls."}}

LEAVES = {
    "machine_detection": "standard_greeting_end",
    "on_machine": {"leave": {"say": "Please call Robin back."}},
}

HARMLESS = outcomes("handed_over", "handed_over")
"""The event changes nothing."""
EVENTS = (
    Event("nothing", nothing, HARMLESS),
    Event(
        "caller leaves",
        caller_leaves,
        outcomes("caller_left", "caller_left handed_over", stepping_back="caller_left handed_over"),
    ),
    Event(
        "person leaves",
        person_leaves,
        outcomes(
            "declined",
            "declined no_answer handed_over",
            asked="",
            ringing="",
            accepted="declined no_answer",
            stepping_back="handed_over declined error",
        ),
    ),
    Event(
        "declines",
        declines,
        outcomes("handed_over", "handed_over", asked="", ringing="rejected", brief="declined"),
    ),
    Event(
        "says nothing",
        says_nothing,
        outcomes("no_answer", after="", asked="", accepted=""),
    ),
    Event(
        "is a machine",
        is_machine,
        outcomes("machine", "machine handed_over", asked="", accepted="machine handed_over"),
    ),
    Event(
        "is a screening phone",
        nothing,
        outcomes(after="", ringing="handed_over", verdict="handed_over"),
        plan=SCREENS,
        person={"screens_calls": "iphone"},
    ),
    Event(
        "is a screening phone without a tone",
        nothing,
        outcomes(after="", ringing="handed_over", verdict="handed_over"),
        plan=SCREENS,
        person={"screens_calls": "pixel"},
        settings={"second_verdict_without_tone": True},
    ),
    Event(
        "is a screening phone that nobody answers",
        answered_by_machine,
        outcomes(after="", ringing="screened", verdict="screened"),
        plan=SCREENS,
        person={"screens_calls": "iphone", "machine_result": "machine"},
    ),
    Event(
        "is a mailbox",
        answered_by_machine,
        outcomes(after="", ringing="voicemail_left", verdict="voicemail_left"),
        plan=LEAVES,
        person={"machine_result": "machine"},
    ),
    Event(
        "is a mailbox whose greeting never ends",
        answered_by_machine,
        outcomes(after="", ringing="machine", verdict="machine"),
        plan=LEAVES,
        person={"machine_result": "machine", "greeting_secs": None},
    ),
    Event("line busy", is_busy, outcomes(ringing="busy", after="")),
    Event(
        "Telnyx refuses",
        telnyx_refuses,
        outcomes(
            "error",
            "error",
            ringing="",
            brief="",
            stepping_back="handed_over error",
            away="",
        ),
    ),
    Event("next webhook lost", next_webhook_lost, HARMLESS, silence_secs=LOSS_SILENCE_SECS),
    Event("webhooks lost", webhooks_lost, HARMLESS, silence_secs=LOSS_SILENCE_SECS),
    Event("webhooks doubled", webhooks_doubled, HARMLESS),
    Event(
        "function dies before a write",
        dies("table", "transact_write_items", "dies before"),
        HARMLESS,
    ),
    Event(
        "function dies after a write", dies("table", "transact_write_items", "dies after"), HARMLESS
    ),
    Event("function dies before a command", dies("telnyx", COMMANDS, "dies before"), HARMLESS),
    Event("function dies after a command", dies("telnyx", COMMANDS, "dies after"), HARMLESS),
    Event(
        "deadline",
        deadline_passes,
        outcomes("no_answer", "no_answer handed_over", asked="", accepted="no_answer handed_over"),
        plan={"ring_timeout_secs": DEADLINE_SECS, "deadline_secs": DEADLINE_SECS},
        ring_secs=LATE_ANSWER_SECS,
    ),
    Event(
        "two answer together",
        both_answer,
        outcomes("handed_over", "handed_over", asked="", away="", stepping_back="", taking_back=""),
        plan={"to": [DANA, SECOND_PHONE], "strategy": "at_once"},
    ),
    Event(
        "cancelled",
        cancelled,
        outcomes("cancelled", "cancelled handed_over", stepping_back="cancelled handed_over"),
    ),
    Event(
        "stop",
        stopped,
        outcomes("cancelled", "cancelled handed_over", stepping_back="cancelled handed_over"),
    ),
    Event(
        "stop and hang up",
        stopped_and_hung_up,
        outcomes("cancelled", "cancelled handed_over", stepping_back="cancelled handed_over"),
    ),
)
