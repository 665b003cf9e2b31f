"""In any history, each handover ends exactly once, and nobody is called for a handover that ended.

The inputs are those of `test_histories`: early, late, doubled and lost, with time in between.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from partyline.domain.model.handover import Then
from partyline.domain.model.inputs import NewParticipant
from partyline.domain.model.statuses import BEING_REACHED, FINISHED, OnHangup
from tests.support.domain_story import Story, guest
from tests.support.domain_telnyx import Telnyx
from tests.support.sampling import examples
from tests.unit.domain.test_histories import BEGINNINGS, PLANS, TURNS, Simulation, begin, is_wanted


@dataclass
class Handovers(Simulation):
    """A history with handovers."""

    nth: int = 0

    def hand_over(self, name: str, then: Then) -> None:
        """Ask for a handover to a person who is called for the handover."""
        self._ask(guest(name, **PLANS[name]), then)

    def hand_over_to_guest(self, name: str, then: Then) -> None:
        """Ask for a handover to a person who is there, if so."""
        self._ask(NewParticipant(id=name), then)

    def repeat(self) -> None:
        """Send the newest request again."""
        self.nth -= 1
        self.hand_over("dana", "stay")

    def set_mode(self, mode: str) -> None:
        self.feed(self.story.set_mode, mode)

    def _ask(self, person: NewParticipant, then: Then) -> None:
        self.nth += 1
        self.feed(self.story.hand_over, person, then, self.nth)


NAMES, PARTS = st.sampled_from(sorted(PLANS)), st.sampled_from(["stay", "silent", "away"])
HANDOVER_TURNS = st.one_of(
    st.tuples(st.just("hand_over"), NAMES, PARTS),
    st.tuples(st.just("hand_over_to_guest"), NAMES, PARTS),
    st.tuples(st.just("repeat")),
    st.tuples(st.just("set_mode"), st.sampled_from(["speaking", "silent"])),
)


@settings(max_examples=examples(75), print_blob=True)
@given(
    beginning=st.sampled_from([*BEGINNINGS, "talking", "talking"]),
    on_host_hangup=st.sampled_from(OnHangup),
    first=st.tuples(st.just("hand_over"), NAMES, PARTS),
    turns=st.lists(st.one_of(TURNS, TURNS, HANDOVER_TURNS), max_size=40),
)
def test_any_handover_ends_exactly_once(
    beginning: str, on_host_hangup: OnHangup, first: Any, turns: list[tuple[Any, ...]]
) -> None:
    history = Handovers(telnyx=Telnyx())
    begin(history, beginning, {"on_hangup": on_host_hangup})
    for turn, *arguments in [first, *turns]:
        getattr(history, turn)(*arguments)
        check_handovers(history.story)
    history.settle()
    check_handovers(history.story)
    for leg, call in history.telnyx.calls.items():
        assert not call.is_up or is_wanted(history.story, leg), f"{leg} is left up"

    history.hang_up_all()
    history.settle()

    assert history.story.state.status in FINISHED
    assert history.story.state.open_handover is None, "the handover has no outcome"
    check_handovers(history.story)


def check_handovers(story: Story) -> None:
    """Check that each ended handover has one event, and leaves no person being called."""
    told = [e.data["handover_id"] for e in story.events if e.type == "handover.ended"]
    over = [handover for handover in story.state.handovers if handover.outcome]
    assert told == [handover.id for handover in over]
    assert len(story.state.handovers) - len(over) <= 1, "two handovers at once"
    for handover in over:
        person = story.participant(handover.participant_id)
        assert person.status not in BEING_REACHED
        assert handover.ended_at
        assert handover.status == "ended"
