"""Lenient field types for what Telnyx sends: an odd value becomes None instead of an error.

One odd field must not make a whole webhook or answer unreadable. A text with NUL or a lone
surrogate is odd too: some stores refuse NUL, and UTF-8 cannot hold a lone surrogate.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WrapValidator,
)

# An id becomes part of a DynamoDB key, and a key holds at most 1,024 bytes.
MAX_ID_BYTES = 512
# Longer than any text that we keep, and small enough for an item of the table.
MAX_TEXT_BYTES = 256 * 1024
# pydantic reads and writes JSON of about 200 levels.
MAX_JSON_DEPTH = 100
# Python reads integers of up to 4,300 digits.
MAX_DIGITS = 4_000
# Large enough for a moment in milliseconds, small enough for a float to count exactly.
MAX_NUMBER = 10**15


_BETWEEN_WORDS = re.compile(r"[\s._-]+|(?<=[a-z])(?=[A-Z])")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _none_if_odd(value: object, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except (ValueError, TypeError, OverflowError):  # pydantic's ValidationError is a ValueError
        return None


def _storable(text: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    if "\0" in text or len(text.encode()) > max_bytes:
        raise ValueError("the text has NUL or is too long")
    return text


def _utc(text: str) -> datetime:
    """Read ISO 8601. Telnyx's times are UTC, so a time without a zone is read as UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_json(text: str) -> Any:
    """Read JSON. A number that Python cannot hold as it came is kept as its text.

    Such numbers are 1e999, NaN, and a fraction with more digits than a float has.

    Raises a ValueError for text that is not JSON, a RecursionError for JSON that is too deep.
    pydantic's faster reader refuses a whole document because of a lone surrogate.
    """
    return json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=str)


def as_keyword(text: str) -> str:
    """Return a word in small letters with underscores: `not_sure` for ` notSure`."""
    return _BETWEEN_WORDS.sub("_", text.strip()).casefold()


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= MAX_DIGITS else text


def _float(text: str) -> float | str:
    number = float(text)
    try:
        is_exact = isfinite(number) and Decimal(text) == Decimal(repr(number))
    except InvalidOperation:  # an exponent of too many digits
        is_exact = False
    return number if is_exact else text


def _json(value: object, depth: int = 0) -> Any:
    """Copy JSON as it came, but for what UTF-8 or a reader cannot hold.

    A lone surrogate becomes U+FFFD, and what lies below the greatest depth becomes its JSON text.
    """
    match value:
        case dict() | list() if depth == MAX_JSON_DEPTH:
            return _without_surrogates(json.dumps(value, ensure_ascii=False))
        case dict():
            names = {_without_surrogates(str(name)): entry for name, entry in value.items()}
            return {name: _json(entry, depth + 1) for name, entry in names.items()}
        case list():
            return [_json(entry, depth + 1) for entry in value]
        case str():
            return _without_surrogates(value)
        case float() if not isfinite(value):
            return str(value)
    return value


def _without_surrogates(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _decimal(value: object) -> object:
    """Return a JSON number as text. Telnyx sends amounts of money as strings."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _long_text(value: object) -> object:
    """Return a text without what a store refuses, and any other value as JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(_json(value), ensure_ascii=False)
    return _without_surrogates(text).replace("\0", "\ufffd")


def objects(value: object) -> list[dict[str, Any]]:
    """Return the JSON objects of a list; a value that is not a list has none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def as_object(value: object) -> dict[str, Any]:
    """Return a JSON object itself, and an empty object for any other value."""
    return value if isinstance(value, dict) else {}


Lenient = WrapValidator(_none_if_odd)
"""For an optional field of any type: an odd value becomes None."""

_IdText = Annotated[str, Strict(), AfterValidator(lambda text: _storable(text, MAX_ID_BYTES))]
_AnyText = Annotated[str, Strict(), AfterValidator(_storable)]
# Telnyx sends some numbers as strings, and pydantic reads those. Python counts True as 1.
_NotFlag = BeforeValidator(lambda value: None if isinstance(value, bool) else value)
_Number = Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER), _NotFlag]

_Decimal = Annotated[
    _IdText, BeforeValidator(_decimal), Field(pattern=r"^-?\d{1,15}(\.\d{1,15})?$")
]
_Ratio = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False), _NotFlag]
_NumberAsText = BeforeValidator(
    lambda value: str(int(value)) if type(value) in (int, float) and value == value // 1 else value
)
# Text counts too: `"false"` is sure to mean false. A number is no flag.
_FlagText = BeforeValidator(
    lambda value: (
        {"true": True, "false": False}.get(value.strip().lower())
        if isinstance(value, str)
        else value
    )
)

Id = Annotated[_IdText | None, Lenient]
Word = Annotated[_IdText | None, Lenient, _NumberAsText]
"""A code, a digit or an id of digits, which may come as a number: 486 is read as `486`."""
Keyword = Annotated[_IdText | None, AfterValidator(lambda text: text and as_keyword(text)), Lenient]
"""A word of a fixed list, whatever its case and separators (see `as_keyword`)."""
Text = Annotated[_AnyText | None, Lenient]
LongText = Annotated[str | None, Lenient, BeforeValidator(_long_text)]
"""A text of any length. A value that is no text is read as its JSON."""
Whole = Annotated[_Number | None, Lenient]
Number = Annotated[_Ratio | None, Lenient]
Amount = Annotated[_Decimal | None, Lenient]
Flag = Annotated[Annotated[bool, Strict()] | None, Lenient, _FlagText]
Moment = Annotated[Annotated[datetime, BeforeValidator(_utc)] | None, Lenient]
Json = Annotated[Any, BeforeValidator(_json)]


class Received(BaseModel):
    """Base of every model of what Telnyx sends: frozen, and unknown fields are ignored.

    pydantic builds a model at its first use, because a function meets few of them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)
