"""A client of a Telnyx account's API. Each error is a sentence for the command line."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from local.loopback import is_loopback
from local.tls import tls_context

Json = dict[str, Any]

KEY_VARIABLE = "TELNYX_API_KEY"
_PAGE = 100
_TIMEOUT_SECS = 30.0


class AccountError(Exception):
    """Telnyx refused a request or did not answer. The text is a sentence for the user."""


class KeyRefusedError(AccountError):
    """401: Telnyx does not know the key."""


class PermissionMissingError(AccountError):
    """403: the key lacks a permission."""


class NotFoundError(AccountError):
    """404: the account has no such object."""


class NotAllowedError(AccountError):
    """400, 409 or 422: Telnyx does not do what the request says."""


def http_client(url: str, **options: Any) -> httpx.Client:
    """Make a client for `url`, with the environment's proxy except for this machine."""
    return httpx.Client(
        trust_env=not is_loopback(url), timeout=_TIMEOUT_SECS, verify=tls_context(), **options
    )


def read_key(path: Path | None, environment: Mapping[str, str]) -> str:
    """Read the API key from a file or from TELNYX_API_KEY.

    The file holds the key, or `{"api_key": ...}` as the deployment's secret does. Raises
    ValueError, whose text names the source of the key and never contains the key.
    """
    if path is None:
        text, source = environment.get(KEY_VARIABLE, ""), KEY_VARIABLE
    else:
        try:
            text, source = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read: {type(error).__name__}.") from None
    text = text.strip()
    if text.startswith("{"):
        text = _key_field(text, source)
    if not text:
        raise ValueError(f"{source} holds no API key: name a file with --key-from.")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{source} holds a text that cannot be an API key.")
    return text


def _key_field(text: str, source: str) -> str:
    try:
        value = json.loads(text).get("api_key")
    except ValueError:
        raise ValueError(f"{source} begins as JSON but is not JSON.") from None
    return value if isinstance(value, str) else ""


class Account:
    """Sends requests to Telnyx's API at `base_url` (with the version, no trailing slash).

    `clock` returns seconds since 1970; the `Date` of each answer is compared with it.
    """

    def __init__(self, base_url: str, key: str, clock: Callable[[], float] = time.time) -> None:
        self.base_url = base_url
        self.clock_ahead: timedelta | None = None
        """Our clock's time minus Telnyx's time; None before the first answer."""
        self._clock = clock
        self._http = http_client(base_url, headers={"authorization": f"Bearer {key}"})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def ask(
        self,
        right: str,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """Send a request and return the answer.

        `right` names the permission that the key needs, for the error's text. Raises an
        AccountError.
        """
        try:
            response = self._http.request(method, f"{self.base_url}{path}", json=body, params=query)
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise AccountError(f"Telnyx at {self.base_url} does not answer ({kind}).") from None
        self._compare_clocks(response.headers.get("date"))
        if response.is_error:
            raise _refusal(response, right)
        try:
            # The answer to PUT, DELETE or PATCH may be empty.
            answer = {} if method in ("PUT", "DELETE", "PATCH") else response.json()
        except ValueError:
            answer = None
        if not response.is_success or not isinstance(answer, dict):
            raise self._not_telnyx()
        return answer

    def request_object(
        self, right: str, method: str, path: str, body: Json | None = None, has: str = "id"
    ) -> Json:
        """Send a request whose answer is an object with at least the field `has`.

        Some of Telnyx's answers wrap the object in `data`, some do not.
        """
        answer = self.ask(right, method, path, body)
        inner = answer.get("data", answer)
        if not isinstance(inner, dict) or has not in inner:
            raise self._not_telnyx()
        return inner

    def list_all(self, right: str, path: str, query: Mapping[str, str]) -> list[Json]:
        """Return all rows of a list, page by page."""
        rows: list[Json] = []
        number = 1
        while True:
            page = {"page[number]": str(number), "page[size]": str(_PAGE)}
            answer = self.ask(right, "GET", path, query={**query, **page})
            rows += answer.get("data", [])
            if number >= answer.get("meta", {}).get("total_pages", 1):
                return rows
            number += 1

    def _not_telnyx(self) -> AccountError:
        return AccountError(f"{self.base_url} does not answer as Telnyx does: is the URL right?")

    def _compare_clocks(self, date: str | None) -> None:
        try:
            telnyx_time = parsedate_to_datetime(date or "")
        except ValueError:
            return
        self.clock_ahead = timedelta(seconds=self._clock() - telnyx_time.timestamp())


def path_segment(text: str) -> str:
    """Quote an id as a segment of a path."""
    return quote(text, safe="")


def _refusal(response: httpx.Response, right: str) -> AccountError:
    detail = _error_text(response)
    if response.status_code == 401:
        return KeyRefusedError(
            f"Telnyx does not take the API key (401{detail}): the key is wrong, revoked, or "
            "another account's; make a new key in the portal under API Keys."
        )
    if response.status_code == 403:
        return PermissionMissingError(
            f"The API key lacks the right to {right} (403{detail}): give the key that right, or "
            "use a key that has the right."
        )
    if response.status_code == 404:
        return NotFoundError(f"This Telnyx account has no such object to {right} (404{detail}).")
    if response.status_code == 429:
        return AccountError(f"Telnyx has had too many requests (429{detail}): wait a minute.")
    kind = NotAllowedError if response.status_code in (400, 409, 422) else AccountError
    return kind(f"Telnyx refuses to {right} ({response.status_code}{detail}).")


def _error_text(response: httpx.Response) -> str:
    """Return the code and the text of Telnyx's error (Telnyx API: call-control_Errors)."""
    try:
        error = response.json()["errors"][0]
    except (ValueError, LookupError, TypeError):
        return ""
    text = error.get("detail") or error.get("title") or ""
    pointer = error.get("source", {}).get("pointer", "")
    return f", {error.get('code')}: {text} {pointer}".rstrip(" .")
