"""Requests with keys that lack a right, have expired, or are none, to every route of the API.

`make fuzz` sends them to the local stack. An answer is right when a key without the right gets 403,
and any other request an answer below 500 that the request deserves. Some requests book starts and
cancel the bookings of a key.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any
from urllib.parse import quote

from local.stack.local_stack import Options
from local.stack.template import Template

Json = dict[str, Any]
Ask = Callable[[str, str, Any, str | None], tuple[int, Json]]
"""Send method, path, body and bearer key; return status and body."""

RIGHTS = {
    "TriggerFunction": "start",
    "ControlFunction": "control",
    "QueryFunction": "read",
    "DirectoryFunction": "directory",
    "HooksFunction": "hooks",
}
"""The right that each function of the API asks for."""

KEYS: Mapping[str, tuple[str, ...]] = {
    **{f"only-{right}": (right,) for right in RIGHTS.values()},
    "start-and-control": ("start", "control"),
    "nothing": (),
    "all": tuple(RIGHTS.values()),
    "expired": tuple(RIGHTS.values()),
    "unknown": tuple(RIGHTS.values()),
}
"""The rights of the keys. `expired` and `unknown` have no valid key."""

NUMBER = "+13125550111"
ODD_TEXTS = ("", "bus", "all", "tool", "BOOKINGS#all", "a" * 128, "a" * 129, "é", "\u202e", "%00")
ACCEPTED = frozenset({200, 201, 202, 404, 409, 413, 422, 429})


def key_of(key_id: str) -> str:
    """The bearer key with this id."""
    return f"the-key-of-{key_id}"


@dataclass(frozen=True)
class KeyedOptions(Options):
    """Options of a stack whose secret has the keys of `KEYS`, but for `unknown`."""

    def secrets(self) -> dict[str, str]:
        """Return the values of the template's secrets by logical id."""
        entries = []
        for key_id, rights in KEYS.items():
            if key_id == "unknown":
                continue
            hashed = sha256(key_of(key_id).encode()).hexdigest()
            entry: Json = {"id": key_id, "sha256": hashed, "may": list(rights)}
            if key_id == "expired":
                entry["expires_at"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
            entries.append(entry)
        return {**super().secrets(), "BearerKeys": json.dumps({"keys": entries})}


@dataclass
class KeyFuzzer:
    """Sends requests with the keys of `KEYS`, and remembers the ids that the answers have."""

    template: Template
    ask: Ask
    random: Random
    ids: list[str] = field(default_factory=lambda: ["unknown"])
    answers: dict[str, list[int]] = field(default_factory=dict)

    def wrong(self, wanted: int) -> Iterator[str]:
        """Send about `wanted` requests and yield each wrong answer."""
        routes = [route for route in self.template.routes if route.function in RIGHTS]
        for _ in range(wanted // (len(routes) * len(KEYS)) + 1):
            for route in routes:
                for key_id, rights in KEYS.items():
                    path = self._path(route.path, route.method)
                    body = self._body(route.path, route.method)
                    status, answer = self.ask(route.method, path, body, key_of(key_id))
                    self.answers.setdefault(key_id, []).append(status)
                    allowed = RIGHTS[route.function] in rights and key_id not in (
                        "expired",
                        "unknown",
                    )
                    if (status in ACCEPTED) if allowed else (status == 403):
                        self._remember(answer)
                    else:
                        yield f"{key_id}: {route.method} {path} {body} -> {status} {answer}"

    def _path(self, path: str, method: str) -> str:
        choice = self.random.choice
        path = path.replace("{id}", choice(self.ids)).replace("{participant_id}", "host")
        path = path.replace("{number}", choice((NUMBER, "default", "+1", "911", "%2B13125550112")))
        if not path.endswith("/conversations"):
            return path
        if method == "DELETE":
            queries = [f"key_id={quote(key_id)}" for key_id in (*KEYS, *ODD_TEXTS)]
            more = ("", "&limit=1", "&limit=0", "&limit=x", "&cursor=x", "&key_id=all", "&a=1")
            return f"{path}?{choice(queries)}{choice(more)}"
        if method == "GET":
            statuses = ("scheduled", "active", "cancelled", "odd", "")
            return f"{path}?status={choice(statuses)}&limit={choice(('1', '50', '-1'))}"
        return path

    def _body(self, path: str, method: str) -> Any:
        if method not in ("POST", "PUT"):
            return None
        start_at = datetime.now(UTC) + timedelta(
            seconds=self.random.choice((-60, 0, 3600, 366 * 86_400, 367 * 86_400))
        )
        bodies: list[Any] = [
            {},
            [],
            {"to": NUMBER},
            {"to": NUMBER, "start_at": start_at.isoformat()},
            {"to": NUMBER, "start_at": start_at.isoformat(), "call_control_id": "v3:abcdef"},
            {
                "to": NUMBER,
                "start_at": self.random.choice(("now", 0, None, "9999-12-31T00:00:00Z")),
            },
            {"to": "sip:911@gw.example"},
            {"role": "system", "content": "Hello."},
            {"hang_up": True},
            {"assistant": {"id": "assistant-1"}, "contacts": {"Dana": {"to": NUMBER}}},
            {"reason": "asked"},
        ]
        if path.endswith("/conversations") and self.random.random() < 0.5:
            return bodies[3]
        return self.random.choice(bodies)

    def _remember(self, answer: Json) -> None:
        if isinstance(answer.get("id"), str):
            self.ids = [*self.ids, answer["id"]][-20:]
