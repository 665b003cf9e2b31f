"""Verify Telnyx's signature: on webhooks, and on the requests of an assistant's tools.

The signature proves that Telnyx sent a body at a time, and covers no URL. So each door also refuses
the bodies of the other door: whoever sets the URL of a tool cannot forge a webhook.
"""

from collections.abc import Mapping
from typing import Any

from partyline.bootstrap import App
from partyline.domain.model.error_codes import ErrorCode
from partyline.services.errors import RequestError
from partyline.telemetry import Metric, count, logger
from partyline.telnyx.signature import SignatureError, raw_body, verify

CALL_HEADER = "x-telnyx-call-control-id"
"""The header of each request of a tool, and of no webhook (Telnyx API: WebhookTool).

The header names the call. Telnyx does not sign the header: the name is a hint.
"""


def verified_webhook(app: App, request: Mapping[str, Any], received_at: float | None) -> bytes:
    """Return the raw body of a webhook that Telnyx signed just before the webhook was received.

    `received_at` is in Unix seconds; None: just now. Raises a RequestError, also for the request of
    a tool.
    """
    try:
        body = _verified_body(app, request, received_at)
    except SignatureError as error:
        if _names_our_application(app, request):
            raise _refused(error.reason) from None
        raise _unsigned(error) from None
    if CALL_HEADER in (request.get("headers") or {}):
        raise _refused("tool_request")
    return body


def verified_tool_request(app: App, request: Mapping[str, Any]) -> bytes:
    """Return the raw body of a request of a tool, signed just now. Raises a RequestError."""
    try:
        return _verified_body(app, request, None)
    except SignatureError as error:
        raise _unsigned(error) from None


def refuse_webhook(arguments: Mapping[str, Any]) -> None:
    """Raise a RequestError when the arguments of a tool are the body of a webhook.

    A webhook has an event with an `event_type`, as a rule in the envelope `data`.
    """
    event = arguments.get("data", arguments)
    if isinstance(event, Mapping) and "event_type" in event:
        raise _refused("webhook_request")


def _verified_body(app: App, request: Mapping[str, Any], received_at: float | None) -> bytes:
    body = raw_body(request)
    at = app.clock().timestamp() if received_at is None else received_at
    verify(body, request.get("headers") or {}, app.public_keys, at)
    return body


def _names_our_application(app: App, request: Mapping[str, Any]) -> bool:
    """Whether an unsigned body may come from Telnyx: the body has the id of our application.

    A stranger does not know the id (`connection_id` of the call webhooks, Telnyx API), and so rings
    no alarm and fills no log. The body is searched, never parsed.
    """
    try:
        return app.settings.telnyx_connection_id.encode() in raw_body(request)
    except SignatureError:
        return False


def _unsigned(error: SignatureError) -> RequestError:
    count(Metric.UNSIGNED_REFUSED)
    return _refusal(error.reason)


def _refused(reason: str) -> RequestError:
    count(Metric.SIGNATURE_REFUSED)
    logger.warning("signature refused", extra={"reason": reason})
    return _refusal(reason)


def _refusal(reason: str) -> RequestError:
    return RequestError(ErrorCode.BAD_SIGNATURE, f"The signature is refused: {reason}.")
