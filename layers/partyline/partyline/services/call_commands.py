"""The commands about a call: dial, answer, speak, hang up, and look at the call."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from partyline.domain.model import results
from partyline.domain.model.detection import (
    GREETING_SECS,
    PROMPT_END_SECS,
    SCREENING_DETECTION,
    MachineDetection,
)
from partyline.domain.model.leg import Leg
from partyline.domain.model.plan import OnScreen, Plan, Screening, VerdictWait
from partyline.domain.model.timeouts import DURATION_MARGIN
from partyline.domain.rules.leaving import call_limit_secs
from partyline.domain.rules.machines import words_on_screen
from partyline.domain.rules.spoken import render_spoken
from partyline.services.leg_commands import LegCommand
from partyline.services.request_forms import (
    assistant_settings,
    with_optional_fields,
    with_webhooks,
    without_refused,
)
from partyline.telnyx import errors, requests
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client_state import ClientState
from partyline.telnyx.responses import Call, CallEvent

MACHINE_DETECTION: dict[MachineDetection, requests.MachineDetection] = {
    "standard": "detect",
    "standard_beep": "detect_beep",
    "standard_words": "detect_words",
    "standard_greeting_end": "greeting_end",
    "premium": "premium",
    SCREENING_DETECTION: "premium_ios_call_screening_detection",
}
"""Telnyx's name of each mode (Telnyx API: POST /calls, answering_machine_detection)."""

PROMPT_END = {"prompt_end_timeout_millis": PROMPT_END_SECS * 1000}
"""Telnyx's default, sent because `Plan.prompt_end_wait` relies on the time."""

GREETING_END = {"greeting_total_analysis_time_millis": GREETING_SECS * 1000}

_IDS = {"call_control_id", "call_leg_id", "call_session_id"}

ANSWERED = "call.answered"

ANSWERED_ELSEWHERE = "Call completed elsewhere"
"""The `reason` of a hangup that keeps a missed call off the phones that lose a hunt."""


