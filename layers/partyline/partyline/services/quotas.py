"""What a leaked bearer key can cost: so many conversations at once, so many dials a minute."""

from collections.abc import Sequence
from datetime import timedelta

from partyline.bootstrap import bootstrap
from partyline.entrypoints.answers import ApiError
from partyline.entrypoints.api.app import Request
from partyline.services.requests import InviteBody
from partyline.store import QuotaCharge, keys

FORGET_AFTER = timedelta(hours=1)


def check_open_conversations() -> None:
    """Raise an ApiError, 429, when as many conversations as may be are going on, however begun."""
    most = bootstrap().settings.max_conversations
    if bootstrap().store.count_open(most) >= most:
        message = f"{most} conversations are going on, which is as many as may."
        raise ApiError(429, "too_many_conversations", message, [{"limit": most}])


def dial_charge(
    request: Request, guests: Sequence[InviteBody], *, host: bool = False
) -> QuotaCharge | None:
    """What a request takes of its bearer key's dials in this minute of the clock.

    Charged is every call that may come of the request, each number in each round, though a hunt
    makes some of them later and most of them never; a live call is none. Raises an ApiError, 429,
    for a request that is too large for any minute.
    """
    units = int(host) + sum(len(each.numbers) * each.max_attempts for each in guests)
    most = bootstrap().settings.max_dials_per_minute
    if units == 0:
        return None
    if units > most:
        raise too_many_dials()
    now = bootstrap().clock()
    return QuotaCharge(keys.dials(request.key_id, now), units, most, now + FORGET_AFTER)


def too_many_dials() -> ApiError:
    """The error for more dials than a key has in a minute."""
    most = bootstrap().settings.max_dials_per_minute
    message = f"A key may ask for {most} dials a minute, every number of a hunt being one."
    return ApiError(429, "too_many_dials", message, [{"limit": most}])
