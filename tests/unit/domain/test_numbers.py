"""The normal form of phone numbers, and names as keys."""

import subprocess
import sys
import unicodedata
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from partyline.domain.names import has_hidden_characters, normalized_name, quoted
from partyline.domain.numbers import (
    is_impossible_sip_number,
    normal_number,
    normal_or_same,
    number_rung,
)

LAYER = Path(__file__).parents[3] / "layers" / "partyline"

NORMAL = "+13125550101"
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
SPACES = " \u00a0\u2007\u202f"


@pytest.mark.parametrize(
    "text",
    [
        NORMAL,
        "+1-312-555-0101",
        "+1 (312) 555-0101",
        "+1.312.555.0101",
        "tel:+1-312-555-0101",
        "+13125550101@sip.example",
        "sip:+13125550101@sip.example;user=phone",
        "SIP:+1-312-555-0101@SIP.example:5061",
        "\u202a+13125550101\u202c",  # as copied from a contact card
        *(f"+1{dash}312{dash}555{dash}0101" for dash in DASHES),
        *(f"+1{space}312{space}5550101" for space in SPACES),
    ],
)
def test_every_spelling_with_a_plus_has_one_normal_form(text: str) -> None:
    assert normal_number(text) == NORMAL
    assert normal_or_same(text, None) == NORMAL


@pytest.mark.parametrize(
    "text", ["13125550101", "3125550101", "312-555-0101", "0013125550101", "01113125550101"]
)
def test_a_number_without_a_plus_is_read_in_the_home_country_only(text: str) -> None:
    assert normal_number(text, "US") == NORMAL
    assert normal_number(text) is None


def test_a_foreign_number_without_a_plus_keeps_its_country_code() -> None:
    assert normal_number("442071234567", "US") == "+442071234567"
    assert normal_number("020 7123 4567", "GB") == "+442071234567"
    assert normal_number("442071234567", "GB") == "+442071234567"


def test_a_trunk_zero_is_no_part_of_the_number() -> None:
    assert normal_number("+44 (0)20 7123 4567") == normal_number("+4402071234567")
    assert normal_number("+390612345678") == "+390612345678", "Italy's zero is part of the number"


@pytest.mark.parametrize(
    "text",
    ["", "+", "anonymous", "Restricted", "+1312555010", "+131255501011", "+15550101", "911",
     "+310000000",
     "sip:200@pbx.example", "sip:ada@pbx.example", "+13125550101,200", "+1312555\n0101",
     "+1312555\u06600101", "+1312555010x"],
)  # fmt: skip
def test_a_text_that_is_no_possible_number_has_no_normal_form(text: str) -> None:
    assert normal_number(text, "US") is None
    assert normal_or_same(text, "US") == text
    assert normal_or_same(None, "US") is None


def test_the_number_that_a_destination_rings() -> None:
    assert number_rung(f"{NORMAL},200", "US") == NORMAL
    assert number_rung("sip:13125550101@pbx.example", "US") == NORMAL
    assert number_rung("sip:200@pbx.example", "US") is None


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_national_and_international_spelling_have_the_same_normal_form(region: str) -> None:
    number = phonenumbers.example_number(region)
    assert number is not None
    normal = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    for kind in (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966):
        assert normal_number(phonenumbers.format_number(number, kind)) == normal
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    assert normal_number(national, region) == normal


@given(text=st.text(max_size=40), country=st.sampled_from([None, "US", "GB", "DE"]))
def test_the_normal_form_of_any_text_is_its_own_normal_form(text: str, country: str | None) -> None:
    normal = normal_number(text, country)
    assert normal is None or normal_number(normal) == normal


# Names


def test_a_name_is_the_same_key_in_every_spelling() -> None:
    composed = unicodedata.normalize("NFC", "José Strauß")
    decomposed = unicodedata.normalize("NFD", "JOSÉ  STRAUSS ")
    assert normalized_name(composed) == normalized_name(decomposed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dana-Lee", "Dana\u2011Lee"),
        ("Dana-Lee", "dana \u2013lee".replace(" ", "")),
        ("O'Brien", "O\u2019Brien"),
        ("Dana", "\uff24\uff41\uff4e\uff41"),
        ("Dana Lee", "Dana\u00a0Lee"),
    ],
)
def test_typography_makes_no_other_key_of_a_name(one: str, other: str) -> None:
    assert normalized_name(one) == normalized_name(other)


@pytest.mark.parametrize("character", ["\u3164", "\u2800", "\ufe00", "\U000e0100"])
def test_a_filler_or_variation_selector_in_a_name_is_hidden(character: str) -> None:
    assert has_hidden_characters(f"Dana{character}Boss")


@pytest.mark.parametrize("mark", ["\u275e", "\u203a", "\u02ba", "\u2057", "\U0001f676"])
def test_no_mark_that_looks_like_a_quotation_mark_stays_in_a_quoted_name(mark: str) -> None:
    assert mark not in quoted(f"Bob{mark} has left.")


@pytest.mark.parametrize(
    "to",
    [f"sip:{user}@gw.example"
     for user in ("+1_312_555_0111", "13125550111+", "+1900555010~0", "19005550100x")],
)  # fmt: skip
def test_a_sip_user_with_many_digits_is_a_number_or_impossible(to: str) -> None:
    assert number_rung(to, "US") is not None or is_impossible_sip_number(to, "US")


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\x7f", "\u202e", "\u2066", "\u200b",
                                       "\u2028", "\u2029", "\u200e", "\ufeff"])  # fmt: skip
def test_a_control_or_bidi_character_in_a_name_is_hidden(character: str) -> None:
    assert has_hidden_characters(f"Dana{character}Boss")


@pytest.mark.parametrize(
    "name", ["Dana", "Zoë \U0001f469\u200d\U0001f4bb", "O'Neil, Jr.", "株式会社"]
)
def test_a_name_of_people_has_no_hidden_character(name: str) -> None:
    assert not has_hidden_characters(name)


@given(name=st.text())
def test_a_name_cannot_end_its_own_quotation(name: str) -> None:
    said = quoted(name)
    assert (said[0], said[-1]) == ("\u201c", "\u201d")
    assert not set(said[1:-1]) & set('"\u201c\u201d\u201e\u201f\u00ab\u00bb')


def test_a_plain_north_american_number_needs_no_table() -> None:
    """A caller hears silence while a function imports the tables."""
    program = (
        "import sys\n"
        "from partyline.domain.masking import mask_text\n"
        "from partyline.domain.numbers import normal_or_same\n"
        "assert normal_or_same('+13125550101', 'US') == '+13125550101'\n"
        "assert normal_or_same('anonymous', 'US') == 'anonymous'\n"
        "assert mask_text('+1 312 555 0101') == '***0101'\n"
        "print('phonenumbers' in sys.modules)"
    )
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own program
        [sys.executable, "-c", program], cwd=LAYER, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"
