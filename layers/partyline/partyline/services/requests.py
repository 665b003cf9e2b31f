"""The bodies of requests, and the plans to dial that requests make.

An unknown field, a wrong type or a bad value is refused.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, to_json

from partyline.domain import numbers as phone_numbers
from partyline.domain.dial_policy import DIGITS, IMPOSSIBLE, Destinations, without_digits
from partyline.domain.model.detection import SCREENING_DETECTION, MachineDetection
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.handover import Then
from partyline.domain.model.plan import (
    DEFAULT_LANGUAGE,
    DEFAULT_VOICE,
    MAX_BRIEF_CHARS,
    Plan,
)
from partyline.domain.numbers import SIP_ADDRESS
from partyline.domain.rules.phrases import DEFAULTS
from partyline.services.assistant_settings import (
    AssistantSettings,
    HistoryMessage,
    Name,
    RequestModel,
    SpokenText,
    check_assistant_size,
    field_error,
)
from partyline.services.errors import field_invalid
from partyline.services.machine_settings import (
    DetectionSettings,
    LeaveSettings,
    OnMachine,
    OnScreenSettings,
)
from partyline.services.words_settings import (
    GoodbyeSettings,
    Language,
    Sentence,
    Voice,
    WordsSettings,
)

MAX_NUMBERS = 10
MAX_GUESTS_AT_START = 10
MAX_AT_ONCE = 20
MAX_METADATA_BYTES = 8_192
"""Bounds that keep a conversation within one table item; each is named when it is passed."""

MAX_ROUNDS = 3
MAX_PAUSE_SECS = 86_400
MAX_DEADLINE_SECS = MAX_ROUNDS * MAX_PAUSE_SECS
"""Bounds of a plan: rounds of calls, the pause between two rounds, the time for all rounds."""


def check_e164(number: str) -> str:
    """Return the normal form of a phone number, E.164. Raises a PydanticCustomError.

    Any usual spelling with a plus is taken (see `normal_number`). The error says why not.
    """
    if "@" in number or number.lower().startswith(("sip:", "sips:")):
        raise PydanticCustomError("sip_address", "a SIP address cannot be dialled here")
    if "," in number:
        raise PydanticCustomError("dtmf_suffix", "digits after the number cannot be dialled here")
    normal = None if ";" in number or ":" in number else phone_numbers.normal_number(number)
    if normal is None:
        plain = number[:1] == "+" and number[1:].isascii() and number[1:].isdigit()
        reason = IMPOSSIBLE if plain else "not a phone number in E.164, as +13125550100"
        raise PydanticCustomError("phone_number", "{reason}", {"reason": reason})
    return normal


def check_dialable(to: str) -> str:
    """Return a normal number, perhaps with digits to send after the answer, or a SIP address.

    The deployment decides which of these may be dialled. Raises a PydanticCustomError.
    """
    if SIP_ADDRESS.fullmatch(to):
        return to
    _, comma, digits = to.partition(",")
    if comma and not DIGITS.fullmatch(digits):
        raise PydanticCustomError("digits", "digits after the number are 0 to 9, w, * and #")
    return check_e164(without_digits(to)) + comma + digits


def _known_phrases(words: dict[str, str]) -> dict[str, str]:
    unknown = sorted(set(words) - set(DEFAULTS))
    if unknown:
        known = {"known": ", ".join(DEFAULTS)}
        raise PydanticCustomError("words", "known sentences are: {known}", known)
    return words


def _as_list(numbers: Any) -> Any:
    if not isinstance(numbers, str | list):
        raise PydanticCustomError("numbers", "a phone number, or a list of them")
    return [numbers] if isinstance(numbers, str) else numbers


def _parse_moment(text: Any) -> Any:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise PydanticCustomError("moment", "a time with its zone, as 2026-12-24T18:00:00Z")
    return at


E164_SCHEMA = {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+13125550100"]}
DIALABLE_SCHEMA = {
    "type": "string",
    "pattern": rf"^(\+[1-9][0-9]{{6,14}}(,{DIGITS.pattern})?|{SIP_ADDRESS.pattern})$",
    "examples": ["+13125550100"],
}
"""The schemas of `check_e164` and `check_dialable` for the API's description."""

