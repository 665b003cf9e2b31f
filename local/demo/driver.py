"""The driver of the demo's scenarios: starts calls, waits for results and prints traces."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from rich.console import Console

from local.client import Client, Json
from local.demo.trace import print_lines, trace
from local.simulator.model import SimulatedLeg
from local.simulator.telnyx import Simulator
from local.stack.logs import Line
from local.tls import tls_context

T = TypeVar("T")

TIMEOUT_SECS = 300.0


class DemoFailedError(Exception):
    """A result of the demo is not the expected result."""


@dataclass
class Demo:
    """Drives calls: the API's URL and client, the simulated Telnyx, the functions' log."""

    url: str
    client: Client
    telnyx: Simulator
    log: Callable[[], list[Line]]
    console: Console

    def poll(self, description: str, probe: Callable[[], T | None]) -> T:
        """Call `probe` until the result is a value. Raises DemoFailedError after TIMEOUT_SECS."""
        deadline = time.monotonic() + TIMEOUT_SECS
        while time.monotonic() < deadline:
            value = probe()
            if value:
                return value
            time.sleep(0.05)
        raise DemoFailedError(f"waited in vain for: {description}")

    def wait_for(
        self, conversation_id: str, description: str, condition: Callable[[Json], Any]
    ) -> Json:
        """Wait until the condition is true of the conversation, and return the conversation."""

        def probe() -> Json | None:
            conversation = self.client.conversation(conversation_id)
            return conversation if condition(conversation) else None

        return self.poll(description, probe)

    def wait_for_outcomes(
        self, conversation_id: str, name: str, outcomes: list[str], description: str
    ) -> None:
        """Wait until a participant's legs have the outcomes.

        On a slow machine a poll may find the end of a call before the webhook tells the cause,
        which then corrects the outcome.
        """
        self.wait_for(
            conversation_id, description, lambda seen: leg_outcomes(seen, name) == outcomes
        )

    def wait_for_status(self, conversation_id: str, status: str) -> None:
        """Wait until the conversation has the status."""
        self.wait_for(conversation_id, f"status {status}", lambda seen: seen["status"] == status)

    def wait_for_participant(self, conversation_id: str, name: str, status: str) -> Json:
        """Wait until a participant has the status, and return the conversation."""
        return self.wait_for(
            conversation_id,
            f"{name} to be {status}",
            lambda seen: participant(seen, name)["status"] == status,
        )

    def wait_for_inbound(self) -> str:
        """Wait for an active inbound conversation, and return the newest conversation's id."""

        def probe() -> str | None:
            active = self.client.ask("GET", "/conversations?status=active")["conversations"]
            return str(active[0]["id"]) if active else None

        return self.poll("an inbound conversation", probe)

    def start(self, to: str, name: str, **fields: Any) -> str:
        """Call the host, wait until the assistant runs, and return the conversation's id."""
        body = {"to": to, "name": name, **fields}
        conversation_id = str(self.client.ask("POST", "/conversations", body)["id"])
        self.wait_for_status(conversation_id, "active")
        return conversation_id

    def invite(self, conversation_id: str, to: str | list[str], name: str, **plan: Any) -> None:
        """Invite a participant."""
        body = {"to": to, "name": name, **plan}
        self.client.ask("POST", f"/conversations/{conversation_id}/participants", body)

    def hand_over(self, conversation_id: str, **body: Any) -> None:
        """Hand the host over to a person, and wait until the person has taken over."""
        self.client.ask("POST", f"/conversations/{conversation_id}/handover", body)
        seen = self.wait_for(
            conversation_id, "the handover", lambda seen: seen["handovers"][-1]["outcome"]
        )
        outcome = seen["handovers"][-1]["outcome"]
        expect(outcome == "handed_over", f"the outcome of the handover is {outcome}")

    def set_mode(self, conversation_id: str, mode: str) -> None:
        """Ask for a mode of the assistant, and wait until the mode holds."""
        self.client.ask("POST", f"/conversations/{conversation_id}/assistant", {"mode": mode})
        self.wait_for(conversation_id, f"mode {mode}", lambda seen: seen["mode"] == mode)

    def legs(self, conversation_id: str, *names: str) -> list[SimulatedLeg]:
        """Return the simulated calls of people by name."""
        seen = self.client.conversation(conversation_id)
        return [self.telnyx.world.legs[latest_call(seen, name)] for name in names]

    def use_tool(self, call_control_id: str, tool: str, **arguments: Any) -> str:
        """Let the assistant of a call use our tool, and return the tool's message."""
        url = f"{self.url}/tools/{tool}"
        request = self.telnyx.use_tool(call_control_id, url, arguments)
        response = httpx.post(
            request.url,
            content=request.body,
            headers=request.headers,
            timeout=TIMEOUT_SECS,
            trust_env=False,
            verify=tls_context(),
        )
        return str(response.json().get("message"))

    def wait_for_message(self, conversation_id: str, text: str) -> None:
        """Wait until the assistant has got a message that contains the text."""

        def probe() -> bool:
            events = self.client.timeline(conversation_id)
            return any(text in str(event["data"].get("content")) for event in events)

        self.poll(f"the assistant to be told: {text}", probe)

    def hang_up_host(self, conversation_id: str, host: str) -> None:
        """Hang up the host's call and wait for the conversation's end."""
        self.telnyx.hang_up(latest_call(self.client.conversation(conversation_id), host))
        self.wait_for_status(conversation_id, "ended")

    def print_trace(self, title: str, conversation_id: str) -> None:
        """Print the trace of a conversation."""
        lines = trace(self.client, self.telnyx, self.log(), conversation_id)
        self.console.print(f"\n[bold]{title}[/bold]  [dim]{conversation_id}[/dim]", markup=True)
        print_lines(self.console, lines)


def expect(condition: object, description: str) -> None:
    """Raise DemoFailedError unless the condition is true."""
    if not condition:
        raise DemoFailedError(f"this is not so: {description}")


def participant(conversation: Json, name: str) -> Json:
    """Return a participant by name."""
    return next(person for person in conversation["participants"] if person["name"] == name)


def leg_outcomes(conversation: Json, name: str) -> list[str | None]:
    """Return the outcome of each leg of a participant."""
    return [leg["outcome"] for leg in participant(conversation, name)["legs"]]


def latest_call(conversation: Json, name: str) -> str:
    """Return the call_control_id of a participant's latest leg."""
    return str(participant(conversation, name)["legs"][-1]["call_control_id"])
