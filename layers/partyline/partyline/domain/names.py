"""Names of people and contacts: as a key, checked for hidden characters, quoted for the model."""

import re
import unicodedata

JOINERS = "\u200c\u200d"  # part of Persian and Indic spelling and of emoji

APOSTROPHES = re.compile("[`\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u201b\u2032\ua78b\ua78c]")

_QUOTES = (
    '"\u00ab\u00bb\u02ba\u02dd\u02ee\u05f4\u201c-\u201f\u2033\u2034\u2036\u2037\u2039\u203a\u2057'
    "\u275b-\u2760\u276e\u276f\u2e42\u300c-\u300f\u301d-\u301f\ufe41-\ufe44\uff02\uff62\uff63"
    "\U0001f676-\U0001f678"
)
QUOTATION_MARKS = re.compile(
    f"[{_QUOTES}{APOSTROPHES.pattern[1:-1]}'\u201a\u05f3]{{2,}}|[{_QUOTES}]"
)
"""A quotation mark, or several marks and apostrophes together, which look like a quotation mark."""

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)
"""Fillers, variation selectors and unassigned signs, which show nothing and may hide a text
(Unicode: Default_Ignorable_Code_Point). U+FE0E and U+FE0F are part of emoji."""

_PLAIN = {"Pd": "-", "Cf": ""}
_PLAIN_SIGNS = {"\u2212": "-", "\u2043": "-", "\ufe0e": "", "\ufe0f": "", "\u0131": "i"}
"""In a key of a name: every dash is a hyphen, signs that show nothing are left out, and the i of
Turkish without its dot is an i."""

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def normalized_name(name: str) -> str:
    """The name of a contact as a key among contacts: without case, extra space and typography."""
    apostrophes = APOSTROPHES.sub("'", name)  # NFKC would make a space and an accent of some
    folded = unicodedata.normalize("NFKC", apostrophes).casefold().replace("i\u0307", "i")
    plain = "".join(
        _PLAIN_SIGNS.get(char, _PLAIN.get(unicodedata.category(char), char)) for char in folded
    )
    plain = APOSTROPHES.sub("'", plain)
    return " ".join(unicodedata.normalize("NFC", plain).split())


def has_hidden_characters(name: str) -> bool:
    """Whether a name has control, line-break, bidirectional or other invisible characters.

    Such characters can make a name look like another text, or like the end of the message.
    """
    return _INVISIBLE.search(name) is not None or any(
        char not in JOINERS and unicodedata.category(char) in _HIDDEN_CATEGORIES for char in name
    )


def plain_text(text: str) -> str:
    """Return a text in a single line, without hidden characters and without braces.

    Two braces are a variable of Telnyx's templates, so a value may not bring braces.
    """
    shown = "".join(" " if char in "{}" or has_hidden_characters(char) else char for char in text)
    return " ".join(shown.split())


def quoted(name: str) -> str:
    """Return a name in quotation marks: the model is to read the words as a name.

    Quotation marks within the name become apostrophes, so that no name ends its own quotation.
    """
    return "\u201c" + QUOTATION_MARKS.sub("'", name) + "\u201d"


def name_as_said(name: str) -> str:
    """The key of a name that the model read in our quotation marks, with the marks or without.

    The sign that ends the model's own sentence counts no more than the marks.
    """
    return normalized_name(QUOTATION_MARKS.sub("'", name).strip(" '.,!?"))
