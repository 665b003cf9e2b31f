"""The mask of content: card numbers, phone numbers, mail addresses, and the operator's patterns."""

import json
import re
import timeit
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from partyline.domain.content_mask import ContentMask, is_card_number
from partyline.services.content import PatternError, compile_patterns
from tests.support.planted import left_in, planted

MASK = ContentMask()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Card 4111 1111 1111 1111, please.", "Card ***1111, please."),
        ("4111, 1111, 1111, 1111", "***1111"),
        ("4111111111111111, 3125550187", "***1111, ***0187"),
        ("41111111, 11111111", "***1111"),
        ("4111111111111111 12/27 123", "***1111 ***"),
        ("four one one one" + " one one one one" * 3, "***1111"),
        ("four one one one" + " one one one one" * 3 + " nine nine nine", "***1111 ***"),
        ("Ring +1 (312) 555-0187 or 312 555 0188.", "Ring ***0187 or ***0188."),
        ("312 555 0187, 312 555 0188", "***0187, ***0188"),
        ("+13125550187,4711", "***0187"),
        ("three one two, double five five oh one eight seven", "***0187"),
        ("Three one two 555 - 0187", "***0187"),
        ("555 0187, 555 0188", "***0187, ***0188"),
        ("five five five oh one eight seven", "***0187"),
        ("five five 5 0 1 8 7", "***0187"),
        ("Mail ada@example.com.", "Mail ***@***."),
        ("(ada.l+shop@mail.example.co.uk)", "(***@***)"),
        ("ada dot l at example dot com, please", "***@***, please"),
        ("ada (at) example (dot) com", "***@***"),
        ("ada at example DOT com", "***@***"),
        ("sip:alice:secret@corp.example:5060", "***@***:5060"),
        ('"john smith"@example.com', "***@***"),
    ],
)
def test_personal_data_in_a_text_is_masked(text: str, expected: str) -> None:
    assert MASK.text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Room 4711 at 10:30, order 123456, two or three people at noon, one by one.",
        "On 2026-11-28, one person; run 2026-11-28T19:30:51.123456Z",
        "6f1c3d0e-5555-4b0e-9b1c-012345678910",
        "12345678-1234-1234-1234-123456789012",
        "Meet @ noon, look at this dot.",
        "Number double five one two three",
        "***0187, ***@***, ***1111 ***",
    ],
)
def test_a_text_without_personal_data_stays(text: str) -> None:
    assert MASK.text(text) == text
    assert MASK.json({"text": text}) == {"text": text}


def test_none_of_two_thousand_planted_values_is_left_in_a_text() -> None:
    values = planted(2000)
    assert [v for v in values if not left_in(v.text, [v])] == [], "the search finds each value"
    assert [v for v in values if left_in(MASK.text(f"It is {v.text}, thanks."), [v])] == []


def test_a_json_value_is_masked_with_its_names_and_whole_numbers() -> None:
    value = {
        "phone": 13125550187,
        "card": 4111111111111111.0,
        "score": 0.8571428571428571,
        "count": 12,
        "least": 1_000_000,
        "less": 999_999,
        "below": -13125550187,
        "sure": True,
        "none": None,
        "list": ["ada@example.com", {"3125550188": "x"}],
    }
    assert MASK.json(value) == {
        "phone": "***0187",
        "card": "***1111",
        "score": 0.8571428571428571,
        "count": 12,
        "least": "***0000",
        "less": 999_999,
        "below": "-***0187",
        "sure": True,
        "none": None,
        "list": ["***@***", {"***0188": "x"}],
    }


def test_a_text_that_is_json_stays_json() -> None:
    text = '{"phone": 13125550187, "score": 0.8571428571428571}'
    assert json.loads(MASK.json(text)) == {"phone": "***0187", "score": 0.8571428571428571}
    plain = '{"a":1,  "b": "\\u00e9"}'
    assert MASK.json(plain) == plain
    assert MASK.json(' {"phone": 13125550187}') == '{"phone": "***0187"}'
    assert MASK.json("[call 3125550187]") == "[call ***0187]"
    assert MASK.json("[" * 100_000 + "3125550187").endswith("[***0187"), "too deep for JSON"


@given(st.text(alphabet=st.sampled_from("0159 -,.@:+*[(ax\u0663one twdubl"), max_size=60))
@example("0@0.@0")
def test_a_masked_text_stays_when_masked_again(text: str) -> None:
    once = MASK.text(text)
    assert MASK.text(once) == once


@pytest.mark.parametrize(
    "part",
    [
        "sip:",
        "a@",
        "@.",
        '"',
        "one ",
        "a dot ",
        "a at a dot ",
        "4111 1111 ",
        "double ",
        "1,",
        "1 dot ",
    ],
)
def test_a_text_is_masked_in_a_time_proportional_to_its_length(part: str) -> None:
    def secs(length: int) -> float:
        text = part * (length // len(part))
        return min(timeit.repeat(lambda: MASK.text(text), timer=process_time, number=1, repeat=5))

    assert secs(80_000) < 60 * max(secs(5_000), 0.002), "16 times the length"


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        ("4111111111111111", True),
        ("4111111111111112", False),
        ("378282246310005", True),
        ("4222222222222", True),
        ("6304000000000000000", True),
        ("411111111111", False),
        ("42" * 10, False),
    ],
)
def test_a_card_number_has_its_length_and_its_check_digit(digits: str, valid: bool) -> None:
    assert is_card_number(digits) is valid


def test_what_a_pattern_of_the_operator_finds_is_masked() -> None:
    mask = ContentMask(compile_patterns((r"(?i)\bKD-\d{6}\b", "Scully")))
    assert mask.text("Order kd-123456 of Dana Scully") == "Order *** of Dana ***"


def test_a_pattern_cannot_take_exponential_time() -> None:
    mask = ContentMask(compile_patterns(("(a+)+$", "(x|xx)+y")))
    text = ("a" * 50_000 + "b") + "x" * 50_000
    assert mask.text(text) == text


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{1001}", "(a{1000}){1000}", "a*"])
def test_a_pattern_that_cannot_be_used_is_refused_with_its_text(pattern: str) -> None:
    with pytest.raises(PatternError, match=re.escape(repr(pattern))):
        compile_patterns((pattern,))
