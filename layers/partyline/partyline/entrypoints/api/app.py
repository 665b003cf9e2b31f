"""How an API request reaches an operation, and how its result becomes an answer."""

import json
import math
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from partyline.entrypoints.answers import ApiError, Response, json_response
from partyline.entrypoints.http import Handler, http_handler
from partyline.ids import fingerprint
from partyline.store import DedupeRecord, keys
from partyline.telemetry import logger

MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 24
MAX_IDEMPOTENCY_KEY_CHARS = 255

MAX_DETAILS = 20
"""How many wrong fields an answer names."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Request:
    """A request by somebody whom the authorizer let in."""

    event: Mapping[str, Any]
    key_id: str
    mark: str | None = None
    """The fingerprint of a request that was taken in before and is carried out only now."""

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters in the path."""
        return self.event.get("pathParameters") or {}

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters after the question mark."""
        return self.event.get("queryStringParameters") or {}

    @property
    def request_id(self) -> str:
        """What API Gateway calls this request."""
        return str(self.event["requestContext"]["requestId"])

    @property
    def fingerprint(self) -> str | None:
        """What makes this request the same as an earlier one: who asks, and the key they gave."""
        if self.mark is not None:
            return self.mark
        given = (self.event.get("headers") or {}).get("idempotency-key")
        if given is None:
            return None
        if (
            not given.isascii()
            or not given.isprintable()
            or not given.strip()
            or (len(given) > MAX_IDEMPOTENCY_KEY_CHARS)
        ):
            raise invalid("Idempotency-Key", "1 to 255 printable ASCII characters")
        return fingerprint(self.key_id, given)

    def dedupe(self) -> DedupeRecord | None:
        """The mark by which this request is taken in once, if it has an Idempotency-Key."""
        if self.mark is not None or self.fingerprint is None:
            return None
        said = json.dumps(self._json(), sort_keys=True)
        asked = f"{self.event['requestContext']['http']['method']} {self.event['rawPath']}"
        return DedupeRecord(keys.request(self.fingerprint), fingerprint(asked, said))

    def body(self, model: type[M]) -> M:
        """The body as `model`. Raises an ApiError that names each field that is wrong."""
        given = self._json()
        try:
            return model.model_validate(given)
        except ValidationError as error:
            found = [_detail(each, given) for each in error.errors(include_url=False)]
            once = {each["field"]: each for each in reversed(found)}  # the first of each field
            details = list(reversed(once.values()))[:MAX_DETAILS]
            raise ApiError(422, "invalid_request", "The body is not valid.", details) from None

    def _json(self) -> Any:
        body = self.event.get("body") or ""
        try:
            encoded = self.event.get("isBase64Encoded")
            raw = b64decode(body, validate=True) if encoded else body.encode()
        except ValueError:
            raise invalid("body", "not base64 though it says so, or not text") from None
        if len(raw) > MAX_BODY_BYTES:
            raise ApiError(413, "too_large", "A body has 256 KB at most.")
        try:
            # Decoded here: json would also take UTF-16 and UTF-32 (RFC 8259 has UTF-8 only).
            parsed = json.loads(
                raw.decode() or "{}",
                object_pairs_hook=_without_doubles,
                parse_constant=_no_constant,
            )
        except (ValueError, RecursionError):
            raise invalid("body", "not JSON, or a field stands in it twice") from None
        _check(parsed, "body", 0)
        return parsed


def api(operation: Callable[[Request], tuple[int, Any]]) -> Handler:
    """The handler of an API function: `operation` answers a status and what goes out as JSON."""

    def work(event: dict[str, Any]) -> Response:
        context = event["requestContext"]
        key_id = ((context.get("authorizer") or {}).get("lambda") or {}).get("key_id")
        if not key_id:  # an API without its authorizer stays shut
            raise ApiError(401, "unauthorized", "A bearer key is needed.")
        logger.thread_safe_append_keys(request_id=context["requestId"], key_id=key_id)
        return json_response(*operation(Request(event, str(key_id))))

    return http_handler(work)


def invalid(field: str, message: str, code: str = "invalid_request") -> ApiError:
    """The error for one wrong field."""
    return ApiError(422, code, f"{field}: {message}", [{"field": field, "message": message}])


def _detail(error: ErrorDetails, given: Any) -> dict[str, str]:
    where = []
    for part in error["loc"]:
        # Of a union pydantic names the alternative too, which is nowhere in what was given.
        if isinstance(given, dict) and (part in given or error["type"] == "missing"):
            given = given.get(part)
        elif isinstance(given, list) and isinstance(part, int):
            given = given[part]
        else:
            continue
        where.append(str(part))
    if error["type"] == "rule":  # about several fields: it names the one to mend
        where.append(str(error["ctx"]["field"]))
    return {"field": ".".join(where) or "body", "message": error["msg"]}


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _check(value: Any, where: str, depth: int) -> None:
    """Refuse what JSON can say and no table or phone can hold, naming where it stands."""
    if depth > MAX_DEPTH:
        raise invalid(where, "nested too deeply")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise invalid(where, "holds a NUL or half a surrogate pair")
    elif isinstance(value, float) and not math.isfinite(value):
        raise invalid(where, "not a finite number")
    elif isinstance(value, dict):
        for name, each in value.items():
            _check(name, where, depth + 1)
            _check(each, name if where == "body" else f"{where}.{name}", depth + 1)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            _check(each, f"{where}.{place}", depth + 1)
