"""Somebody who asks the API again and again, and notes whatever goes back."""

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]

CONVERSATION = ("connecting", "active", "stopping", "ended")
PARTICIPANT = ("dialing", "screening", "waiting", "joining", "joined", "left")
LEG = ("dialing", "ringing", "answered", "screening", "ended")
FAILED = "failed"


class Poller:
    """Looks at the conversations it was told of. `backwards` is what it should not have seen."""

    def __init__(self, ask: Callable[[str], Json]) -> None:
        self._ask = ask
        self._seen: dict[str, dict[str, str]] = {}
        self.backward_changes: list[str] = []

    def watch(self, conversation_id: str) -> str:
        """Look at this one, too; its id."""
        self._seen.setdefault(conversation_id, {})
        return conversation_id

    def poll(self) -> None:
        """Compare what the API shows now with what it showed before."""
        for conversation_id, seen in self._seen.items():
            for what, order, status in _statuses(self._ask(conversation_id)):
                before = seen.get(what, order[0])
                if not _onwards(order, before, status):
                    self.backward_changes.append(f"{what} went from {before} to {status}")
                seen[what] = status


def _statuses(conversation: Json) -> Iterator[tuple[str, tuple[str, ...], str]]:
    yield "the conversation", CONVERSATION, conversation["status"]
    for person in conversation["participants"]:
        yield person["id"], PARTICIPANT, person["status"]
        for nth, leg in enumerate(person["legs"]):
            yield f"leg {nth} of {person['id']}", LEG, leg["status"]


def _onwards(order: tuple[str, ...], before: str, now: str) -> bool:
    if now == before:
        return True
    if before in (order[-1], FAILED):
        return False
    return now == FAILED or order.index(now) > order.index(before)
