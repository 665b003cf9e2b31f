"""Planted card numbers, phone numbers and mail addresses, as people write or say them."""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from unicodedata import digit

import phonenumbers
from phonenumbers import PhoneNumberFormat

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
BRANDS = (
    ("4", 16),
    ("5425", 16),
    ("2221", 16),
    ("37", 15),
    ("6011", 16),
    ("36", 14),
    ("4", 13),
    ("6759", 19),
)
"""Beginnings and lengths of card numbers: Visa, Mastercard, Amex, Discover, Diners, Maestro."""
GROUPS = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4), 13: (4, 3, 3, 3), 19: (4, 4, 4, 4, 3)}
SIGNS = ("", " ", "-", ".", "\u00a0", "\u2011", " - ", ", ", "/", "\u00b7")
SCRIPTS = (0x30, 0x30, 0x30, 0x660, 0x966, 0xFF10)
"""The zeros of Latin (most often), Arabic, Devanagari and fullwidth digits."""
FORMATS = (
    PhoneNumberFormat.E164,
    PhoneNumberFormat.INTERNATIONAL,
    PhoneNumberFormat.NATIONAL,
    PhoneNumberFormat.RFC3966,
)
DOMAINS = (
    "example.com",
    "mail.example.co.uk",
    "b\u00fccher.example",
    "example.museum",
    "[192.0.2.7]",
)


@dataclass(frozen=True)
class Planted:
    """A planted value: its text, and what must be found nowhere: the digits, or the user's name."""

    text: str
    secret: str


def plain(text: str) -> str:
    """Return a text with all digits and digit words as plain digits, and no other sign between."""
    text = re.sub(rf"\b(?:{'|'.join(WORDS)})\b", lambda word: str(WORDS.index(word[0])), text)
    return "".join(str(digit(sign)) for sign in text if sign.isdigit())


def left_in(texts: str | Iterable[str], values: Iterable[Planted]) -> list[Planted]:
    """Return the values that texts still have, in any form."""
    texts = [texts] if isinstance(texts, str) else list(texts)
    digits, words = "|".join(map(plain, texts)), "|".join(texts)
    return [v for v in values if v.secret in (digits if v.secret.isdigit() else words)]


def planted(count: int, seed: int = 1) -> list[Planted]:
    """Return values of each kind in turn, the same for the same seed."""
    chance = random.Random(seed)
    kinds = (_card, _spoken_card, _phone, _spoken_phone, _card, _phone, _mail, _spoken_mail)
    return [kinds[nth % len(kinds)](chance) for nth in range(count)]


def card_number(chance: random.Random) -> str:
    """Return a card number with a valid check digit."""
    start, length = chance.choice(BRANDS)
    body = start + "".join(str(chance.randrange(10)) for _ in range(length - len(start) - 1))
    doubled = [int(d) * (2 if nth % 2 == 0 else 1) for nth, d in enumerate(reversed(body))]
    return body + str(-sum(n - 9 if n > 9 else n for n in doubled) % 10)


def _card(chance: random.Random) -> Planted:
    number = card_number(chance)
    sign = chance.choice(SIGNS)
    sizes = chance.choice((GROUPS[len(number)], (1,) * len(number)))
    return Planted(_in_script(sign.join(_grouped(number, sizes)), chance), number)


def _phone(chance: random.Random) -> Planted:
    while True:
        number = phonenumbers.example_number(chance.choice(sorted(phonenumbers.SUPPORTED_REGIONS)))
        text = phonenumbers.format_number(number, chance.choice(FORMATS)) if number else ""
        digits = "".join(filter(str.isdigit, text))
        if len(digits) >= 10:  # fewer digits are found in ids by chance
            return Planted(_in_script(text, chance), digits)


def _spoken_card(chance: random.Random) -> Planted:
    number = card_number(chance)
    return Planted(_said(number, chance), number)


def _spoken_phone(chance: random.Random) -> Planted:
    number = "646555" + "".join(str(chance.randrange(10)) for _ in range(4))
    return Planted(_said(number, chance), number)


def _said(number: str, chance: random.Random) -> str:
    groups = _grouped(number, (3, 3, *(4,) * 4))
    return chance.choice((", ", " ", " dash ")).join(
        " ".join(WORDS[int(d)] for d in group) for group in groups
    )


def _mail(chance: random.Random) -> Planted:
    user = chance.choice(("ada", "jos\u00e9", "x.y", "o\u2019neil")) + _letters(chance)
    written = chance.choice(
        (user, f"{user}+shop", f'"{user} l"', f"{user}.{chance.randrange(10**9)}")
    )
    return Planted(f"{written}@{chance.choice(DOMAINS)}", user)


def _spoken_mail(chance: random.Random) -> Planted:
    user = f"ada {_letters(chance)}"
    return Planted(f"{user.replace(' ', ' dot ')} at example dot com", user.split()[1])


def _letters(chance: random.Random) -> str:
    return "".join(chance.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))


def _in_script(text: str, chance: random.Random) -> str:
    zero = chance.choice(SCRIPTS)
    return "".join(chr(zero + int(c)) if c.isascii() and c.isdigit() else c for c in text)


def _grouped(number: str, sizes: tuple[int, ...]) -> Iterator[str]:
    for size in sizes:
        if number:
            yield number[:size]
        number = number[size:]
