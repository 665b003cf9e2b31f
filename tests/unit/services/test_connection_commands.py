"""The commands that connect people send the right requests, and a refusal proves nothing."""

import json
from typing import Any

import httpx
import pytest

from partyline.domain.model.absence import Absence, Conference
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.leg import Leg
from partyline.domain.model.results import Refused, Succeeded
from partyline.domain.model.statuses import AssistantMode
from tests.unit.services.test_command_executor import (
    CALL,
    ENVELOPE,
    NOW,
    PATH,
    command,
    conversation,
    execute,
)

OTHER = "v3:the-hosts-call"
CONFERENCE = Conference(name="partyline-c-1-2", creator="host")
SILENT = {"call_control_id": CALL, "beep_enabled": "never"}


def absent(**fields: Any) -> Conversation:
    about = conversation(absence=Absence(number=1, bridge=["guest-1", "host"]), **fields)
    host = about.participants[0]
    host.legs = [Leg(number=1, call_control_id=OTHER, created_at=NOW)]
    host.accepted_leg = 1
    return about


def refusal(code: str, status: int = 422) -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"code": code, "title": "No", "detail": "No."}]})


def test_a_bridge_names_the_second_call_and_parks_the_first() -> None:
    answer = httpx.Response(200, json={"data": {"result": "ok"}})
    result, [sent] = execute(command(Action.BRIDGE), answer, absent())
    assert result == Succeeded()
    assert sent.url.raw_path.decode() == f"{PATH}/actions/bridge"
    assert json.loads(sent.content) == {
        "call_control_id": OTHER,
        "park_after_unbridge": "self",
        **ENVELOPE,
    }


def test_a_conference_is_made_with_a_call_and_without_a_beep() -> None:
    answer = httpx.Response(200, json={"data": {"id": "conference-1"}})
    about = absent(conference=CONFERENCE)
    result, [sent] = execute(command(Action.CREATE_CONFERENCE), answer, about)
    assert result == Succeeded(conference_id="conference-1")
    assert sent.url.raw_path == b"/v2/conferences"
    assert json.loads(sent.content) == {"name": CONFERENCE.name, **SILENT, **ENVELOPE}


@pytest.mark.parametrize("telnyx_id", [None, "conference-1"])
@pytest.mark.parametrize(
    ("action", "path", "body"),
    [
        (Action.JOIN_CONFERENCE, "join", {**SILENT, **ENVELOPE}),
        (Action.LEAVE_CONFERENCE, "leave", {**SILENT, "command_id": "command-1"}),
    ],
)
def test_a_conference_is_addressed_by_its_id_or_else_by_its_name(
    action: Action, path: str, body: dict[str, Any], telnyx_id: str | None
) -> None:
    conference = CONFERENCE.model_copy(update={"telnyx_id": telnyx_id})
    answer = httpx.Response(200, json={"data": {"result": "ok"}})
    result, [sent] = execute(command(action), answer, absent(conference=conference))
    assert result == Succeeded()
    address = telnyx_id or CONFERENCE.name
    assert sent.url.raw_path.decode() == f"/v2/conferences/{address}/actions/{path}"
    assert json.loads(sent.content) == body


@pytest.mark.parametrize("code", ["90018", "90015"])
@pytest.mark.parametrize("action", [Action.BRIDGE, Action.JOIN_CONFERENCE])
def test_a_refusal_about_one_of_two_calls_proves_no_end_of_a_call(
    action: Action, code: str
) -> None:
    about = absent(conference=CONFERENCE)
    result, _ = execute(command(action), refusal(code), about)
    assert result == Refused(code=code, message="No.")


@pytest.mark.parametrize(
    "action", [Action.CREATE_CONFERENCE, Action.JOIN_CONFERENCE, Action.LEAVE_CONFERENCE]
)
def test_a_command_without_its_conference_is_not_sent(action: Action) -> None:
    result, sent = execute(command(action), httpx.Response(200), absent())
    assert isinstance(result, Refused)
    assert (result.code, sent) == ("not_needed", [])


@pytest.mark.parametrize(
    ("wanted", "phrases", "greeting"),
    [
        (AssistantMode.SPEAKING, {}, "I am back with you."),
        (AssistantMode.SPEAKING, {"back_greeting": "Da bin ich wieder."}, "Da bin ich wieder."),
        (AssistantMode.SPEAKING, {"back_greeting": ""}, None),
        (AssistantMode.SILENT, {}, None),
    ],
)
def test_an_assistant_that_returns_says_so(
    wanted: AssistantMode, phrases: dict[str, str], greeting: str | None
) -> None:
    answer = httpx.Response(200, json={"data": {"conversation_id": "t-2"}})
    about = absent(wanted_mode=wanted, phrases=phrases)
    _, [sent] = execute(command(Action.START), answer, about)
    assert json.loads(sent.content)["assistant"].get("greeting") == greeting
