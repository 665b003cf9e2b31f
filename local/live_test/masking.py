"""Replaces ids, numbers and times in evidence by stand-ins: the same stand-in for the same id."""

import re
from datetime import datetime

_PATTERN = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<call>v3:[\w-]+)"
    r"|(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|assistant-[\w-]+)"
    r"|(?P<number>\+[1-9]\d{6,14})"
    r"|(?P<account>\b\d{15,20}\b)"
    r"|(?P<url>https?://[^/\s\"']+)"
)


class Masker:
    """Masks the evidence of an experiment. `begun_at` is the zero of the times."""

    def __init__(self, begun_at: datetime) -> None:
        self._begun_at = begun_at
        self._names: dict[str, str] = {}

    def mask(self, text: str) -> str:
        """Return a text without ids, numbers, hosts and times of the day."""
        return _PATTERN.sub(self._stand_in, text)

    def _stand_in(self, match: re.Match[str]) -> str:
        kind, text = str(match.lastgroup), match[0]
        if kind == "time":
            secs = (datetime.fromisoformat(text) - self._begun_at).total_seconds()
            return f"{secs:+.1f}s"
        if kind == "url" and text.endswith(".invalid"):
            return text
        if text not in self._names:
            count = sum(name.startswith(f"{kind}-") for name in self._names.values())
            self._names[text] = f"{kind}-{count + 1}"
        return self._names[text]
