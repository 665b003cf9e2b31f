"""The commands for legs: build each request to Telnyx, send the request, read the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from partyline.domain.model import results, timeouts
from partyline.domain.model.commands import ASSISTANT_LEG, WEBHOOK_URLS, Action, Command
from partyline.domain.model.conversation import (
    SCREENING_DETECTION,
    Conversation,
    Leg,
    Participant,
)
from partyline.domain.rules.leaving import call_limit_secs
from partyline.telemetry import Metric, count
from partyline.telnyx import errors, requests
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client_state import ClientState
from partyline.telnyx.webhooks import WEBHOOK_TYPES

WEBHOOK_RETRIES = requests.RetryPolicy(retries_ms=(500, 1500, 4000, 5000, 30_000))
"""Delays of Telnyx's retries of a webhook. Telnyx allows at most 5 retries within 60 s. The third
retry comes when a lease of 6 s has ended, the fourth when the lease of a start has ended."""

MACHINE_DETECTION: dict[str, Any] = {
    "standard": "detect",
    "premium": "premium",
    SCREENING_DETECTION: "premium_ios_call_screening_detection",
}

PROMPT_END_TIMEOUT = requests.MachineDetectionConfig(prompt_end_timeout_millis=5000)
"""Telnyx's default, sent because `PROMPT_END_WAIT` relies on it."""

ANSWERED_ELSEWHERE = "Call completed elsewhere"
"""The `reason` of a hangup that keeps a missed call off the phones that lose a hunt."""

OPTIONAL_START_FIELDS = (
    "message_history",
    "assistant.voice_settings",
    "assistant.greeting",
    "assistant.transcription",
    "interruption_settings",
    "send_message_history_updates",
)
"""The fields without which an assistant still serves the caller. Telnyx refused a start on live
calls because of the first two (third-party reports, July 2026)."""

IN_ASSISTANT = "assistant."
"""The prefix of the fields within `assistant`."""

VOICE, BAD_VOICE = "assistant.voice_settings", "10015"
"""The code of a voice that does not exist, on a live start (report, July 2026); the report does not
say whether a pointer names the field."""

CLOCK_SKEW = timedelta(seconds=2)  # between Telnyx's clock and ours

FORM_METRICS = {
    "list": Metric.WEBHOOK_URLS_LIST,
    "string": Metric.WEBHOOK_URLS_STRING,
    "none": Metric.WEBHOOK_URLS_NONE,
}


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
            "webhook_urls": {name: (f"{default_url}/{name}",) for name in types},
            "webhook_retries_policies": dict.fromkeys(types, WEBHOOK_RETRIES),
        }


def code_and_message(error: errors.RefusedError) -> dict[str, Any]:
    """Return the code and the message of a refusal, as a result of the domain has both."""
    return {
        "code": error.code or str(error.status),
        "message": error.detail or error.title or f"Telnyx answered {error.status}.",
    }


