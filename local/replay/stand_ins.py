"""Stand-ins for numbers, names and texts: the same stand-in for the same value in a conversation.

`decide` compares numbers and names and shows the last four signs of a number. It repeats messages,
and looks at no other text. So a stand-in keeps what is compared:

| value | stand-in |
|---|---|
| number | a number of the same country and kind, in North America with its area code and 555 |
| the last four signs | the same for all numbers that end alike |
| SIP address | another user and another domain, each the same throughout |
| name | `Guest a`; names that count as the same name (`normalized_name`) differ by case only |
| text of a person, a message, an insight, metadata, settings | a text of the same length |
| pressed digits, digits after a number | other digits, except a single pressed digit |
| the deployment's own phrases, Telnyx's messages | the text, numbers and names masked |

Ids stay: each is derived, or made by Telnyx, and names no person.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic_core import to_json

from partyline.domain import numbers
from partyline.domain.masking import MASK, mask_text, masked
from partyline.domain.model.assistant import OUR_TOOLS
from partyline.domain.names import normalized_name, quoted
from partyline.domain.rules.insights import digest_of

Json = dict[str, Any]

BASE_URL = "https://partyline.example"
WITHHELD = frozenset({"anonymous", "private", "restricted", "unavailable", "unknown", "withheld"})
PLAIN_SETTINGS = frozenset({"id", "type", "model", "role", "method", "voice", "language"})
"""Settings of an assistant whose texts are words of Telnyx's API."""

_PLAIN_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)
_OUR_TOOL = re.compile(rf"/tools/(?:{'|'.join(OUR_TOOLS)})$")
_MASKED_NUMBER = re.compile(r"\*\*\*\d{1,4}")
_QUOTED = re.compile("\u201c[^\u201d]*\u201d")
_MIDDLES = ("00", *(f"{nth:02}" for nth in range(99, 0, -1)))


