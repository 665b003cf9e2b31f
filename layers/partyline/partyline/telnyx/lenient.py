"""Field types for what Telnyx sends us: a value we cannot use becomes None, never an error.

A webhook or an answer is worth reading even when one of its fields is odd. NUL and lone surrogates
count as odd: the first breaks other people's stores, the second cannot be written as UTF-8.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

# Ids become parts of DynamoDB's keys, which end at 1,024 bytes, and not characters.
MAX_ID_BYTES = 512
# As long as the longest webhook we read.
MAX_TEXT_BYTES = 256 * 1024
MAX_JSON_DEPTH = 16
# A moment in milliseconds fits, and a float still counts exactly.
MAX_NUMBER = 10**15


def _text_up_to(max_bytes: int) -> Callable[[object], str | None]:
    def usable(value: object) -> str | None:
        if not isinstance(value, str) or len(value) > max_bytes or "\0" in value:
            return None
        if value.isascii():  # almost all is: nothing to encode
            return value
        try:
            return value if len(value.encode()) <= max_bytes else None
        except UnicodeEncodeError:  # a lone surrogate
            return None

    return usable


usable_id = _text_up_to(MAX_ID_BYTES)
_text = _text_up_to(MAX_TEXT_BYTES)


def _number(value: object) -> float | int | None:
    """Telnyx sends some numbers as strings, so digits count. True is no number."""
    if isinstance(value, str) and value.isascii() and len(value) <= 20:
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= MAX_NUMBER else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    """ISO 8601. Telnyx's times are UTC; one without a zone is read as UTC."""
    try:
        read = datetime.fromisoformat(value)  # type: ignore[arg-type]
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _json(value: object, depth: int = 0) -> Any:
    if depth > MAX_JSON_DEPTH:
        return None
    if isinstance(value, dict):
        named = {_text(name): _json(each, depth + 1) for name, each in value.items()}
        return {name: each for name, each in named.items() if name is not None}
    if isinstance(value, list):
        return [_json(each, depth + 1) for each in value]
    if isinstance(value, str):
        return _text(value)
    return value if isinstance(value, bool) else _number(value)


def objects(value: object) -> list[dict[str, Any]]:
    """The JSON objects of a list; what is no list has none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def as_object(value: object) -> dict[str, Any]:
    """The JSON object itself; what is none counts as empty."""
    return value if isinstance(value, dict) else {}


Id = Annotated[str | None, BeforeValidator(usable_id)]
Text = Annotated[str | None, BeforeValidator(_text)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Json = Annotated[Any, BeforeValidator(_json)]


class Received(BaseModel):
    """Base of what comes from Telnyx: frozen, and fields we do not know are let go.

    Built at first use, as what we send is: a function meets few of them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)
