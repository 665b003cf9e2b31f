"""The export of a conversation of a lab, and its replay."""

from typing import Any, Protocol

from local.replay import driver
from local.replay.export import recorded_steps, with_stand_ins

Json = dict[str, Any]


class Asks(Protocol):
    """A lab, which sends requests to the API."""

    def ask(self, method: str, path: str) -> Any:
        """Send a request."""


def pages(lab: Asks, path: str, field: str) -> list[Json]:
    """Return the rows of all pages of a list."""
    rows: list[Json] = []
    query = ""
    while True:
        page = lab.ask("GET", path + query).json
        rows += page[field]
        if page["next_cursor"] is None:
            return rows
        query = f"?cursor={page['next_cursor']}"


def exported(lab: Asks, conversation_id: str) -> list[Json]:
    """Export a conversation as `partyline export` does, and check that nothing is left out."""
    path = f"/conversations/{conversation_id}"
    steps = pages(lab, f"{path}/export", "steps")
    whole, left_out = recorded_steps(steps, pages(lab, f"{path}/timeline", "events"))
    assert not left_out, left_out
    return with_stand_ins(whole)


def replayed_difference(lab: Asks, conversation_id: str) -> Json | None:
    """Export a conversation and decide the file's steps again; return the first difference."""
    return driver.replay(exported(lab, conversation_id))
