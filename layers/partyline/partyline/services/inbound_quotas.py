"""Quotas of incoming calls: the share of inbound conversations, and the calls of a single caller.

A caller waits in silence for the answer, so both counts are read at the same time as the rows of
the call: the answer still leaves after two round trips. A refused call is rejected at Telnyx and
leaves no row.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from partyline.domain.model.conversation import caller_of
from partyline.ids import conversation_id_for_call
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.settings import ConversationSettings
from partyline.store import ConversationStore
from partyline.store.open_counts import OPEN_INBOUND
from partyline.telemetry import Metric, count, logger
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.errors import TelnyxError
from partyline.telnyx.requests import RejectRequest

T = TypeVar("T")

SHARE_USED, CALLER_LIMIT = "inbound_share", "calls_of_a_caller"


def in_thread(work: Callable[[], T]) -> Callable[[], T]:
    """Begin work in another thread. Returns a function that waits for the result."""
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(copy_context().run, work)  # the context has the metrics and the log's ids
    pool.shutdown(wait=False)
    return future.result


@dataclass(frozen=True)
class InboundQuotas:
    """The quotas of incoming calls of this deployment."""

    settings: ConversationSettings
    store: ConversationStore
    call_control: Callable[[], CallControl]
    begin: Callable[[Callable[[], int]], Callable[[], int]]

    def check(self, number: str | None) -> Callable[[], str | None]:
        """Begin to count the open inbound conversations, and those of the caller with a number.

        Returns a function that waits for the counts and returns why the call is beyond the quotas;
        None for a call to answer. That function may raise an AwsError.
        """
        counts, limit = self.store.open_counts, self.settings.max_calls_per_caller
        of_share = self.begin(lambda: counts.count(OPEN_INBOUND))
        of_caller = self.begin(lambda: counts.count_of_caller(caller_of(number), limit))

        def refusal() -> str | None:
            if of_share() >= self.settings.max_inbound_conversations:
                return SHARE_USED
            return CALLER_LIMIT if of_caller() >= limit else None

        return refusal

    def reject(self, call_control_id: str, reason: str) -> None:
        """Reject an incoming call: the caller hears that the line is busy.

        When Telnyx does not take the command, the call rings until the caller gives up.
        """
        count(Metric.INBOUND_REFUSED)
        logger.warning("incoming call refused", extra={"reason": reason})
        command_id = f"reject-{conversation_id_for_call(call_control_id)}"
        try:
            request = RejectRequest(command_id=command_id, cause="USER_BUSY")
            self.call_control().reject(call_control_id, request)
        except (TelnyxError, SecretMissingError, SecretUnreadableError) as error:
            logger.warning("reject failed", extra={"error": type(error).__name__})
