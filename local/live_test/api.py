"""Requests to Telnyx whose refusals are answers, and the clock of the live test."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import httpx

from local.connect.account import Json, http_client

CALLS = "/calls"


class SurpriseError(Exception):
    """Telnyx did something that no question asks about. The text is a sentence for the user."""


class NoAnswerError(SurpriseError):
    """Telnyx did not answer a request, so the request's effect is not known."""


class LiveClock(Protocol):
    """The clock of the live test."""

    def now(self) -> datetime:
        """Return the present time, with the zone UTC."""

    def sleep(self, secs: float) -> None:
        """Wait."""


class WallClock:
    """Wall-clock time."""

    def now(self) -> datetime:
        """Return the present time."""
        return datetime.now(UTC)

    def sleep(self, secs: float) -> None:
        """Wait."""
        time.sleep(secs)


@dataclass(frozen=True)
class Reply:
    """Telnyx's answer to a request: `secs` is the time from the request to the answer."""

    request: str
    status: int
    body: Json = field(default_factory=dict)
    secs: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether Telnyx has accepted the request."""
        return self.status < 400

    @property
    def data(self) -> Any:
        """The field `data` of an accepted request; an empty object if the field is absent."""
        return self.body.get("data") or {}

    @property
    def code(self) -> str:
        """The code of the first error of a refusal, or an empty text."""
        return str(self._error.get("code", ""))

    @property
    def pointer(self) -> str:
        """The JSON pointer of the first error of a refusal, or an empty text."""
        return str((self._error.get("source") or {}).get("pointer", ""))

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and the code; 200 and an empty text for an accepted request."""
        return (200, "") if self.ok else (self.status, self.code)

    def __str__(self) -> str:
        words = [str(self.status), self.code, self.pointer]
        return f"{self.request}: {' '.join(word for word in words if word)}"

    @property
    def _error(self) -> Json:
        errors = self.body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else {}
        return first if isinstance(first, dict) else {}


Send = Callable[[str, str, Json | None], tuple[int, Any]]
"""Send a request: method, path with the query, body. Returns the status and the JSON of the answer.

Raises NoAnswerError.
"""


class HttpSend:
    """Sends requests over HTTP."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._http = http_client(base_url, headers={"authorization": f"Bearer {key}"})

    def __call__(self, method: str, path: str, body: Json | None) -> tuple[int, Any]:
        """Send a request."""
        try:
            response = self._http.request(method, f"{self._base_url}{path}", json=body)
            return response.status_code, response.json() if response.content else {}
        except (httpx.HTTPError, ValueError) as error:
            kind = type(error).__name__
            raise NoAnswerError(f"Telnyx gave no answer to {method} {path} ({kind}).") from None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class Api:
    """Sends requests, and tells answers to a question from a surprise."""

    def __init__(self, send: Send, clock: LiveClock) -> None:
        self._send = send
        self.clock = clock

    def request(
        self, method: str, path: str, body: Json | None = None, query: Mapping[str, Any] = {}
    ) -> Reply:
        """Send a request.

        Raises:
            SurpriseError: No answer, an answer that is no JSON object, 401, 403, 429 or 5xx. Such
                an answer settles no question.
        """
        name = f"{method} {_readable(path)}"
        full = f"{path}?{urlencode(query)}" if query else path
        began = self.clock.now()
        status, answer = self._send(method, full, body)
        secs = (self.clock.now() - began).total_seconds()
        reply = Reply(name, status, answer if isinstance(answer, dict) else {}, secs)
        if status >= 500 or status in (401, 403, 429) or not isinstance(answer, dict):
            raise SurpriseError(f"Telnyx answered {reply}.")
        return reply

    def get(self, path: str, query: Mapping[str, Any] = {}) -> Reply:
        """Send a GET request that Telnyx has to accept. Raises SurpriseError."""
        reply = self.request("GET", path, query=query)
        if not reply.ok:
            raise SurpriseError(f"Telnyx answered {reply}.")
        return reply

    def command(self, call_id: str, action: str, /, **body: Any) -> Reply:
        """Send a command to a call."""
        path = f"{CALLS}/{quote(call_id, safe='')}/actions/{action}"
        return self.request("POST", path, body)


def _readable(path: str) -> str:
    """Return a path without the id of a call."""
    parts = path.split("/")
    return "/".join("{call}" if part.startswith("v3%3A") else part for part in parts)
