"""Carrying commands out at Telnyx, and saying in the domain's words what became of each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from partyline.aws_errors import AwsError
from partyline.domain.dial_policy import DialPolicy
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import (
    UNKNOWN_CONVERSATION_ID,
    Conversation,
    Insight,
    Leg,
    Participant,
)
from partyline.domain.model.inputs import (
    CallEnded,
    CallState,
    InsightsFound,
    NotFound,
    Refused,
    Result,
    Retryable,
    Succeeded,
)
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.telemetry import logger
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client_state import ClientState
from partyline.telnyx.errors import (
    CHANNEL_LIMITS,
    AssistantAlreadyRunningError,
    CallEndedError,
    ForbiddenError,
    NoResponseError,
    NotAnsweredError,
    NotSentError,
    RateLimitedError,
    RefusedError,
    TelnyxError,
    UnavailableError,
    UnknownCallError,
)
from partyline.telnyx.requests import (
    AddMessagesRequest,
    AnswerRequest,
    Assistant,
    DialRequest,
    GatherUsingSpeakRequest,
    HangUpRequest,
    InterruptionSettings,
    JoinAssistantRequest,
    JoiningParticipant,
    Message,
    RetryPolicy,
    StartAssistantRequest,
    StopAssistantRequest,
    Transcription,
)

EVENT_TYPES = (
    "call.initiated",
    "call.answered",
    "call.hangup",
    "call.machine.detection.ended",
    "call.machine.premium.detection.ended",
    "call.conversation.created",
    "call.conversation.ended",
    "call.conversation_insights.generated",
)
"""The webhook types that have a function, and so a URL, of their own."""

RETRIES = RetryPolicy(retries_ms=(500, 1500, 4000, 10_000, 30_000))
"""When Telnyx is to deliver a webhook again (5 times and 60 s are the most it takes)."""

MACHINE_DETECTION: dict[str, Any] = {"standard": "detect", "premium": "premium"}

SCREENING_VOICE = "female"


@dataclass(frozen=True)
class LegCommand:
    """A command with everything it is about."""

    conversation: Conversation
    command: Command
    participant: Participant
    leg: Leg

    @property
    def call_control_id(self) -> str:
        """The call that the command goes to; the domain owes none to a call without an id."""
        return self.leg.call_control_id or ""

    @property
    def client_state(self) -> str:
        """What Telnyx is to echo on the webhooks of this leg."""
        return ClientState(
            conversation=self.conversation.id,
            participant=self.participant.id,
            leg=self.leg.number,
        ).encode()

    @property
    def envelope(self) -> dict[str, Any]:
        """What every command that touches a leg carries."""
        return {"command_id": self.command.id, "client_state": self.client_state}

    @property
    def webhooks(self) -> dict[str, Any]:
        """Where this leg's webhooks go: a function of its own for each type, or the default one."""
        base = self.conversation.base_url
        if base is None:
            return {}
        return {
            "webhook_url": f"{base}/webhooks",
            "webhook_urls": {each: f"{base}/webhooks/{each}" for each in EVENT_TYPES},
            "webhook_retries_policies": dict.fromkeys(EVENT_TYPES, RETRIES),
        }


