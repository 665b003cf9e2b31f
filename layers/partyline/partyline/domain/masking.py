"""Masking: phone numbers and SIP addresses in events, for timelines, the bus and logs.

The masks need no table of numbers. Each sequence of 7 digits or more is masked, whatever its
country, with up to 5 signs between two digits that are no letters; dates, times and UUIDs stay.
`phonenumbers.PhoneNumberMatcher` finds the national spellings of a single country only, and its
import would slow every query. The tests use the matcher to prove that no number is left.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

UNMASKED = frozenset(
    {
        *("participant_id", "handover_id", "command_id", "telnyx_conversation_id"),
        *("conversation_id", "booked_id", "erasure_id", "hook_id", "key_id"),
        *("cause", "trace_id", "occurred_at"),
    }
)
"""Fields that hold an id or a time of ours: an id may have many digits."""

AMOUNTS = frozenset({"total", "cost", "assistant", "calls"})
"""Fields that may hold an amount of money: a decimal number has digits as a phone number has."""

_AMOUNT = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?", re.ASCII)

# The user has no colon but that of a password (RFC 3261, 25.1), so that the search is linear.
_SIP_ADDRESS = re.compile(r"sips?:[^\s@,;:]+(?::[^\s@,;:]*)?@[^\s,;]*\w", re.IGNORECASE)
# Each sign with `str.isdigit()`: digits of every script, superscript, subscript and circled digits.
DIGIT = (
    r"[\d\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c"
    r"\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792"
    r"\u1369-\u1371\u19da\U00010a40-\U00010a43\U00010e60-\U00010e68\U00011052-\U0001105a"
    r"\U0001f100-\U0001f10a]"
)
# Signs that are no letter and no digit, and the long sound mark of Japanese, like a dash.
# Three asterisks separate: they begin a number that is masked already.
_SEPARATORS = r"(?:(?!\*\*\*)[\W_\u30fc\uff70]){0,5}"
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_HOURS_MINUTES = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_ISO_TIME = rf"[T ]{_HOURS_MINUTES}(?::[0-5]\d(?:[.,]\d{{1,9}})?)?(?:Z|[+-]{_HOURS_MINUTES})?"
ID_OR_DATE = (
    r"(?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)"
    rf"|(?<!\d)(?P<date>{_YEAR}[-/._]{_MONTH}[-/._]{_DAY}(?:{_ISO_TIME})?"
    rf"|{_DAY}[-/._]{_DAY}[-/._]{_YEAR}(?:,? {_HOURS_MINUTES})?"
    rf"|{_HOURS_MINUTES} ?[-\u2013] ?{_HOURS_MINUTES})(?!\d)"
)
ID_DATE_OR_NUMBER = re.compile(
    ID_OR_DATE + rf"|\+?\(?{DIGIT}(?:{_SEPARATORS}{DIGIT}){{6,}}(?:,[\dw*#,]{{1,32}}(?![^\W\d]))?"
)
_SHOWN_DIGITS, LEAST_DIGITS = 4, 7

MASK = "***"
"""Stands for the value of a header."""


def masked(number: str | None) -> str | None:
    """Mask a phone number or address: only the last four signs are shown."""
    return None if number is None else f"***{number.partition(',')[0][-_SHOWN_DIGITS:]}"


def mask_text(text: str) -> str:
    """Mask every phone number and SIP address in a text, in whatever form."""
    return ID_DATE_OR_NUMBER.sub(
        masked_digits, _SIP_ADDRESS.sub(lambda found: str(masked(found[0])), text)
    )


def mask_fields(value: Any) -> Any:
    """Mask the texts of a JSON value; the fields of `UNMASKED` stay as they are."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {
            name: field if name in UNMASKED or _is_amount(name, field) else mask_fields(field)
            for name, field in value.items()
        }
    if isinstance(value, Sequence):
        return [mask_fields(item) for item in value]
    return value


def _is_amount(name: str, value: Any) -> bool:
    return name in AMOUNTS and isinstance(value, str) and bool(_AMOUNT.fullmatch(value))


def mask_headers(value: Any) -> Any:
    """Replace the values of HTTP headers in the tools of an assistant: a value may be a secret."""
    if isinstance(value, Mapping):
        return {
            name: _without_values(field) if name.lower() == "headers" else mask_headers(field)
            for name, field in value.items()
        }
    return [mask_headers(item) for item in value] if isinstance(value, list) else value


def _without_values(headers: Any) -> Any:
    if isinstance(headers, Mapping):
        return {
            name: field if name == "name" else _without_values(field)
            for name, field in headers.items()
        }
    return [_without_values(item) for item in headers] if isinstance(headers, list) else MASK


def masked_digits(found: re.Match[str]) -> str:
    """Mask a match of `ID_DATE_OR_NUMBER`; an id or a date stays."""
    if found["uuid"] or found["date"]:
        return found[0]
    # The digits after a comma are sent after the answer: a PIN, for example. A space begins a list.
    number, _, rest = found[0].partition(",")
    digits, more = (
        "".join(filter(str.isdigit, part)) for part in (number, rest if rest[:1].isspace() else "")
    )
    if len(digits) < LEAST_DIGITS:
        return str(masked("".join(filter(str.isdigit, found[0]))))
    return f"{masked(digits)}, {masked(more)}" if len(more) >= LEAST_DIGITS else str(masked(digits))
