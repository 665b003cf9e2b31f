"""The commands that connect people to each other: a bridge, and the commands of a conference."""

from collections.abc import Callable
from typing import Any

from partyline.domain.model import results
from partyline.domain.model.absence import Conference
from partyline.services.leg_commands import LegCommand, code_and_message
from partyline.telnyx import errors, requests
from partyline.telnyx.call_control import CallControl

NOT_NEEDED = results.Refused(code="not_needed", message="The people need no connection now.")


def bridge(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Connect the call to the second call of the bridge (Telnyx API: bridge)."""
    conversation, absence = leg_command.conversation, leg_command.conversation.absence
    ids = absence.bridge if absence else []
    others = [conversation.participant(id_) for id_ in ids if id_ != leg_command.participant.id]
    call = next((p.active_leg.call_control_id for p in others if p and p.active_leg), None)
    if call is None:
        return NOT_NEEDED
    request = requests.BridgeRequest(
        call_control_id=call, park_after_unbridge="self", **leg_command.envelope
    )

    def send() -> results.Result:
        telnyx.bridge(leg_command.call_control_id, request)
        return results.Succeeded()

    return _without_facts(send)


def create_conference(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Make a conference with the call (Telnyx API: POST /conferences)."""
    conference = leg_command.conversation.conference
    if conference is None:
        return NOT_NEEDED
    request = requests.CreateConferenceRequest(
        name=conference.name, **_silent(leg_command), **leg_command.envelope
    )

    def send() -> results.Result:
        return results.Succeeded(conference_id=telnyx.create_conference(request).id)

    return _without_facts(send)


def join_conference(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Put the call into the conference (Telnyx API: POST /conferences/{id}/actions/join)."""
    request = requests.JoinConferenceRequest(**_silent(leg_command), **leg_command.envelope)
    return _in_conference(
        leg_command, lambda conference: telnyx.join_conference(conference.address, request)
    )


def leave_conference(telnyx: CallControl, leg_command: LegCommand) -> results.Result:
    """Take the call out of the conference (Telnyx API: POST /conferences/{id}/actions/leave)."""
    command_id = leg_command.command.id
    request = requests.LeaveConferenceRequest(command_id=command_id, **_silent(leg_command))
    return _in_conference(
        leg_command, lambda conference: telnyx.leave_conference(conference.address, request)
    )


def _silent(leg_command: LegCommand) -> dict[str, Any]:
    return {"call_control_id": leg_command.call_control_id, "beep_enabled": "never"}


def _in_conference(leg_command: LegCommand, act: Callable[[Conference], None]) -> results.Result:
    conference = leg_command.conversation.conference
    if conference is None:
        return NOT_NEEDED

    def send() -> results.Result:
        act(conference)
        return results.Succeeded()

    return _without_facts(send)


def _without_facts(send: Callable[[], results.Result]) -> results.Result:
    """Send a request about two calls or a conference: a refusal proves nothing about this call."""
    try:
        return send()
    except (errors.CallEndedError, errors.UnknownCallError) as error:
        return results.Refused(**code_and_message(error))