_IsE164 = AfterValidator(check_e164)
PhoneNumber = Annotated[str, Field(max_length=64), _IsE164, WithJsonSchema(E164_SCHEMA)]
_IsDialable = AfterValidator(check_dialable)
Dialable = Annotated[str, Field(max_length=256), _IsDialable, WithJsonSchema(DIALABLE_SCHEMA)]
_Several = Annotated[list[Dialable], Field(min_length=1, max_length=MAX_NUMBERS)]
Numbers = Annotated[_Several, BeforeValidator(_as_list, json_schema_input_type=Dialable | _Several)]
CALL_CONTROL_ID = re.compile(r"[A-Za-z0-9:_\-]{6,256}", re.ASCII)
CallControlId = Annotated[str, Field(pattern=rf"^{CALL_CONTROL_ID.pattern}$")]
Phrases = Annotated[
    dict[str, Annotated[str, Field(max_length=500)]],
    AfterValidator(_known_phrases),
    Field(json_schema_extra={"propertyNames": {"enum": list(DEFAULTS)}}),
]
"""The conversation's own messages to the assistant (see `domain.rules.phrases`)."""
Moment = Annotated[datetime, BeforeValidator(_parse_moment)]
"""A time with its zone, as RFC 3339 writes it."""
Brief = Annotated[Sentence, Field(max_length=MAX_BRIEF_CHARS)]
"""Why a person is called, in a sentence for that person alone."""
Hangup = Literal["continue_conversation", "end_conversation"]


class MessageRequest(HistoryMessage):
    """`POST /conversations/{id}/messages`."""

    trigger_response: bool = False
    """Whether the assistant answers at once, perhaps over a person who is speaking."""


class ScreeningSettings(RequestModel):
    """What a person hears before being joined, and the digit that says yes.

    `say` may have the placeholders `{caller}`, `{brief}` and `{metadata.KEY}`.
    """

    say: SpokenText
    accept_digit: Annotated[str, Field(pattern=r"^[0-9*#]$")] = "1"
    timeout_secs: Annotated[int, Field(ge=3, le=60)] = 15
    voice: Voice = DEFAULT_VOICE
    language: Language = DEFAULT_LANGUAGE


class VerdictWaitSettings(RequestModel):
    """How long a person waits for the verdict of the machine detection, and the words meanwhile."""

    secs: Annotated[int, Field(ge=3, le=60)]
    say: Annotated[str, Field(max_length=3000)] = ""
    voice: Voice = DEFAULT_VOICE
    language: Language = DEFAULT_LANGUAGE


class DialOptions(RequestModel):
    """How a person is reached by dialling; seconds throughout. Defaults are the plan's."""

    from_: PhoneNumber | None = Field(None, alias="from")
    ring_timeout_secs: Annotated[int, Field(ge=5, le=600)] = 30
    time_limit_secs: Annotated[int, Field(ge=60, le=14_000)] | None = None
    machine_detection: MachineDetection = "off"
    machine_detection_config: DetectionSettings | None = None
    on_machine: OnMachine = "next"
    on_screen: OnScreenSettings | None = None
    on_late_machine: Literal["tell", "remove"] = "tell"
    verdict_wait: VerdictWaitSettings | None = None
    waiting: WordsSettings | None = None
    goodbye: GoodbyeSettings | None = None

    @model_validator(mode="after")
    def _detected(self) -> Self:
        if self.machine_detection_config and self.machine_detection == "off":
            raise field_error("machine_detection_config", "needs machine_detection")
        if isinstance(self.on_machine, LeaveSettings) and self.machine_detection == "off":
            raise field_error("on_machine", "needs machine_detection")
        if self.on_screen and self.machine_detection != SCREENING_DETECTION:
            raise field_error("on_screen", f"needs machine_detection {SCREENING_DETECTION}")
        return self


class ReachOptions(DialOptions):
    """How a person is reached, a host or a guest: on a live call, or by a list of numbers."""

    to: Numbers | None = None
    call_control_id: CallControlId | None = None
    name: Name | None = None
    strategy: Literal["in_order", "at_once"] = "in_order"
    deadline_secs: Annotated[int, Field(ge=5, le=MAX_DEADLINE_SECS)] | None = None
    screening: ScreeningSettings | None = None
    brief: Brief | None = None
    max_attempts: Annotated[int, Field(ge=1, le=MAX_ROUNDS)] = 1
    pause_secs: Annotated[int, Field(ge=0, le=MAX_PAUSE_SECS)] = 30

    @property
    def numbers(self) -> list[str]:
        """The numbers to try, in their order."""
        return self.to or []

    @property
    def dials(self) -> int:
        """The number of calls that the plan may cause: each number in each round."""
        return len(self.numbers) * self.max_attempts

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        self._check_way()
        if self.brief and self.call_control_id:
            raise field_error("brief", "not possible with call_control_id")
        if len(set(self.numbers)) < len(self.numbers):
            raise field_error("to", "the same number stands in the list twice")
        if self.deadline_secs is not None and self.deadline_secs < self.ring_timeout_secs:
            raise field_error("deadline_secs", "shorter than ring_timeout_secs")
        return self

    def _check_way(self) -> None:
        _exactly_one_way(self.to, self.call_control_id)