def _dial(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    person, plan = leg_command.participant, leg_command.participant.plan
    mode = plan.machine_detection if plan else "off"
    request = requests.DialRequest(
        connection_id=leg_command.conversation.connection_id,
        to=leg_command.leg.to or "",
        from_=leg_command.leg.from_ or "",
        timeout_secs=leg_command.leg.ring_timeout_secs,
        time_limit_secs=call_limit_secs(leg_command.conversation, person, leg_command.leg),
        answering_machine_detection=MACHINE_DETECTION.get(mode),
        answering_machine_detection_config=PROMPT_END_TIMEOUT
        if mode == SCREENING_DETECTION
        else None,
        **leg_command.webhooks,
        **leg_command.envelope,
    )
    return _with_webhooks(
        telnyx, leg_command, lambda: results.Succeeded(**telnyx.dial(request).model_dump())
    )


def _with_webhooks(
    telnyx: CallControl, leg_command: LegCommand, send: Callable[[], results.Result]
) -> results.Result:
    """Send a request with `webhook_urls`; after a refusal of their form, ask for the next form."""
    form = telnyx.webhook_form
    try:
        result = send()
    except errors.WebhookUrlsRefusedError as error:
        if not leg_command.webhooks or form == "none":
            raise
        return results.FormRefused(**code_and_message(error), changes=(WEBHOOK_URLS,))
    if leg_command.webhooks and isinstance(result, results.Succeeded):
        count(FORM_METRICS[form])
    return result


def _reconcile_dial(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    for call in telnyx.list_active_calls(leg_command.conversation.connection_id):
        if call.client_state == leg_command.client_state and call.call_control_id:
            ids = {"call_control_id", "call_leg_id", "call_session_id"}
            return results.Succeeded(**call.model_dump(include=ids))
    return results.NotFound()


def _answer(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    with_assistant = leg_command.conversation.start == "with_answer"
    within, _ = _assistant_settings(leg_command)
    request = requests.AnswerRequest(
        assistant=within if with_assistant else None,
        **leg_command.webhooks,
        **leg_command.envelope,
    )

    def send() -> results.Succeeded:
        telnyx.answer(leg_command.call_control_id, request)
        return results.Succeeded()

    return _with_webhooks(telnyx, leg_command, lambda: _with_optional_fields(request, send))


def _hang_up(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    person, leg = leg_command.participant, leg_command.leg
    elsewhere = person.accepted_leg not in (None, leg.number) and leg.answered_at is None
    reason = ANSWERED_ELSEWHERE if elsewhere else None
    request = requests.HangUpRequest(reason=reason, **leg_command.envelope)
    telnyx.hang_up(leg_command.call_control_id, request)
    return results.Succeeded()


def _start(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    within, beside = _assistant_settings(leg_command)
    fields = {"assistant": within, **beside, **leg_command.envelope}
    request = requests.StartAssistantRequest.model_validate(fields)
    answer_secs = timeouts.START_ANSWER_TIME.total_seconds()

    def send() -> results.Succeeded:
        started = telnyx.start_assistant(leg_command.call_control_id, request, answer_secs)
        return results.Succeeded(telnyx_conversation_id=started.conversation_id)

    return _with_optional_fields(request, send)


def _with_optional_fields(
    request: requests.Command, send: Callable[[], results.Succeeded]
) -> results.Result:
    """Send a request; after a refusal of optional fields only, ask for the form without them."""
    try:
        return send()
    except errors.InvalidRequestError as error:
        refused = _optional_fields(error, request.body())
        if not refused:
            raise
        return results.FormRefused(**code_and_message(error), changes=refused)


def _assistant_settings(leg_command: LegCommand) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that Telnyx takes within `assistant`, and those that a start has beside.

    Fields that Telnyx refused are left out. An answer has no place for the settings beside.
    """
    beside = leg_command.conversation.assistant.model_dump(exclude_none=True)
    names = beside.keys() & requests.Assistant.model_fields.keys()
    within = {name: beside.pop(name) for name in names}
    for change in leg_command.command.changes:
        (within if change.startswith(IN_ASSISTANT) else beside).pop(
            change.removeprefix(IN_ASSISTANT), None
        )
    return within, beside


def _optional_fields(error: errors.RefusedError, body: dict[str, Any]) -> tuple[str, ...]:
    """Return the optional fields at which all problems point; else none."""
    sent = {*body, *(f"{IN_ASSISTANT}{name}" for name in body.get("assistant", ()))}
    if error.code == BAD_VOICE and not any(problem.pointer for problem in error.problems):
        return (VOICE,) if VOICE in sent else ()
    fields = [
        next((field for field in OPTIONAL_START_FIELDS if _points_at(problem, field)), "")
        for problem in error.problems
    ]
    return tuple(dict.fromkeys(fields)) if sent.issuperset(fields) else ()


def _points_at(problem: errors.Problem, field: str) -> bool:
    """Whether a JSON pointer is at a field or within; Telnyx may leave `/assistant` out."""
    pointer = f"/{problem.pointer.lstrip('/')}/".removeprefix("/assistant")
    return pointer.startswith(f"/{field.removeprefix(IN_ASSISTANT)}/")


def _reconcile_start(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    # An earlier conversation of ours may have had the call: its assistant was started before. With
    # `with_answer`, the assistant was started by the answer, before the search was owed.
    command = leg_command.command
    moments = [moment for moment in (command.owed_at, command.sent_at) if moment]
    since = min(moments) - CLOCK_SKEW if moments else None
    conversations = telnyx.list_ai_conversations(leg_command.call_control_id)
    newest = next(
        (
            conversation.id
            for conversation in conversations
            if conversation.id
            if since is None or conversation.created_at is None or conversation.created_at >= since
        ),
        None,
    )
    return results.Succeeded(telnyx_conversation_id=newest) if newest else results.NotFound()


def _join(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Join a leg, by its own path; after a refusal of that path, by the assistant's leg.

    Telnyx's guides disagree on the leg of the path (see `requests.JoinAssistantRequest`).
    """
    assistant_leg = _assistant_leg_command(leg_command)
    if ASSISTANT_LEG in leg_command.command.changes and assistant_leg:
        return _join_by_assistant_leg(telnyx, leg_command, assistant_leg)
    in_doubt = leg_command.command.may_have_taken_effect
    try:
        telnyx.join_assistant(leg_command.call_control_id, _join_request(leg_command, leg_command))
    except errors.InvalidRequestError as error:
        if assistant_leg is None or leg_command.command.changes:
            raise
        return results.FormRefused(**code_and_message(error), changes=(ASSISTANT_LEG,))
    except errors.AssistantAlreadyRunningError as error:
        if leg_command.leg.owned or in_doubt:
            raise
        # Another application's assistant runs on a call that is not ours.
        return results.Refused(**code_and_message(error))
    return results.Succeeded()


def _join_by_assistant_leg(
    telnyx: CallControl, leg_command: LegCommand, assistant_leg: LegCommand
) -> results.Result:
    request = _join_request(leg_command, assistant_leg)
    try:
        telnyx.join_assistant(assistant_leg.call_control_id, request)
    except (
        errors.CallEndedError,
        errors.UnknownCallError,
        errors.AssistantAlreadyRunningError,
    ) as error:  # facts about the assistant's leg, not about the joining leg
        return results.Refused(**code_and_message(error))
    return results.Succeeded()


def _assistant_leg_command(leg_command: LegCommand) -> LegCommand | None:
    """Return the same command for the assistant's leg, unless unknown or the leg itself."""
    conversation, command = leg_command.conversation, leg_command.command
    target = conversation.assistant_leg()
    if target is None or target[1] is leg_command.leg or target[1].call_control_id is None:
        return None
    return LegCommand(conversation, command, *target)


def _join_request(joining: LegCommand, path: LegCommand) -> requests.JoinAssistantRequest:
    person = joining.participant
    return requests.JoinAssistantRequest(
        conversation_id=joining.conversation.telnyx_conversation_id or "",
        participant=requests.JoiningParticipant(
            id=joining.call_control_id, name=person.name, on_hangup=person.on_hangup.value
        ),
        **path.envelope,  # Telnyx keeps the client_state for the leg of the path
    )


def _stop(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    request = requests.StopAssistantRequest(**leg_command.envelope)
    telnyx.stop_assistant(leg_command.call_control_id, request)
    return results.Succeeded()


def _message(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    sent = leg_command.command.messages or []
    messages = tuple(requests.Message(role=m.role, content=m.content) for m in sent)
    triggers = any(message.trigger_response for message in sent) or None
    request = requests.AddMessagesRequest(
        messages=messages, trigger_response=triggers, **leg_command.envelope
    )
    telnyx.add_messages(leg_command.call_control_id, request)
    return results.Succeeded()


def _hold(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    plan = leg_command.participant.plan
    wait = plan.wait_for_verdict if plan else None
    if wait is None or not wait.say:
        return results.Refused(code="no_words", message="There is nothing to say.")
    request = requests.GatherUsingSpeakRequest(
        payload=wait.say,
        voice=wait.voice,
        language=wait.language,
        minimum_digits=1,
        maximum_digits=1,
        maximum_tries=1,
        timeout_millis=wait.secs * 1000,
        **leg_command.envelope,
    )
    telnyx.gather_using_speak(leg_command.call_control_id, request)
    return results.Succeeded()


def _screen(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    plan = leg_command.participant.plan
    screening = plan.screening if plan else None
    if screening is None:
        return results.Refused(code="no_screening", message="There is nothing to ask.")
    request = requests.GatherUsingSpeakRequest(
        payload=screening.say,
        voice=screening.voice,
        language=screening.language,
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


def _find_call_event(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Look for a command among the events of its call: a listed command has arrived at Telnyx.

    A command that is not in the list, or a refused list, proves nothing.
    """
    leg_id = leg_command.leg.call_leg_id
    try:
        events = telnyx.list_call_events(leg_command.call_control_id, leg_id)
    except errors.TelnyxError:
        return results.NotFound()
    arrived = any(
        event.type == "command" and leg_command.command.id in str(event.metadata)
        for event in events
    )
    return results.Succeeded() if arrived else results.NotFound()


def _retrieve(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    call = telnyx.retrieve_call(leg_command.call_control_id)
    transferred = bool(call.is_alive) and _is_transferred(telnyx, leg_command)
    answered = bool(call.call_duration)
    return results.CallState(alive=bool(call.is_alive), answered=answered, transferred=transferred)


def _is_transferred(telnyx: CallControl, leg_command: LegCommand) -> bool:
    """Whether the call was transferred: its session has a live call that is not ours.

    Only the legs of a transferred call share a session (Telnyx API: call.bridged, call_session_id).
    Telnyx is asked only when a transfer is possible: after the assistant's end or `call.bridged`.
    """
    conversation, leg = leg_command.conversation, leg_command.leg
    if not leg.bridged_at and not conversation.telnyx_ended_at:
        return False
    ours = {leg.call_control_id for _, leg in conversation.legs()}
    return leg.call_session_id is not None and any(
        call.call_session_id == leg.call_session_id and call.call_control_id not in ours
        for call in telnyx.list_active_calls(conversation.connection_id)
    )


LegCommandHandler = Callable[[CallControl, LegCommand], results.Result]

SEND: dict[Action, LegCommandHandler] = {
    Action.DIAL: _dial,
    Action.ANSWER: _answer,
    Action.HANG_UP: _hang_up,
    Action.START: _start,
    Action.JOIN: _join,
    Action.STOP: _stop,
    Action.MESSAGE: _message,
    Action.HOLD: _hold,
    Action.SCREEN: _screen,
    Action.LOOK: _retrieve,
}

RECONCILE: dict[Action, LegCommandHandler] = {
    Action.DIAL: _reconcile_dial,
    Action.START: _reconcile_start,
    Action.JOIN: _find_call_event,
    Action.MESSAGE: _find_call_event,
    Action.SCREEN: _find_call_event,
}
"""How to find the effect of an earlier sending that may have taken effect."""
