"""The dial policy: which numbers may be called, and when. Asked before every dial.

Help for keeping to rules, not legal advice. Off by default but for the destinations.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time

from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.results import Refused

SIP_ADDRESS = re.compile(r"sips?:[A-Za-z0-9_.~+-]{1,64}@([a-z0-9.-]{1,253})", re.ASCII)
"""A SIP address in Telnyx's form, without parameters; the domain in lower case."""

DIGITS = re.compile(r"[0-9w*#]{1,32}", re.ASCII)
"""The digits that may follow a number and a comma; a `w` waits (Telnyx API: POST /calls)."""

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class Destinations:
    """The numbers and addresses that may be called.

    SIP addresses and digits after the number bypass the list of prefixes, since a PBX may carry a
    call anywhere. Both are refused unless switched on.
    """

    prefixes: tuple[str, ...]
    sip_domains: tuple[str, ...] = ()
    digits: bool = False

    def refusal(self, to: str) -> str | None:
        """Return why calls may not go to `to`; `None` for an allowed number."""
        address = SIP_ADDRESS.fullmatch(to)
        if address:
            known = address[1] in self.sip_domains
            return None if known else "a SIP address of that domain cannot be dialled here"
        if without_digits(to) != to and not self.digits:
            return "digits after the number cannot be dialled here"
        return None if to.startswith(self.prefixes) else "calls may not go there"


@dataclass(frozen=True)
class QuietHours:
    """The part of a day without calls, by the local time of the number."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Parse `21:00-08:00`. Raises ValueError for any other form and for an empty span."""
        parts = _HOURS.fullmatch(text)
        if parts is None or text[:5] == text[6:]:
            raise ValueError("quiet hours are two times of day, as 21:00-08:00")
        begin_hour, begin_minute, end_hour, end_minute = map(int, parts.groups())
        return cls(time(begin_hour, begin_minute), time(end_hour, end_minute))

    def contains(self, moment: time) -> bool:
        """Whether a time of day lies in the quiet hours, which may span midnight."""
        if self.begin < self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


class DialPolicy:
    """The rules that every dial has to pass. `do_not_call` tells whether a number is listed.

    `dialing_off` tells whether an operator has switched all dials off.
    """

    def __init__(
        self,
        destinations: Destinations,
        quiet_hours: QuietHours | None = None,
        do_not_call: Callable[[str], bool] | None = None,
        dialing_off: Callable[[], bool] = lambda: False,
    ) -> None:
        self._destinations = destinations
        self._quiet_hours = quiet_hours
        self._do_not_call = do_not_call
        self._dialing_off = dialing_off

    def refusal(self, to: str, now: datetime) -> Refused | None:
        """Return the refusal of a call to `to` at `now`, with its `rule`; `None` if allowed."""
        if self._dialing_off():
            return _refused(ErrorCode.DIALING_OFF, "All dials are switched off.")
        if self._destinations.refusal(to):
            return _refused(ErrorCode.DESTINATION_NOT_ALLOWED, "Calls may not go to this number.")
        number = without_digits(to)
        quiet = self._quiet_hours
        if quiet and any(quiet.contains(moment) for moment in local_times(number, now)):
            return _refused("quiet_hours", "It is the quiet part of the day where they are.")
        if self._do_not_call and self._do_not_call(number):
            return _refused("do_not_call", "The number is on the do-not-call list.")
        return None


def without_digits(to: str) -> str:
    """Return the number without the digits after the comma."""
    return to.partition(",")[0]


def local_times(number: str, now: datetime) -> list[time]:
    """Return the times of day where a number may be."""
    from zoneinfo import ZoneInfo

    return [now.astimezone(ZoneInfo(zone)).time() for zone in time_zones(number)]


def time_zones(number: str) -> list[str]:
    """Return the time zones in which a number may be, by its prefix; UTC for an unknown zone."""
    # Imported late: the tables are large, and most deployments have no quiet hours.
    import phonenumbers
    from phonenumbers import timezone

    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        zones = ()
    return [zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE] or ["UTC"]


def _refused(rule: str, message: str) -> Refused:
    return Refused(code=rule, message=message, limit=True, rule=rule)
