"""Quotas of incoming calls: the share of inbound conversations, and the calls of a single caller.

A caller waits in silence for the answer, so the count is read at the same time as the rows of the
call: the answer still leaves after two round trips. A refused call is rejected at Telnyx and leaves
no row.
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
    begin: Callable[[Callable[[], list[str]]], Callable[[], list[str]]]

    def read_callers(self) -> Callable[[], list[str]]:
        """Begin to read the callers of all open inbound conversations.

        Returns a function that waits for the callers. That function may raise an AwsError.
        """
        most = self.settings.max_inbound_conversations
        return self.begin(lambda: self.store.open_inbound_callers(most))

    def refusal(self, callers: list[str], number: str | None) -> str | None:
        """Return why a call from a number is beyond the quotas; None for a call to answer."""
        if len(callers) >= self.settings.max_inbound_conversations:
            return SHARE_USED
        if callers.count(caller_of(number)) >= self.settings.max_calls_per_caller:
            return CALLER_LIMIT
        return None

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
