"""The settings that the template gives the functions: a typed model for each kind of function.

The environment is read once a process. A missing or malformed value stops the function at its first
request, with an error that names the variable. The environment holds names of secrets, no secret.
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from partyline.domain.dial_policy import Destinations
from partyline.domain.model.costs import units_of


def _parts(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _none_if_empty(text: Any) -> Any:
    return None if text == "" else text


CommaList = Annotated[tuple[str, ...], BeforeValidator(_parts)]
Switch = Literal["on", "off"]
OptionalText = Annotated[str | None, BeforeValidator(_none_if_empty)]


MAX_MASK_PATTERNS, MAX_PATTERN_CHARS = 20, 200

MaskPatterns = Annotated[
    tuple[Annotated[str, Field(max_length=MAX_PATTERN_CHARS)], ...],
    BeforeValidator(lambda text: tuple(text.split()) if isinstance(text, str) else text),
    Field(max_length=MAX_MASK_PATTERNS),
]
"""Regular expressions with white space between them. The first content compiles them."""


class Settings(BaseModel):
    """Base: each field is an environment variable of the same name in capitals."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings. Raises pydantic's ValidationError, which names each wrong variable."""
        names = [name for name in cls.model_fields if name.upper() in environment]
        return cls.model_validate({name: environment[name.upper()] for name in names})


KeptDays = Annotated[int, Field(ge=0, le=3650)]


class QuerySettings(Settings):
    """The settings of a query: the table, and how many days its rows are kept (0: for ever)."""

    table_name: str
    keep_conversations_days: KeptDays = 90
    keep_transcripts_days: KeptDays = 30
    keep_events_days: KeptDays = 90


class SignedSettings(Settings):
    """Telnyx's public keys; several while a key is replaced."""

    telnyx_public_keys: str = ""


class DestinationSettings(Settings):
    """The destinations of calls: countries, prefixes, and the other kinds that are allowed."""

    allowed_destination_prefixes: CommaList = ()
    allowed_sip_domains: CommaList = ()
    digits_after_number: Switch = "off"
    allowed_countries: CommaList = ()
    allowed_special_numbers: CommaList = ()

    @property
    def destinations(self) -> Destinations:
        """The rule that these settings make."""
        return Destinations(
            self.allowed_destination_prefixes,
            self.allowed_sip_domains,
            self.digits_after_number == "on",
            self.allowed_countries,
            self.allowed_special_numbers,
        )


class AssistantRuleSettings(Settings):
    """Whether requests may name secrets of Telnyx, and where Telnyx reaches this API."""

    integration_secrets: Switch = "off"
    allowed_tool_hosts: CommaList = ()
    public_base_url: OptionalText = None


class SchedulerSettings(Settings):
    """The group, the target function and the role of the schedules of later starts."""

    schedule_group: str
    schedule_target: str
    schedule_role: str


class DeadLetterSettings(Settings):
    """The URLs of the queues in which an erasure looks for a number."""

    dead_letter_urls: CommaList


class CensusSettings(Settings):
    """The URLs of all dead-letter queues, whose messages the census counts."""

    all_dead_letter_urls: CommaList


class HookSettings(QuerySettings):
    """The settings of functions that deliver events to hooks, and of the hooks' routes.

    `hooks_allow_loopback` allows receivers at http://127.0.0.1. The template has no such parameter:
    only the local stack sets the variable.
    """

    hook_deliveries_url: str
    hook_dead_letters_url: str = ""
    hooks_allow_loopback: Switch = "off"


class BusSettings(Settings):
    """The address of this API, for starts that the event bus requests."""

    api_url: str


class ConversationSettings(
    QuerySettings, SignedSettings, DestinationSettings, AssistantRuleSettings
):
    """The settings of functions that move conversations: table, Telnyx, defaults."""

    telnyx_api_key_secret: str
    telnyx_connection_id: str
    timers_queue_url: str
    telnyx_api_base_url: str = "https://api.telnyx.com/v2"
    telnyx_webhook_urls: Literal["list", "string", "list-of-calls", "string-of-calls", "none"] = (
        "list"
    )
    telnyx_timeout_secs: float = Field(default=2.0, gt=0, le=2.5)  # a lease holds two of these
    default_number: OptionalText = None
    default_assistant_id: OptionalText = None
    quiet_hours: OptionalText = None
    do_not_call: Switch = "off"
    keep_inputs: Switch = "on"
    mask_content: Switch = "on"
    mask_patterns: MaskPatterns = ()
    max_participants: int = Field(default=10, ge=1, le=20)
    max_legs_at_once: int = Field(default=20, ge=1, le=20)
    max_minutes: int = Field(default=120, ge=1, le=240)
    max_conversations: int = Field(default=100, ge=1, le=20_000)
    max_bookings: int = Field(default=100, ge=1, le=1000)
    inbound_share: int = Field(default=50, ge=0, le=100)
    max_calls_per_caller: int = Field(default=3, ge=1, le=1000)
    max_dials_per_minute: int = Field(default=60, ge=1, le=1000)
    max_tool_dials_per_minute: int = Field(default=30, ge=1, le=1000)
    max_tool_dials: int = Field(default=60, ge=1, le=1000)
    daily_budget: Decimal = Field(default=Decimal(0), ge=0, le=1_000_000)
    reserved_per_call: Decimal = Field(default=Decimal("0.5"), ge=0, le=1000)

    @property
    def budget_units(self) -> int | None:
        """The budget of a day in units; None for no budget."""
        return units_of(self.daily_budget) if self.daily_budget else None

    @property
    def reserved_units(self) -> int | None:
        """What a dial reserves of the budget, in units; None for no budget."""
        return None if self.budget_units is None else units_of(self.reserved_per_call)

    @property
    def max_inbound_conversations(self) -> int:
        """The share of `max_conversations` that inbound calls have."""
        return self.max_conversations * self.inbound_share // 100

    @property
    def max_api_conversations(self) -> int:
        """The share of `max_conversations` that starts by the API, the bus and bookings have."""
        return self.max_conversations - self.max_inbound_conversations
