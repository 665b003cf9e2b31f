"""When to ask Telnyx about a call of which no webhook comes."""

from datetime import datetime

from partyline.domain.model import timeouts
from partyline.domain.model.leg import Leg


def is_awaited(leg: Leg) -> bool:
    """Whether a person waits for the answer of a call: the answer must be known within seconds."""
    return leg.is_ringing and not leg.is_finished


def next_poll(leg: Leg, now: datetime) -> datetime | None:
    """Return when to poll a call; None for a call that the census covers.

    The pause of a call that the census does not cover grows with the age of the call.
    """
    if is_awaited(leg):
        return now + timeouts.RING_POLL_PAUSE
    if leg.is_listed:
        return None
    age = now - (leg.answered_at or leg.created_at)
    return now + min(max(age, timeouts.MIN_POLL_PAUSE), timeouts.MAX_POLL_PAUSE)
