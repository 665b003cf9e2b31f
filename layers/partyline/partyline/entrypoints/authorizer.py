"""The API's authorizer: admits a bearer key whose SHA-256 is in the secret.

Keys are random (256 bits), so that a plain hash protects them. The secret may hold several keys: a
key is replaced without an interruption.
"""

import hmac
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from partyline.bootstrap import App, with_app
from partyline.telemetry import Metric, count, logger

if TYPE_CHECKING:
    from partyline.services.secrets import Secret

MAX_KEY_CHARS = 512


def authorizer() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The handler of an HTTP API's Lambda authorizer, payload 2.0, simple responses."""

    def handle(app: App, event: dict[str, Any], _context: Any) -> dict[str, Any]:
        headers = event.get("headers") or {}
        scheme, _, key = str(headers.get("authorization") or "").partition(" ")
        key_id = _key_id(app.bearer_keys, key.strip()) if scheme.lower() == "bearer" else None
        if key_id is None:
            count(Metric.KEY_REFUSED)
            return {"isAuthorized": False}
        return {"isAuthorized": True, "context": {"key_id": key_id}}

    return with_app(handle)


def _key_id(secret: "Secret", key: str) -> str | None:
    """The id of a key, or None. Every hash is compared, each in constant time."""
    if not key or len(key) > MAX_KEY_CHARS:
        return None
    digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest().encode()
    matching_id = None
    for key_id, stored_digest in _stored_keys(secret):
        if hmac.compare_digest(digest, stored_digest.lower().encode()):
            matching_id = key_id
    return matching_id


def _stored_keys(secret: "Secret") -> Iterator[tuple[str, str]]:
    """The id and the hash of each key in the secret; an entry without both is skipped."""
    entries = secret.document().get("keys")
    # An empty list is logged like a malformed entry: the first key is still to be added.
    for entry in entries if isinstance(entries, list) and entries else [None]:
        match entry:
            case {"id": str(key_id), "sha256": str(digest)} if key_id and digest:
                yield key_id, digest
            case _:
                logger.error(f"secret {secret.name} holds an entry that is not a key")
