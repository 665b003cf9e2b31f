"""The commands about the assistant: start, join, tell, stop, and look for their effects."""

from datetime import timedelta

from partyline.domain.model import results, timeouts
from partyline.domain.model.commands import ASSISTANT_LEG
from partyline.domain.model.statuses import AssistantMode
from partyline.domain.rules.phrases import render
from partyline.services.leg_commands import LegCommand, code_and_message
from partyline.services.request_forms import assistant_settings, with_optional_fields
from partyline.telnyx import errors, requests
from partyline.telnyx.call_control import CallControl

CLOCK_SKEW = timedelta(seconds=2)  # between Telnyx's clock and ours


def start(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Start the assistant on a leg (Telnyx API: ai_assistant_start)."""
    within, beside = assistant_settings(leg_command)
    if leg_command.conversation.absence:
        within |= _return_greeting(leg_command)
    fields = {"assistant": within, **beside, **leg_command.envelope}
    request = requests.StartAssistantRequest.model_validate(fields)
    answer_secs = timeouts.START_ANSWER_TIME.total_seconds()

    def send() -> results.Succeeded:
        started = telnyx.start_assistant(leg_command.call_control_id, request, answer_secs)
        return results.Succeeded(telnyx_conversation_id=started.conversation_id)

    return with_optional_fields(request, send)


def _return_greeting(leg_command: LegCommand) -> dict[str, str]:
    """Return the greeting of an assistant that was away; a silent assistant has none of ours."""
    conversation, field = leg_command.conversation, "assistant.greeting"
    phrase = render(conversation.phrases, "back_greeting", name="").strip()
    is_left_out = field in leg_command.command.changes
    is_silent = conversation.wanted_mode is AssistantMode.SILENT
    return {"greeting": phrase} if phrase and not is_left_out and not is_silent else {}


def reconcile_start(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Look for an assistant that an earlier start, or the answer, may have started."""
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


def join(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
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


def stop(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Stop the assistant; the calls stay up (Telnyx API: ai_assistant_stop)."""
    request = requests.StopAssistantRequest(**leg_command.envelope)
    telnyx.stop_assistant(leg_command.call_control_id, request)
    return results.Succeeded()


def message(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Add messages to the assistant's conversation (Telnyx API: ai_assistant_add_messages)."""
    sent = leg_command.command.messages or []
    messages = tuple(requests.Message(role=m.role, content=m.content) for m in sent)
    triggers = any(message.trigger_response for message in sent) or None
    request = requests.AddMessagesRequest(
        messages=messages, trigger_response=triggers, **leg_command.envelope
    )
    telnyx.add_messages(leg_command.call_control_id, request)
    return results.Succeeded()


def find_call_event(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
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
