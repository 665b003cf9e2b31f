"""What Telnyx signs: its webhooks, and the requests of an assistant's tools."""

from typing import Any

from partyline.bootstrap import bootstrap
from partyline.entrypoints.answers import ApiError
from partyline.telemetry import Metric, count, logger
from partyline.telnyx.signature import SignatureError, raw_body, verify


def verified_body(request: dict[str, Any], received_at: float | None = None) -> bytes:
    """The raw body, when one of the public keys signed it just before it was received.

    `received_at` is in Unix seconds; None: just now. Raises an ApiError, 401.
    """
    try:
        body = raw_body(request)
        at = bootstrap().clock().timestamp() if received_at is None else received_at
        verify(body, request.get("headers") or {}, bootstrap().public_keys, at)
    except SignatureError as error:
        count(Metric.SIGNATURE_REFUSED)
        logger.warning("signature refused", extra={"reason": error.reason})
        raise ApiError(401, "bad_signature", f"The signature is refused: {error.reason}.") from None
    return body
