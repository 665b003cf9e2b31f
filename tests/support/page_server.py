"""The page's server without a stack: a test gives the facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette

from local.room.hub import Hub
from local.room.page import routes
from local.room.server import PEOPLE
from local.serving import serve

HELLO = {
    "mode": "room",
    "choices": {"events": [], "actions": [], "functions": []},
}

Fact = tuple[str, str, object]


@contextmanager
def serve_page(port: int, *facts: Fact, **hello: Any) -> Iterator[str]:
    """Serve the page with the room's people and these facts; yields the URL."""
    hub = Hub()
    for person in PEOPLE:
        hub.put("person", person.number, asdict(person))
    for kind, key, value in facts:
        hub.put(kind, key, value)
    running = serve(Starlette(routes=routes(hub, {**HELLO, **hello})), port, page=True)
    try:
        yield running.url
    finally:
        hub.close()
        running.stop()


def conversation_fact(conversation_id: str, *events: tuple[str, str], **more: Any) -> Fact:
    """Make the fact of a conversation with its events' types and times."""
    conversation: dict[str, Any] = {
        "id": conversation_id,
        "status": "active",
        "direction": "outbound",
        "created_at": "2026-03-01T12:00:00Z",
        "failure": None,
        "telnyx_conversation_id": None,
        "insights": [],
        "participants": [person("host", "Alex", host=True)],
        **more,
    }
    timeline: list[dict[str, Any]] = [
        {"seq": seq, "type": kind, "occurred_at": at, "cause": None, "data": {}}
        for seq, (kind, at) in enumerate(events, 1)
    ]
    return "view", conversation_id, {"conversation": conversation, "timeline": timeline}


def person(participant_id: str, name: str, **more: Any) -> dict[str, Any]:
    """Make the API's participant, with a leg."""
    number = PEOPLE[0].number
    leg = dict.fromkeys(("call_control_id", "created_at", "answered_at", "ended_at"))
    return {
        "id": participant_id,
        "name": name,
        "status": "joined",
        "outcome": None,
        "attempt": None,
        "host": False,
        "legs": [{**leg, "from": number, "to": number}],
        **more,
    }
