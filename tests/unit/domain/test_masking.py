"""The masks of phone numbers in events: for the bus and for timelines."""

import re
import sys
import time
import timeit

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher

from partyline.domain.masking import mask_fields, mask_headers, mask_text, masked
from partyline.domain.model.events import EVENT_DATA

FORMATS = (
    PhoneNumberFormat.E164,
    PhoneNumberFormat.INTERNATIONAL,
    PhoneNumberFormat.NATIONAL,
    PhoneNumberFormat.RFC3966,
)


@pytest.mark.parametrize(
    "number",
    [
        "+13125550187",
        "+1 (312) 555-0187",
        "312-555-0187",
        "13125550187",
        "(312) 555.0187",
        "312\u2011555\u20110187",
        "+1\u00b7312\u00b7555\u00b70187",
        "+1\uff08312\uff09555\u20220187",
        "312 / 555 - 0187",
        "\uff13\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff18\uff17",
        "sip:alice@corp.example",
        "SIPS:+13125550187@corp.example",
        "sip:alice:secret@corp.example:5060",
        "tel:+1-312-555-0187",
        "020 7123 4567",
        "0049 30 1234567",
    ],
)
def test_a_number_in_any_form_is_masked(number: str) -> None:
    text = mask_text(f"Call {number}, please, or {number}.")
    assert number not in text
    assert "***" in text
    assert sum(map(str.isdigit, text)) <= 8
    assert text.startswith("Call ")


SIGNS = sorted(
    {"·", "_", "~", ",", ":", ";", "\u30fc", "\uff70", "\u2053", "\u223c", "\uff3b", "\uff3d", "|"}
    | {"[", "]", "{", "}", "*", "#", "=", "\\", "\n", "\u00ad", "\u2060", "\u3000", "\ufe0f\u20e3"}
    | {" ... ", " - - ", "\u00b7\u200b\u00b7"}
)


@pytest.mark.parametrize("part", ["sip:", "sip:a:", "sip:a@", "1-----", "+(", "1,", ",w1"])
def test_a_long_text_is_masked_in_a_time_proportional_to_its_length(part: str) -> None:
    def secs(length: int) -> float:
        text = part * (length // len(part))
        # The processor's time, so that other programs of the machine do not count.
        timer = time.process_time
        return min(timeit.repeat(lambda: mask_text(text), timer=timer, number=1, repeat=5))

    assert secs(40_000) < 20 * max(secs(5_000), 0.002)


@pytest.mark.parametrize(
    "suffix", [",4711", ",,4711#", ",w4711", ",ww47w11#", ", 4711", ",471147114711"]
)
def test_the_digits_to_send_after_a_number_are_not_shown(suffix: str) -> None:
    for number in ("+13125550187", "+1 312 555 0187", "3125550187"):
        text = mask_text(f"The call to {number}{suffix} failed.")
        assert text in ("The call to ***0187 failed.", "The call to ***0187# failed.")
        assert masked(f"{number}{suffix}") == "***0187"
    assert mask_text("Call 3125550187,wait, then 12.") == "Call ***0187,wait, then 12."


@pytest.mark.parametrize("sign", SIGNS)
def test_a_number_with_any_signs_between_its_digits_is_masked(sign: str) -> None:
    for digits in ("13125550187", "3125550187", "442079460123"):
        assert mask_text(f"Ring {sign.join(digits)} now") == f"Ring ***{digits[-4:]} now"
        grouped = sign.join((digits[:-7], digits[-7:-4], digits[-4:]))
        assert mask_text(f"Ring {grouped} now") == f"Ring ***{digits[-4:]} now"


@given(
    st.lists(st.sampled_from("0123456789"), min_size=7, max_size=15),
    st.data(),
)
def test_no_punctuation_space_or_format_sign_hides_a_number(
    digits: list[str], data: st.DataObject
) -> None:
    signs = st.text(st.characters(categories=("P", "Sm", "Sk", "So", "Zs", "Cf", "Mn")), max_size=5)
    text = digits[0] + "".join(data.draw(signs) + digit for digit in digits[1:])
    assume(not re.search(r"\d[-/._:]\d|[*]{3}", text))  # a date, a time or a mask stays
    assert sum(map(str.isdigit, mask_text(text))) <= 4


def test_every_sign_that_is_a_digit_is_masked() -> None:
    signs = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isdigit()]
    assert [sign for sign in signs if "***" not in mask_text(sign * 7)] == []


