"""Lost webhooks: any type, and any two types, of every story."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from local.simulator.delivery import DeliverySettings
from tests.faults.cases import BY_NAME, faultless_run
from tests.faults.invariants import compare, ending_of, violations_of, without_reasons
from tests.faults.stories import STORIES


@dataclass(frozen=True)
class Loss:
    """A story without the webhooks of these types."""

    story: str
    event_types: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.story}, without {' and '.join(self.event_types)}"


UNRECOVERABLE = (
    "call.gather.ended",
    "call.machine.detection.ended",
    "call.machine.premium.detection.ended",
    "call.machine.premium.greeting.ended",
    "call.machine.premium.call_screening.detected",
)
"""Results that no request can fetch: a default stands for a lost webhook."""

FIRST_WEBHOOK = "call.initiated"
"""Without this webhook an inbound call is unknown to us."""


def losses() -> Iterator[Loss]:
    """List the losses of a type, or of two types, of every story."""
    for story in STORIES:
        run = faultless_run(story.name)
        unknown = {FIRST_WEBHOOK} if run.rings_in else set()
        known = sorted(run.webhook_types - unknown)
        for count in (1, 2):
            for lost in combinations(known, count):
                yield Loss(story.name, lost)


def loss_violations(loss: Loss) -> list[str]:
    """Return the violated invariants of a story with a loss."""
    story = BY_NAME[loss.story]
    lab = story.new_lab()
    for kind in loss.event_types:
        lab.telnyx.deliverer.settings[kind] = DeliverySettings(drop=1.0)
    story.play(lab)
    lab.settle()
    wrong = violations_of(lab)
    if wrong:
        return wrong
    if set(loss.event_types) & set(UNRECOVERABLE):
        return [f"{name} is up" for name in lab.legs_up()]
    right = faultless_run(loss.story).ending
    ended = ending_of(lab, story.interchangeable)
    if "call.hangup" in loss.event_types:
        ended, right = without_reasons(ended), without_reasons(right)
    return compare(ended, right)[0]
