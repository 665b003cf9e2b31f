"""Quotas: open conversations of the deployment, and dials per minute of a bearer key.

Both bound the cost of a leaked key. The table counts the dials of a minute, in the transaction of
the request that asks for them (`store.QuotaCharge`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from partyline.domain.model.error_codes import ErrorCode
from partyline.services.errors import RequestError
from partyline.settings import ConversationSettings
from partyline.store import ConversationStore, QuotaCharge, keys
from partyline.store.dialing import DialingSwitch

COUNTER_KEPT_FOR = timedelta(hours=1)  # how long the counter of a minute is kept after that minute


@dataclass(frozen=True)
class Quotas:
    """The quotas of this deployment."""

    settings: ConversationSettings
    store: ConversationStore
    clock: Callable[[], datetime]
    dialing: DialingSwitch

    def check_open_conversations(self) -> None:
        """Raise a RequestError when as many conversations are open as the deployment allows."""
        limit = self.settings.max_conversations
        if self.store.count_open(limit) >= limit:
            message = f"{limit} conversations are open, which is the limit."
            raise RequestError(ErrorCode.TOO_MANY_CONVERSATIONS, message, [{"limit": limit}])

    def dial_charge(self, key_id: str, dials: int) -> QuotaCharge | None:
        """Return the charge of `dials` calls on a key in this minute; None for no calls.

        Raises a RequestError for more calls than a minute allows, and while dials are off.
        """
        limit, now = self.settings.max_dials_per_minute, self.clock()
        if dials == 0:
            return None
        if self.dialing.is_off():
            message = "An operator has switched all dials off."
            raise RequestError(ErrorCode.DIALING_OFF, message)
        if dials > limit:
            raise self.too_many_dials()
        return QuotaCharge(keys.dials(key_id, now), dials, limit, now + COUNTER_KEPT_FOR)

    def too_many_dials(self) -> RequestError:
        """The error for more dials in a minute than a key may ask for."""
        limit = self.settings.max_dials_per_minute
        message = f"A key may ask for {limit} dials a minute; each number of a hunt counts."
        return RequestError(ErrorCode.TOO_MANY_DIALS, message, [{"limit": limit}])
