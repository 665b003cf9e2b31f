"""What may be called, and when: asked before every dial, whoever wanted it.

Help for keeping to rules, not legal advice. Off by default but for the destinations.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from partyline.domain.model.errors import ErrorCode
from partyline.domain.model.results import Refused

SIP_ADDRESS = re.compile(r"sips?:[A-Za-z0-9_.~+-]{1,64}@([a-z0-9.-]{1,253})", re.ASCII)
"""A SIP address as Telnyx takes it, without parameters; the domain in lower case."""

DIGITS = re.compile(r"[0-9w*#]{1,32}", re.ASCII)
"""What may follow a number and its comma; a `w` waits (Telnyx API: POST /calls)."""


@dataclass(frozen=True)
class Destinations:
    """Where calls may go."""

    prefixes: tuple[str, ...]
    sip_domains: tuple[str, ...] = ()
    digits: bool = False

    def refusal(self, to: str) -> str | None:
        """Why calls may not go to `to`; None when they may."""
        address = SIP_ADDRESS.fullmatch(to)
        if address:
            known = address[1] in self.sip_domains
            return None if known else "a SIP address of that domain cannot be dialled here"
        if without_digits(to) != to and not self.digits:
            return "digits after the number cannot be dialled here"
        return None if to.startswith(self.prefixes) else "calls may not go there"


def without_digits(to: str) -> str:
    """The number that is called, without the digits that follow it."""
    return to.partition(",")[0]


_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class QuietHours:
    """The part of a day in which nobody is called, by the clock where they are."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Read `21:00-08:00`. Raises ValueError for anything else, and for a span of no length."""
        parts = _HOURS.fullmatch(text)
        if parts is None or text[:5] == text[6:]:
            raise ValueError("quiet hours are two times of day, as 21:00-08:00")
        begin_hour, begin_minute, end_hour, end_minute = map(int, parts.groups())
        return cls(time(begin_hour, begin_minute), time(end_hour, end_minute))

    def contains(self, moment: time) -> bool:
        """Whether a time of day lies in them; they may span midnight."""
        if self.begin < self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


class DialPolicy:
    """The rules that a dial has to pass."""

    def __init__(
        self,
        destinations: Destinations,
        quiet_hours: QuietHours | None = None,
        do_not_call: Callable[[str], bool] | None = None,
    ) -> None:
        """Take the rules; `do_not_call` says of a number whether it is on the list."""
        self._destinations = destinations
        self._quiet_hours = quiet_hours
        self._do_not_call = do_not_call

    def refuse(self, to: str, now: datetime) -> Refused | None:
        """The refusal of a call to `to` at `now`, its `rule` naming why; None if it may go."""
        if self._destinations.refusal(to):
            return _refused(ErrorCode.DESTINATION_NOT_ALLOWED, "Calls may not go to this number.")
        number = without_digits(to)
        if self._quiet_hours and any(
            self._quiet_hours.contains(now.astimezone(ZoneInfo(zone)).time())
            for zone in time_zones(number)
        ):
            return _refused("quiet_hours", "It is the quiet part of the day where they are.")
        if self._do_not_call and self._do_not_call(number):
            return _refused("do_not_call", "The number is on the do-not-call list.")
        return None


def time_zones(number: str) -> list[str]:
    """The time zones in which a number may be, by its prefix; several for a large one.

    A number whose zone nobody knows is taken to be in UTC.
    """
    # Imported here: its tables cost more than all the rest, and most deployments never ask.
    import phonenumbers
    from phonenumbers import timezone

    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        found = ()
    return [zone for zone in found if zone != timezone.UNKNOWN_TIMEZONE] or ["UTC"]


def _refused(rule: str, message: str) -> Refused:
    return Refused(code=rule, message=message, limit=True, rule=rule)
