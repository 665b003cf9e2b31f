"""Routes: how calls to a number are answered, and the contacts that the assistant may call."""

from datetime import datetime
from typing import Any

from pydantic import Field

from partyline.domain.model.assistant import Assistant, AssistantStart
from partyline.domain.model.statuses import OnHangup
from partyline.domain.model.stored import Stored


class RouteLimits(Stored):
    """The limits of a route's conversations; the deployment's limit applies in place of None."""

    participants: int | None = None
    legs_at_once: int | None = None
    minutes: int | None = None


class StoredRoute(Stored):
    """A route as `PUT /routes/{number}` stores a route; dump with `exclude_unset`."""

    assistant: Assistant | None = None
    on_host_hangup: OnHangup = OnHangup.END
    contacts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By name, each the body of an invitation."""
    dial_any_number: bool = False
    limits: RouteLimits = Field(default_factory=RouteLimits)
    words: dict[str, str] = Field(default_factory=dict)
    start: AssistantStart = "after_answer"
    live_transcript: bool = False
    changed_at: datetime | None = None
    changed_by: str | None = None  # the id of the bearer key that put the route
