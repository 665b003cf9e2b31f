"""What Telnyx signs: its webhooks, and the requests of an assistant's tools."""

from typing import Any

from partyline.entrypoints.answers import ApiError
from partyline.telemetry import count, logger
from partyline.telnyx.signature import SignatureError, raw_body, verify
from partyline.wiring import wiring


def verified(request: dict[str, Any]) -> bytes:
    """The raw body, when one of the public keys has signed it just now. Raises an ApiError, 401."""
    try:
        body = raw_body(request)
        now = wiring().clock().timestamp()
        verify(body, request.get("headers") or {}, wiring().public_keys, now)
    except SignatureError as error:
        count("SignatureRefused")
        logger.warning("signature refused", extra={"reason": error.reason})
        raise ApiError(401, "bad_signature", f"The signature is refused: {error.reason}.") from None
    return body
