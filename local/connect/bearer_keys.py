"""Makes bearer keys of the API, and their entries in the secret."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any


def new_key() -> str:
    """Return a new random bearer key."""
    return f"partyline_{secrets.token_urlsafe(32)}"


def entry(
    key_id: str, key: str, rights: Sequence[str], expires_at: datetime | None = None
) -> dict[str, Any]:
    """Return the entry of a key in the secret: docs/api.md, Keys, has the fields."""
    made: dict[str, Any] = {
        "id": key_id,
        "sha256": sha256(key.encode()).hexdigest(),
        "may": list(rights),
    }
    if expires_at is not None:
        made["expires_at"] = expires_at.isoformat(timespec="seconds")
    return made