class StandIns:
    """The stand-ins of a conversation. The masking of its inputs makes them, in their order."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._endings: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        """By a masked number: the masked stand-in."""
        self._names: dict[str, str] = {}
        self._people: dict[str, list[str]] = {}
        """By the normal form of a name: its spellings."""
        self._said: dict[str, str] = {}
        """By a name, in quotation marks or not, as events show the name: the stand-in."""
        self._texts: dict[str, str] = {}
        self._contents: dict[str, str] = {}
        self._turns: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._digits: dict[str, str] = {}
        self._metadata: Json = {}

    # Inputs

    def input(self, recorded: Any) -> Any:
        """Return an input of a record with stand-ins."""
        if isinstance(recorded, list):
            return [self.input(item) for item in recorded]
        if not isinstance(recorded, dict):
            return recorded
        if recorded.get("type") == "Insight":
            return self._insight(recorded)
        return {name: self._field(name, value) for name, value in recorded.items()}

    def _field(self, name: str, value: Any) -> Any:
        by_name = _FIELDS.get(name)
        if isinstance(value, str) and by_name:
            return by_name(self, value)
        if name in ("to", "from_") and isinstance(value, list):
            return [self.number(number) for number in value]
        if name == "phrases":
            return {key: self.shown_text(phrase) for key, phrase in value.items()}
        if name == "assistant":
            return {key: self._setting(key, setting) for key, setting in value.items()}
        if name == "metadata":
            self._metadata = {"text": self._text(to_json(value).decode())} if value else value
            return self._metadata
        return self.input(value)

    def _insight(self, insight: Json) -> Json:
        result = insight.get("result")
        digest = digest_of(result)
        text = self._text(f"insight {digest}", len(to_json(result)))
        if insight.get("insight_id") is None:
            new, old = f"unnamed-{digest_of(text)[:12]}", f"unnamed-{digest[:12]}"
            self._ids[mask_text(old)] = mask_text(new)
        return insight | {"result": text}

    def _setting(self, name: str, value: Any) -> Any:
        if name == "dynamic_variables" and isinstance(value, dict):  # names and values of the user
            return {
                self._text(key): self._text(to_json(item).decode()) for key, item in value.items()
            }
        if isinstance(value, dict):
            return {key: self._setting(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._setting(name, item) for item in value]
        if not isinstance(value, str) or name in PLAIN_SETTINGS:
            return value
        if name == "url":
            tool = _OUR_TOOL.search(value)
            return BASE_URL + (tool[0] if tool else "/")
        return self._text(value)

    # Events and commands

    def event(self, event: Json) -> Json:
        """Return an event of the timeline, whose numbers are masked, with stand-ins."""
        return event | {"data": self._event_field("data", event["data"])}

    def _event_field(self, name: str, value: Any) -> Any:
        if name == "metadata":
            return self._metadata
        if isinstance(value, dict):
            return {key: self._event_field(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._event_field(name, item) for item in value]
        return self._event_text(name, value) if isinstance(value, str) else value

    def _event_text(self, name: str, text: str) -> str:
        stand_ins = _SHOWN_BY.get(name)
        if stand_ins:
            return stand_ins(self).get(text, text)
        if name == "text":
            return self._heard(text)
        return self.shown_text(text) if name in _TEXTS else text

    def command(self, command: Json) -> Json:
        """Return a claimed command with stand-ins in its messages."""
        messages = [
            message
            | {name: self.shown_text(message[name]) for name in _MESSAGE_TEXTS & message.keys()}
            for message in command.get("messages", [])
        ]
        return command | ({"messages": messages} if messages else {})

    # Values

    def shown_text(self, text: str) -> str:
        """Return a text of a person as its stand-in; in any other text, mask numbers and names."""
        text = mask_text(text)
        if text in self._contents:
            return self._contents[text]
        text = _MASKED_NUMBER.sub("***", text)
        return _QUOTED.sub(lambda found: self._said.get(found[0], found[0]), text)

    def name(self, name: str) -> str:
        """Return the stand-in of a name."""
        if name not in self._names:
            spellings = self._people.setdefault(normalized_name(name), [])
            spellings.append(name)
            nth = list(self._people).index(normalized_name(name))
            stand_in = _in_other_case(f"guest {_letters(nth)}", len(spellings))
            self._names[name] = stand_in
            self._said[mask_text(name)] = stand_in
            said = _MASKED_NUMBER.sub("***", mask_text(quoted(name)))
            self._said[said] = quoted(stand_in)
        return self._names[name]

    def number(self, number: str) -> str:
        """Return the stand-in of a number, a SIP address or a word such as `anonymous`."""
        if number not in self._numbers:
            bare, comma, digits = number.partition(",")
            if comma:
                stand_in = f"{self.number(bare)},{self._other_digits(digits)}"
            else:
                stand_in = self._new_number(bare)
            self._numbers[number] = stand_in
            self._shown[str(masked(number))] = str(masked(stand_in))
        return self._numbers[number]

    def _new_number(self, bare: str) -> str:
        address = numbers.SIP_ADDRESS.fullmatch(bare)
        if address:
            scheme = bare.partition(":")[0]
            user, domain = self._text(f"user {address[1]}"), self._text(f"domain {address[2]}")
            return f"{scheme}:{_word(user)}@{_word(domain)}.example"
        if bare.lower() in WITHHELD:
            return bare
        if not _PLAIN_NUMBER.fullmatch(bare):  # such as a SIP address with a port, or a name
            return _word(self._text(f"caller {bare}"))
        ending = self._ending(bare[-4:])
        candidates = [*_candidates(bare, ending), bare[:-4] + ending]
        taken = set(self._numbers.values())
        kind = _kind(bare)
        free = [number for number in candidates if number not in taken]
        return next((number for number in free if _kind(number) == kind), free[0])

    def _ending(self, ending: str) -> str:
        """Return the last four signs of the stand-in of a number that ends so."""
        return self._endings.setdefault(ending, f"{100 + len(self._endings):04}")

    def _content(self, text: str) -> str:
        stand_in = self._text(f"content {mask_text(text)}", len(text.encode())) if text else text
        return self._contents.setdefault(mask_text(text), stand_in)

    def _spoken(self, text: str) -> str:
        """Return a text of as many characters: a transcript cuts texts by their characters."""
        stand_in = self._text(f"spoken {mask_text(text)}", len(text)) if text else text
        return self._turns.setdefault(mask_text(text), stand_in)

    def _heard(self, text: str) -> str:
        """Return the stand-in of a text of a transcript, which may be cut."""
        shown = mask_text(text)
        known = self._turns.get(shown)
        wholes = (new for whole, new in self._turns.items() if whole.startswith(shown))
        return next(wholes, MASK)[: len(text)] if known is None else known

    def _text(self, text: str, size: int | None = None) -> str:
        """Return a text of about the same size that stands for a text, and for no other."""
        if not text:
            return text
        size = len(text.encode()) if size is None else size
        new = f"text {_letters(len(self._texts))} ".ljust(size, "x").rstrip()
        return self._texts.setdefault(text, new)

    def _other_digits(self, digits: str) -> str:
        if len(digits) < 2:
            return digits
        new = str(len(self._digits)).zfill(len(digits))
        return self._digits.setdefault(digits, new)


_MESSAGE_TEXTS = frozenset({"content", "shown"})
_TEXTS = frozenset({"content", "message", "reason", "hangup_cause", "sip_hangup_cause"})

_SHOWN_BY: dict[str, Callable[[StandIns], dict[str, str]]] = {
    **dict.fromkeys(("insight_ids", "insight_id"), lambda stand_ins: stand_ins._ids),
    **dict.fromkeys(("to", "caller", "route"), lambda stand_ins: stand_ins._shown),
    "name": lambda stand_ins: stand_ins._said,
}
"""The stand-ins of a field of an event, by what the event shows."""

_FIELDS: dict[str, Callable[[StandIns, str], str]] = {
    "to": StandIns.number,
    "from_": StandIns.number,
    "route": StandIns.number,
    "name": StandIns.name,
    "contact": StandIns.name,
    **dict.fromkeys(("content", "shown"), StandIns._content),
    **dict.fromkeys(("text", "arguments"), StandIns._spoken),
    **dict.fromkeys(("say", "brief"), StandIns._text),
    "audio_url": StandIns._text,
    "digits": StandIns._other_digits,
    "base_url": lambda _, __: BASE_URL,
    **dict.fromkeys(("message", "reason", "cause", "sip_cause"), StandIns.shown_text),
}
"""The stand-in of a field's text. Any other text is an id or a word of the API, and stays."""


