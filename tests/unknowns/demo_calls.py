"""The calls of the demo as stories in virtual time."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from rich.console import Console

from local.client import ApiRefusedError, Client, Json
from local.demo.driver import Demo, DemoFailedError
from local.demo.scenarios import PEOPLE, SCENARIOS
from local.simulator.errors import ApiError
from tests.faults.lab import FaultLab
from tests.faults.stories import Story
from tests.support.lab import URL, minutes

T = TypeVar("T")

_POLL_SECS = 0.5
_TIMEOUT_SECS = minutes(5)


class _LabClient(Client):
    """Sends the demo's requests to a lab."""

    def __init__(self, lab: FaultLab) -> None:
        self._lab = lab

    def ask(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """Send a request and return the answer. Raises ApiRefusedError for an error status."""
        answer = self._lab.ask(method, path, body, **headers)
        if answer.status >= 400:
            raise ApiRefusedError(f"{answer.status} {answer.json}")
        if method == "POST" and path == "/conversations":
            self._lab.conversation_id = self._lab.poller.watch(str(answer.json["id"]))
        return answer.json


class _LabDemo(Demo):
    """Drives the demo's calls in a lab."""

    def __init__(self, lab: FaultLab) -> None:
        super().__init__(URL, _LabClient(lab), lab.telnyx, list, Console(quiet=True))
        self._lab = lab

    def poll(self, description: str, probe: Callable[[], T | None]) -> T:
        """Let time pass until the result of `probe` is a value."""
        for _ in range(int(_TIMEOUT_SECS / _POLL_SECS)):
            value = probe()
            if value:
                return value
            self._lab.run(_POLL_SECS)
        raise DemoFailedError(f"waited in vain for: {description}")

    def wait_for_inbound(self) -> str:
        """Wait for an active inbound conversation, and return the conversation's id."""
        conversation_id = super().wait_for_inbound()
        self._lab.conversation_id = self._lab.poller.watch(conversation_id)
        return conversation_id

    def invite(self, conversation_id: str, to: str | list[str], name: str, **plan: Any) -> None:
        """Invite a participant; no phone is answered in the moment of its dial."""
        super().invite(conversation_id, to, name, **plan)
        self._lab.run(_POLL_SECS)

    def use_tool(self, call_control_id: str, tool: str, **arguments: str) -> str:
        """Let the assistant of a call use our tool, and return the tool's message."""
        request = self.telnyx.use_tool(call_control_id, f"{URL}/tools/{tool}", arguments)
        answer = self._lab.post("/tools/" + tool, request.body, request.headers)
        return str(answer.json.get("message"))

    def print_trace(self, title: str, conversation_id: str) -> None:
        """Print nothing."""


def _play(scenario: Callable[[Demo], None], lab: FaultLab) -> None:
    """Run a scenario; a result that is not as expected ends the calls of all people."""
    try:
        scenario(_LabDemo(lab))
    except (DemoFailedError, ApiRefusedError, ApiError, StopIteration) as error:
        lab.unexpected.append(f"{scenario.__name__}: {error}")
        lab.has_conversation()
        for leg in lab.telnyx.legs:
            if leg.state != "ended":
                lab.telnyx.hang_up(leg.call_control_id)
                lab.run(5)


BOTH_RING = ("phone 19", "phone 21")
"""The phones that ring together: any of the two may be joined."""

DEMO_CALLS = tuple(
    Story(
        f"demo: {scenario.__name__.replace('_', ' ')}",
        partial(_play, scenario),
        PEOPLE,
        interchangeable=BOTH_RING,
    )
    for scenario in SCENARIOS
)
