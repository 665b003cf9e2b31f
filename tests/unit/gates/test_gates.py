"""The dial policy: destinations, quiet hours and the do-not-call list."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partyline.domain.dial_policy import (
    IMPOSSIBLE,
    SHORT_CODE,
    Destinations,
    DialPolicy,
    DialRuleError,
    QuietHours,
)
from partyline.domain.numbers import time_zones

CHICAGO = "+13125550112"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)  # seven in the morning in Chicago
ANYWHERE = Destinations(("+",), countries=("*",))

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


AUSTRALIAN_MOBILE = "+61412345678"
TOLL_FREE = "+18005550112"
NEW_AREA_CODE = "+12225550112"
SATELLITE = "+882160000000"


@pytest.mark.parametrize("number", [AUSTRALIAN_MOBILE, NEW_AREA_CODE])
def test_a_number_in_several_zones_is_quiet_if_any_zone_is_quiet(number: str) -> None:
    zones = time_zones(number)
    assert len(zones) > 3
    destinations = Destinations(("+6", "+1222"), countries=("*",))
    for zone in zones:
        local = NOON.astimezone(ZoneInfo(zone)).time()
        until = (datetime.combine(NOON, local) + timedelta(minutes=1)).time()
        assert rule(DialPolicy(destinations, QuietHours(local, until)), number) == "quiet_hours"


def test_a_mobile_number_of_a_country_with_many_zones_can_be_called_at_some_time() -> None:
    policy = DialPolicy(ANYWHERE, QuietHours.parse("21:00-08:00"))
    for number in (AUSTRALIAN_MOBILE, "+79161234567", "+5511912345678", "+525512345678"):
        hours = [rule(policy, number, NOON.replace(hour=hour)) for hour in range(24)]
        assert hours.count(None) >= 2, number
        assert hours.count("quiet_hours") >= 11, number


def test_a_toll_free_number_has_no_quiet_hours() -> None:
    policy = DialPolicy(ANYWHERE, QuietHours.parse("21:00-08:00"))
    assert {rule(policy, TOLL_FREE, NOON.replace(hour=hour)) for hour in range(24)} == {None}


def test_a_number_without_a_country_has_the_time_of_utc() -> None:
    policy = DialPolicy(ANYWHERE, QuietHours.parse("12:00-12:01"))
    assert rule(policy, SATELLITE) == "quiet_hours"
    assert rule(policy, SATELLITE, NOON + timedelta(minutes=1)) is None


# Countries and kinds of numbers


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+18095550100", "DO"),
        ("+18765550100", "JM"),
        ("+14735550100", "GD"),
        ("+12685550100", "AG"),
        ("+17875550100", "PR"),
        ("+442079460123", "GB"),
    ],
)
def test_a_number_of_a_country_that_is_not_allowed_is_refused(number: str, country: str) -> None:
    assert rule(DialPolicy(Destinations(("+",)))) is None
    assert rule(DialPolicy(Destinations(("+",))), number) == "destination_not_allowed"
    named = Destinations(("+44", number[:5]), countries=("US", country))
    assert rule(DialPolicy(named), number) is None


def test_canada_is_allowed_beside_the_united_states() -> None:
    assert rule(DialPolicy(Destinations(("+1",))), "+14165550123") is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+19005550100", "premium"),
        ("+19765550100", "premium"),
        ("+13129760100", "premium"),  # the exchange 976 of an area code
        ("+17005550100", "personal"),
        ("+15005550100", "personal"),
        ("+15335550100", "personal"),
        ("+491805123456", "shared_cost"),
        ("+449012345678", "premium"),
    ],
)
def test_a_special_number_is_refused_unless_its_kind_is_named(number: str, kind: str) -> None:
    prefixes = (number[:6], "+")
    refused = Destinations(prefixes, countries=("US", "GB", "DE")).refusal(number)
    assert refused == f"the number is of a kind that is not called: {kind}"
    named = Destinations(prefixes, countries=("US", "GB", "DE"), special_kinds=(kind,))
    assert named.refusal(number) is None


def test_an_area_code_that_the_tables_do_not_know_is_called_if_a_prefix_names_it() -> None:
    assert Destinations(("+1",)).refusal(NEW_AREA_CODE)
    assert Destinations(("+1", "+1222")).refusal(NEW_AREA_CODE) is None
    assert Destinations(("+1", "+1222"), countries=()).refusal(NEW_AREA_CODE)
    assert Destinations(("+1473",)).refusal("+14735550100"), "a country that is not allowed"


def test_without_allowed_countries_every_number_is_refused() -> None:
    assert Destinations(("+",), countries=()).refusal(CHICAGO)


@pytest.mark.parametrize("number", [f"{CHICAGO}0", f"{CHICAGO}9999", "+1911000", "+15550100"])
def test_a_number_with_too_many_or_too_few_digits_is_refused(number: str) -> None:
    assert ANYWHERE.refusal(number) == IMPOSSIBLE
    assert rule(DialPolicy(ANYWHERE), number) == "destination_not_allowed"


# SIP addresses with a number


@pytest.mark.parametrize("rule_name", ["dialing_off", "own_line", "do_not_call"])
def test_a_rule_that_raises_is_named(rule_name: str) -> None:
    def broken(*_: object) -> bool:
        raise KeyError

    policy = DialPolicy(
        ANYWHERE,
        dialing_off=broken if rule_name == "dialing_off" else lambda: False,
        is_our_line=broken if rule_name == "own_line" else None,
        do_not_call=broken if rule_name == "do_not_call" else None,
    )
    with pytest.raises(DialRuleError) as raised:
        policy.refusal(CHICAGO, NOON)
    assert raised.value.rule == rule_name
    assert isinstance(raised.value.__cause__, KeyError)


SIP = Destinations(("+1",), sip_domains=("gw.example",))


@pytest.mark.parametrize("user", [CHICAGO, CHICAGO[1:], CHICAGO[2:], "+1-312-555-0112"])
def test_the_rules_ask_for_the_number_in_a_sip_address(user: str) -> None:
    to = f"sip:{user}@gw.example"
    listed = DialPolicy(SIP, do_not_call=lambda number: number == CHICAGO)
    assert rule(listed, to) == "do_not_call"
    assert rule(DialPolicy(SIP, QuietHours.parse("06:59-07:01")), to) == "quiet_hours"
    assert rule(DialPolicy(SIP, QuietHours.parse("11:59-12:01")), to) is None
    assert rule(DialPolicy(SIP, is_our_line=lambda number: number == CHICAGO), to) == "own_line"


@pytest.mark.parametrize("user", ["+18765550100", "18765550100", "+442079460123", "19005550100"])
def test_a_sip_address_with_a_number_that_is_not_allowed_is_refused(user: str) -> None:
    assert rule(DialPolicy(SIP), f"sip:{user}@gw.example") == "destination_not_allowed"


@pytest.mark.parametrize("user", ["+131255501120", "131255501120", "00000000"])
def test_a_sip_address_with_an_impossible_number_is_refused(user: str) -> None:
    assert SIP.refusal(f"sip:{user}@gw.example") == IMPOSSIBLE


@pytest.mark.parametrize("country", ["US", "GB", "*"])
@pytest.mark.parametrize(
    "user",
    [
        *("911", "112", "9-1-1", "+911", "9911", "0112", "00911", "999", "000"),
        *("001911", "011911", "000112"),
    ],
)
def test_a_sip_address_with_an_emergency_number_is_refused(user: str, country: str) -> None:
    sip = Destinations(("+",), ("gw.example",), countries=(country,))
    assert sip.refusal(f"sip:{user}@gw.example") == SHORT_CODE


@pytest.mark.parametrize(
    ("user", "country"),
    [
        ("411", "US"),
        ("988", "CA"),
        ("110", "DE"),
        ("17", "FR"),
        ("+3317", "FR"),
        ("1911", "US"),
        ("8110", "DE"),
    ],
)
def test_a_sip_address_with_a_code_of_an_allowed_country_is_refused(
    user: str, country: str
) -> None:
    sip = Destinations(("+",), ("gw.example",), countries=(country,))
    assert sip.refusal(f"sip:{user}@gw.example") == SHORT_CODE


@pytest.mark.parametrize("user", ["ada", "200", "123456", "conf-200-a"])
def test_a_sip_address_with_a_name_or_an_extension_is_allowed(user: str) -> None:
    assert SIP.refusal(f"sip:{user}@gw.example") is None


# Our own lines


def test_a_line_of_the_conversation_or_of_the_deployment_is_not_called() -> None:
    policy = DialPolicy(ANYWHERE, is_our_line=lambda number: number == "+13125550100")
    refused = policy.refusal("+13125550100", NOON)
    assert refused is not None
    assert (refused.rule, refused.limit) == ("own_line", True)
    refused = DialPolicy(Destinations(("+",), digits=True)).refusal(
        f"{CHICAGO},200", NOON, own_lines={CHICAGO, None}
    )
    assert refused is not None
    assert refused.rule == "own_line"
    assert policy.refusal(CHICAGO, NOON, own_lines={None}) is None


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
