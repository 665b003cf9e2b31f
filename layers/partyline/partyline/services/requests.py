"""What the bodies of requests may say. An unknown field, a wrong type or a bad value is refused."""

import re
from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, to_json

from partyline.domain.dial_policy import DIGITS, SIP_ADDRESS, without_digits
from partyline.domain.model.conversation import Screening
from partyline.domain.rules.phrases import DEFAULTS

MAX_NUMBERS = 10
MAX_GUESTS_AT_START = 10
MAX_AT_ONCE = 20
MAX_METADATA_BYTES = 8_192
MAX_ASSISTANT_BYTES = 100_000
"""Bounds that keep a conversation within one table item; each is named when it is passed."""


def check_e164(number: str) -> str:
    """A phone number in E.164, and nothing else. Raises a PydanticCustomError that says why not."""
    digits = number[1:]
    if "@" in number or number.lower().startswith(("sip:", "sips:")):
        raise PydanticCustomError("sip_address", "a SIP address cannot be dialled here")
    if "," in number:
        raise PydanticCustomError("dtmf_suffix", "digits after the number cannot be dialled here")
    plain = number[:1] == "+" and digits.isascii() and digits.isdigit() and digits[:1] != "0"
    if not plain or not 7 <= len(digits) <= 15:
        raise PydanticCustomError("phone_number", "not a phone number in E.164, as +13125550100")
    return number


def check_dialable(to: str) -> str:
    """What can be dialled: a number, one with digits to send after the answer, or a SIP address.

    Which of these may be is the deployment's to say. Raises a PydanticCustomError.
    """
    if SIP_ADDRESS.fullmatch(to):
        return to
    _, comma, digits = to.partition(",")
    if comma and not DIGITS.fullmatch(digits):
        raise PydanticCustomError("digits", "digits after the number are 0 to 9, w, * and #")
    check_e164(without_digits(to))
    return to


def field_error(field: str, message: str) -> PydanticCustomError:
    """The error of a rule about several fields, put at the one that is to be mended."""
    return PydanticCustomError("rule", "{message}", {"field": field, "message": message})


def _known_phrases(words: dict[str, str]) -> dict[str, str]:
    unknown = sorted(set(words) - set(DEFAULTS))
    if unknown:
        raise PydanticCustomError(
            "words", "known sentences are: {known}", {"known": ", ".join(DEFAULTS)}
        )
    return words


def _as_list(given: Any) -> Any:
    if not isinstance(given, str | list):
        raise PydanticCustomError("numbers", "a phone number, or a list of them")
    return [given] if isinstance(given, str) else given


def _parse_moment(given: Any) -> Any:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise PydanticCustomError("moment", "a time with its zone, as 2026-12-24T18:00:00Z")
    return at


