"""Webhooks that never come: any one type, and any two, of every story."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from local.simulator.delivery import DeliverySettings
from tests.faults.cases import BY_NAME, faultless
from tests.faults.invariants import End, broken, compared, end_of
from tests.faults.stories import STORIES


@dataclass(frozen=True)
class Loss:
    """A story of which no webhook of these types ever comes."""

    story: str
    types: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.story}, without {' and '.join(self.types)}"


JUDGED = ("call.gather.ended", "call.machine.detection.ended")
"""Telnyx says these once and cannot be asked for them: a default is taken instead."""

UNHEARD = "call.initiated"
"""Without it we know nothing of an inbound call."""


def losses() -> Iterator[Loss]:
    """Every one and every two types that a story has."""
    for story in STORIES:
        lab = story.new_lab()
        story.tell(lab)
        lab.rest()
        types = sorted({each.event_type for each in lab.telnyx.deliverer.attempts})
        inbound = any(leg.direction == "incoming" for leg in lab.telnyx.legs)
        known = [each for each in types if each != UNHEARD or not inbound]
        for count in (1, 2):
            for lost in combinations(known, count):
                yield Loss(story.name, lost)


def missed(loss: Loss) -> list[str]:
    """What is not right at the end of a story with a loss."""
    story = BY_NAME[loss.story]
    lab = story.new_lab()
    for kind in loss.types:
        lab.telnyx.deliverer.knobs[kind] = DeliverySettings(drop=1.0)
    story.tell(lab)
    lab.rest()
    wrong = broken(lab)
    if wrong:
        return wrong
    if set(loss.types) & set(JUDGED):
        return [f"{who} is up" for who in lab.legs_up()]
    right, _ = faultless(loss.story)
    ended = end_of(lab, story.alike)
    if "call.hangup" in loss.types:
        ended, right = (replace(each, told=_without_reasons(each)) for each in (ended, right))
    return compared(ended, right)[0]


def _without_reasons(end: End) -> tuple[str, ...]:
    """What was told; a look at a call that is over does not say why nobody answered it."""
    return tuple(
        sorted(each.replace("number is not available", "line is busy") for each in end.told)
    )
