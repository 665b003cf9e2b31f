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

from partyline.domain.names import has_hidden_characters, name_as_said, normalized_name, quoted
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
        "\uff0b\uff11\uff13\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff10\uff11",  # fullwidth
        "+1\uff08312\uff09555\uff0e0101",  # with fullwidth signs
        "+\u0661\u0663\u0661\u0662\u0665\u0665\u0665\u0660\u0661\u0660\u0661",  # Arabic
        "+\u06f1\u06f3\u06f1\u06f2\u06f5\u06f5\u06f5\u06f0\u06f1\u06f0\u06f1",  # Persian
        "+\u0967\u0969\u0967\u0968\u096b\u096b\u096b\u0966\u0967\u0966\u0967",  # Devanagari
        "+1\t312\t555\t0101",
        " +13125550101\t",
        *(f"+1{dot}312{dot}555{dot}0101" for dot in "\u00b7\u2022\u2027\u2024\u30fb\uff65"),
        "<sip:+13125550101@sip.example>",
        "<sip:+13125550101@sip.example;user=phone>;tag=1",
        '"Dana" <sip:+13125550101@sip.example>',
        '"+44 20 7946 0123" <sip:+13125550101@sip.example>',
        f'"{"A long name " * 9}" <tel:+1-312-555-0101>',
        "Dana <+13125550101>",
        "sip:%2B13125550101@sip.example",
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
     "+1312555\u06600101", "+1312555010x", "+1312555010\u00b9", "+1312555010\u2460",
     "+13125550101\n", "\r\n+13125550101",
     "Dana <>", "<sip:ada@pbx.example>", "+13125550101>", "<<+13125550101>>", "+1312 sip:5550101"],
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
        ("Dana-Lee", "Dana\u2212Lee"),
        *(("O'Brien", f"O{mark}Brien") for mark in "`\u00b4\u02b9\u02bb\u02bc\u2032\ua78c\uff07"),
        ("Fiona", "\ufb01ona"),
        ("ipek", "\u0130pek"),
        ("I\u015f\u0131k", "\u0131\u015f\u0131k"),
        ("I\u015eIK", "\u0131\u015f\u0131k"),
        ("Dana \u2764", "Dana \u2764\ufe0f"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\U0001f4bb"),
        ("\uac00\ub098", "\u1100\u1161\u1102\u1161"),
        (
            "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
            "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3",
        ),
    ],
)
def test_typography_makes_no_other_key_of_a_name(one: str, other: str) -> None:
    assert normalized_name(one) == normalized_name(other)


@given(name=st.text(max_size=40))
def test_a_key_of_a_name_is_its_own_key(name: str) -> None:
    assert normalized_name(normalized_name(name)) == normalized_name(name)


@pytest.mark.parametrize(
    "said", ["Dana Lee.", "\u201cDana Lee\u201d!", "'dana lee'", "\u201cDana Lee.\u201d"]
)
def test_the_marks_and_the_end_of_a_sentence_are_no_part_of_a_said_name(said: str) -> None:
    assert name_as_said(said) == name_as_said("Dana Lee") == "dana lee"


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
