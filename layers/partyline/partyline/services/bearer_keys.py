"""The bearer keys of the API in their secret: hashes, rights and expiry.

Keys are random (256 bits), so that a plain hash protects them. The secret may hold several keys: a
key is replaced without an interruption. The authorizer loads this module, so pydantic is not used.

An entry of the secret has these fields, and no other:

| field | value |
|---|---|
| `id` | the name of the key in logs, quotas and events: up to 128 printable ASCII characters |
| `sha256` | the hash of the key, as hex digits |
| `may` | optional: the list of the key's rights; a key without the field has all rights |
| `expires_at` | optional: a time with its zone (RFC 3339); from then on the key is refused |
"""

import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from partyline.telemetry import logger

if TYPE_CHECKING:
    from partyline.services.secrets import Secret

MAX_KEY_CHARS = 512

KEY_ID = re.compile(r"[ -~]{1,128}")
"""The form of a key's id: printable ASCII, as in a query parameter and in the keys of rows."""

_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")

BUS_ID = "bus"
"""The key id of all events of the bus; no key may have this id. A sender chooses the source of an
event, so a source has no quota of its own."""

CALL_BACK_ID = "call_back"
"""The key id of all bookings of the assistant's tool `call_back`; no key may have this id."""

IAM_PREFIX = "iam/"
"""The beginning of the id of an IAM caller; no key may have such an id."""

FIELDS = frozenset({"id", "sha256", "may", "expires_at"})


class Right(StrEnum):
    """A right of a bearer key; each function of the API needs one."""

    START = "start"  # start conversations and invite people: requests that dial
    CONTROL = "control"  # change and stop conversations, cancel scheduled starts
    READ = "read"  # read conversations and timelines
    DIRECTORY = "directory"  # read and edit routes and the do-not-call list
    ERASE = "erase"  # erase conversations and people, read receipts
    HOOKS = "hooks"  # read and edit hooks, to which all events go, and replay events


@dataclass(frozen=True)
class BearerKey:
    """A key of the secret."""

    id: str
    digest: bytes
    rights: frozenset[Right]
    expires_at: datetime | None


@dataclass(frozen=True)
class BearerKeys:
    """The keys in the secret. Methods raise `SecretMissingError` and `SecretUnreadableError`."""

    secret: "Secret"
    clock: Callable[[], datetime]

    def find(self, key: str) -> BearerKey | None:
        """Return the entry of a key that is valid now, or None.

        Every hash is compared, each in constant time.
        """
        if not key or len(key) > MAX_KEY_CHARS:
            return None
        digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest().encode()
        found = None
        for entry in self._entries():
            if hmac.compare_digest(digest, entry.digest):
                found = entry
        return found if found and self._is_valid(found) else None

    def has(self, key_id: str, right: Right) -> bool:
        """Whether a key with this id is valid now and has the right."""
        return any(
            entry.id == key_id and right in entry.rights and self._is_valid(entry)
            for entry in self._entries()
        )

    def _is_valid(self, entry: BearerKey) -> bool:
        return entry.expires_at is None or self.clock() < entry.expires_at

    def _entries(self) -> Iterator[BearerKey]:
        entries = self.secret.document().get("keys")
        # An empty list is logged like a malformed entry: the first key is still to be added.
        for entry in entries if isinstance(entries, list) and entries else [None]:
            key = _entry(entry)
            if key:
                yield key
            else:
                logger.error(f"secret {self.secret.name} holds an entry that is not a key")


def is_key_id(text: str) -> bool:
    """Whether a text may be the id of a bearer key."""
    reserved = text in (BUS_ID, CALL_BACK_ID) or text.startswith(IAM_PREFIX)
    return KEY_ID.fullmatch(text) is not None and not reserved


def malformed_entries(document: dict[str, Any]) -> int:
    """Return the number of entries of the secret that are no keys; a list of no keys has none."""
    entries = document.get("keys")
    return sum(_entry(entry) is None for entry in entries) if isinstance(entries, list) else 1


def _entry(entry: Any) -> BearerKey | None:
    """Read an entry; None for a malformed entry.

    A misspelled field or right would otherwise give a key more rights than its owner intended.
    """
    match entry:
        case {"id": str(key_id), "sha256": str(digest)} if is_key_id(key_id) and _DIGEST.fullmatch(
            digest
        ):
            pass
        case _:
            return None
    if not entry.keys() <= FIELDS:
        return None
    rights, expires_at = entry.get("may", list(Right)), entry.get("expires_at")
    if not isinstance(rights, list) or any(right not in list(Right) for right in rights):
        return None
    expiry = None
    if "expires_at" in entry:
        try:
            expiry = datetime.fromisoformat(expires_at)
        except (TypeError, ValueError):
            return None
        if expiry.tzinfo is None:
            return None
    return BearerKey(key_id, digest.lower().encode(), frozenset(map(Right, rights)), expiry)
