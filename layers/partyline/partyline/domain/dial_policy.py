"""The dial policy: which numbers may be called, and when. Asked before every dial.

Help for keeping to rules, not legal advice. Destinations and our own lines are always checked.
Quiet hours and the do-not-call list are off by default.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, time

from partyline.domain import numbers
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.results import Refused
from partyline.domain.numbers import SIP_ADDRESS

DIGITS = re.compile(r"[0-9w*#]{1,32}", re.ASCII)
"""The digits that may follow a number and a comma; a `w` waits (Telnyx API: POST /calls)."""

ANY_COUNTRY = "*"

SHORT_CODE = "emergency numbers and service codes cannot be dialled here"

KEY_REVOKED = "key_revoked"
"""The rule, and the failure of a booking, for a bearer key that is not valid any more."""

IMPOSSIBLE = "no phone number has so many digits"

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class Destinations:
    """The numbers and addresses that may be called.

    SIP addresses and digits after the number bypass the list of prefixes, since a PBX may carry a
    call anywhere. Both are refused unless switched on.

    Attributes:
        prefixes: how allowed numbers begin.
        sip_domains: the domains of allowed SIP addresses. A SIP user that is a number is asked for
            as that number.
        digits: whether digits to send may follow a number.
        countries: allowed countries (ISO 3166), or `*`. A SIP user without a plus is read as a
            number of the first country.
        special_kinds: the special kinds that are allowed: `premium`, `shared_cost`, `personal`.
    """

    prefixes: tuple[str, ...]
    sip_domains: tuple[str, ...] = ()
    digits: bool = False
    countries: tuple[str, ...] = ("US", "CA")
    special_kinds: tuple[str, ...] = ()

    @property
    def home_country(self) -> str | None:
        """The country of numbers without a plus: the first allowed country."""
        first = self.countries[0] if self.countries else ANY_COUNTRY
        return None if first == ANY_COUNTRY else first

    def refusal(self, to: str) -> str | None:
        """Return why calls may not go to `to`; `None` for an allowed number."""
        address = SIP_ADDRESS.fullmatch(to)
        if address and address[2] not in self.sip_domains:
            return "a SIP address of that domain cannot be dialled here"
        if numbers.is_short_code(to, self.countries):
            return SHORT_CODE
        if not address and without_digits(to) != to and not self.digits:
            return "digits after the number cannot be dialled here"
        number = self.number_rung(to)
        if number:
            return self._number_refusal(number)
        if address is None or numbers.is_impossible_sip_number(to, self.home_country):
            return IMPOSSIBLE
        return None

    def number_rung(self, to: str) -> str | None:
        """Return the number that `to` rings; `None` for a SIP address with a name."""
        return numbers.number_rung(to, self.home_country)

    def _number_refusal(self, number: str) -> str | None:
        if not number.startswith(self.prefixes):
            return "calls may not go there"
        kind = numbers.special_kind(number)
        if kind == "unknown":
            if not self._names_area(number):
                return "the area code or range of the number is unknown"
        elif kind and kind not in self.special_kinds:
            return f"the number is of a kind that is not called: {kind}"
        country = numbers.country_of(number)
        if ANY_COUNTRY in self.countries or country in self.countries:
            return None
        if country is None and self.countries and kind:
            return None  # without a country, but named by a prefix or by a special kind
        return "calls may not go to that country"

    def _names_area(self, number: str) -> bool:
        """Whether a prefix names more of the number than its country code."""
        code = len(numbers.country_code(number))
        return any(len(prefix) > code and number.startswith(prefix) for prefix in self.prefixes)


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

    def hold_for(self, number: str | None, now: datetime) -> bool:
        """Whether a number may be in its quiet hours; `None` is a SIP address with a name.

        A number that may be in several time zones is in its quiet hours while any of the zones is:
        a mobile number of Australia or Russia is called when the whole country is awake. A
        toll-free number rings a business without a known place, and has no quiet hours.
        """
        if number and numbers.is_toll_free(number):
            return False
        return any(self.contains(moment) for moment in local_times(number, now))


class DialRuleError(Exception):
    """A dial rule raised an error, which is the cause of this error. `rule` names the rule."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class DialPolicy:
    """The rules that every dial has to pass.

    `do_not_call` tells whether a number is listed, `is_our_line` whether a number is our own.
    `dialing_off` tells whether an operator has switched all dials off, `key_may_dial` whether a
    bearer key is still valid and may still dial, `budget_used_up` whether the calls of a day cost
    more than the day's budget.
    """

    def __init__(
        self,
        destinations: Destinations,
        quiet_hours: QuietHours | None = None,
        do_not_call: Callable[[str], bool] | None = None,
        is_our_line: Callable[[str], bool] | None = None,
        dialing_off: Callable[[], bool] = lambda: False,
        key_may_dial: Callable[[str], bool] = lambda _: True,
        budget_used_up: Callable[[date], bool] = lambda _: False,
    ) -> None:
        self._destinations = destinations
        self._quiet_hours = quiet_hours
        self._do_not_call = do_not_call
        self._is_our_line = is_our_line
        self._dialing_off = dialing_off
        self._key_may_dial = key_may_dial
        self._budget_used_up = budget_used_up

    def refusal(
        self,
        to: str,
        now: datetime,
        own_lines: Collection[str | None] = (),
        key_id: str | None = None,
        reserved_on: date | None = None,
    ) -> Refused | None:
        """Return the refusal of a call to `to` at `now`, with its `rule`; `None` if allowed.

        `own_lines` are the numbers of ours that the conversation runs on. `key_id` is the bearer
        key that asked for a call of a later round, if a key did. `reserved_on` is the day whose
        budget has the call's reservation, if any. Raises DialRuleError when a rule raises.
        """
        rules: tuple[tuple[str, str, Callable[[], bool]], ...] = (
            (ErrorCode.DIALING_OFF, "All dials are switched off.", self._dialing_off),
            (
                *(KEY_REVOKED, "The bearer key of the request is not valid any more."),
                lambda: key_id is not None and not self._key_may_dial(key_id),
            ),
            (
                *(ErrorCode.DESTINATION_NOT_ALLOWED, "Calls may not go to this number."),
                lambda: self._destinations.refusal(to) is not None,
            ),
            (
                *("own_line", "The number is a line of this service."),
                lambda: self._rings_own_line(to, own_lines),
            ),
            (
                *("quiet_hours", "It is the quiet part of the day where they are."),
                lambda: self._rings_in_quiet_hours(to, now),
            ),
            (
                *("do_not_call", "The number is on the do-not-call list."),
                lambda: self._is_on_do_not_call_list(to),
            ),
            (
                *("budget", "The budget of the day is used up."),
                lambda: reserved_on is not None and self._budget_used_up(reserved_on),
            ),
        )
        for rule, message, refuses in rules:
            try:
                refused = refuses()
            except Exception as error:
                raise DialRuleError(rule) from error
            if refused:
                return _refused(rule, message)
        return None

    def _rings_own_line(self, to: str, own_lines: Collection[str | None]) -> bool:
        number = self._destinations.number_rung(to)
        if number is None:
            return False
        return number in own_lines or bool(self._is_our_line and self._is_our_line(number))

    def _rings_in_quiet_hours(self, to: str, now: datetime) -> bool:
        number = self._destinations.number_rung(to)
        return bool(self._quiet_hours and self._quiet_hours.hold_for(number, now))

    def _is_on_do_not_call_list(self, to: str) -> bool:
        number = self._destinations.number_rung(to)
        return bool(number and self._do_not_call and self._do_not_call(number))


def without_digits(to: str) -> str:
    """Return the number without the digits after the comma."""
    return to.partition(",")[0]


def local_times(number: str | None, now: datetime) -> list[time]:
    """Return the times of day where a number may be; the time of UTC for `None`."""
    from zoneinfo import ZoneInfo

    zones = numbers.time_zones(number) if number else ["UTC"]
    return [now.astimezone(ZoneInfo(zone)).time() for zone in zones]


def _refused(rule: str, message: str) -> Refused:
    return Refused(code=rule, message=message, limit=True, rule=rule)
