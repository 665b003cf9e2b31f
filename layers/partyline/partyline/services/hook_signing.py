"""Sign the deliveries of hooks by the scheme of Standard Webhooks (standardwebhooks.com).

No secret of a hook is stored. A secret is derived from the key in Secrets Manager, the hook's id
and a random nonce in the hook's row: neither the key nor the table alone gives a secret.
"""

import base64
import hmac
from collections.abc import Iterable
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of every secret, no secret


def secret_of(key: str, hook_id: str, nonce: str) -> bytes:
    """Derive the secret of a hook from the deployment's key and a nonce; 32 bytes."""
    return hmac.digest(key.encode(), f"{hook_id}|{nonce}".encode(), "sha256")


def shown_secret(secret: bytes) -> str:
    """Return a secret as its owner gets the secret: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature_headers(
    secrets: Iterable[bytes], event_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """Return the three headers of a delivery, with a signature of each secret."""
    timestamp = str(int(at.timestamp()))
    content = f"{event_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(s, content, "sha256")).decode() for s in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
