"""Executes commands at Telnyx and translates each answer into a result of the domain."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from partyline.aws_errors import AwsError
from partyline.domain.dial_policy import DialPolicy
from partyline.domain.model import results
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import (
    UNKNOWN_CONVERSATION_ID,
    Conversation,
    Insight,
    Leg,
    Participant,
)
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.telemetry import logger
from partyline.telnyx import errors, requests
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client_state import ClientState
from partyline.telnyx.webhooks import WEBHOOK_TYPES

WEBHOOK_RETRIES = requests.RetryPolicy(retries_ms=(500, 1500, 4000, 10_000, 30_000))
"""Delays of Telnyx's retries of a webhook. Telnyx allows at most 5 retries within 60 s."""

MACHINE_DETECTION: dict[str, Any] = {"standard": "detect", "premium": "premium"}

SCREENING_VOICE = "female"

Clock = Callable[[], datetime]

NO_API_KEY = results.Refused(code="no_api_key", message="The Telnyx API key is not set up.")


@dataclass(frozen=True)
class LegCommand:
    """A command with its conversation, participant and leg."""

    conversation: Conversation
    command: Command
    participant: Participant
    leg: Leg

    @property
    def call_control_id(self) -> str:
        """The call of the leg. The domain claims no command for a leg that lacks a call id."""
        return self.leg.call_control_id or ""

    @property
    def client_state(self) -> str:
        """The hint that Telnyx echoes on the webhooks of this leg."""
        return ClientState(self.conversation.id, self.participant.id, self.leg.number).encode()

    @property
    def envelope(self) -> dict[str, Any]:
        """The fields that every request about a leg has."""
        return {"command_id": self.command.id, "client_state": self.client_state}

    @property
    def webhooks(self) -> dict[str, Any]:
        """The URLs of this leg's webhooks: a URL for each type with a function, and the default."""
        if self.conversation.base_url is None:
            return {}
        default_url = f"{self.conversation.base_url}/webhooks"
        types = [name for name, webhook in WEBHOOK_TYPES.items() if webhook.has_function]
        return {
            "webhook_url": default_url,
            "webhook_urls": {name: f"{default_url}/{name}" for name in types},
            "webhook_retries_policies": dict.fromkeys(types, WEBHOOK_RETRIES),
        }


class CommandExecutor:
    """Executes commands at Telnyx."""

    def __init__(self, telnyx: CallControl, dial_policy: DialPolicy, clock: Clock) -> None:
        self._telnyx = telnyx
        self._dial_policy = dial_policy
        self._clock = clock

    def execute(self, conversation: Conversation, command: Command) -> results.Result:
        """Send a command, or reconcile an earlier sending, and return the result."""
        try:
            if command.action is Action.FETCH_INSIGHTS:
                return self._fetch_insights(conversation)
            participant, leg = conversation.target_of(command)
            if participant is None or leg is None:
                return results.Refused(code="unknown_leg", message="There is no such leg.")
            return self._execute(LegCommand(conversation, command, participant, leg))
        except errors.TelnyxError as error:
            return result_of(error)
        except (SecretMissingError, SecretUnreadableError) as error:
            logger.error(str(error))
            unreadable = isinstance(error, SecretUnreadableError)
            return results.Retryable(had_no_effect=True) if unreadable else NO_API_KEY
        except ValidationError as error:  # Telnyx would refuse this request, so it is not sent
            locations = [problem["loc"] for problem in error.errors()]
            fields = ", ".join(str(location[-1]) for location in locations if location)
            message = f"Telnyx does not take this: {fields}."
            return results.Refused(code="invalid_request", message=message)

    def _execute(self, leg_command: LegCommand) -> results.Result:
        command = leg_command.command
        if command.action is Action.DIAL and not command.reconcile:
            refused = self._dial_refusal(leg_command)
            if isinstance(refused, results.Refused) and command.may_have_taken_effect:
                # An earlier sending, before the rule held, may have made a call.
                dialed = _reconcile_dial(self._telnyx, leg_command)
                return dialed if isinstance(dialed, results.Succeeded) else refused
            if refused:
                return refused
        return (RECONCILE if command.reconcile else SEND)[command.action](self._telnyx, leg_command)

    def _dial_refusal(self, leg_command: LegCommand) -> results.Refused | results.Retryable | None:
        try:
            return self._dial_policy.refusal(leg_command.leg.to or "", self._clock())
        except AwsError as error:
            extra = {"error": type(error).__name__}
            logger.error("the do-not-call list cannot be read", extra=extra)
            return results.Retryable(had_no_effect=True)

    def _fetch_insights(self, conversation: Conversation) -> results.Result:
        # After a restart of the assistant, Telnyx has several conversations for this conversation.
        telnyx_ids = [*conversation.previous_telnyx_ids, conversation.telnyx_conversation_id]
        insights = [
            Insight(insight_id=insight.insight_id, result=insight.result)
            for telnyx_id in telnyx_ids
            if telnyx_id and telnyx_id != UNKNOWN_CONVERSATION_ID
            for run in self._telnyx.list_conversation_insights(telnyx_id)
            for insight in run.insights
            if insight.insight_id
        ]
        return results.InsightsFound(insights=tuple(insights))


