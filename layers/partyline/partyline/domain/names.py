"""Names of people and contacts: as a key, checked for hidden characters, quoted for the model."""

import re
import unicodedata

JOINERS = "\u200c\u200d"  # part of Persian and Indic spelling and of emoji

QUOTATION_MARKS = re.compile(
    '["\u00ab\u00bb\u02ba\u02ee\u05f4\u201c-\u201f\u2033\u2034\u2036\u2037\u2039\u203a\u2057'
    "\u275b-\u2760\u2e42\u300c-\u300f\u301d-\u301f\uff02\U0001f676-\U0001f678]"
)

_INVISIBLE = re.compile("[\u115f\u1160\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]")
"""Fillers and variation selectors: signs that show nothing, and may hide a text. U+FE0E and U+FE0F
are part of emoji."""

APOSTROPHES = re.compile("[`\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u201b\u2032\ua78b\ua78c]")

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
