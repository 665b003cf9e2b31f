"""Who may ask: a bearer key whose SHA-256 is in the secret.

Keys are random (256 bits), so a plain hash keeps them; several may be valid at once, which is how
one is replaced without an interruption.
"""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from partyline.telemetry import count, logger, metrics
from partyline.wiring import wiring

MAX_KEY_CHARS = 512


def authorizer() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The handler of an HTTP API's Lambda authorizer, payload 2.0, simple responses."""

    @logger.inject_lambda_context(clear_state=True)
    @metrics.log_metrics
    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        headers = event.get("headers") or {}
        scheme, _, key = str(headers.get("authorization") or "").partition(" ")
        key_id = _owner(key.strip()) if scheme.lower() == "bearer" else None
        if key_id is None:
            count("KeyRefused")
            return {"isAuthorized": False}
        return {"isAuthorized": True, "context": {"key_id": key_id}}

    return handler


def _owner(key: str) -> str | None:
    """The id of the key, or None. Every hash is compared, and each in constant time."""
    if not key or len(key) > MAX_KEY_CHARS:
        return None
    given = sha256(key.encode("utf-8", "surrogatepass")).hexdigest().encode()
    owner = None
    for known in wiring().bearer_keys.document().get("keys", []):
        if hmac.compare_digest(given, str(known.get("sha256")).lower().encode()):
            owner = str(known.get("id"))
    return owner
