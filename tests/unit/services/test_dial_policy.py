"""Every sending of a dial must pass the dial policy, a repeated sending too."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from partyline.aws_errors import AwsUnavailableError
from partyline.domain.dial_policy import Destinations, DialPolicy
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import HOST_ID, Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.results import Refused, Result, Retryable, Succeeded
from partyline.domain.model.statuses import Direction
from partyline.services.command_executor import CommandExecutor
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.client_state import ClientState

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
NUMBER = "+13125550112"
STATE = ClientState(conversation="c-1", participant=HOST_ID, leg=1).encode()


def conversation() -> Conversation:
    leg = Leg(number=1, to=NUMBER, from_="+13125550100", created_at=NOW)
    plan = Plan(to=[NUMBER], from_="+13125550100")
    return Conversation(
        id="c-1",
        direction=Direction.OUTBOUND,
        assistant=Assistant(id="assistant-1"),
        connection_id="149",
        participants=[Participant(id=HOST_ID, host=True, plan=plan, legs=[leg], created_at=NOW)],
        created_at=NOW,
        updated_at=NOW,
    )


def dial_command(*sent: datetime, reconcile: bool = False) -> Command:
    """Return a dial that was claimed at each of these moments."""
    command = Command(
        id="command-1",
        key="key",
        action=Action.DIAL,
        participant_id=HOST_ID,
        leg=1,
        not_before=NOW,
        reconcile=reconcile,
    )
    for moment in sent:
        command.claim(moment)
    return command


def execute(
    command: Command, listed: Callable[[str], bool], active: tuple[Any, ...] = ()
) -> tuple[Result, list[str]]:
    methods: list[str] = []

    def telnyx(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        dialled = {"call_control_id": "v3:new", "call_leg_id": "leg-1"}
        return httpx.Response(
            200, json={"data": list(active) if request.method == "GET" else dialled}
        )

    client = TelnyxClient(
        lambda fresh=False: "KEY1",
        "http://127.0.0.1:9/v2",
        transport=httpx.MockTransport(telnyx),
        pause=lambda _: None,
    )
    dial_policy = DialPolicy(Destinations(("+1",)), do_not_call=listed)
    return CommandExecutor(CallControl(client), dial_policy, lambda: NOW).execute(
        conversation(), command
    ), methods


def none_listed(_: str) -> bool:
    return False


def all_listed(_: str) -> bool:
    return True


def unreadable(_: str) -> bool:
    raise AwsUnavailableError("dynamodb", "get_item", "ThrottlingException")


def test_an_allowed_number_is_dialled() -> None:
    result, methods = execute(dial_command(NOW), none_listed)
    assert isinstance(result, Succeeded)
    assert methods == ["POST"]


def test_a_refused_dial_is_not_sent() -> None:
    result, methods = execute(dial_command(NOW), all_listed)
    assert isinstance(result, Refused)
    assert result.rule == "do_not_call"
    assert methods == []


def test_an_unreadable_do_not_call_list_makes_a_dial_retryable() -> None:
    result, methods = execute(dial_command(NOW), unreadable)
    assert result == Retryable(had_no_effect=True)
    assert methods == []


def test_a_dial_that_was_not_sent_is_refused_without_reconciling() -> None:
    command = dial_command(NOW)
    command.mark_not_sent()
    command.claim(LATER)
    result, methods = execute(command, all_listed)
    assert isinstance(result, Refused)
    assert methods == []


@pytest.mark.parametrize("made", [True, False])
def test_a_refused_dial_that_may_have_been_sent_is_reconciled(made: bool) -> None:
    call = {"call_control_id": "v3:first", "client_state": STATE}
    result, methods = execute(dial_command(NOW, LATER), all_listed, (call,) if made else ())
    assert methods == ["GET"]
    if made:
        assert result == Succeeded(call_control_id="v3:first")
    else:
        assert isinstance(result, Refused)


def test_reconciling_a_dial_does_not_ask_the_dial_policy() -> None:
    _, methods = execute(dial_command(NOW, LATER, reconcile=True), unreadable)
    assert methods == ["GET"]