def test_the_last_four_digits_are_shown() -> None:
    assert mask_text("Call +1 (312) 555-0187 now.") == "Call ***0187 now."


@pytest.mark.parametrize(
    "text",
    [
        "Room 4711 at 10:30, order 123456.",
        "On 2026-11-28 at 16:23:53, or on 11/28/2026 or 28.11.2026.",
        "2026-11-28T19:30:51.123456Z and 2026-11-28 19:30:51+01:00 and 2026-11-28T19:30",
        "On 28.11.2026, 10:30 or 10:30-11:30, in room 12.",
        "run_2026_11_28",
        "6f1c3d0e-5555-4b0e-9b1c-012345678910",
        "Dana, “the number ending in 0112”, ***0112",
        "",
    ],
)
def test_a_text_without_a_number_stays(text: str) -> None:
    assert mask_text(text) == text
    assert mask_text(f"{text} ***0187, ***0188") == f"{text} ***0187, ***0188"


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_no_number_of_a_country_is_left_for_the_matcher(region: str) -> None:
    """Numbers of fewer than seven digits, of some islands, are no phone numbers elsewhere."""
    number = phonenumbers.example_number(region)
    assert number is not None
    for kind in FORMATS:
        written = phonenumbers.format_number(number, kind)
        if sum(map(str.isdigit, written)) < 7:
            continue
        text = mask_text(f"Ring {written} today.")
        assert written not in text
        left = PhoneNumberMatcher(text, region, leniency=Leniency.VALID)
        assert {match.raw_string for match in left} <= {text.partition("***")[2][:4]}, (
            "the last four digits"
        )


def test_the_fields_of_an_event_are_masked_but_not_its_ids() -> None:
    data = {
        "participant_id": "guest-123456789012",
        "name": "Dana +1 312 555 0187",
        "failure": {"code": "10016", "message": "The number 3125550187 is wrong."},
        "insight_ids": ["of +13125550187"],
        "leg": 1,
        "machine": False,
    }
    assert mask_fields(data) == {
        "participant_id": "guest-123456789012",
        "name": "Dana ***0187",
        "failure": {"code": "10016", "message": "The number ***0187 is wrong."},
        "insight_ids": ["of ***0187"],
        "leg": 1,
        "machine": False,
    }
    assert masked(None) is None


def test_an_amount_stays_and_a_number_in_the_place_of_an_amount_is_masked() -> None:
    amounts = {"total": "123456789.123456789", "cost": "-1234567.5", "calls": "0.0210000"}
    assert mask_fields(amounts) == amounts
    numbers = {"total": "0.5 by 3125550187", "cost": "13125550187", "name": "5550187"}
    assert mask_fields(numbers) == {"total": "0.5 by ***0187", "cost": "***0187", "name": "***0187"}


def test_the_values_of_headers_are_hidden_in_any_spelling_and_at_any_depth() -> None:
    value = [{"tool": {"Headers": [{"name": "x-key", "value": "secret", "more": ["secret"]}]}}]
    hidden = {"name": "x-key", "value": "***", "more": ["***"]}
    assert mask_headers(value) == [{"tool": {"Headers": [hidden]}}]


def test_the_ids_in_the_data_of_events_are_not_masked() -> None:
    names = {name for data in EVENT_DATA.values() for name in data.model_fields}
    ours = {name for name in names if name.endswith("_id")} - {"assistant_id"}
    ids = dict.fromkeys(ours, "made-13125550123")
    assert mask_fields(ids) == ids
