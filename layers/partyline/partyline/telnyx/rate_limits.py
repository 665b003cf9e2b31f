"""The wait that a refusal asks for, by the headers of Telnyx's answer."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

RESETS = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset", "ratelimit")
"""Headers of a 429: Telnyx's own, its other spelling, and those of the IETF's drafts."""

UNITS = {
    "ms": 0.001,
    "milliseconds": 0.001,
    "s": 1,
    "sec": 1,
    "secs": 1,
    "second": 1,
    "seconds": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3600,
}
"""The units of a wait in a header, in seconds."""

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_FIELD = re.compile(rf"\b(?:reset|t)\s*=\s*({_NUMBER})")
"""The wait in the one header of the IETF's drafts: `limit=9, reset=30`, or `"default";r=0;t=30`."""
_PART = re.compile(rf"({_NUMBER})\s*({_UNIT})")


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait; the longest wait of several headers counts.

    A 429 has `x-ratelimit-reset` in seconds (Telnyx docs, rate limiting). `Retry-After`, in seconds
    or as a date, may come with any refusal (RFC 9110, 10.2.3). A proxy before Telnyx may write
    either in another form (see `_wait`).
    """
    texts = {name.lower(): value for name, value in headers.items()}
    names = ("retry-after", *(RESETS if status == HTTPStatus.TOO_MANY_REQUESTS else ()))
    waits = [_wait(texts[name]) for name in names if name in texts]
    return max((wait for wait in waits if wait is not None), default=None)


def _wait(text: str) -> float | None:
    """Read seconds (`30`), a duration (`1m30s`, `1500ms`), or a moment as a date or in Unix time.

    Numbers of ten digits, perhaps with a fraction, are Unix seconds, of thirteen digits
    milliseconds, as other services send resets. Of a header that came twice, the longer duration
    counts.
    """
    field = _FIELD.search(text)
    text = field[1] if field else text.partition(";")[0].strip().strip('"')
    waits = [_duration(part.strip().lower()) for part in text.split(",")]
    if None not in waits:
        return max(wait for wait in waits if wait is not None)
    try:
        at = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)


def _duration(text: str) -> float | None:
    if re.fullmatch(r"[0-9]{10}(\.[0-9]{1,9})?|[0-9]{13}", text):
        return max(int(text[:10]) - datetime.now(UTC).timestamp(), 0.0)
    if re.fullmatch(_NUMBER, text):
        return float(text)
    if not re.fullmatch(rf"({_NUMBER}\s*({_UNIT})\s*)+", text):
        return None
    return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
