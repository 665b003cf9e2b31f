"""A console's list of 2,000 conversations."""

from typing import Any

from tests.support.page_server import Fact, conversation_fact, person

MANY = 2000
CONSOLE = {"mode": "console", "api": "http://127.0.0.1:8400", "to": "a stack", "stage": "prod"}


def row(nth: int, status: str, **more: Any) -> Fact:
    """Make a conversation as the list of the API has it."""
    host = person("host", f"Robin {nth}", host=True, on_hangup="end_conversation")
    host["legs"][0]["to"] = f"+1415555{nth:04d}"
    _, key, view = conversation_fact(
        f"c{nth:04d}", status=status, participants=[host], updated_at=f"{nth}", **more
    )
    assert isinstance(view, dict)
    return "row", key, view["conversation"]


def many() -> list[Fact]:
    """Make live conversations, a failed conversation and a booking."""
    failed = {"failure": {"code": "busy", "message": "The line is busy."}}
    asked: list[Fact] = [("api", "api", {"error": None})]
    booking = {"id": "later", "status": "scheduled", "start_at": "2030-01-01T00:00:00Z"}
    asked.append(("scheduled", "later", {**booking, "key_id": "ops", "failure": None}))
    return [
        *asked,
        *(row(nth, "active", metadata={"ticket": f"T{nth}"}) for nth in range(MANY - 1)),
        row(MANY - 1, "failed", **failed),
    ]
