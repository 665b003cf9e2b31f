"""A Telnyx account as its owner sees it: one API key, asked over HTTP; every refusal a sentence."""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

Json = dict[str, Any]

KEY_VARIABLE = "TELNYX_API_KEY"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PAGE = 100
_TIMEOUT_SECS = 30.0


class AccountError(Exception):
    """Telnyx said no or nothing; the text is a sentence for whoever ran the command."""


class KeyRefusedError(AccountError):
    """401: Telnyx does not know the key."""


class PermissionMissingError(AccountError):
    """403: the key is known, but not for this."""


class NotFoundError(AccountError):
    """404: there is no such thing in this account."""


def is_loopback(url: str) -> bool:
    """Whether a URL stays on this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def http_client(url: str, **options: Any) -> httpx.Client:
    """A client for `url`; a proxy of the environment is used, but never to reach this machine."""
    return httpx.Client(
        trust_env=not is_loopback(url), timeout=_TIMEOUT_SECS, verify=_tls(), **options
    )


@cache
def _tls() -> ssl.SSLContext:
    """Half of what a client costs to make, so one for all."""
    return httpx.create_ssl_context()


def read_key(path: Path | None, environment: Mapping[str, str]) -> str:
    """The API key, from a file or from TELNYX_API_KEY.

    The file holds the key, or `{"api_key": ...}` as the deployment's secret does. Raises
    ValueError, which says where the key was looked for and never what it is.
    """
    if path is None:
        text, where = environment.get(KEY_VARIABLE, ""), KEY_VARIABLE
    else:
        try:
            text, where = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read: {type(error).__name__}.") from None
    text = text.strip()
    if text.startswith("{"):
        text = _field(text, where)
    if not text:
        raise ValueError(f"{where} holds no API key: name a file with --key-from.")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{where} holds something that cannot be an API key.")
    return text


def _field(text: str, where: str) -> str:
    try:
        value = json.loads(text).get("api_key")
    except ValueError:
        raise ValueError(f"{where} begins as JSON but is none.") from None
    return value if isinstance(value, str) else ""


class Account:
    """Asks Telnyx's API at `base_url` (with its version, no trailing slash) with one key.

    `clock` gives seconds since 1970; against it the answers' `Date` is measured.
    """

    def __init__(self, base_url: str, key: str, clock: Callable[[], float] = time.time) -> None:
        """Connect at the first request."""
        self.base_url = base_url
        self.clock_ahead: timedelta | None = None
        """How far our clock is ahead of Telnyx's; None before the first answer."""
        self._clock = clock
        self._http = http_client(base_url, headers={"authorization": f"Bearer {key}"})

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def ask(
        self,
        right: str,
        method: str,
        path: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """Ask, and return what was answered; `right` is what the key needs, in words.

        Raises an AccountError.
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
            # What is attached or removed may be answered with nothing.
            answer = {} if method in ("PUT", "DELETE", "PATCH") else response.json()
        except ValueError:
            answer = None
        if not response.is_success or not isinstance(answer, dict):
            raise self._not_telnyx()
        return answer

    def request_object(
        self, right: str, method: str, path: str, body: Json | None = None, has: str = "id"
    ) -> Json:
        """Ask about one thing, which has at least the field `has`.

        Some of Telnyx's answers wrap it in `data`, some do not.
        """
        answer = self.ask(right, method, path, body)
        inner = answer.get("data", answer)
        if not isinstance(inner, dict) or has not in inner:
            raise self._not_telnyx()
        return inner

    def list_all(self, right: str, path: str, query: Mapping[str, str]) -> list[Json]:
        """All rows of a list, page by page."""
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
            theirs = parsedate_to_datetime(date or "")
        except ValueError:
            return
        self.clock_ahead = timedelta(seconds=self._clock() - theirs.timestamp())


def path_segment(text: str) -> str:
    """An id as one segment of a path."""
    return quote(text, safe="")


def _refusal(response: httpx.Response, right: str) -> AccountError:
    said = _error_text(response)
    if response.status_code == 401:
        return KeyRefusedError(
            f"Telnyx does not take the API key (401{said}): it is wrong, revoked, or another "
            "Telnyx's; make a new one in the portal under API Keys."
        )
    if response.status_code == 403:
        return PermissionMissingError(
            f"The API key lacks the right to {right} (403{said}): give it that right, or use the "
            "key of somebody who has it."
        )
    if response.status_code == 404:
        return NotFoundError(f"This Telnyx account has nothing there to {right} (404{said}).")
    if response.status_code == 429:
        return AccountError(f"Telnyx has had too many requests (429{said}): wait a minute.")
    return AccountError(f"Telnyx refuses to {right} ({response.status_code}{said}).")


def _error_text(response: httpx.Response) -> str:
    """Telnyx's own code and words (Telnyx API: call-control_Errors)."""
    try:
        error = response.json()["errors"][0]
    except (ValueError, LookupError, TypeError):
        return ""
    words = error.get("detail") or error.get("title") or ""
    where = error.get("source", {}).get("pointer", "")
    return f", {error.get('code')}: {words} {where}".rstrip(" .")
