"""Any history: inputs early, late, doubled and lost, missing answers, and time in between.

The export of each history, with stand-ins, has to be decided the same again.

A small Telnyx (`domain_telnyx`) holds the truth; Hypothesis chooses the part of it that reaches us.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.replay import driver
from local.replay.export import with_stand_ins
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.inputs import PollCalls
from partyline.domain.model.results import CallUnknown, Retryable
from partyline.domain.model.statuses import DEPARTED, FINISHED, OnHangup
from partyline.domain.model.timeouts import LEASE
from partyline.domain.rules import compact
from tests.support.domain_story import FIRST, SECOND, THIRD, Story, guest, plan
from tests.support.domain_telnyx import Call, Leg, Telnyx
from tests.support.sampling import examples

SCREENING = {"say": "Press 1."}
PLANS: dict[str, dict[str, Any]] = {
    "dana": {"to": plan(FIRST, SECOND, deadline_secs=90)},
    "eli": {"to": plan(FIRST, SECOND, strategy="at_once", screening=SCREENING)},
    "fay": {"to": plan(THIRD, max_attempts=2, machine_detection="standard")},
    "hal": {"to": plan(SECOND, THIRD, machine_detection="premium_ios_call_screening")},
    "gil": {"to": plan(THIRD), "on_hangup": OnHangup.END},
}

LIMITS = {"limited": 10.0, "limited for long": 90.0}
"""The waits that Telnyx asks for with a 429, in seconds."""


@dataclass
class Simulation:
    """A story, the truth at Telnyx, and the claimed commands that a process is about to send."""

    story: Story = field(default_factory=Story)
    telnyx: Telnyx = field(default_factory=Telnyx)
    claimed: list[tuple[Command, datetime]] = field(default_factory=list)

    def feed(self, method: Any, *arguments: Any, **more: Any) -> None:
        """Apply an input to the story, and keep the commands that it claims."""
        known = len(self.story.sent)
        method(*arguments, **more)
        self.claimed += [(command, self.story.now) for command in self.story.sent[known:]]

    def send_command(self, nth: int, fate: str) -> None:
        """Send a command, whose answer may be lost (`fate`)."""
        if not self.claimed:
            return
        command, left_at = self.claimed.pop(nth % len(self.claimed))
        if fate in LIMITS:
            result: Any = Retryable(had_no_effect=True, retry_after=LIMITS[fate])
        elif fate == "404" and command.action is not Action.DIAL:
            result = CallUnknown()
        elif fate == "not sent":
            result = Retryable(had_no_effect=True)
        elif self.story.now - left_at >= LEASE or fate == "died before":
            return  # the process that claimed the command is dead
        else:
            result = self.telnyx.execute(command, self.story.now)
        if fate == "no answer":
            result = Retryable(had_no_effect=False)
        if fate != "died after":
            self.feed(self.story.result, command.key, result)

    def deliver_webhook(self, nth: int, times: int) -> None:
        """Deliver a webhook once, twice, or never."""
        if self.telnyx.undelivered:
            webhook = self.telnyx.undelivered.pop(nth % len(self.telnyx.undelivered))
            for _ in range(times):
                self.feed(self.story.receive, webhook)

    def act(self, nth: int, action: str) -> None:
        """A called person acts."""
        legs = sorted(self.telnyx.calls)
        if not legs:
            return
        leg = legs[nth % len(legs)]
        if action == "answers":
            self.telnyx.answer(leg)
        elif action == "hangs up":
            self.telnyx.hang_up(leg)
        elif action.startswith("presses"):
            self.telnyx.press(leg, action.split()[1])
        elif action == "screens":
            self.telnyx.screen_call(leg)
        else:
            self.telnyx.give_verdict(leg, machine=action == "is a machine")

    def assistant(self, how: str) -> None:
        """The assistant ends, or its conversation is analyzed."""
        if how == "is analyzed":
            self.telnyx.analyze()
        else:
            self.telnyx.end_assistant(how)

    def request(self, kind: str, guest_name: str) -> None:
        """Make an API request."""
        story = self.story
        if kind == "invites":
            self.feed(story.invite, guest(guest_name, **PLANS[guest_name]))
        elif kind == "removes":
            self.feed(story.remove, guest_name)
        elif kind == "says":
            self.feed(story.send_message, "hello")
        else:
            self.feed(story.stop, hang_up=kind == "stops all")

    def wait(self, secs: int) -> None:
        self.feed(self.story.advance, secs)

    # The end of a history: commands are carried out at once, and no input is lost

    def settle(self) -> None:
        """Run the sweep and the census as often as the conversation needs them in an hour."""
        until = self.story.now + timedelta(
            minutes=65
        )  # a poll, and another after the longest pause
        self._run_sweep(until)
        while missing := self._missing():
            self.feed(self.story.receive, PollCalls(id="", calls=missing, missing=True))
            self._run_sweep(until)

    def _missing(self) -> tuple[str, ...]:
        """The calls that a census lacks."""
        return tuple(
            name
            for name in self.story.state.listed_calls
            for person, leg in self.story.state.legs()
            if leg.has_id(name) and not self.telnyx.calls[person.id, leg.number].is_up
        )

    def _run_sweep(self, until: datetime) -> None:
        while self.claimed or (self.story.state.due_at and self.story.state.due_at < until):
            while self.claimed:
                self.send_command(0, "done")
            due = self.story.state.due_at
            if due and due < until:
                self.wait(max(0, int((due - self.story.now).total_seconds())) + 1)

    def hang_up_all(self) -> None:
        for leg in self.telnyx.calls:
            self.telnyx.hang_up(leg, quietly=True)


TURNS = st.one_of(
    st.tuples(
        st.just("send_command"),
        st.integers(0, 3),
        st.sampled_from(
            [
                *[
                    "done",
                    "done",
                    "done",
                    "no answer",
                    "not sent",
                    "404",
                    "died before",
                    "died after",
                ],
                *LIMITS,
            ]
        ),
    ),
    st.tuples(st.just("deliver_webhook"), st.integers(0, 5), st.sampled_from([1, 1, 1, 2, 0])),
    st.tuples(
        st.just("act"),
        st.integers(0, 5),
        st.sampled_from(
            [
                *["answers", "answers", "presses 1", "presses 2", "is a machine", "is human"],
                *["screens", "hangs up"],
            ]
        ),
    ),
    st.tuples(
        st.just("assistant"), st.sampled_from(["transfers", "ends", "start fails", "is analyzed"])
    ),
    st.tuples(
        st.just("request"),
        st.sampled_from(["invites", "invites", "invites", "removes", "says", "stops", "stops all"]),
        st.sampled_from(sorted(PLANS)),
    ),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 7, 20, 46, 70, 130])),
)

BEGINNINGS = ["outbound", "inbound", "with answer", "attached", "talking"]


def begin(simulation: Simulation, beginning: str, host: dict[str, Any]) -> None:
    story, telnyx = simulation.story, simulation.telnyx
    if beginning == "inbound":
        telnyx.calls["host", 1] = Call()
        simulation.feed(story.inbound_call, **host)
    elif beginning == "with answer":
        telnyx.calls["host", 1] = Call()
        telnyx.starts_with_answer = True
        simulation.feed(story.inbound_call, **host, start="with_answer")
    elif beginning == "attached":
        telnyx.calls["host", 1] = Call(answered=True)
        simulation.feed(story.attach, **host)
    else:
        simulation.feed(story.start, **host)
    if beginning == "talking":
        simulation.send_command(0, "done")
        telnyx.answer(("host", 1))
        simulation.deliver_webhook(1, 1)
        simulation.send_command(0, "done")
        assert story.status == "active"


PARTS: dict[str, Any] = {
    "beginning": st.sampled_from(BEGINNINGS),
    "on_host_hangup": st.sampled_from(OnHangup),
    "new_ids_at_answer": st.booleans(),
    "turns": st.lists(TURNS, max_size=40),
}
HISTORIES = given(**PARTS)


@settings(max_examples=examples(100), print_blob=True)
@HISTORIES
def test_any_history_ends_without_a_double_call(
    beginning: str,
    on_host_hangup: OnHangup,
    new_ids_at_answer: bool,
    turns: list[tuple[Any, ...]],
) -> None:
    _play(beginning, on_host_hangup, new_ids_at_answer, turns)


@settings(max_examples=examples(50), print_blob=True)
@HISTORIES
def test_any_history_of_a_large_conversation_ends_without_a_double_call(
    beginning: str,
    on_host_hangup: OnHangup,
    new_ids_at_answer: bool,
    turns: list[tuple[Any, ...]],
) -> None:
    """Every settled command and call leaves the document as early as possible."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "MEASURED_FROM", 0)
        patch.setattr(compact, "COMPACT_BYTES", 0)
        _play(beginning, on_host_hangup, new_ids_at_answer, turns)


