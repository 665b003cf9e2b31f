"""Who sends a request, and what makes the request the same as an earlier one."""

import json
from dataclasses import dataclass, replace
from typing import Any

from partyline.ids import fingerprint
from partyline.services.errors import field_invalid
from partyline.store import DedupeRecord, keys

MAX_IDEMPOTENCY_KEY_CHARS = 255


@dataclass(frozen=True, kw_only=True)
class Requester:
    """The sender of a request: a bearer key, an IAM caller, the bus, or a scheduled start.

    Attributes:
        key_id: the id of the bearer key or of the IAM caller, or `bus` for every event; quotas are
            counted for this id.
        request_id: the id of this request in logs and in the timeline.
        base_url: where this API is reached from outside; the webhooks of calls go there.
        gateway_url: where API Gateway itself serves this API, where the request tells.
        fingerprint: the same for each repetition of a request; None without an Idempotency-Key.
        dedupe: the record by which a repetition is recognized; None without an Idempotency-Key.
        by_key: whether a bearer key sent the request; False for the bus and for IAM callers.
    """

    key_id: str
    request_id: str
    base_url: str
    gateway_url: str | None = None
    fingerprint: str | None = None
    dedupe: DedupeRecord | None = None
    by_key: bool = True

    @property
    def dialing_key_id(self) -> str | None:
        """The id of the bearer key that must stay valid for later calls, or None."""
        return self.key_id if self.by_key else None


def identify(
    *,
    key_id: str,
    request_id: str,
    base_url: str,
    idempotency_key: str | None,
    operation: str,
    body: Any,
    by_key: bool = True,
    gateway_url: str | None = None,
) -> Requester:
    """Identify the sender of a request. Raises a RequestError for a malformed Idempotency-Key.

    `dedupe` holds a hash of `operation` (method and path) and `body` (parsed JSON): the service
    refuses a key that comes again with another hash.
    """
    requester = Requester(
        key_id=key_id,
        request_id=request_id,
        base_url=base_url,
        gateway_url=gateway_url,
        by_key=by_key,
    )
    if idempotency_key is None:
        return requester
    printable = idempotency_key.isascii() and idempotency_key.isprintable()
    too_long = len(idempotency_key) > MAX_IDEMPOTENCY_KEY_CHARS
    if too_long or not printable or not idempotency_key.strip():
        raise field_invalid("Idempotency-Key", "1 to 255 printable ASCII characters")
    same = fingerprint(key_id, idempotency_key)
    content = fingerprint(operation, json.dumps(body, sort_keys=True))
    dedupe = DedupeRecord(keys.request(same), content)
    return replace(requester, fingerprint=same, dedupe=dedupe)
