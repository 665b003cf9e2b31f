"""HTTP client for Telnyx: sends a request, reads the answer, and retries once when that is safe."""

import json as jsonlib
import threading
import time
from collections.abc import Callable, Generator, Mapping
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from partyline.telnyx import errors
from partyline.telnyx.lenient import read_json

API_BASE_URL = "https://api.telnyx.com/v2"
PAUSE_SECS = 0.1
MAX_WAIT_SECS = 1.0
# A leg is answered seconds after the dial: keep the connection for the leg's next command.
KEEP_ALIVE_SECS = 30.0
Body = Mapping[str, Any] | None
Query = Mapping[str, str] | None

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

# httpx raises these before the first byte of a request is sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class ApiKey(Protocol):
    """Source of the API key."""

    def __call__(self, fresh: bool = False) -> str:
        """Return the key. `fresh` fetches the key again, because a cached key may be rotated."""
        ...


class _ApiKeyAuth(httpx.Auth):
    """Adds the API key. After a 401 fetches the key afresh and sends a changed key once more."""

    def __init__(self, api_key: ApiKey) -> None:
        self._api_key = api_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        key = self._api_key()
        request.headers["Authorization"] = f"Bearer {key}"
        answer = yield request
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            fresh_key = self._api_key(fresh=True)
            if fresh_key != key:
                request.headers["Authorization"] = f"Bearer {fresh_key}"
                yield request


class TelnyxClient:
    """Sends requests to Telnyx over a kept connection, made at first use. Thread-safe.

    `timeout_secs` bounds each step of a request. `transport` and `pause` are for tests. The client
    writes no log, because a body may hold phone numbers.
    """

    def __init__(
        self,
        api_key: ApiKey,
        base_url: str = API_BASE_URL,
        timeout_secs: float = 2.0,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._auth = _ApiKeyAuth(api_key)
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
        json: Body = None,
        params: Query = None,
        answer_secs: float | None = None,
    ) -> Any:
        """Send a request and return the answer's `data`, or an empty dict. Raises a TelnyxError.

        `path` is below the base URL, with percent-encoded ids. `json` is the body, `params` the
        query. With `answer_secs` the client waits that long for the answer, and does not repeat a
        request without an answer.
        """
        return self.document(method, path, json, params, answer_secs).get("data") or {}

    def document(
        self,
        method: str,
        path: str,
        json: Body = None,
        params: Query = None,
        answer_secs: float | None = None,
    ) -> dict[str, Any]:
        """As `request`, but return the whole answer: the `meta` of a list has the next cursor."""
        content = None if json is None else jsonlib.dumps(json).encode()
        timeout = httpx.Timeout(self._timeout_secs, read=answer_secs or self._timeout_secs)

        def send() -> dict[str, Any]:
            return self._send(method, path, content, params, timeout)

        # Telnyx ignores a repeated command_id for 60 s. A POST without command_id could act twice.
        repeatable = method != "POST" or bool((json or {}).get("command_id"))
        try:
            return send()
        except errors.TelnyxError as error:
            wait = _wait_before_repeat(error)
            unanswered = type(error) is errors.NoResponseError
            if unanswered and answer_secs:
                raise
            if wait is None or not (repeatable or isinstance(error, errors.NotSentError)):
                raise
        self._pause(wait)
        return send()

    def close(self) -> None:
        """Close the kept connection. The next request opens a new connection."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _send(
        self, method: str, path: str, content: bytes | None, params: Query, timeout: httpx.Timeout
    ) -> dict[str, Any]:
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            http = self._connection()
            answer = http.request(
                method, path, content=content, params=params, headers=headers, timeout=timeout
            )
        # The cause is named, not chained: httpx may quote the header that holds the key.
        except _NOT_SENT as error:
            raise errors.NotSentError(type(error).__name__) from None
        except httpx.RequestError as error:
            raise errors.NoResponseError(type(error).__name__) from None
        if not answer.is_success:
            raise errors.refusal(path, answer.status_code, answer.headers, answer.content)
        return _document(answer)

    def _connection(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                base_url = httpx.URL(self._base_url)
                self._http = httpx.Client(
                    base_url=base_url,
                    auth=self._auth,
                    transport=self._transport,
                    limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECS),
                    headers={"Accept": "application/json", "User-Agent": "partyline"},
                    # A proxy from the environment cannot reach a simulator on this machine.
                    trust_env=base_url.host not in LOOPBACK,
                )
            return self._http


def _wait_before_repeat(error: errors.TelnyxError) -> float | None:
    """Return the seconds to wait before a retry, or None if there must be no retry now."""
    if not error.is_transient:
        return None
    retry_after = error.retry_after if isinstance(error, errors.RefusedError) else None
    wait = PAUSE_SECS if retry_after is None else retry_after
    return wait if wait <= MAX_WAIT_SECS else None


def _document(answer: httpx.Response) -> dict[str, Any]:
    """Return the answer's JSON object. Raises a NoResponseError for any other body.

    A body that is no JSON object may come from a proxy before Telnyx, so the status proves no
    effect. An answer with 204 has no body (RFC 9110, 15.3.5).
    """
    if answer.status_code == HTTPStatus.NO_CONTENT:
        return {}
    try:
        document = read_json(answer.content.decode())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise errors.NoResponseError("the answer cannot be read")
    return document