def _play(
    beginning: str,
    on_host_hangup: OnHangup,
    new_ids_at_answer: bool,
    turns: list[tuple[Any, ...]],
) -> None:
    simulation = Simulation(telnyx=Telnyx(new_ids_at_answer=new_ids_at_answer))
    begin(simulation, beginning, {"on_hangup": on_host_hangup})
    for turn, *arguments in turns:
        getattr(simulation, turn)(*arguments)
    simulation.settle()

    for leg, call in simulation.telnyx.calls.items():
        assert not call.is_up or is_wanted(simulation.story, leg), f"{leg} is left up"
    assert not simulation.story.state.has_pending_commands
    _check_done_once(simulation.telnyx, simulation.story)

    simulation.hang_up_all()
    simulation.settle()
    assert simulation.story.state.status in FINISHED
    assert not simulation.story.state.has_pending_commands
    assert simulation.story.state.due_at is None
    reports = [event for event in simulation.story.events if event.type == "conversation.report"]
    assert len(reports) == 1
    assert driver.replay(with_stand_ins(simulation.story.steps)) is None


def is_wanted(story: Story, leg: Leg) -> bool:
    """Whether a person may still be on this call."""
    participant, stored_leg, stop = story.participant(leg[0]), story.leg(*leg), story.state.stop
    if stored_leg.transferred:
        return True
    if not stored_leg.owned:
        return not (stop and stop.hang_up and stop.by_request)
    if story.state.is_over:
        return stop is not None and not stop.hang_up and participant.accepted_leg == leg[1]
    return participant.status not in DEPARTED and participant.accepted_leg == leg[1]


def _check_done_once(telnyx: Telnyx, story: Story) -> None:
    """Check that dials, starts and joins were carried out once at most."""
    times = Counter(key for key in telnyx.carried_out if key.startswith(("dial", "start", "join")))
    assert not [key for key, count in times.items() if count > 1]
    joined = Counter(key.split(":")[1] for key in times if key.startswith("join"))
    assert not [name for name, count in joined.items() if count > 1], "joined on two legs"
    assert not (telnyx.starts_with_answer and "start:host:1" in times), "started after the answer"
    for participant in story.state.participants:
        humans = [leg for leg in participant.legs if leg.outcome == "human"]
        assert len(humans) <= 1