class CommandExecutor:
    """Carries commands out, one at a time."""

    def __init__(
        self, telnyx: CallControl, gates: DialPolicy, clock: Callable[[], datetime]
    ) -> None:
        """Keep the Telnyx actions and what a dial has to pass; nothing is sent yet."""
        self._telnyx = telnyx
        self._gates = gates
        self._clock = clock

    def execute(self, conversation: Conversation, command: Command) -> Result:
        """Do what a command says, or look whether it was done, and say what became of it."""
        try:
            if command.action is Action.FETCH_INSIGHTS:
                return self._insights(conversation)
            participant = conversation.participant(command.participant_id)
            leg = participant.leg(command.leg) if participant else None
            if participant is None or leg is None:
                return Refused(code="unknown_leg", message="There is no such leg.")
            return self._run(LegCommand(conversation, command, participant, leg))
        except TelnyxError as error:
            return result_of(error)
        except (SecretMissingError, SecretUnreadableError) as error:
            return _without_key(error)
        except ValidationError as error:  # what Telnyx could only refuse is not sent at all
            fields = ", ".join(str(each["loc"][-1]) for each in error.errors() if each["loc"])
            return Refused(code="invalid_request", message=f"Telnyx does not take this: {fields}.")

    def _run(self, errand: LegCommand) -> Result:
        command = errand.command
        if command.action is Action.DIAL and not command.reconcile:
            refused = self._refusal(errand)
            if isinstance(refused, Refused) and command.may_have_taken_effect:
                # It may have been dialled before the rule held, and is then to be looked after.
                found = _reconcile_dial(self._telnyx, errand)
                return found if isinstance(found, Succeeded) else refused
            if refused:
                return refused
        return (RECONCILE if command.reconcile else SEND)[command.action](self._telnyx, errand)

    def _refusal(self, errand: LegCommand) -> Refused | Retryable | None:
        """What the gates say of a dial; Unsettled when they cannot be asked now."""
        try:
            return self._gates.refuse(errand.leg.to or "", self._clock())
        except AwsError as error:
            logger.error(
                "the do-not-call list cannot be read", extra={"error": type(error).__name__}
            )
            return Retryable(had_no_effect=True)

    def _insights(self, conversation: Conversation) -> Result:
        # Where the assistant was started anew, Telnyx has several conversations of ours.
        known = [*conversation.previous_telnyx_ids, conversation.telnyx_conversation_id]
        return InsightsFound(
            insights=tuple(
                Insight(insight_id=each.insight_id, result=each.result)
                for telnyx_id in known
                if telnyx_id and telnyx_id != UNKNOWN_CONVERSATION_ID
                for row in self._telnyx.list_conversation_insights(telnyx_id)
                for each in row.insights
                if each.insight_id
            )
        )


def _without_key(error: SecretMissingError | SecretUnreadableError) -> Result:
    logger.error(str(error))
    if isinstance(error, SecretUnreadableError):
        return Retryable(had_no_effect=True)
    return Refused(code="no_api_key", message="The Telnyx API key is not set up.")


def result_of(error: TelnyxError) -> Result:
    """What an error of Telnyx means for the command that met it (facts: Telnyx API error codes)."""
    match error:
        case NotSentError() | RateLimitedError() | NotAnsweredError():
            return Retryable(had_no_effect=True)
        case NoResponseError() | UnavailableError():
            return Retryable(had_no_effect=False)
        case CallEndedError() | UnknownCallError():
            return CallEnded(**_said(error))
        case AssistantAlreadyRunningError():
            return Succeeded()
        case RefusedError():
            said = _said(error)
            # A new account's limit comes as a 403 that says so in words only; so does a key without
            # rights (facts: account limits).
            worded = error.code in CHANNEL_LIMITS or "limit" in said["message"].lower()
            return Refused(**said, limit=isinstance(error, ForbiddenError) and worded)
    return Retryable(had_no_effect=False)


def _said(error: RefusedError) -> dict[str, Any]:
    """Telnyx's code and words, or what stands for them where it gave none."""
    return {
        "code": error.code or str(error.status),
        "message": error.detail or error.title or f"Telnyx answered {error.status}.",
    }


def _dial(telnyx: CallControl, errand: LegCommand) -> Result:
    plan = errand.participant.plan
    detection = MACHINE_DETECTION.get(plan.machine_detection) if plan else None
    dialed = telnyx.dial(
        DialRequest(
            connection_id=errand.conversation.connection_id,
            to=errand.leg.to or "",
            from_=errand.leg.from_ or "",
            timeout_secs=errand.leg.ring_timeout_secs,
            time_limit_secs=plan.time_limit_secs if plan else None,
            answering_machine_detection=detection,
            **errand.webhooks,
            **errand.envelope,
        )
    )
    return Succeeded(**dialed.model_dump())


def _reconcile_dial(telnyx: CallControl, errand: LegCommand) -> Result:
    for call in telnyx.list_active_calls(errand.conversation.connection_id):
        if call.client_state == errand.client_state and call.call_control_id:
            return Succeeded(
                call_control_id=call.call_control_id,
                call_leg_id=call.call_leg_id,
                call_session_id=call.call_session_id,
            )
    return NotFound()


def _answer(telnyx: CallControl, errand: LegCommand) -> Result:
    telnyx.answer(errand.call_control_id, AnswerRequest(**errand.webhooks, **errand.envelope))
    return Succeeded()