def dial(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Dial the number of a leg (Telnyx API: POST /calls)."""
    person, plan = leg_command.participant, leg_command.participant.plan
    mode = _detection(plan) if plan else None
    config = _thresholds(plan) if plan else None
    request = requests.DialRequest(
        connection_id=leg_command.conversation.connection_id,
        to=leg_command.leg.to or "",
        from_=leg_command.leg.from_ or "",
        timeout_secs=leg_command.leg.ring_timeout_secs,
        time_limit_secs=call_limit_secs(leg_command.conversation, person, leg_command.leg),
        answering_machine_detection=mode,
        **without_refused(leg_command, answering_machine_detection_config=config),
        **leg_command.webhooks,
        **leg_command.envelope,
    )

    def send() -> results.Succeeded:
        return results.Succeeded(**telnyx.dial(request).model_dump())

    return with_webhooks(telnyx, leg_command, lambda: with_optional_fields(request, send))


def _detection(plan: Plan) -> requests.MachineDetection | None:
    """Return Telnyx's mode. The mode `detect` does not tell the end of a greeting."""
    mode = MACHINE_DETECTION.get(plan.machine_detection)
    return "greeting_end" if plan.message and mode == "detect" else mode


def _thresholds(plan: Plan) -> requests.MachineDetectionConfig | None:
    defaults = PROMPT_END if plan.may_be_screened else {}
    if plan.message and _detection(plan) == "greeting_end":
        defaults = GREETING_END
    thresholds = {**defaults, **(plan.machine_detection_config or {})}
    return requests.MachineDetectionConfig(**thresholds) if thresholds else None


def reconcile_dial(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Look for a call that an earlier dial may have made, by its client_state."""
    for call in telnyx.list_active_calls(leg_command.conversation.connection_id):
        if call.client_state == leg_command.client_state and call.call_control_id:
            return results.Succeeded(**call.model_dump(include=_IDS))
    return results.NotFound()


def answer(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Answer an incoming call, with the assistant if the route says so (Telnyx API: answer)."""
    with_assistant = leg_command.conversation.start == "with_answer"
    within, _ = assistant_settings(leg_command)
    request = requests.AnswerRequest(
        assistant=within if with_assistant else None,
        **leg_command.webhooks,
        **leg_command.envelope,
    )

    def send() -> results.Succeeded:
        telnyx.answer(leg_command.call_control_id, request)
        return results.Succeeded()

    return with_webhooks(telnyx, leg_command, lambda: with_optional_fields(request, send))


def hang_up(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Hang a call up (Telnyx API: hangup)."""
    person, leg = leg_command.participant, leg_command.leg
    elsewhere = person.accepted_leg not in (None, leg.number) and leg.answered_at is None
    reason = ANSWERED_ELSEWHERE if elsewhere else None
    request = requests.HangUpRequest(
        **without_refused(leg_command, reason=reason), **leg_command.envelope
    )

    def send() -> results.Succeeded:
        telnyx.hang_up(leg_command.call_control_id, request)
        return results.Succeeded()

    return with_optional_fields(request, send)


def hold(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Say the words of the wait for a verdict (Telnyx API: gather_using_speak)."""
    plan = leg_command.participant.plan
    wait = plan.wait_for_verdict if plan else None
    if wait is None or not wait.say:
        return results.Refused(code="no_words", message="There is nothing to say.")
    return _speak_and_gather(telnyx, leg_command, wait, wait.say, wait.secs)


def identify(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Tell a phone that screens the call who calls and why (Telnyx API: gather_using_speak).

    A key proves a person, so the command waits for keys too.
    """
    person, plan = leg_command.participant, leg_command.participant.plan
    say = words_on_screen(leg_command.conversation, person)
    if plan is None or plan.on_screen is None or plan.wait_for_verdict is None:
        return results.Refused(code="no_words", message="There is nothing to say.")
    secs = plan.wait_for_verdict.secs
    return _speak_and_gather(telnyx, leg_command, plan.on_screen, say, secs)


def screen(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Ask a person to accept with a key (Telnyx API: gather_using_speak)."""
    person, plan = leg_command.participant, leg_command.participant.plan
    if plan is None or plan.screening is None:
        return results.Refused(code="no_screening", message="There is nothing to ask.")
    screening = plan.screening
    # Telnyx does not report the key that ends the input, so the accepting key must be another key
    # (Telnyx API: gather_using_speak, terminating_digit).
    ends_with = "*" if screening.accept_digit == "#" else "#"
    say = render_spoken(leg_command.conversation, person, plan, screening.say)
    return _speak_and_gather(telnyx, leg_command, screening, say, screening.timeout_secs, ends_with)


def _speak_and_gather(
    telnyx: CallControl,
    leg_command: LegCommand,
    voice: Screening | VerdictWait | OnScreen,
    say: str,
    secs: int,
    ends_with: str | None = None,
) -> results.Result:
    """Say a sentence and wait `secs` for a key; the webhook of the gather tells the end."""
    request = requests.GatherUsingSpeakRequest(
        payload=say,
        voice=voice.voice,
        language=voice.language,
        minimum_digits=1,
        maximum_digits=1,
        maximum_tries=1,
        terminating_digit=ends_with,
        timeout_millis=secs * 1000,
        **leg_command.envelope,
    )
    telnyx.gather_using_speak(leg_command.call_control_id, request)
    return results.Succeeded()


def retrieve(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Ask for the state of a call (Telnyx API: GET /calls/{id}).

    A call that Telnyx does not know is looked for among the active calls by its client_state: its
    ids may have changed at the answer.
    """
    try:
        return _retrieve(telnyx, leg_command)
    except errors.UnknownCallError:
        ids = _other_ids(telnyx, leg_command)
        if ids is None:
            raise
    leg = leg_command.leg.model_copy(update=ids)
    return replace(_retrieve(telnyx, replace(leg_command, leg=leg)), **ids)


def _other_ids(telnyx: CallControl, leg_command: LegCommand) -> dict[str, Any] | None:
    """Return the ids of the active call with the leg's client_state, if there is such a call.

    A list that Telnyx refuses shows no such call.
    """
    ours = (leg_command.conversation.id, leg_command.participant.id, leg_command.leg.number)
    try:
        calls = telnyx.list_active_calls(leg_command.conversation.connection_id)
    except errors.TelnyxError:
        return None
    for call in calls:
        state = ClientState.decode(call.client_state)
        theirs = state and (state.conversation, state.participant, state.leg)
        if theirs == ours and call.call_control_id:
            return call.model_dump(include=_IDS)
    return None


def _retrieve(telnyx: CallControl, leg_command: LegCommand) -> results.CallState:
    """Ask for the state of a call by its id.

    The end of another call, by the ids in the answer, proves nothing about this call.
    """
    call = telnyx.retrieve_call(leg_command.call_control_id)
    ids = [id_ for id_ in (call.call_control_id, call.call_leg_id) if id_]
    if not call.is_alive and ids and not any(map(leg_command.leg.has_id, ids)):
        raise errors.NoResponseError("the answer is about another call")
    transferred = bool(call.is_alive) and _is_transferred(telnyx, leg_command)
    return results.CallState(
        alive=bool(call.is_alive),
        answered=_is_answered(telnyx, leg_command, call),
        ended=not call.is_alive and call.end_time is not None,
        transferred=transferred,
    )


def _is_answered(telnyx: CallControl, leg_command: LegCommand, call: Call) -> bool:
    """Whether Telnyx shows that a call is, or was, answered.

    The duration of a call is the only sign in the call's state. Telnyx does not document whether
    the duration counts from the answer or from the dial. A duration much shorter than the age of
    the call counts from the answer, and no duration means no answer. Any other duration proves
    nothing, and after the ring timeout no duration does either: then the webhooks of the call are
    asked for (Telnyx API: GET /call_events).
    """
    leg, duration = leg_command.leg, call.call_duration
    asked_at = leg_command.command.claimed_at or leg.created_at
    if leg.answered_at:
        return True
    if duration and call.start_time:
        age = (call.end_time or asked_at) - call.start_time
        if timedelta(seconds=duration) + DURATION_MARGIN <= age:
            return True
    longest = leg.ring_timeout_secs
    if duration == 0 and (not longest or asked_at - leg.created_at < timedelta(seconds=longest)):
        return False
    try:
        events = telnyx.list_call_events(leg_command.call_control_id, leg.call_leg_id, "webhook")
    except errors.TelnyxError:
        return False
    # Telnyx may ignore the filter, and then lists the webhooks of other calls.
    return any(event.name == ANSWERED and _is_of(leg, event) for event in events)


def _is_of(leg: Leg, event: CallEvent) -> bool:
    return leg.has_id(event.call_leg_id) or (leg.call_control_id or "") in str(event.metadata)


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
