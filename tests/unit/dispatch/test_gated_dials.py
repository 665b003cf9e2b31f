"""A dial passes the gates each time before it is sent, a repeated one too."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from partyline.aws_errors import AwsUnavailableError
from partyline.domain.destinations import Destinations
from partyline.domain.dial_policy import DialPolicy
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import (
    HOST_ID,
    Assistant,
    Conversation,
    Leg,
    Participant,
    Plan,
)
from partyline.domain.model.inputs import Refused, Result, Retryable, Succeeded
from partyline.domain.model.statuses import Direction
from partyline.services.command_executor import CommandExecutor
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.client_state import ClientState

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
NUMBER = "+13125550112"
STATE = ClientState(conversation="c-1", participant=HOST_ID, leg=1).encode()


def calling() -> Conversation:
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


def a_dial(*sent: datetime, find: bool = False) -> Command:
    """A dial that was sent at these moments, the last of them now."""
    command = Command(
        id="command-1",
        key="key",
        action=Action.DIAL,
        participant_id=HOST_ID,
        leg=1,
        not_before=NOW,
        reconcile=find,
    )
    for at in sent:
        command.claim(at)
    return command


def carried_out(
    command: Command, listed: Callable[[str], bool], active: tuple[Any, ...] = ()
) -> tuple[Result, list[str]]:
    asked: list[str] = []

    def telnyx(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
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
    gates = DialPolicy(Destinations(("+1",)), do_not_call=listed)
    return CommandExecutor(CallControl(client), gates, lambda: NOW).execute(
        calling(), command
    ), asked


def nobody(_: str) -> bool:
    return False


def everybody(_: str) -> bool:
    return True


def unreadable(_: str) -> bool:
    raise AwsUnavailableError("dynamodb", "get_item", "ThrottlingException")


def test_who_may_be_called_is_called() -> None:
    result, asked = carried_out(a_dial(NOW), nobody)
    assert isinstance(result, Succeeded)
    assert asked == ["POST"]


def test_a_refused_dial_never_reaches_telnyx() -> None:
    result, asked = carried_out(a_dial(NOW), everybody)
    assert isinstance(result, Refused)
    assert result.rule == "do_not_call"
    assert asked == []


def test_while_the_list_cannot_be_read_nobody_is_called_and_the_dial_stays_owed() -> None:
    result, asked = carried_out(a_dial(NOW), unreadable)
    assert result == Retryable(had_no_effect=True)
    assert asked == []


def test_after_that_it_is_a_first_sending_again() -> None:
    command = a_dial(NOW)
    command.mark_not_sent()
    command.claim(LATER)
    result, asked = carried_out(command, everybody)
    assert isinstance(result, Refused)
    assert asked == []


@pytest.mark.parametrize("made", [True, False])
def test_what_may_have_been_dialled_before_the_rule_held_is_looked_for(made: bool) -> None:
    call = {"call_control_id": "v3:first", "client_state": STATE}
    result, asked = carried_out(a_dial(NOW, LATER), everybody, (call,) if made else ())
    assert asked == ["GET"]
    if made:
        assert result == Succeeded(call_control_id="v3:first")
    else:
        assert isinstance(result, Refused)


def test_looking_for_a_call_passes_no_gate() -> None:
    _, asked = carried_out(a_dial(NOW, LATER, find=True), unreadable)
    assert asked == ["GET"]