def _hang_up(telnyx: CallControl, errand: LegCommand) -> Result:
    telnyx.hang_up(errand.call_control_id, HangUpRequest(**errand.envelope))
    return Succeeded()


def _start(telnyx: CallControl, errand: LegCommand) -> Result:
    given = errand.conversation.assistant
    overrides = {"name", "greeting", "instructions", "model", "dynamic_variables", "tools"}
    assistant = given.model_dump(include={"id", "mcp_servers", *overrides})
    started = telnyx.start_assistant(
        errand.call_control_id,
        StartAssistantRequest(
            assistant=Assistant(**assistant),
            voice=given.voice,
            voice_settings=given.voice_settings,
            transcription=given.transcription and Transcription(**given.transcription),
            interruption_settings=given.interruption_settings
            and InterruptionSettings(**given.interruption_settings),
            message_history=given.message_history
            and tuple(Message(**each) for each in given.message_history),
            send_message_history_updates=given.send_message_history_updates,
            **errand.envelope,
        ),
    )
    return Succeeded(telnyx_conversation_id=started.conversation_id)


def _reconcile_start(telnyx: CallControl, errand: LegCommand) -> Result:
    found = telnyx.list_ai_conversations(errand.call_control_id)
    newest = next((each.id for each in found if each.id), None)
    return Succeeded(telnyx_conversation_id=newest) if newest else NotFound()


def _join(telnyx: CallControl, errand: LegCommand) -> Result:
    request = JoinAssistantRequest(
        conversation_id=errand.conversation.telnyx_conversation_id or "",
        participant=JoiningParticipant(
            id=errand.call_control_id,
            name=errand.participant.name,
            on_hangup=errand.participant.on_hangup.value,
        ),
        **errand.envelope,
    )
    try:
        telnyx.join_assistant(errand.call_control_id, request)
    except AssistantAlreadyRunningError as error:
        if errand.leg.owned or errand.command.may_have_taken_effect:
            raise
        return Refused(**_said(error))  # another assistant is on the call that we were given
    return Succeeded()


def _stop(telnyx: CallControl, errand: LegCommand) -> Result:
    telnyx.stop_assistant(errand.call_control_id, StopAssistantRequest(**errand.envelope))
    return Succeeded()


def _message(telnyx: CallControl, errand: LegCommand) -> Result:
    messages = tuple(Message(**each.model_dump()) for each in errand.command.messages or [])
    request = AddMessagesRequest(messages=messages, **errand.envelope)
    telnyx.add_messages(errand.call_control_id, request)
    return Succeeded()


def _screen(telnyx: CallControl, errand: LegCommand) -> Result:
    plan = errand.participant.plan
    screening = plan.screening if plan else None
    if screening is None:
        return Refused(code="no_screening", message="There is nothing to ask.")
    telnyx.gather_using_speak(
        errand.call_control_id,
        GatherUsingSpeakRequest(
            payload=screening.say,
            voice=SCREENING_VOICE,
            language="en-US",
            minimum_digits=1,
            maximum_digits=1,
            maximum_tries=1,
            # Telnyx keeps the key that ends the input to itself, so it must not be the one that
            # accepts (Telnyx API: gather_using_speak, terminating_digit).
            terminating_digit="*" if screening.accept_digit == "#" else "#",
            timeout_millis=screening.timeout_secs * 1000,
            **errand.envelope,
        ),
    )
    return Succeeded()


def _retrieve(telnyx: CallControl, errand: LegCommand) -> Result:
    call = telnyx.retrieve_call(errand.call_control_id)
    return CallState(alive=bool(call.is_alive), answered=bool(call.call_duration))


LegCommandHandler = Callable[[CallControl, LegCommand], Result]

SEND: dict[Action, LegCommandHandler] = {
    Action.DIAL: _dial,
    Action.ANSWER: _answer,
    Action.HANG_UP: _hang_up,
    Action.START: _start,
    Action.JOIN: _join,
    Action.STOP: _stop,
    Action.MESSAGE: _message,
    Action.SCREEN: _screen,
    Action.LOOK: _retrieve,
}

RECONCILE: dict[Action, LegCommandHandler] = {
    Action.DIAL: _reconcile_dial,
    Action.START: _reconcile_start,
}
"""Where to look for the effect of a command that may have been carried out."""
