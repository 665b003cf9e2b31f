"""Any history: inputs early, late, doubled and lost, answers that never come, and time between.

What Telnyx does is the truth of a tiny one (`telnyx`); what reaches us of it is up to Hypothesis.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from partyline.domain.model.commands import Command
from partyline.domain.model.results import Retryable
from partyline.domain.model.statuses import DEPARTED, FINISHED, OnHangup
from partyline.domain.model.timeouts import LEASE
from tests.support.domain_story import FIRST, SECOND, THIRD, Story, guest, plan
from tests.support.domain_telnyx import Call, Leg, Telnyx

SCREENING = {"say": "Press 1."}
PLANS: dict[str, dict[str, Any]] = {
    "dana": {"to": plan(FIRST, SECOND, deadline_secs=90)},
    "eli": {"to": plan(FIRST, SECOND, strategy="at_once", screening=SCREENING)},
    "fay": {"to": plan(THIRD, max_attempts=2, machine_detection="standard")},
    "gil": {"to": plan(THIRD), "on_hangup": OnHangup.END},
}


@dataclass
class World:
    """A story, the truth at Telnyx, and the commands that somebody is about to send."""

    story: Story = field(default_factory=Story)
    telnyx: Telnyx = field(default_factory=Telnyx)
    desk: list[tuple[Command, datetime]] = field(default_factory=list)

    def lets(self, what: Any, *arguments: Any, **more: Any) -> None:
        """Something reaches us; the commands that it brings up go onto the desk."""
        known = len(self.story.sent)
        what(*arguments, **more)
        self.desk += [(each, self.story.now) for each in self.story.sent[known:]]

    def carries(self, nth: int, fate: str) -> None:
        """A command is sent, and its answer comes or does not."""
        if not self.desk:
            return
        command, left_at = self.desk.pop(nth % len(self.desk))
        if fate == "not sent":
            result: Any = Retryable(had_no_effect=True)
        elif self.story.now - left_at >= LEASE or fate == "died before":
            return  # whoever was to send it is no more
        else:
            result = self.telnyx.carry_out(command, self.story.now)
        if fate == "no answer":
            result = Retryable(had_no_effect=False)
        if fate != "died after":
            self.lets(self.story.result, command.key, result)

    def delivers(self, nth: int, times: int) -> None:
        """A webhook reaches us once, twice, or never."""
        if self.telnyx.post:
            webhook = self.telnyx.post.pop(nth % len(self.telnyx.post))
            for _ in range(times):
                self.lets(self.story.plays, webhook)

    def somebody(self, nth: int, does: str) -> None:
        """One of those who are called does something."""
        legs = sorted(self.telnyx.calls)
        if not legs:
            return
        leg = legs[nth % len(legs)]
        if does == "answers":
            self.telnyx.answer(leg)
        elif does == "hangs up":
            self.telnyx.hang_up(leg)
        elif does.startswith("presses"):
            self.telnyx.press(leg, does.split()[1])
        else:
            self.telnyx.judge(leg, machine=does == "is a machine")

    def asks(self, what: str, whom: str) -> None:
        """The API is asked for something."""
        story = self.story
        if what == "invites":
            self.lets(story.invites, guest(whom, **PLANS[whom]))
        elif what == "removes":
            self.lets(story.removes, whom)
        elif what == "says":
            self.lets(story.says, "hello")
        else:
            self.lets(story.stops, hang_up=what == "stops all")

    def waits(self, secs: int) -> None:
        self.lets(self.story.later, secs)

    # From here on all is well: commands are carried out at once, nothing is lost any more

    def settles(self) -> None:
        """The sweep comes by, as often as anything is due within the next half hour."""
        until = self.story.now + timedelta(minutes=30)
        while self.desk or (self.story.it.due_at and self.story.it.due_at < until):
            while self.desk:
                self.carries(0, "done")
            due = self.story.it.due_at
            if due and due < until:
                self.waits(max(0, int((due - self.story.now).total_seconds())) + 1)

    def everybody_hangs_up(self) -> None:
        for leg in self.telnyx.calls:
            self.telnyx.hang_up(leg, quietly=True)


TURNS = st.one_of(
    st.tuples(
        st.just("carries"),
        st.integers(0, 3),
        st.sampled_from(
            ["done", "done", "done", "no answer", "not sent", "died before", "died after"]
        ),
    ),
    st.tuples(st.just("delivers"), st.integers(0, 5), st.sampled_from([1, 1, 1, 2, 0])),
    st.tuples(
        st.just("somebody"),
        st.integers(0, 5),
        st.sampled_from(
            ["answers", "answers", "presses 1", "presses 2", "is a machine", "is human", "hangs up"]
        ),
    ),
    st.tuples(
        st.just("asks"),
        st.sampled_from(["invites", "invites", "invites", "removes", "says", "stops", "stops all"]),
        st.sampled_from(sorted(PLANS)),
    ),
    st.tuples(st.just("waits"), st.sampled_from([1, 3, 7, 20, 46, 70, 130])),
)

BEGINNINGS = ["outbound", "inbound", "attached", "talking"]


def _begin(world: World, how: str, host: dict[str, Any]) -> None:
    story, telnyx = world.story, world.telnyx
    if how == "inbound":
        telnyx.calls["host", 1] = Call()
        world.lets(story.rings_us, **host)
    elif how == "attached":
        telnyx.calls["host", 1] = Call(answered=True)
        world.lets(story.attaches, **host)
    else:
        world.lets(story.dials, **host)
    if how == "talking":
        world.carries(0, "done")
        telnyx.answer(("host", 1))
        world.delivers(1, 1)
        world.carries(0, "done")
        assert story.status == "active"


@settings(max_examples=100, print_blob=True)
@given(
    how=st.sampled_from(BEGINNINGS),
    on_host_hangup=st.sampled_from(OnHangup),
    turns=st.lists(TURNS, max_size=40),
)
def test_whatever_happens_nobody_is_called_twice_and_all_comes_to_an_end(
    how: str, on_host_hangup: OnHangup, turns: list[tuple[Any, ...]]
) -> None:
    world = World()
    _begin(world, how, {"on_hangup": on_host_hangup})
    for what, *arguments in turns:
        getattr(world, what)(*arguments)
    world.settles()

    for leg, there in world.telnyx.calls.items():
        assert not there.up or _wanted(world.story, leg), f"{leg} is left up"
    assert not world.story.it.has_pending_commands
    _done_once(world.telnyx, world.story)

    world.everybody_hangs_up()
    world.settles()
    assert world.story.it.status in FINISHED
    assert not world.story.it.has_pending_commands
    assert world.story.it.due_at is None


def _wanted(story: Story, leg: Leg) -> bool:
    """Whether somebody may still be on this call."""
    participant, found, stop = story.who(leg[0]), story.leg(*leg), story.it.stop
    if not found.owned:
        return not (stop and stop.hang_up and stop.by_request)
    if story.it.is_over:
        return stop is not None and not stop.hang_up and participant.accepted_leg == leg[1]
    return participant.status not in DEPARTED and participant.accepted_leg == leg[1]


def _done_once(telnyx: Telnyx, story: Story) -> None:
    """What must not happen twice has really happened once at most."""
    times = Counter(key for key in telnyx.done if key.startswith(("dial", "start", "join")))
    assert not [key for key, count in times.items() if count > 1]
    joined = Counter(key.split(":")[1] for key in times if key.startswith("join"))
    assert not [who for who, count in joined.items() if count > 1], "joined on two legs"
    for participant in story.it.participants:
        humans = [leg for leg in participant.legs if leg.outcome == "human"]
        assert len(humans) <= 1
