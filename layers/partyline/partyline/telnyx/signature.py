"""Verify that Telnyx sent a webhook: Ed25519 over `{timestamp}|` and the raw body.

Telnyx docs, webhook fundamentals, and its client library (`telnyx.lib.webhook_verification`): the
headers are `telnyx-signature-ed25519` (base64 of 64 bytes) and `telnyx-timestamp` (Unix seconds);
an account has a public key, 32 raw bytes in base64.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

SIGNATURE_HEADER = "telnyx-signature-ed25519"
TIMESTAMP_HEADER = "telnyx-timestamp"
TOLERANCE_SECS = 300
MAX_TIMESTAMP_DIGITS = 12

Reason = Literal[
    "missing_signature",
    "missing_timestamp",
    "malformed_timestamp",
    "stale",
    "malformed_signature",
    "mismatch",
    "no_keys",
    "malformed_body",
]


class SignatureError(Exception):
    """The request is not proven to come from Telnyx. `reason` is a single word for a metric."""

    def __init__(self, reason: Reason) -> None:
        self.reason: Reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The public keys that we trust: several, so that a key exchange loses no webhook."""

    keys: tuple[VerifyKey, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read base64 keys, separated by commas. An empty text has no keys: `verify` refuses all.

        Raises ValueError if a key is not 32 bytes in base64.
        """
        if not text.strip():
            return cls(())
        return cls(tuple(VerifyKey(_key_bytes(part.strip())) for part in text.split(",")))


def verify(body: bytes, headers: Mapping[str, str], public_keys: PublicKeys, now: float) -> None:
    """Check that a trusted key signed exactly this body, at most 300 s before or after `now`.

    `body` is raw, `headers` have names in any case, `now` is in Unix seconds. The tolerance is that
    of Telnyx's own library. Raises SignatureError, and no other exception for any input.
    """
    if not public_keys.keys:
        raise SignatureError("no_keys")
    signature = _signature_bytes(_header(headers, SIGNATURE_HEADER))
    timestamp = _header(headers, TIMESTAMP_HEADER)
    if not timestamp:
        raise SignatureError("missing_timestamp")
    # int() would also accept signs, spaces, underscores and the digits of other scripts.
    digits = timestamp.isascii() and timestamp.isdigit()
    if not digits or len(timestamp) > MAX_TIMESTAMP_DIGITS:
        raise SignatureError("malformed_timestamp")
    if abs(now - int(timestamp)) > TOLERANCE_SECS:
        raise SignatureError("stale")
    message = timestamp.encode() + b"|" + body
    if not any(_signed_by(key, message, signature) for key in public_keys.keys):
        raise SignatureError("mismatch")


def raw_body(event: Mapping[str, Any]) -> bytes:
    """Return the signed bytes from an API Gateway event: base64 is decoded, None is empty.

    Raises SignatureError("malformed_body") when Telnyx cannot have sent the body.
    """
    body = event.get("body")
    if body is None:
        return b""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return bytes(body.encode())
    except (ValueError, TypeError, AttributeError):
        raise SignatureError("malformed_body") from None


def _header(headers: Mapping[str, str], wanted: str) -> str:
    for name, value in headers.items():
        if isinstance(name, str) and name.lower() == wanted and isinstance(value, str):
            return value
    return ""


def _signature_bytes(text: str) -> bytes:
    if not text:
        raise SignatureError("missing_signature")
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError:
        raise SignatureError("malformed_signature") from None
    if len(signature) != 64:
        raise SignatureError("malformed_signature")
    return signature


def _key_bytes(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("a Telnyx public key is 32 bytes in base64")
    return key


def _signed_by(key: VerifyKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(message, signature)
    except BadSignatureError:
        return False
    return True
