"""Who may ask: a bearer key whose SHA-256 is in the secret.

Keys are random (256 bits), so a plain hash keeps them; several may be valid at once, which is how
one is replaced without an interruption.
"""

import hmac
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from partyline.bootstrap import App, with_app
from partyline.telemetry import count, logger

if TYPE_CHECKING:
    from partyline.services.secrets import Secret

MAX_KEY_CHARS = 512


def authorizer() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The handler of an HTTP API's Lambda authorizer, payload 2.0, simple responses."""

    def handle(app: App, event: dict[str, Any], _context: Any) -> dict[str, Any]:
        headers = event.get("headers") or {}
        scheme, _, key = str(headers.get("authorization") or "").partition(" ")
        key_id = _owner(app.bearer_keys, key.strip()) if scheme.lower() == "bearer" else None
        if key_id is None:
            count("KeyRefused")
            return {"isAuthorized": False}
        return {"isAuthorized": True, "context": {"key_id": key_id}}

    return with_app(handle)


def _owner(secret: "Secret", key: str) -> str | None:
    """The id of the key, or None. Every hash is compared, and each in constant time."""
    if not key or len(key) > MAX_KEY_CHARS:
        return None
    given = sha256(key.encode("utf-8", "surrogatepass")).hexdigest().encode()
    owner = None
    for key_id, known in _known(secret):
        if hmac.compare_digest(given, known.lower().encode()):
            owner = key_id
    return owner


def _known(secret: "Secret") -> Iterator[tuple[str, str]]:
    """The id and the hash of each key in the secret; an entry without both lets nobody in."""
    entries = secret.document().get("keys")
    # No entry at all is as wrong as a bad one: whoever deploys has to put the first key in.
    for entry in entries if isinstance(entries, list) and entries else [None]:
        match entry:
            case {"id": str(key_id), "sha256": str(known)} if key_id and known:
                yield key_id, known
            case _:
                logger.error(f"secret {secret.name} holds what is no key")
