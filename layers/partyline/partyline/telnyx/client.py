"""One way to Telnyx: send, understand the answer, send once more when that is safe."""

import json as jsonlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx
from pydantic_core import from_json

from partyline.telnyx.errors import (
    NoResponseError,
    NotSentError,
    RefusedError,
    TelnyxError,
    UnauthorizedError,
    refusal,
)
from partyline.telnyx.lenient import as_object

API_BASE_URL = "https://api.telnyx.com/v2"
PAUSE_SECS = 0.1
MAX_WAIT_SECS = 1.0
# A leg is answered seconds after it was dialled: keep the connection for its next command.
KEEP_ALIVE_SECS = 30.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

# Raised before anything went out.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class ApiKey(Protocol):
    """Where the API key comes from; with `fresh` it is fetched anew, because it may be rotated."""

    def __call__(self, fresh: bool = False) -> str:
        """The key."""
        ...


class TelnyxClient:
    """Sends requests to Telnyx over one kept connection, made at first use. Thread-safe.

    `timeout_secs` bounds each step of a request. `transport` and `pause` are for tests. Nothing is
    logged: a body may hold phone numbers.
    """

    def __init__(
        self,
        api_key: ApiKey,
        base_url: str = API_BASE_URL,
        timeout_secs: float = 2.0,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._timeout_secs = timeout_secs
        self._transport = transport
        self._pause = pause
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def request(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's `data`; an empty dict when a success carries none.

        `path` is below the base URL, its ids percent-encoded. Raises a TelnyxError.
        """
        return self.document(method, path, json, params).get("data") or {}

    def document(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The whole answer, for lists whose `meta` tells where they go on. Else as `request`."""
        content = None if json is None else jsonlib.dumps(json).encode()
        # Telnyx ignores a repeated command_id (for 60 s); a POST without one could act twice.
        repeatable = method != "POST" or bool((json or {}).get("command_id"))
        try:
            return self._authorized(method, path, content, params)
        except TelnyxError as error:
            wait = _wait_before_repeat(error)
            if wait is None or not (repeatable or isinstance(error, NotSentError)):
                raise
        self._pause(wait)
        return self._authorized(method, path, content, params)

    def close(self) -> None:
        """Close the kept connection. The next request opens another."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _authorized(
        self, method: str, path: str, content: bytes | None, params: Mapping[str, str] | None
    ) -> dict[str, Any]:
        key = self._api_key()
        try:
            return self._send(key, method, path, content, params)
        except UnauthorizedError:
            fresh = self._api_key(fresh=True)
            if fresh == key:
                raise
        return self._send(fresh, method, path, content, params)

    def _send(
        self,
        key: str,
        method: str,
        path: str,
        content: bytes | None,
        params: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {key}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._connection().request(
                method, path, content=content, params=params, headers=headers
            )
        # The cause is named, not chained: httpx may quote a header, and one holds the key.
        except _NOT_SENT as error:
            raise NotSentError(type(error).__name__) from None
        except httpx.RequestError as error:
            raise NoResponseError(type(error).__name__) from None
        if not answer.is_success:
            raise refusal(path, answer.status_code, answer.headers, answer.content)
        return _document(answer.content)

    def _connection(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                base_url = httpx.URL(self._base_url)
                self._http = httpx.Client(
                    base_url=base_url,
                    timeout=self._timeout_secs,
                    transport=self._transport,
                    limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECS),
                    headers={"Accept": "application/json", "User-Agent": "partyline"},
                    # A proxy of the environment cannot reach a simulator on this machine.
                    trust_env=base_url.host not in LOOPBACK,
                )
            return self._http


def _wait_before_repeat(error: TelnyxError) -> float | None:
    """Seconds to wait before the same bytes go out again; None when they must not, or not now."""
    if not error.is_transient:
        return None
    asked = error.retry_after if isinstance(error, RefusedError) else None
    wait = PAUSE_SECS if asked is None else asked
    return wait if wait <= MAX_WAIT_SECS else None


def _document(content: bytes) -> dict[str, Any]:
    # Telnyx took the command, whatever it says about it: an unreadable success is still one.
    try:
        return as_object(from_json(content))
    except ValueError:
        return {}
