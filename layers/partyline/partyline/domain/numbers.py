"""Phone numbers: one normal form for every spelling, and the country and the kind of a number.

The tables are those of `phonenumbers`. Each function imports the library at its first need: the
import takes about 0.1 s, and a caller hears silence while a webhook function starts.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Literal
from urllib.parse import unquote

SIP_ADDRESS = re.compile(r"sips?:([A-Za-z0-9_.~+-]{1,64})@([a-z0-9.-]{1,253})", re.ASCII)
"""A SIP address in Telnyx's form, without parameters: user, and domain in lower case."""

NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{2}[2-9][0-9]{6}", re.ASCII)
"""The normal form of a North American number, which needs no table to be recognized."""

MAX_SEPARATED_CHARS = 64

SpecialKind = Literal["premium", "shared_cost", "personal", "unknown"]

NORTH_AMERICAN_KINDS: dict[str, SpecialKind] = {
    "900": "premium",
    "976": "premium",
    "500": "personal",
    "700": "personal",
}
"""Area codes without a place (NANPA, non-geographic services). The tables lack 700 and 976."""

EMERGENCY_NUMBERS = frozenset({"000", "112", "911", "999"})
"""Emergency numbers that networks of many countries take, whatever the country's own number is."""

_IN_BRACKETS = re.compile(r"[^<>]*<([^<>]*)>[^<>]*")
"""SIP's form of an address with a name: `"Dana" <sip:+13125550101@host>` (RFC 3261, 20.10)."""

_SCHEME = re.compile(r"^(sips?|tel):", re.IGNORECASE)
_DIGITS = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
_SEPARATOR_CATEGORIES = frozenset({"Pd", "Zs", "Cf"})  # dashes, spaces, invisible format characters
_SEPARATORS = frozenset("()./_~\t\u2212\u00b7\u2022\u2027\u2043\u30fb")
"""U+2212 is a minus sign; the signs behind it are middle dots and bullets."""

_LONGEST_EXTENSION = 6
_SERVICE_CODE_DIGITS = 3


def normal_number(text: str, country: str | None = None) -> str | None:
    """Return the E.164 form of a number in any usual spelling; None for any other text.

    Dashes, spaces, parentheses and a trunk zero are removed: `+44 (0)20-7946 0123` becomes
    `+442079460123`. Digits of every script count. `tel:`, `sip:`, a name before an address in
    angle brackets, and the part after `@` or `;` are skipped.

    Args:
        text: The spelling.
        country: The country (ISO 3166, such as `US`) of a number without a plus; `None` accepts no
            number without a plus. A number of that country comes before the same digits with a
            country code in front.

    Returns:
        The number with a plus, or `None`, also for a number with too many or too few digits.
    """
    if NORTH_AMERICAN.fullmatch(text):
        return text
    digits = _digits(text)
    if digits is None:
        return None
    if digits.startswith("+"):
        return _parsed(digits, None, valid=False)
    if country is None:
        return None
    international = f"+{digits.removeprefix('00')}"
    readings = [(digits, country), (international, None)]
    valid = [_parsed(*reading, valid=True) for reading in readings]
    possible = [_parsed(*reading, valid=False) for reading in readings]
    return next(filter(None, [*valid, *possible]), None)


def normal_or_same(text: str | None, country: str | None) -> str | None:
    """Return the normal form of a number, and any other text (a SIP name, `anonymous`) as it is."""
    return text and (normal_number(text, country) or text)


def number_rung(to: str, country: str | None) -> str | None:
    """Return the number that a destination rings: without digits to send, or a SIP address's user.

    `country` is the country of a SIP user without a plus. `None` for a SIP address with a name or
    an extension, and for a text that is no number.
    """
    return normal_number(to, country) if SIP_ADDRESS.fullmatch(to) else normal_number(_bare(to))


def is_impossible_sip_number(to: str, country: str | None) -> bool:
    """Whether the user of a SIP address has the form of a phone number that cannot exist."""
    address = SIP_ADDRESS.fullmatch(to)
    user = address[1] if address else ""
    looks_dialled = sum(map(str.isdigit, user)) > _LONGEST_EXTENSION and not user[0].isalpha()
    return looks_dialled and normal_number(to, country) is None


