"""Read the JSON of a request body, once, and refuse what no table or phone can hold."""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from partyline.domain.model.error_codes import ErrorCode
from partyline.services.errors import RequestError, field_invalid
from partyline.services.validation import check_storable

MAX_BODY_BYTES = 256 * 1024


def body_text(event: Mapping[str, Any]) -> str:
    """Return the body of a request as text; an absent body is an empty object.

    Raises a RequestError for a body that is too large, or not UTF-8 (RFC 8259).
    """
    body = event.get("body") or ""
    try:
        encoded = event.get("isBase64Encoded")
        raw = b64decode(body, validate=True) if encoded else body.encode()
        if len(raw) > MAX_BODY_BYTES:
            raise RequestError(ErrorCode.TOO_LARGE, "A body has 256 KB at most.")
        return raw.decode() or "{}"
    except ValueError:
        raise field_invalid("body", "not base64 although marked as base64, or not UTF-8") from None


def parse_body(text: str) -> dict[str, Any]:
    """Parse a body. Raises a RequestError that names the place of the mistake."""
    try:
        body = json.loads(text, object_pairs_hook=_unique_fields, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise field_invalid("body", "not JSON, or a field is repeated") from None
    check_storable(body)
    if not isinstance(body, dict):
        raise field_invalid("body", "not a JSON object")
    return body


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is repeated")
    return fields


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
