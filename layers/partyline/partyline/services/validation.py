"""Validate the content of a request, and name each wrong field as the request names the field."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from partyline.domain.model.error_codes import ErrorCode
from partyline.services.errors import RequestError, field_invalid

MAX_DEPTH = 24
MAX_DETAILS = 20  # how many wrong fields an error names

M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], body: Any) -> M:
    """Validate a body of parsed JSON. Raises a RequestError that names each wrong field."""
    check_storable(body)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise body_invalid(error.errors(include_url=False), body) from None


def check_storable(value: Any, place: str = "body", depth: int = 0) -> None:
    """Raise a RequestError for JSON that no table or phone can hold.

    Refused are NUL, half surrogate pairs, infinite numbers and deep nesting.
    """
    if depth > MAX_DEPTH:
        raise field_invalid(place, "nested too deeply")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise field_invalid(place, "holds a NUL or half a surrogate pair")
    elif isinstance(value, float) and not math.isfinite(value):
        raise field_invalid(place, "not a finite number")
    elif isinstance(value, dict):
        for name, member in value.items():
            check_storable(name, place, depth + 1)
            check_storable(member, name if place == "body" else f"{place}.{name}", depth + 1)
    elif isinstance(value, list):
        for position, member in enumerate(value):
            check_storable(member, f"{place}.{position}", depth + 1)


def body_invalid(problems: Iterable[Mapping[str, Any]], body: Any) -> RequestError:
    """Build the error of pydantic's `problems` with a body; each field is named once."""
    details: dict[str, dict[str, str]] = {}
    for problem in problems:
        detail = _detail(problem, body)
        details.setdefault(detail["field"], detail)
    named = list(details.values())[:MAX_DETAILS]
    return RequestError(ErrorCode.INVALID_REQUEST, "The body is not valid.", named)


def _detail(problem: Mapping[str, Any], body: Any) -> dict[str, str]:
    names, value, places = [], body, problem["loc"]
    for nth, place in enumerate(places, start=1):
        # pydantic names the alternative of a union too, which the request does not hold.
        absent = problem["type"] == "missing" and nth == len(places)
        if isinstance(value, dict) and (place in value or absent):
            value = value.get(place)
        elif isinstance(value, list) and isinstance(place, int):
            value = value[place]
        else:
            continue
        names.append(str(place))
    if problem["type"] == "rule":  # a rule about several fields names the field to mend
        names.append(str(problem["ctx"]["field"]))
    return {"field": ".".join(names) or "body", "message": problem["msg"]}
