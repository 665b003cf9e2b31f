"""What a dial has to pass: where it may go, what time it is there, and who wants no calls."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partyline.domain.dial_policy import Destinations, DialPolicy, QuietHours, time_zones

CHICAGO = "+13125550112"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)  # seven in the morning in Chicago
ANYWHERE = Destinations(("+",))

times = st.times().map(lambda each: each.replace(tzinfo=None))


def example(region: str) -> str:
    """A number of a country, as the library makes examples."""
    number = phonenumbers.example_number(region)
    assert number is not None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def rule(gates: DialPolicy, number: str = CHICAGO, now: datetime = NOON) -> str | None:
    refused = gates.refuse(number, now)
    return refused.rule if refused else None


def clock(at: time) -> str:
    return at.strftime("%H:%M")


def test_a_number_passes_where_nothing_is_shut() -> None:
    assert rule(DialPolicy(Destinations(("+1",)))) is None
    assert rule(DialPolicy(Destinations(("+44", "+1312")))) is None


@pytest.mark.parametrize("prefixes", [(), ("+44",), ("+1313", "+131255501120")])
def test_a_number_outside_the_allowed_destinations_does_not_pass(
    prefixes: tuple[str, ...],
) -> None:
    refused = DialPolicy(Destinations(prefixes)).refuse(CHICAGO, NOON)
    assert refused is not None
    assert (refused.rule, refused.code) == ("destination_not_allowed", "destination_not_allowed")
    assert refused.limit
    assert CHICAGO not in refused.message


def test_a_sip_address_is_the_whole_of_what_is_dialled() -> None:
    """Telnyx takes parameters after it, and what they make of the call is not ours to say."""
    destinations = Destinations(("+1",), sip_domains=("pbx.example.com",))
    assert destinations.refusal("sip:ada@pbx.example.com") is None
    for more in (";secure=srtp", ":5061", "?X-To=1", ",1", "\n", "@pbx.example.com", ".evil"):
        assert destinations.refusal(f"sip:ada@pbx.example.com{more}"), more


def test_the_list_is_asked_for_the_very_number() -> None:
    asked: list[str] = []

    def listed(number: str) -> bool:
        asked.append(number)
        return number == CHICAGO

    gates = DialPolicy(Destinations(("+1",)), do_not_call=listed)
    assert rule(gates) == "do_not_call"
    assert rule(gates, "+13125550113") is None
    assert asked == [CHICAGO, "+13125550113"]


def test_the_list_is_not_asked_for_what_may_not_be_called_anyway() -> None:
    def never(number: str) -> bool:
        raise AssertionError(number)

    assert rule(DialPolicy(Destinations(("+44",)), do_not_call=never)) == "destination_not_allowed"


@pytest.mark.parametrize(
    ("quiet", "refused"),
    [
        ("07:00-08:00", True),
        ("06:00-07:00", False),
        ("07:01-06:59", False),
        ("21:00-08:00", True),
        ("21:00-07:00", False),
        ("11:00-13:00", False),  # noon is noon in Greenwich only
    ],
)
def test_the_hour_is_that_of_who_is_called(quiet: str, refused: bool) -> None:
    gates = DialPolicy(Destinations(("+1",)), QuietHours.parse(quiet))
    assert (rule(gates) == "quiet_hours") is refused


@pytest.mark.parametrize("region", ["GB", "JP", "IN", "ZA", "DE"])
def test_each_country_sleeps_by_its_own_clock(region: str) -> None:
    number = example(region)
    [zone] = time_zones(number)
    here = NOON.astimezone(ZoneInfo(zone))
    until = here + timedelta(minutes=1)
    gates = DialPolicy(ANYWHERE, QuietHours(here.time(), until.time()))
    assert rule(gates, number) == "quiet_hours"
    assert rule(gates, number, NOON + timedelta(minutes=1)) is None


def test_daylight_saving_time_is_theirs_too() -> None:
    gates = DialPolicy(Destinations(("+1",)), QuietHours.parse("06:00-07:00"))
    assert rule(gates, now=NOON) is None
    assert rule(gates, now=NOON.replace(month=1)) == "quiet_hours"  # an hour earlier in winter


def test_a_number_that_may_be_in_several_zones_is_quiet_if_any_of_them_is() -> None:
    number = "+1800" + CHICAGO[5:]  # toll free: somewhere in North America
    found = time_zones(number)
    assert len(found) > 3
    for zone in found:
        here = NOON.astimezone(ZoneInfo(zone)).time()
        until = (datetime.combine(NOON, here) + timedelta(minutes=1)).time()
        assert (
            rule(DialPolicy(Destinations(("+1",)), QuietHours(here, until)), number)
            == "quiet_hours"
        )


@pytest.mark.parametrize("number", ["", "+", "nonsense", "+999123456789"])
def test_where_the_zone_is_not_known_it_is_greenwich(number: str) -> None:
    assert time_zones(number) == ["UTC"]
    gates = DialPolicy(Destinations(("",)), QuietHours.parse("12:00-12:01"))
    assert rule(gates, number) == "quiet_hours"
    assert rule(gates, number, NOON + timedelta(minutes=1)) is None


@given(begin=times, end=times, moment=times)
def test_quiet_hours_and_their_reverse_share_the_day_between_them(
    begin: time, end: time, moment: time
) -> None:
    there, back = QuietHours(begin, end), QuietHours(end, begin)
    if begin != end:
        assert there.contains(moment) is not back.contains(moment)


@given(begin=times, end=times)
def test_they_begin_on_the_minute_and_end_before_theirs(begin: time, end: time) -> None:
    if begin != end:
        assert QuietHours(begin, end).contains(begin)
        assert not QuietHours(begin, end).contains(end)


@given(begin=times, end=times)
def test_over_midnight_midnight_itself_is_quiet(begin: time, end: time) -> None:
    if begin > end > time(0):
        assert QuietHours(begin, end).contains(time(0))
        assert QuietHours(begin, end).contains(time(23, 59, 59, 999_999))
    if time(0) < begin < end:
        assert not QuietHours(begin, end).contains(time(0))


@given(begin=times, end=times)
def test_what_is_written_is_read(begin: time, end: time) -> None:
    text = f"{clock(begin)}-{clock(end)}"
    if clock(begin) == clock(end):
        with pytest.raises(ValueError, match="two times"):
            QuietHours.parse(text)
    else:
        read = QuietHours.parse(text)
        assert f"{clock(read.begin)}-{clock(read.end)}" == text


@pytest.mark.parametrize(
    "text",
    ["", "21:00", "21:00-", "24:00-08:00", "21:60-08:00", "9:00-17:00", "21:00 - 08:00",
     "21:00-08:00\n", "٢١:00-08:00", "21:00-21:00"],
)  # fmt: skip
def test_what_is_no_span_of_the_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="two times"):
        QuietHours.parse(text)


@given(
    number=st.text(max_size=20) | st.integers(0, 10**15).map(lambda each: f"+{each}"),
    at=st.integers(0, 4 * 10**9).map(lambda secs: datetime.fromtimestamp(secs, UTC)),
)
def test_whatever_is_asked_there_is_an_answer(number: str, at: datetime) -> None:
    gates = DialPolicy(ANYWHERE, QuietHours.parse("21:00-08:00"))
    assert rule(gates, number, at) in (None, "quiet_hours", "destination_not_allowed")
