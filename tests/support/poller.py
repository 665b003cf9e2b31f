"""Watches the statuses that the API shows, and records the statuses that move backwards.

The view is made without a request: requests after each webhook took a sixth of the time.
"""

from collections.abc import Callable, Iterator

from partyline.domain.model.conversation import Conversation
from partyline.entrypoints.api import responses

CONVERSATION = ("connecting", "active", "stopping", "ended")
PARTICIPANT = ("dialing", "screening", "waiting", "joining", "joined", "left")
LEG = ("dialing", "ringing", "answered", "screening", "ended")
FAILED = "failed"
AGAIN = {("screening", "dialing"), ("waiting", "dialing")}
"""The changes of a participant whose next number is tried after a declined or ended call."""


class Poller:
    """Polls the watched conversations. `backward_changes` describes each forbidden change."""

    def __init__(self, load: Callable[[str], Conversation | None]) -> None:
        self._load = load
        self._seen: dict[str, dict[str, str]] = {}
        self.backward_changes: list[str] = []

    def watch(self, conversation_id: str) -> str:
        """Poll this conversation, too. Returns its id."""
        self._seen.setdefault(conversation_id, {})
        return conversation_id

    def poll(self) -> None:
        """Compare the statuses that the API shows now with the statuses of the last poll."""
        for conversation_id, seen in self._seen.items():
            stored = self._load(conversation_id)
            assert stored is not None, conversation_id
            for name, order, status in _statuses(responses.Conversation.of(stored)):
                before = seen.get(name, order[0])
                if not _is_forward(order, before, status):
                    self.backward_changes.append(f"{name} went from {before} to {status}")
                seen[name] = status


def _statuses(shown: responses.Conversation) -> Iterator[tuple[str, tuple[str, ...], str]]:
    yield "the conversation", CONVERSATION, shown.status
    for person in shown.participants:
        yield person.id, PARTICIPANT, person.status
        for nth, leg in enumerate(person.legs):
            yield f"leg {nth} of {person.id}", LEG, leg.status


def _is_forward(order: tuple[str, ...], before: str, now: str) -> bool:
    if now == before or (order is PARTICIPANT and (before, now) in AGAIN):
        return True
    if before in (order[-1], FAILED):
        return False
    return now == FAILED or order.index(now) > order.index(before)