def result_of(error: errors.TelnyxError) -> results.Result:
    """Translate a Telnyx error into the command's result (facts: Telnyx API error codes)."""
    match error:
        case errors.NotSentError() | errors.RateLimitedError() | errors.NotAnsweredError():
            return results.Retryable(had_no_effect=True)
        case errors.NoResponseError() | errors.UnavailableError():
            return results.Retryable(had_no_effect=False)
        case errors.CallEndedError() | errors.UnknownCallError():
            unknown = isinstance(error, errors.UnknownCallError)
            return results.CallEnded(**_code_and_message(error), unknown=unknown)
        case errors.AssistantAlreadyRunningError():
            return results.Succeeded()
        case errors.RefusedError():
            # A new account's limit and a key without rights are the same 403: only the text of
            # the message tells them apart (facts: account limits).
            answer = _code_and_message(error)
            limited = error.code in errors.CHANNEL_LIMITS or "limit" in answer["message"].lower()
            limit = isinstance(error, errors.ForbiddenError) and limited
            return results.Refused(**answer, limit=limit)
    return results.Retryable(had_no_effect=False)


def _code_and_message(error: errors.RefusedError) -> dict[str, Any]:
    return {
        "code": error.code or str(error.status),
        "message": error.detail or error.title or f"Telnyx answered {error.status}.",
    }


def _dial(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    plan = leg_command.participant.plan
    detection = MACHINE_DETECTION.get(plan.machine_detection) if plan else None
    request = requests.DialRequest(
        connection_id=leg_command.conversation.connection_id,
        to=leg_command.leg.to or "",
        from_=leg_command.leg.from_ or "",
        timeout_secs=leg_command.leg.ring_timeout_secs,
        time_limit_secs=plan.time_limit_secs if plan else None,
        answering_machine_detection=detection,
        **leg_command.webhooks,
        **leg_command.envelope,
    )
    return results.Succeeded(**telnyx.dial(request).model_dump())


def _reconcile_dial(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    for call in telnyx.list_active_calls(leg_command.conversation.connection_id):
        if call.client_state == leg_command.client_state and call.call_control_id:
            ids = {"call_control_id", "call_leg_id", "call_session_id"}
            return results.Succeeded(**call.model_dump(include=ids))
    return results.NotFound()


def _answer(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    request = requests.AnswerRequest(**leg_command.webhooks, **leg_command.envelope)
    telnyx.answer(leg_command.call_control_id, request)
    return results.Succeeded()


def _hang_up(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    telnyx.hang_up(leg_command.call_control_id, requests.HangUpRequest(**leg_command.envelope))
    return results.Succeeded()


def _start(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    settings = leg_command.conversation.assistant.model_dump(exclude_none=True)
    # Telnyx takes some settings within `assistant` and the others beside it.
    names = settings.keys() & requests.Assistant.model_fields.keys()
    within = {name: settings.pop(name) for name in names}
    fields = {"assistant": within, **settings, **leg_command.envelope}
    request = requests.StartAssistantRequest.model_validate(fields)
    started = telnyx.start_assistant(leg_command.call_control_id, request)
    return results.Succeeded(telnyx_conversation_id=started.conversation_id)


def _reconcile_start(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    conversations = telnyx.list_ai_conversations(leg_command.call_control_id)
    newest = next((conversation.id for conversation in conversations if conversation.id), None)
    return results.Succeeded(telnyx_conversation_id=newest) if newest else results.NotFound()


def _join(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    person = leg_command.participant
    request = requests.JoinAssistantRequest(
        conversation_id=leg_command.conversation.telnyx_conversation_id or "",
        participant=requests.JoiningParticipant(
            id=leg_command.call_control_id, name=person.name, on_hangup=person.on_hangup.value
        ),
        **leg_command.envelope,
    )
    try:
        telnyx.join_assistant(leg_command.call_control_id, request)
    except errors.AssistantAlreadyRunningError as error:
        if leg_command.leg.owned or leg_command.command.may_have_taken_effect:
            raise
        # Another application's assistant runs on a call that is not ours.
        return results.Refused(**_code_and_message(error))
    return results.Succeeded()


def _stop(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    request = requests.StopAssistantRequest(**leg_command.envelope)
    telnyx.stop_assistant(leg_command.call_control_id, request)
    return results.Succeeded()


def _message(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    sent = leg_command.command.messages or []
    messages = tuple(requests.Message(**message.model_dump()) for message in sent)
    request = requests.AddMessagesRequest(messages=messages, **leg_command.envelope)
    telnyx.add_messages(leg_command.call_control_id, request)
    return results.Succeeded()


def _screen(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    plan = leg_command.participant.plan
    screening = plan.screening if plan else None
    if screening is None:
        return results.Refused(code="no_screening", message="There is nothing to ask.")
    request = requests.GatherUsingSpeakRequest(
        payload=screening.say,
        voice=SCREENING_VOICE,
        language="en-US",
        minimum_digits=1,
        maximum_digits=1,
        maximum_tries=1,
        # Telnyx does not report the key that ends the input, so the accepting key must be
        # another key (Telnyx API: gather_using_speak, terminating_digit).
        terminating_digit="*" if screening.accept_digit == "#" else "#",
        timeout_millis=screening.timeout_secs * 1000,
        **leg_command.envelope,
    )
    telnyx.gather_using_speak(leg_command.call_control_id, request)
    return results.Succeeded()


def _retrieve(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    call = telnyx.retrieve_call(leg_command.call_control_id)
    return results.CallState(alive=bool(call.is_alive), answered=bool(call.call_duration))


LegCommandHandler = Callable[[CallControl, LegCommand], results.Result]

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
"""How to find the effect of an earlier sending that may have taken effect."""