def is_short_code(to: str, countries: Collection[str]) -> bool:
    """Whether the user of a SIP address is an emergency number or a service code of a country.

    A gateway may dial the digit of an outside line (0, 8 or 9), so `9911` is `911`. A country code
    in front is skipped too, and any digits after a 0 in front of an emergency number: `001911`. A
    service code has three digits, such as `411`; longer codes are for text messages and could be
    an extension.

    Args:
        to: The SIP address. Any other destination has no short code.
        countries: The countries (ISO 3166) whose codes count; `*` stands for the emergency numbers
            of all countries.
    """
    address = SIP_ADDRESS.fullmatch(to)
    digits = "".join(filter(str.isalnum, address[1])) if address else ""
    if not digits.isdigit() or len(digits) > _LONGEST_EXTENSION:
        return False
    import phonenumbers
    from phonenumbers import shortnumberinfo

    known = phonenumbers.SUPPORTED_REGIONS
    for country in known if "*" in countries else known & set(countries):
        calling_code = phonenumbers.country_code_for_region(country)
        for prefix in ("", "0", "00", "8", "9", str(calling_code)):
            code = digits.removeprefix(prefix)
            if shortnumberinfo.is_emergency_number(code, country):
                return True
            if len(code) == _SERVICE_CODE_DIGITS and country in countries:
                number = phonenumbers.PhoneNumber(calling_code, int(code))
                if shortnumberinfo.is_valid_short_number_for_region(number, country):
                    return True
    after_zero = digits[-_SERVICE_CODE_DIGITS:] if digits.startswith("0") else ""
    return not EMERGENCY_NUMBERS.isdisjoint((digits, digits[1:], digits[2:], after_zero))


def country_of(number: str) -> str | None:
    """Return the country of a number in E.164, such as `US`; `001` for a number of no country.

    Countries that share a country code are told apart by the area code. `None`: the tables do not
    know the area code, or a special kind of number has no area.
    """
    import phonenumbers

    return phonenumbers.region_code_for_number(phonenumbers.parse(number))


def special_kind(number: str) -> SpecialKind | None:
    """Return why a number in E.164 is not an ordinary number; `None` for an ordinary number.

    `unknown` means that the tables know no such range. The North American exchange 976 is premium
    in every area code.
    """
    import phonenumbers
    from phonenumbers import PhoneNumberType

    if NORTH_AMERICAN.fullmatch(number):
        kind = NORTH_AMERICAN_KINDS.get(number[2:5])
        if kind or number[5:8] == "976":
            return kind or "premium"
    kinds: dict[int, SpecialKind] = {
        PhoneNumberType.PREMIUM_RATE: "premium",
        PhoneNumberType.SHARED_COST: "shared_cost",
        PhoneNumberType.PERSONAL_NUMBER: "personal",
        PhoneNumberType.UNKNOWN: "unknown",
    }
    return kinds.get(phonenumbers.number_type(phonenumbers.parse(number)))


def is_toll_free(number: str) -> bool:
    """Whether a number in E.164 is toll-free."""
    import phonenumbers

    parsed = phonenumbers.parse(number)
    return phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.TOLL_FREE


def country_code(number: str) -> str:
    """Return the country code of a number in E.164 with its plus, such as `+44`."""
    import phonenumbers

    return f"+{phonenumbers.parse(number).country_code}"


def number_parts(number: str) -> tuple[str, str]:
    """Return the country code of a number in E.164, and the national number, in digits."""
    import phonenumbers

    parsed = phonenumbers.parse(number)
    return str(parsed.country_code), phonenumbers.national_significant_number(parsed)


def time_zones(number: str) -> list[str]:
    """Return the time zones in which a number in E.164 may be.

    The zones of an area code that the tables do not know are those of its country code. UTC stands
    for a number without a place, such as a satellite phone's.
    """
    import phonenumbers
    from phonenumbers import timezone

    parsed = phonenumbers.parse(number)
    whole_country = phonenumbers.PhoneNumber(country_code=parsed.country_code, national_number=0)
    for zones in (
        timezone.time_zones_for_number(parsed),
        timezone.time_zones_for_geographical_number(parsed),  # a range that the tables do not know
        timezone.time_zones_for_geographical_number(whole_country),
    ):
        if timezone.UNKNOWN_TIMEZONE not in zones:
            return list(zones)
    return ["UTC"]


def _bare(to: str) -> str:
    return to.partition(",")[0]


def _digits(text: str) -> str | None:
    """Return the digits of a spelling, with the plus if any; None for a text with other signs."""
    bracketed = _IN_BRACKETS.fullmatch(text)
    address = (bracketed[1] if bracketed else text).strip(" \t")
    if len(address) > MAX_SEPARATED_CHARS and "@" not in address:
        return None
    user = _SCHEME.sub("", address).partition("@")[0].partition(";")[0]
    digits = "".join(map(_plain_sign, unquote(user)))
    return digits if _DIGITS.fullmatch(digits) else None


def _plain_sign(sign: str) -> str:
    """Return a digit or a plus of any script or width in ASCII, and nothing for a separator.

    A superscript or a digit in a circle (category No) may be a footnote, and stays as it is.
    """
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    plain = sign if category == "No" else unicodedata.normalize("NFKC", sign)
    separates = category in _SEPARATOR_CATEGORIES or _SEPARATORS.issuperset(plain)
    return "" if separates else plain


def _parsed(digits: str, country: str | None, *, valid: bool) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:  # a number without its area code
        return None
    if valid and not phonenumbers.is_valid_number(number):
        return None
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # `+310000000`: without its trunk zero, this number would have another trunk zero.
    is_stable = phonenumbers.parse(normal) == number
    return normal if is_stable else None
