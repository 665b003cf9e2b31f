"""The offer of a first call, when the deployment works and has had no conversation."""

import time
import uuid
from collections.abc import Callable

import httpx

from local.client import ApiRefusedError, Client, Json

_ATTEMPTS = 10
_PAUSE_SECS = 6.0
"""A new bearer key works within a minute: the authorizer keeps the keys for 30 seconds."""


class FirstCall:
    """Asks for conversations and starts a conversation, with the operator's bearer key."""

    def __init__(self, url: str, key: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = Client(url, key)
        self._sleep = sleep

    def has_had_conversations(self) -> bool:
        """Return whether the deployment has had a conversation. Raises ApiRefusedError."""
        return bool(self._ask("GET", "/conversations?limit=1")["conversations"])

    def start(self, number: str) -> str:
        """Call a number with the default assistant. Returns the conversation's id.

        The request is repeated with its Idempotency-Key after a lost answer, so the phone rings
        once. Raises ApiRefusedError, or httpx.HTTPError when no answer comes.
        """
        key = f"first-call-{uuid.uuid4()}"
        conversation = self._ask("POST", "/conversations", {"to": number}, key)
        return str(conversation["id"])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json:
        headers = {"idempotency-key": key} if key else {}
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._client.ask(method, path, body, **headers)
            except ApiRefusedError as error:
                if attempt == _ATTEMPTS or not str(error).startswith(("401", "403")):
                    raise
            except httpx.TransportError:
                if attempt > 1:
                    raise
            self._sleep(_PAUSE_SECS)
        raise AssertionError  # the last attempt returns or raises
