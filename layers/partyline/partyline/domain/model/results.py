"""The results of commands: how Telnyx, or a rule of ours, answered an action."""

from dataclasses import dataclass

from partyline.domain.model.conversation import Insight


@dataclass(frozen=True, kw_only=True)
class Succeeded:
    """Telnyx did it. What it named along the way may be missing, above all for a double."""

    call_control_id: str | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None
    telnyx_conversation_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallEnded:
    """The call that it was for is over: a fact, not an error. Telnyx's code and words for it."""

    code: str = "call_gone"
    message: str = "The call is over."


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Telnyx said no, for good."""

    code: str
    message: str
    limit: bool = False
    """It was a limit of the account, not the request, that refused it."""
    rule: str | None = None
    """The rule of ours that refused it, so that Telnyx was never asked."""


@dataclass(frozen=True, kw_only=True)
class Retryable:
    """No answer, or not now. `sure`: it had no effect, so sending it later is no double."""

    had_no_effect: bool


@dataclass(frozen=True, kw_only=True)
class NotFound:
    """We looked for its effect and there was none."""


@dataclass(frozen=True, kw_only=True)
class CallState:
    """What `GET /calls/{id}` says of a call."""

    alive: bool
    answered: bool


@dataclass(frozen=True, kw_only=True)
class InsightsFound:
    """What the insights of a conversation are so far; nothing yet, maybe."""

    insights: tuple[Insight, ...]


Result = Succeeded | CallEnded | Refused | Retryable | NotFound | CallState | InsightsFound
