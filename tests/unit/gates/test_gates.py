"""The dial policy: destinations, quiet hours and the do-not-call list."""

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

times = st.times().map(lambda moment: moment.replace(tzinfo=None))


def example(region: str) -> str:
    """A number of a country, as the library makes examples."""
    number = phonenumbers.example_number(region)
    assert number is not None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def rule(policy: DialPolicy, number: str = CHICAGO, now: datetime = NOON) -> str | None:
    refused = policy.refusal(number, now)
    return refused.rule if refused else None


def clock(at: time) -> str:
    return at.strftime("%H:%M")


def test_a_number_within_the_allowed_destinations_passes() -> None:
    assert rule(DialPolicy(Destinations(("+1",)))) is None
    assert rule(DialPolicy(Destinations(("+44", "+1312")))) is None


@pytest.mark.parametrize("prefixes", [(), ("+44",), ("+1313", "+131255501120")])
def test_a_number_outside_the_allowed_destinations_does_not_pass(
    prefixes: tuple[str, ...],
) -> None:
    refused = DialPolicy(Destinations(prefixes)).refusal(CHICAGO, NOON)
    assert refused is not None
    assert (refused.rule, refused.code) == ("destination_not_allowed", "destination_not_allowed")
    assert refused.limit
    assert CHICAGO not in refused.message


def test_a_sip_address_takes_no_parameters() -> None:
    """Telnyx takes parameters after a SIP address, with effects that we do not control."""
    destinations = Destinations(("+1",), sip_domains=("pbx.example.com",))
    assert destinations.refusal("sip:ada@pbx.example.com") is None
    for more in (";secure=srtp", ":5061", "?X-To=1", ",1", "\n", "@pbx.example.com", ".evil"):
        assert destinations.refusal(f"sip:ada@pbx.example.com{more}"), more


def test_the_list_is_asked_for_the_exact_number() -> None:
    asked: list[str] = []

    def listed(number: str) -> bool:
        asked.append(number)
        return number == CHICAGO

    policy = DialPolicy(Destinations(("+1",)), do_not_call=listed)
    assert rule(policy) == "do_not_call"
    assert rule(policy, "+13125550113") is None
    assert asked == [CHICAGO, "+13125550113"]


def test_the_list_is_not_asked_for_a_forbidden_destination() -> None:
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
def test_quiet_hours_are_in_the_local_time_of_the_number(quiet: str, refused: bool) -> None:
    policy = DialPolicy(Destinations(("+1",)), QuietHours.parse(quiet))
    assert (rule(policy) == "quiet_hours") is refused


@pytest.mark.parametrize("region", ["GB", "JP", "IN", "ZA", "DE"])
def test_quiet_hours_follow_the_clock_of_each_country(region: str) -> None:
    number = example(region)
    [zone] = time_zones(number)
    local = NOON.astimezone(ZoneInfo(zone))
    until = local + timedelta(minutes=1)
    policy = DialPolicy(ANYWHERE, QuietHours(local.time(), until.time()))
    assert rule(policy, number) == "quiet_hours"
    assert rule(policy, number, NOON + timedelta(minutes=1)) is None


def test_quiet_hours_follow_daylight_saving_time() -> None:
    policy = DialPolicy(Destinations(("+1",)), QuietHours.parse("06:00-07:00"))
    assert rule(policy, now=NOON) is None
    assert rule(policy, now=NOON.replace(month=1)) == "quiet_hours"  # an hour earlier in winter


def test_a_number_in_several_zones_is_quiet_if_any_zone_is_quiet() -> None:
    number = "+1800" + CHICAGO[5:]  # toll free: somewhere in North America
    zones = time_zones(number)
    assert len(zones) > 3
    for zone in zones:
        local = NOON.astimezone(ZoneInfo(zone)).time()
        until = (datetime.combine(NOON, local) + timedelta(minutes=1)).time()
        assert (
            rule(DialPolicy(Destinations(("+1",)), QuietHours(local, until)), number)
            == "quiet_hours"
        )


@pytest.mark.parametrize("number", ["", "+", "nonsense", "+999123456789"])
def test_an_unknown_zone_counts_as_utc(number: str) -> None:
    assert time_zones(number) == ["UTC"]
    policy = DialPolicy(Destinations(("",)), QuietHours.parse("12:00-12:01"))
    assert rule(policy, number) == "quiet_hours"
    assert rule(policy, number, NOON + timedelta(minutes=1)) is None


@given(begin=times, end=times, moment=times)
def test_quiet_hours_and_their_reverse_cover_the_day(begin: time, end: time, moment: time) -> None:
    hours, reverse = QuietHours(begin, end), QuietHours(end, begin)
    if begin != end:
        assert hours.contains(moment) is not reverse.contains(moment)


@given(begin=times, end=times)
def test_quiet_hours_include_their_beginning_and_exclude_their_end(begin: time, end: time) -> None:
    if begin != end:
        assert QuietHours(begin, end).contains(begin)
        assert not QuietHours(begin, end).contains(end)


@given(begin=times, end=times)
def test_quiet_hours_across_midnight_include_midnight(begin: time, end: time) -> None:
    if begin > end > time(0):
        assert QuietHours(begin, end).contains(time(0))
        assert QuietHours(begin, end).contains(time(23, 59, 59, 999_999))
    if time(0) < begin < end:
        assert not QuietHours(begin, end).contains(time(0))


@given(begin=times, end=times)
def test_parse_reads_every_span(begin: time, end: time) -> None:
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
def test_parse_refuses_other_texts(text: str) -> None:
    with pytest.raises(ValueError, match="two times"):
        QuietHours.parse(text)


@given(
    number=st.text(max_size=20) | st.integers(0, 10**15).map(lambda digits: f"+{digits}"),
    at=st.integers(0, 4 * 10**9).map(lambda secs: datetime.fromtimestamp(secs, UTC)),
)
def test_any_number_at_any_time_gets_an_answer(number: str, at: datetime) -> None:
    policy = DialPolicy(ANYWHERE, QuietHours.parse("21:00-08:00"))
    assert rule(policy, number, at) in (None, "quiet_hours", "destination_not_allowed")
