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
        """Return the charge of `dials` calls on a key in the last minute; none for no calls.

        Raises a RequestError for more calls than a minute allows, and while dials are off.
        """
        if dials == 0:
            return []
        if self.dialing.is_off():
            message = "An operator has switched all dials off."
            raise RequestError(ErrorCode.DIALING_OFF, message)
        self.check_dials(dials)
        limit = self.settings.max_dials_per_minute
        return [self.store.dial_counts.charge(key_id, dials, limit, self.clock())]

    def check_dials(self, dials: int) -> None:
        """Raise a RequestError for more calls than a key may ask for in a minute."""
        if dials > self.settings.max_dials_per_minute:
            raise self.too_many_dials()

    def tool_charges(self, conversation_id: str, from_: str, dials: int) -> list[QuotaCharge]:
        """Return the charges of `dials` calls from a number by the assistant's tool `invite`.

        The calls count for the number `from_` in the last minute, and for the whole conversation. A
        request chooses the line of its conversation, and Telnyx calls from our numbers only.
        Raises a RequestError for more calls than either allows.
        """
        of_line, of_conversation = (
            self.settings.max_tool_dials_per_minute,
            self.settings.max_tool_dials,
        )
        if dials > min(of_line, of_conversation):
            raise RequestError(ErrorCode.TOO_MANY_DIALS, "The tool may not make so many calls.")
        now = self.clock()
        # A hash of the number: keys of the table hold no number that is no route.
        line = f"{TOOL}/{fingerprint(from_)}"
        key, expires_at = keys.tool_dials(conversation_id), now + TOOL_COUNTER_KEPT_FOR
        return [
            self.store.dial_counts.charge(line, dials, of_line, now),
            QuotaCharge(key, dials, of_conversation, expires_at),
        ]

    def exceeded(self, error: QuotaExceededError) -> RequestError:
        """The error for a request beyond the quota of its dials, or beyond the day's budget."""
        return self.budget.exceeded() if error.of_budget and self.budget else self.too_many_dials()

    def too_many_dials(self) -> RequestError:
        """The error for more dials in a minute than a key may ask for."""
        limit = self.settings.max_dials_per_minute
        message = f"A key may ask for {limit} dials a minute; each number of a hunt counts."
        return RequestError(ErrorCode.TOO_MANY_DIALS, message, [{"limit": limit}])