E164_SCHEMA = {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+13125550100"]}
"""What `e164` takes, for the API's description."""

DIALABLE_SCHEMA = {
    "type": "string",
    "pattern": rf"^(\+[1-9][0-9]{{6,14}}(,{DIGITS.pattern})?|{SIP_ADDRESS.pattern})$",
    "examples": ["+13125550100"],
}
"""What `dialled` takes."""

PhoneNumber = Annotated[
    str, Field(max_length=64), AfterValidator(check_e164), WithJsonSchema(E164_SCHEMA)
]
Dialable = Annotated[
    str, Field(max_length=256), AfterValidator(check_dialable), WithJsonSchema(DIALABLE_SCHEMA)
]
_Several = Annotated[list[Dialable], Field(min_length=1, max_length=MAX_NUMBERS)]
Numbers = Annotated[_Several, BeforeValidator(_as_list, json_schema_input_type=Dialable | _Several)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
SpokenText = Annotated[str, Field(min_length=1, max_length=3000)]
"""What is spoken: Telnyx takes 3,000 characters (Telnyx API: ai_assistant_start, greeting)."""
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
DIALING_TOOLS = frozenset({"transfer", "invite"})
"""The tools of Telnyx's by which an assistant calls somebody without us."""
CALL_CONTROL_ID = re.compile(r"[A-Za-z0-9:_\-]{6,256}", re.ASCII)
CallControlId = Annotated[str, Field(pattern=rf"^{CALL_CONTROL_ID.pattern}$")]
Phrases = Annotated[
    dict[str, Annotated[str, Field(max_length=500)]],
    AfterValidator(_known_phrases),
    Field(json_schema_extra={"propertyNames": {"enum": list(DEFAULTS)}}),
]
"""The sentences that the assistant is told, where they are not ours (see `domain.telling`)."""
Moment = Annotated[datetime, BeforeValidator(_parse_moment)]
"""A time with its zone, as RFC 3339 writes it."""
Hangup = Literal["continue_conversation", "end_conversation"]
Role = Literal["user", "assistant", "system", "developer"]


class RequestModel(BaseModel):
    """Base: strict about types, and closed. Built at first use: a function takes one of them."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class MessageRequest(RequestModel):
    """`POST /conversations/{id}/messages`."""

    role: Role
    content: Text


class AssistantSettings(RequestModel):
    """The assistant and what is different for this conversation (Telnyx: ai_assistant_start)."""

    id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    name: Name | None = None
    greeting: SpokenText | None = None
    instructions: Text | None = None
    model: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    dynamic_variables: dict[str, str | int | float | bool] | None = None
    tools: list[dict[str, Any]] | None = None
    mcp_servers: list[dict[str, Any]] | None = None
    voice: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    voice_settings: dict[str, Any] | None = None
    transcription: "TranscriptionSettings | None" = None
    interruption_settings: "InterruptionSettings | None" = None
    message_history: Annotated[list[MessageRequest], Field(max_length=100)] | None = None
    send_message_history_updates: bool | None = None

    @model_validator(mode="after")
    def _refuse_dialing_tools(self) -> Self:
        for each in self.tools or []:
            if each.get("type") in DIALING_TOOLS or DIALING_TOOLS & each.keys():
                raise field_error(
                    "tools", "such a tool would call past the rules that dials keep to"
                )
        return self


class TranscriptionSettings(RequestModel):
    """Speech to text."""

    model: str | None = None
    language: str | None = None


class InterruptionSettings(RequestModel):
    """Whether people may speak over the assistant."""

    enable: bool


class ScreeningSettings(RequestModel):
    """What a person hears before being joined, and the digit that says yes."""

    say: SpokenText
    accept_digit: Annotated[str, Field(pattern=r"^[0-9*#]$")] = Screening.model_fields[
        "accept_digit"
    ].default
    timeout_secs: Annotated[int, Field(ge=3, le=60)] = Screening.model_fields[
        "timeout_secs"
    ].default


class DialOptions(RequestModel):
    """How a person is reached by dialling; seconds throughout. Defaults are the plan's."""

    from_: PhoneNumber | None = Field(None, alias="from")
    ring_timeout_secs: Annotated[int, Field(ge=5, le=600)] = 30
    time_limit_secs: Annotated[int, Field(ge=60, le=14_000)] | None = None
    machine_detection: Literal["off", "standard", "premium"] = "off"
    on_machine: Literal["next", "join"] = "next"


class InviteRequest(DialOptions):
    """`POST /conversations/{id}/participants`, and each of `participants` of a start."""

    to: Numbers | None = None
    call_control_id: CallControlId | None = None
    name: Name | None = None
    on_hangup: Hangup = "continue_conversation"
    strategy: Literal["in_order", "at_once"] = "in_order"
    deadline_secs: Annotated[int, Field(ge=5, le=3600)] | None = None
    screening: ScreeningSettings | None = None
    max_attempts: Annotated[int, Field(ge=1, le=3)] = 1
    pause_secs: Annotated[int, Field(ge=0, le=900)] = 30
    tell_assistant: bool = True

    @property
    def numbers(self) -> list[str]:
        """The numbers to try, in their order."""
        return self.to or []

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _exactly_one_way(self.to, self.call_control_id)
        repeated = [number for number, times in Counter(self.numbers).items() if times > 1]
        if repeated:
            raise field_error("to", "the same number stands in the list twice")
        if self.deadline_secs is not None and self.deadline_secs < self.ring_timeout_secs:
            raise field_error("deadline_secs", "shorter than ring_timeout_secs")
        return self


class StartRequest(DialOptions):
    """`POST /conversations`."""

    to: Dialable | None = None
    call_control_id: CallControlId | None = None
    name: Name | None = None
    assistant: AssistantSettings | None = None
    on_hangup: Hangup | None = None
    on_host_hangup: Hangup | None = None
    participants: Annotated[list[InviteRequest], Field(max_length=MAX_GUESTS_AT_START)] = []
    metadata: dict[str, Any] = {}
    words: Phrases = {}
    start_at: Moment | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _exactly_one_way(self.to, self.call_control_id)
        if self.start_at and self.call_control_id:
            raise field_error("start_at", "a live call doesn't wait")
        if None not in (self.on_hangup, self.on_host_hangup) and (
            self.on_hangup != self.on_host_hangup
        ):
            raise field_error("on_host_hangup", "on_hangup says something else")
        at_once = [
            each.numbers if each.strategy == "at_once" else [1] for each in self.participants
        ]
        if sum(map(len, at_once)) > MAX_AT_ONCE:
            raise field_error("participants", "over 20 numbers would ring at once")
        live = [self.call_control_id, *(each.call_control_id for each in self.participants)]
        calls = [each for each in live if each is not None]
        if len(set(calls)) < len(calls):
            raise field_error("participants", "the same call stands there twice")
        check_assistant_size(self.assistant)
        if len(to_json(self.metadata)) > MAX_METADATA_BYTES:
            raise field_error("metadata", "larger than 8 KB")
        return self


class StopRequest(RequestModel):
    """`POST /conversations/{id}/stop`."""

    hang_up: bool = False


def check_assistant_size(assistant: AssistantSettings | None) -> None:
    """Raise a PydanticCustomError for an assistant that leaves no room for its conversation."""
    if assistant and len(assistant.model_dump_json()) > MAX_ASSISTANT_BYTES:
        raise field_error("assistant", "larger than 100 KB")


def _exactly_one_way(to: object, call_control_id: object) -> None:
    if (to is None) == (call_control_id is None):
        raise field_error("to", "give this or call_control_id, and not both")
