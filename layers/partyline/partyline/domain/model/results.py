"""The results of commands: Telnyx's answers, or the refusal of a rule of ours."""

from dataclasses import dataclass

from partyline.domain.model.insight import Insight
from partyline.domain.model.stored import Failure
from partyline.domain.model.transcript import RunMessages


@dataclass(frozen=True, kw_only=True)
class Succeeded:
    """Telnyx carried the command out. Any id may be missing, above all for a duplicate."""

    call_control_id: str | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None
    telnyx_conversation_id: str | None = None
    conference_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class NotDone:
    """Base of the results with a reason: the code and message of Telnyx, or ours."""

    code: str
    message: str

    @property
    def failure(self) -> Failure:
        """The reason as the conversation stores the reason."""
        return Failure(code=self.code, message=self.message)


@dataclass(frozen=True, kw_only=True)
class CallEnded(NotDone):
    """The call of the command is over: a fact, not an error."""

    code: str = "call_gone"
    message: str = "The call is over."


@dataclass(frozen=True, kw_only=True)
class CallUnknown(NotDone):
    """Telnyx does not know the id of the call (90015, 404): no proof that the call is over."""

    code: str = "call_unknown"
    message: str = "Telnyx does not know the call."


@dataclass(frozen=True, kw_only=True)
class Refused(NotDone):
    """Telnyx, or a rule of ours, refused the command for good."""

    limit: bool = False  # a limit of the account, or a dial rule of ours: outcome `limited`
    rule: str | None = None  # the dial rule that refused, so that Telnyx was never asked
    no_conversation: bool = False  # Telnyx does not know the assistant's conversation


@dataclass(frozen=True, kw_only=True)
class FormRefused(NotDone):
    """Telnyx refused the form of the request; the command is sent in another form.

    `changes` are the fields to leave out, or another change of `Command.changes`.
    """

    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Retryable:
    """No answer, or a refusal for now. `had_no_effect`: a later sending is no duplicate.

    `retry_after` is the wait that Telnyx asks for, in seconds.
    """

    had_no_effect: bool
    unanswered: bool = False  # a webhook may still tell the effect
    retry_after: float | None = None

    @property
    def is_limit(self) -> bool:
        """Whether Telnyx takes no command of this action for a while."""
        return self.had_no_effect and self.retry_after is not None


@dataclass(frozen=True, kw_only=True)
class NotFound:
    """Telnyx shows no effect of the command."""


@dataclass(frozen=True, kw_only=True)
class CallState:
    """The state of a call by `GET /calls/{id}`.

    `answered` is proven. A call that is not `alive` may still ring: Telnyx does not document
    whether a call that rings is alive. `ended` is proven by the time of the end. `transferred`: the
    session of the call has a live call that is not ours. Only looked for after the assistant's end
    or `call.bridged`. The ids are set if Telnyx knows the call by other ids than ours.
    """

    alive: bool
    answered: bool
    ended: bool = False
    transferred: bool = False
    call_control_id: str | None = None
    call_leg_id: str | None = None
    call_session_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class InsightsFound:
    """The insights of a conversation so far, the oldest first; perhaps still empty.

    `telnyx_conversation_id`: the newest run, perhaps found with the insights. `complete`: Telnyx is
    done with every run, so that no more insights will come.
    """

    insights: tuple[Insight, ...]
    telnyx_conversation_id: str | None = None
    complete: bool = False


@dataclass(frozen=True, kw_only=True)
class TranscriptFound:
    """The messages of the runs whose messages are not complete.

    `telnyx_conversation_id`: the newest run, perhaps found with the messages.
    """

    runs: tuple[RunMessages, ...]
    telnyx_conversation_id: str | None = None


Result = (
    Succeeded
    | CallEnded
    | CallUnknown
    | Refused
    | FormRefused
    | Retryable
    | NotFound
    | CallState
    | InsightsFound
    | TranscriptFound
)
