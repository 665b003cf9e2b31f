"""The silence on a line: how long a person hears no sentence, no other person and no assistant."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from local.simulator.model import SimulatedLeg
from partyline.domain.model.statuses import NOT_ADMITTING, AssistantMode

if TYPE_CHECKING:
    from tests.handover.lab import GridLab

SAMPLE_SECS = 1.0
SECS_PER_CHARACTER = 0.05
SPOKEN = ("voice: ", "assistant: ", "audio: ")
"""How the simulator notes the sentences and the audio that a person hears."""


class SilenceMeter:
    """Measures the longest silence of each call, once a second.

    A call that goes on after the end of its conversation, by the wish of an application, is not
    measured, and neither is the call of a machine.
    """

    def __init__(self, lab: "GridLab") -> None:
        """Measure the calls of a lab from now on."""
        self._lab = lab
        self.machines: set[str] = set()
        """The numbers that machines answer."""
        self.longest: dict[str, float] = {}
        """The longest silence in seconds, by the number of the person."""
        self._sounds: dict[int, datetime] = {}
        lab.clock.call_later(SAMPLE_SECS, self._sample)

    def _sample(self) -> None:
        self._lab.clock.call_later(SAMPLE_SECS, self._sample)
        lab, now = self._lab, self._lab.clock.now()
        stored = lab.stored.load(lab.conversation_id) if lab.conversation_id else None
        is_over = stored is not None and stored.status in NOT_ADMITTING
        mode = stored.mode if stored else AssistantMode.SPEAKING
        for leg in lab.telnyx.legs:
            if leg.state != "answered" or leg.person_number in self.machines or is_over:
                continue
            if self._has_company(leg, mode):
                self._sounds[id(leg)] = now
                continue
            since = self._sounds.get(id(leg), leg.answered_at or now)
            since = max(since, _end_of_last_sentence(leg, now))
            silence = (now - since).total_seconds()
            number = leg.person_number
            self.longest[number] = max(self.longest.get(number, 0.0), silence)

    def _has_company(self, leg: SimulatedLeg, mode: AssistantMode) -> bool:
        """Whether a person or a speaking assistant is on the line with the person of a call."""
        world = self._lab.telnyx.world
        others = [other for other in world.legs.values() if other is not leg]
        if leg.gather is not None or leg.voices:
            return True
        if leg.bridged_to is not None:
            return world.legs[leg.bridged_to].state == "answered"
        calls = [c.members for c in world.conferences.values() if leg.call_control_id in c.members]
        if any(len(members) > 1 for members in calls):
            return True
        if leg.conversation_id is None:
            return False
        together = [other for other in others if other.conversation_id == leg.conversation_id]
        return bool(together) or mode is AssistantMode.SPEAKING


def _end_of_last_sentence(leg: SimulatedLeg, now: datetime) -> datetime:
    for at, notice in reversed(leg.heard):
        if notice.startswith(SPOKEN):
            return min(now, at + timedelta(seconds=len(notice) * SECS_PER_CHARACTER))
    return leg.answered_at or now
