"""Rules for what an assistant may reach: inline tools, MCP servers, and secrets of Telnyx.

A bearer key may give an assistant settings. The rules keep a leaked key from tools that dial
without us, from the secrets of the Telnyx account, and from signed requests to our own webhooks.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from partyline.domain.masking import MASK
from partyline.domain.model.assistant import OUR_TOOLS
from partyline.services.assistant_settings import AssistantSettings
from partyline.services.errors import RequestError, field_invalid

_SECRET = re.compile(r"integration_secret|\{\{\s*[#&^>{]", re.IGNORECASE)
"""A secret in a text, or another form of a template that is no variable.

`{{#integration_secret}}name{{/integration_secret}}` (Telnyx API: WebhookTool, headers).
"""

_NO_SECRETS = "integration secrets are not allowed here"

_CHECKED_OR_KEPT = {"assistant", "metadata"}
"""The fields of a request that `check` checks, and that Telnyx never gets."""

_REFERENCE = "_ref"
"""The end of the names of fields that name a secret, such as `api_key_ref`."""

_RESERVED_HEADERS = ("telnyx-", "x-telnyx-")
"""The beginnings of the headers that Telnyx adds to the request of a tool."""

_FRAMING_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"}
)
"""The headers that choose the receiver or the bounds of a request (RFC 9110, RFC 9112).

`Host` could lead a request to our API by way of an allowed host of the same gateway.
"""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}", re.ASCII)
"""A token (RFC 9110, 5.6.2)."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")

_URL = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+([/?#][!-\[\]-~]*)?")
"""A URL whose host is written out in ASCII.

A variable as the host, or another spelling of a letter, could become our own host.
"""

_ADDRESS = re.compile(r":|(^|\.)(\d+|0x[0-9a-f]*)$")
"""A host that a client reads as an IP address: IPv6, or a last label that is a number (WHATWG URL).

So `10.0.0.1`, `167772161`, `0x0a000001` and `0xa.1` are addresses.
"""


@dataclass(frozen=True)
class AssistantRules:
    """The rules of this deployment for the settings of an assistant in a request.

    Attributes:
        allows_secrets: whether a request may name integration secrets of the Telnyx account.
        public_base_url: where Telnyx reaches this API, if configured.
        tool_hosts: the hosts that inline webhook tools may call, beside this API. Telnyx signs the
            request of a tool, and its receiver could send the signed body on to our webhooks.
    """

    allows_secrets: bool
    public_base_url: str | None
    tool_hosts: Collection[str] = ()

    def check(self, assistant: AssistantSettings | None, *own_urls: str | None) -> None:
        """Raise a RequestError for settings that break a rule. `own_urls` lead to this API."""
        if assistant is None:
            return
        settings = assistant.model_dump(exclude_none=True)
        if not self.allows_secrets:
            for name, value in settings.items():
                if _names_secret({name: value}):
                    raise _invalid(name, _NO_SECRETS)
        urls = (self.public_base_url, *own_urls)
        hosts = {_host(url) for url in urls if url}
        for position, tool in enumerate(assistant.tools or []):
            if "webhook" in tool:
                self._check_webhook(tool["webhook"], f"tools.{position}.webhook", hosts)

    def check_texts(self, request: BaseModel) -> None:
        """Raise a RequestError for a text beside the assistant's settings that names a secret.

        Telnyx gets the words, the names, the messages and the spoken texts of a request too. The
        metadata stays here.
        """
        if self.allows_secrets:
            return
        fields = request.model_dump(by_alias=True, exclude_none=True, exclude=_CHECKED_OR_KEPT)
        for place, text in _texts(fields):
            if _SECRET.search(text):
                raise field_invalid(place, _NO_SECRETS)

    def _check_webhook(
        self, webhook: Mapping[str, Any], place: str, own_hosts: Iterable[str]
    ) -> None:
        """Raise a RequestError for a webhook tool that breaks a rule."""
        problem = self._url_problem(webhook.get("url"), own_hosts)
        if problem:
            raise _invalid(f"{place}.url", problem)
        problem = _headers_problem(webhook.get("headers"))
        if problem:
            raise _invalid(f"{place}.headers", problem)

    def _url_problem(self, url: Any, own_hosts: Iterable[str]) -> str | None:
        """Return why the URL of a webhook tool is refused, if so."""
        try:
            host = _host(url) if isinstance(url, str) and _URL.fullmatch(url) else None
        except ValueError:
            host = None
        if host is None:
            return "a webhook tool needs a URL with a host that is written out"
        _, _, path = url.partition("://")[2].partition("/")
        if host in own_hosts:
            if path not in {f"tools/{name}" for name in OUR_TOOLS}:
                names = ", ".join(f"/tools/{name}" for name in OUR_TOOLS)
                return f"of this API, a tool may call {names} only"
            return None
        return self._host_problem(url, host)

    def _host_problem(self, url: str, host: str) -> str | None:
        """Return why a tool may not call another host than ours, if it may not."""
        if host not in self.tool_hosts:
            return "the parameter AllowedToolHosts does not name the host of this tool"
        if not url.startswith("https://"):
            return "the URL of a tool begins with https://"
        if _ADDRESS.search(host):
            return "the host of a tool is a name and no IP address"
        return None


def _invalid(name: str, message: str) -> RequestError:
    return field_invalid(f"assistant.{name}", message)


def _names_secret(value: Any) -> bool:
    if isinstance(value, str):
        return _SECRET.search(value) is not None
    if isinstance(value, Mapping):
        return any(
            str(name).strip().lower().endswith(_REFERENCE)
            or _names_secret(name)
            or _names_secret(field)
            for name, field in value.items()
        )
    return isinstance(value, list) and any(map(_names_secret, value))


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text of a JSON value, with its place in the request."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, field in value.items():
            inner = f"{place}.{name}" if place else str(name)
            yield inner, str(name)
            yield from _texts(field, inner)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, f"{place}.{position}")


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")


def _headers_problem(headers: Any) -> str | None:
    """Return why the headers of a webhook tool are refused, if so (Telnyx API: WebhookTool)."""
    if headers is None:
        return None
    if not isinstance(headers, list) or not all(map(_is_header, headers)):
        return "the headers of a tool are a list of objects with a name and a value, both texts"
    for header in headers:
        name, value = header["name"], header["value"]
        if not _HEADER_NAME.fullmatch(name) or _CONTROL.search(value):
            return "the name of a header is letters, digits and hyphens; a value is a single line"
        plain = name.lower().replace("_", "-")
        if plain.startswith(_RESERVED_HEADERS) or plain in _FRAMING_HEADERS:
            return "a header of a tool may not have a name of Telnyx's or HTTP's own headers"
        if value == MASK:
            return f"{MASK} stands for the value of a header; give the value"
    return None


def _is_header(header: Any) -> bool:
    return (
        isinstance(header, Mapping)
        and header.keys() == {"name", "value"}
        and all(isinstance(field, str) for field in header.values())
    )
