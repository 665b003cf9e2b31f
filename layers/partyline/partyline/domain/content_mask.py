"""The mask of content: what people said, and what Telnyx and the assistant made of the words.

Content is masked before the engine decides, so that the conversation, the records of steps, the
events and the logs hold masked content only. The mask hides

- phone numbers and SIP addresses, as `domain.masking` does, also in digits that are spoken as
  English words, such as `three one two, double five five`,
- card numbers: 13 to 19 digits with a valid check digit, and the digits that follow the card
  number, which may be the security code,
- mail addresses, also spoken as `ada at example dot com`,
- what the operator's own patterns find.

At most the last four digits of a number are shown. UUIDs, dates and times stay. Each search is
linear in the length of the text; the operator's patterns run in RE2, whose searches are linear too.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from unicodedata import digit

from partyline.domain.masking import (
    DIGIT,
    ID_DATE_OR_NUMBER,
    ID_OR_DATE,
    LEAST_DIGITS,
    MASK,
    masked,
    masked_digits,
)

MASKED_MAIL = f"{MASK}@{MASK}"

LEAST_CARD_DIGITS, MOST_CARD_DIGITS = 13, 19
"""How many digits a card number has (ISO/IEC 7812-1: at most 19; cards in use have 13 or more)."""

_LEAST_MASKED_NUMBER = 10 ** (LEAST_DIGITS - 1)

_AT = r"[@\uff20\ufe6b]"
_LOCAL = r"[^\s@\uff20\ufe6b<>()\[\],;:\"\\]"
_QUOTED = r"\"[^\"\n]{1,64}\""
_LITERAL = r"\[[^\]\s@\uff20\ufe6b]{1,64}\]"
# An address reaches from the beginning of a word to its last letter or digit, however many at
# signs the word has. So a second masking finds nothing, and the search is linear.
_MAIL = re.compile(
    # A user of a SIP address may have a password after a colon.
    rf"(?:\bsips?:[^\s@,;:]+(?::[^\s@,;:]*)?|(?<!{_LOCAL})(?<!{_AT}){_AT}*(?:{_LOCAL}|{_QUOTED})+)"
    rf"{_AT}(?:{_LOCAL}|{_AT}|{_QUOTED}|{_LITERAL})*(?:\w|{_LITERAL})",
    re.IGNORECASE,
)
_WORD = r"[\w+-]+"
_SPOKEN_MAIL = re.compile(
    rf"(?<![\w+-]){_WORD}(?:[\s(\[]{{1,3}}(?:dot|underscore|dash|hyphen|plus)[\s)\]]{{1,3}}{_WORD}){{0,6}}"
    rf"[\s(\[]{{1,3}}at[\s)\]]{{1,3}}{_WORD}(?:[\s(\[]{{1,3}}dot[\s)\]]{{1,3}}{_WORD}){{1,6}}",
    re.IGNORECASE,
)
_DIGIT_WORDS = {
    word: str(digit)
    for digit, words in enumerate(
        ("zero oh o nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
    for word in words.split()
}
_TIMES = {"double": 2, "triple": 3}
_LEAST_WORDS = 2  # a date beside a single digit word is no number
_DIGIT_WORD = rf"\b(?:{'|'.join(_DIGIT_WORDS)})\b"
_SPOKEN_DIGIT = rf"(?:{DIGIT}|(?:\b(?:{'|'.join(_TIMES)})[\s-]{{1,3}})?{_DIGIT_WORD})"
_BETWEEN = r"(?:(?!\*\*\*)[\W_]){0,5}(?:\b(?:dash|dot|hyphen|point|space|uh|um)\b[\W_]{1,5})?"
_SPOKEN_NUMBER = re.compile(
    rf"{ID_OR_DATE}|{_SPOKEN_DIGIT}(?:{_BETWEEN}{_SPOKEN_DIGIT}){{2,}}", re.IGNORECASE
)
_TOKEN = re.compile(rf"{DIGIT}|[a-z]+", re.IGNORECASE)


class Pattern(Protocol):
    """A compiled pattern of the operator."""

    def sub(self, repl: str, text: str) -> str:
        """Return the text with each match replaced."""


class ContentMask:
    """Masks texts and JSON values."""

    def __init__(self, patterns: Sequence[Pattern] = ()) -> None:
        self._patterns = patterns

    def text(self, text: str) -> str:
        """Mask a text."""
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        for seed, search, replacement in _SEARCHES:
            if seed.search(text):
                text = search.sub(replacement, text)
        return text

    def json(self, value: Any) -> Any:
        """Mask the texts, names and whole numbers of a JSON value; a masked number is a text.

        A text that is a JSON object or list stays JSON.
        """
        if isinstance(value, str):
            return self._json_text(value)
        if isinstance(value, Mapping):
            return {self.text(name): self.json(item) for name, item in value.items()}
        if isinstance(value, Sequence):
            return [self.json(item) for item in value]
        is_whole = isinstance(value, int | float) and value == value // 1
        return self._number(value) if is_whole and abs(value) >= _LEAST_MASKED_NUMBER else value

    def _number(self, value: float) -> Any:
        text = str(int(value))
        hidden = self.text(text)
        return value if hidden == text else hidden

    def _json_text(self, text: str) -> str:
        if text.lstrip()[:1] in ("{", "["):
            try:
                value = json.loads(text)
                hidden = self.json(value)
            except (ValueError, RecursionError):
                return self.text(text)
            return text if hidden == value else json.dumps(hidden, ensure_ascii=False)
        return self.text(text)


def is_card_number(digits: str) -> bool:
    """Whether digits have a card number's length and check digit (ISO/IEC 7812-1, annex B)."""
    if not LEAST_CARD_DIGITS <= len(digits) <= MOST_CARD_DIGITS:
        return False
    numbers = [digit(sign) for sign in reversed(digits)]
    doubled = sum(sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return (sum(numbers[::2]) + doubled) % 10 == 0


def _masked_number(found: re.Match[str]) -> str:
    if found["uuid"] or found["date"]:
        return found[0]
    # Digits directly after a comma are sent after the answer. A space begins a list.
    number, _, rest = found[0].partition(",")
    is_list = rest[:1].isspace()
    digits, more = _digits(number), _digits(rest) if is_list else ""
    card = _card(digits + more)
    is_numbers = min(len(digits), len(more)) >= LEAST_DIGITS and card != digits + more
    return _masked_card(digits + more, card) if card and not is_numbers else masked_digits(found)


def _card(digits: str) -> str:
    """Return the card number that digits begin with, or an empty text."""
    lengths = range(MOST_CARD_DIGITS, LEAST_CARD_DIGITS - 1, -1)
    return next((digits[:n] for n in lengths if is_card_number(digits[:n])), "")


def _masked_card(digits: str, card: str) -> str:
    return str(masked(card)) if card == digits else f"{masked(card)} {MASK}"


def _masked_spoken(found: re.Match[str]) -> str:
    tokens = _TOKEN.findall(found[0].lower())
    words = sum(token in _DIGIT_WORDS for token in tokens)
    digits = "".join(_spoken_digits(tokens))
    if found["uuid"] or found["date"] or words < _LEAST_WORDS or len(digits) < LEAST_DIGITS:
        return found[0]
    card = _card(digits)
    return _masked_card(digits, card) if card else str(masked(digits))


def _spoken_digits(tokens: Iterable[str]) -> Iterator[str]:
    times = 1
    for token in tokens:
        if token in _TIMES:
            times = _TIMES[token]
        elif token in _DIGIT_WORDS or not token.isalpha():
            yield _DIGIT_WORDS.get(token, token) * times
            times = 1


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


_SEARCHES: tuple[tuple[re.Pattern[str], re.Pattern[str], Any], ...] = (
    (re.compile(_AT), _MAIL, MASKED_MAIL),
    (re.compile(r"\bdot\b", re.IGNORECASE), _SPOKEN_MAIL, MASKED_MAIL),
    (
        re.compile(rf"{_DIGIT_WORD}[\W_]{{1,5}}{_SPOKEN_DIGIT}", re.IGNORECASE),
        _SPOKEN_NUMBER,
        _masked_spoken,
    ),
    (re.compile(DIGIT), ID_DATE_OR_NUMBER, _masked_number),
)
"""The searches in their order, each with a faster search for a sign that the text needs one."""