def _candidates(number: str, ending: str) -> list[str]:
    if numbers.NORTH_AMERICAN.fullmatch(number):
        exchanges = [number[5:8]] if number[5:8] == "976" else map(str, range(555, 199, -1))
        return [f"{number[:5]}{exchange}{ending}" for exchange in exchanges]
    return [f"{number[:-6]}{middle}{ending}" for middle in _MIDDLES] if len(number) > 8 else []


def _kind(number: str) -> tuple[object, ...]:
    """What the rules of a deployment may ask about a number."""
    if numbers.normal_number(number) != number:
        return ()
    kind = numbers.special_kind(number), numbers.is_toll_free(number)
    return numbers.country_of(number), *kind, tuple(numbers.time_zones(number))


def _letters(nth: int) -> str:
    """Return the letters of a number: a to z, ba to zz, and so on. Digits may be masked."""
    first, last = divmod(nth, 26)
    return (_letters(first) if first else "") + chr(ord("a") + last)


def _in_other_case(text: str, nth: int) -> str:
    """Return the `nth` spelling of a text by case, from 1: `Guest a`, then `gUest a`, and so on."""
    return "".join(char.upper() if nth >> place & 1 else char for place, char in enumerate(text))


def _word(text: str) -> str:
    return text.replace(" ", "-")
