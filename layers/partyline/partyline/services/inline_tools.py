"""Rules for what an assistant may reach: inline tools, MCP servers, and secrets of Telnyx.

A bearer key may give an assistant settings. The rules keep a leaked key from tools that dial
without us, from the secrets of the Telnyx account, and from signed requests to our own webhooks.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from partyline.domain.masking import MASK
from partyline.domain.model.conversation import OUR_TOOLS
from partyline.services.assistant_settings import AssistantSettings
from partyline.services.errors import RequestError, field_invalid

_SECRET = re.compile(r"integration_secret|\{\{\s*[#&^>{]", re.IGNORECASE)
"""A secret in a text, or another form of a template that is no variable.

`{{#integration_secret}}name{{/integration_secret}}` (Telnyx API: WebhookTool, headers).
"""

_REFERENCE = "_ref"
"""The end of the names of fields that name a secret, such as `api_key_ref`."""

_RESERVED_HEADERS = ("telnyx-", "x-telnyx-")
"""The beginnings of the headers that Telnyx adds to the request of a tool."""

_URL = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+([/?#][!-\[\]-~]*)?")
"""A URL whose host is written out in ASCII.

A variable as the host, or another spelling of a letter, could become our own host.
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
                    raise _invalid(name, "integration secrets are not allowed here")
        urls = (self.public_base_url, *own_urls)
        hosts = {_host(url) for url in urls if url}
        for tool in assistant.tools or []:
            problem = self._webhook_problem(tool["webhook"], hosts) if "webhook" in tool else None
            if problem:
                raise _invalid("tools", problem)

    def _webhook_problem(self, webhook: Any, own_hosts: Iterable[str]) -> str | None:
        """Return why a webhook tool is refused, if the tool is."""
        url = webhook.get("url") if isinstance(webhook, Mapping) else None
        if not isinstance(url, str) or not _URL.fullmatch(url):
            return "a webhook tool needs a URL with a host that is written out"
        try:
            host = _host(url)
        except ValueError:
            return "a webhook tool needs a URL with a host that is written out"
        _, _, path = url.partition("://")[2].partition("/")
        if host in own_hosts:
            if path not in {f"tools/{name}" for name in OUR_TOOLS}:
                return "of this API, a tool may call /tools/invite and /tools/status only"
        elif host not in self.tool_hosts:
            return "the parameter AllowedToolHosts does not name the host of this tool"
        return _header_problem(webhook.get("headers"))


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


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")


def _header_problem(headers: Any) -> str | None:
    for name, value in _headers(headers):
        if name.strip().lower().startswith(_RESERVED_HEADERS):
            return "a header of a tool may not have a name of Telnyx's own headers"
        if value == MASK:
            return f"{MASK} stands for the value of a header; give the value"
    return None


def _headers(headers: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(headers, Mapping):
        yield from ((str(name), value) for name, value in headers.items())
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, Mapping):
            yield str(header.get("name")), header.get("value")
