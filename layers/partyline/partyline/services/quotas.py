"""Quotas: open conversations of the API, and dials of a bearer key and of the assistant's tool.

The quotas bound the cost of a leaked key and of a caller who misleads the model. The table counts
the dials, in the transaction of the request that asks for the dials (`store.QuotaCharge`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from partyline.domain.model.error_codes import ErrorCode
from partyline.ids import fingerprint
from partyline.services.budget import Budget
from partyline.services.errors import RequestError
from partyline.settings import ConversationSettings
from partyline.store import ConversationStore, QuotaCharge, keys
from partyline.store.dialing import DialingSwitch
from partyline.store.errors import QuotaExceededError
from partyline.store.open_counts import OPEN_API

COUNTER_KEPT_FOR = timedelta(hours=1)  # how long the counter of a minute is kept after that minute

TOOL_COUNTER_KEPT_FOR = timedelta(hours=8)  # longer than a conversation (MaxMinutes, 4 hours)

TOOL = "tool"  # the beginning of the id under which the dials of the assistant's tool count


@dataclass(frozen=True)
class Quotas:
    """The quotas of this deployment."""

    settings: ConversationSettings
    store: ConversationStore
    clock: Callable[[], datetime]
    dialing: DialingSwitch
    budget: Budget | None

    def check_open_conversations(self) -> None:
        """Raise a RequestError when as many conversations of the API are open as is allowed."""
        limit = self.settings.max_api_conversations
        if limit == 0 or self.store.open_counts.count(OPEN_API) >= limit:
            message = f"{limit} conversations of the API are open, which is the limit."
            raise RequestError(ErrorCode.TOO_MANY_CONVERSATIONS, message, [{"limit": limit}])

    def dial_charges(self, key_id: str, dials: int) -> list[QuotaCharge]:
        """Return the charge of `dials` calls on a key in this minute; none for no calls.

        Raises a RequestError for more calls than a minute allows, and while dials are off.
        """
        limit, now = self.settings.max_dials_per_minute, self.clock()
        if dials == 0:
            return []
        if self.dialing.is_off():
            message = "An operator has switched all dials off."
            raise RequestError(ErrorCode.DIALING_OFF, message)
        self.check_dials(dials)
        return [QuotaCharge(keys.dials(key_id, now), dials, limit, now + COUNTER_KEPT_FOR)]

    def check_dials(self, dials: int) -> None:
        """Raise a RequestError for more calls than a key may ask for in a minute."""
        if dials > self.settings.max_dials_per_minute:
            raise self.too_many_dials()

    def tool_charges(self, conversation_id: str, from_: str, dials: int) -> list[QuotaCharge]:
        """Return the charges of `dials` calls from a number by the assistant's tool `invite`.

        The calls count for the number `from_` in this minute, and for the whole conversation. A
        request chooses the line of its conversation, and Telnyx calls from our numbers only.
        Raises a RequestError for more calls than either allows.
        """
        now = self.clock()
        # A hash of the number: keys of the table hold no number that is no route.
        line = keys.dials(f"{TOOL}/{fingerprint(from_)}", now)
        counters = (
            (line, self.settings.max_tool_dials_per_minute, COUNTER_KEPT_FOR),
            (keys.tool_dials(conversation_id), self.settings.max_tool_dials, TOOL_COUNTER_KEPT_FOR),
        )
        if any(dials > limit for _, limit, _ in counters):
            raise RequestError(ErrorCode.TOO_MANY_DIALS, "The tool may not make so many calls.")
        return [QuotaCharge(key, dials, limit, now + kept) for key, limit, kept in counters]

    def exceeded(self, error: QuotaExceededError) -> RequestError:
        """The error for a request beyond the quota of its dials, or beyond the day's budget."""
        return self.budget.exceeded() if error.of_budget and self.budget else self.too_many_dials()

    def too_many_dials(self) -> RequestError:
        """The error for more dials in a minute than a key may ask for."""
        limit = self.settings.max_dials_per_minute
        message = f"A key may ask for {limit} dials a minute; each number of a hunt counts."
        return RequestError(ErrorCode.TOO_MANY_DIALS, message, [{"limit": limit}])
