"""Verify Telnyx's signature: on webhooks, and on the requests of an assistant's tools."""

from typing import Any

from partyline.bootstrap import App
from partyline.domain.model.error_codes import ErrorCode
from partyline.services.errors import RequestError
from partyline.telemetry import Metric, count, logger
from partyline.telnyx.signature import SignatureError, raw_body, verify


def verified_body(app: App, request: dict[str, Any], received_at: float | None = None) -> bytes:
    """Return the raw body of a request that Telnyx signed just before the request was received.

    `received_at` is in Unix seconds; None: just now. Raises a RequestError.
    """
    try:
        body = raw_body(request)
        at = app.clock().timestamp() if received_at is None else received_at
        verify(body, request.get("headers") or {}, app.public_keys, at)
    except SignatureError as error:
        count(Metric.SIGNATURE_REFUSED)
        logger.warning("signature refused", extra={"reason": error.reason})
        message = f"The signature is refused: {error.reason}."
        raise RequestError(ErrorCode.BAD_SIGNATURE, message) from None
    return body