class InviteRequest(ReachOptions):
    """`POST /conversations/{id}/participants`, and each of `participants` of a start."""

    on_hangup: Hangup = "continue_conversation"
    tell_assistant: bool = True


class HandoverRequest(InviteRequest):
    """`POST /conversations/{id}/handover`: an invitation, or the id of a guest, and `then`."""

    participant_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    then: Then = "stay"

    def _check_way(self) -> None:
        if self.participant_id is None:
            super()._check_way()
            return
        for field in sorted(self.model_fields_set - {"participant_id", "then"}):
            raise field_error(field, "not possible with participant_id")


class StartRequest(ReachOptions):
    """`POST /conversations`. The options of `ReachOptions` are those of the host."""

    assistant: AssistantSettings | None = None
    on_hangup: Hangup | None = None
    on_host_hangup: Hangup | None = None
    participants: Annotated[list[InviteRequest], Field(max_length=MAX_GUESTS_AT_START)] = Field([])
    metadata: dict[str, Any] = Field({})
    words: Phrases = Field({})
    live_transcript: bool = False
    start_at: Moment | None = None

    @property
    def all_dials(self) -> int:
        """The number of calls that the plans of the host and of all guests may cause."""
        return self.dials + sum(guest.dials for guest in self.participants)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.start_at and self.call_control_id:
            raise field_error("start_at", "not possible with call_control_id")
        wishes = {self.on_hangup, self.on_host_hangup}
        if None not in wishes and len(wishes) > 1:
            raise field_error("on_host_hangup", "contradicts on_hangup")
        guests = self.participants
        at_once = [len(guest.numbers) if guest.strategy == "at_once" else 1 for guest in guests]
        hosts = len(self.numbers) if self.strategy == "at_once" else 0
        if sum(at_once) + hosts > MAX_AT_ONCE:
            raise field_error("participants", "over 20 numbers would ring at once")
        ids = [self.call_control_id, *(guest.call_control_id for guest in guests)]
        calls = [call_control_id for call_control_id in ids if call_control_id is not None]
        if len(set(calls)) < len(calls):
            raise field_error("participants", "the same call stands there twice")
        check_assistant_size(self.assistant)
        if len(to_json(self.metadata)) > MAX_METADATA_BYTES:
            raise field_error("metadata", "larger than 8 KB")
        return self


class ModeRequest(RequestModel):
    """`POST /conversations/{id}/assistant`."""

    mode: Literal["speaking", "silent", "away"]


class StopRequest(RequestModel):
    """`POST /conversations/{id}/stop`."""

    hang_up: bool = False


def _exactly_one_way(to: object, call_control_id: object) -> None:
    if (to is None) == (call_control_id is None):
        raise field_error("to", "give exactly one of to and call_control_id")


def check_destinations(numbers: list[str], destinations: Destinations, prefix: str = "") -> None:
    """Raise a RequestError for a number that calls may not go to.

    The dial policy asks again before each dial. The check here tells the mistake at once. `prefix`
    is the place of the numbers' `to` in the request, such as `participants.0.`.
    """
    for number in numbers:
        refusal = destinations.refusal(number)
        if refusal:
            raise field_invalid(f"{prefix}to", refusal, ErrorCode.DESTINATION_NOT_ALLOWED)


def plan_of(
    request: ReachOptions,
    default_number: str | None,
    caller_id: str | None = None,
    prefix: str = "",
) -> Plan:
    """Build the plan to reach a person on the numbers of a request, by its options.

    The calls come from the request's `from`, else `caller_id`, else `default_number`. `prefix` is
    as in `check_destinations`. Raises a RequestError when no number to call from is known.
    """
    # An inbound call may come to a SIP address, and no call can be made from a SIP address.
    number = caller_id if caller_id and caller_id.startswith("+") else None
    from_ = request.from_ or number or default_number
    if from_ is None:
        message = "needed, since this deployment has no default number"
        raise field_invalid(f"{prefix}from", message)
    options = request.model_dump(include={*Plan.model_fields} - {"to", "from_"}, exclude_none=True)
    return Plan(to=request.numbers, from_=from_, **options)
