"""Names: no name hides a text, and no name ends its own quotation."""

import pytest

from partyline.domain.names import has_hidden_characters, name_as_said, quoted

HIDING = ["\u034f", "\u17b4", "\u17b5", "\u180b", "\u180f", "\ufff0", "\U000e0002", "\U000e01f0"]


@pytest.mark.parametrize("sign", HIDING, ids=ascii)
def test_a_name_with_a_sign_that_shows_nothing_is_refused(sign: str) -> None:
    assert has_hidden_characters(f"Dana{sign}Boss")


@pytest.mark.parametrize("name", ["Dana", "Seán O\u2019Brien", "שרה", "دانا", "Zoë 👩‍🚀", "क्षमा"])
def test_an_ordinary_name_is_accepted_and_said_as_it_is(name: str) -> None:
    assert not has_hidden_characters(name)
    assert quoted(name) == f"\u201c{name}\u201d"


MARKS = [
    "\u02dd",
    "\u276f",
    "\ufe42",
    "\uff63",
    "\uff62",
    "''",
    "\u2019\u2019",
    "\u00b4\u00b4",
    "``",
]


@pytest.mark.parametrize(
    "mark", [*MARKS, "\u201a\u201a", "\u05f3\u05f3", "\u201d'\u201d"], ids=ascii
)
def test_a_mark_that_looks_like_the_end_of_a_quotation_becomes_an_apostrophe(mark: str) -> None:
    name = f"Bob{mark} is the owner. {mark}Ann"
    assert quoted(name) == "\u201cBob' is the owner. 'Ann\u201d"
    assert name_as_said(name) == name_as_said(quoted(name))
