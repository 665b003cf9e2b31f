"""What the plays of the demo are acted with: the stage, and how it is looked at."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from rich.console import Console

from local.client import Client, Json
from local.demo.trace import print_lines, trace
from local.simulator.telnyx import Simulator
from local.stack.logs import Line

T = TypeVar("T")

TIMEOUT_SECS = 120.0


class DemoFailedError(Exception):
    """Something in the demo did not come out as it should; the text says what."""


@dataclass
class Demo:
    """The stage: an API, a client of it, the simulated telephone network, the functions' log."""

    url: str
    client: Client
    telnyx: Simulator
    log: Callable[[], list[Line]]
    console: Console

    def poll(self, what: str, look: Callable[[], T | None]) -> T:
        """Wait until `look` finds something. Raises DemoFailedError when it does not come."""
        deadline = time.monotonic() + TIMEOUT_SECS
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise DemoFailedError(f"waited in vain for: {what}")

    def wait_for(self, conversation_id: str, what: str, true: Callable[[Json], Any]) -> Json:
        """Wait until the conversation is as it should be, and return it."""

        def look() -> Json | None:
            conversation = self.client.conversation(conversation_id)
            return conversation if true(conversation) else None

        return self.poll(what, look)

    def start(self, to: str, name: str, **more: Any) -> str:
        """Call the host, and wait until the assistant runs; the conversation's id."""
        body = {"to": to, "name": name, **more}
        here = str(self.client.ask("POST", "/conversations", body)["id"])
        self.wait_for(here, "the assistant to run", lambda it: it["status"] == "active")
        return here

    def invite(self, conversation_id: str, to: str | list[str], name: str, **plan: Any) -> None:
        """Ask somebody in."""
        body = {"to": to, "name": name, **plan}
        self.client.ask("POST", f"/conversations/{conversation_id}/participants", body)

    def use_tool(self, call_control_id: str, tool: str, **arguments: Any) -> str:
        """The assistant on a call uses one of our tools; what it is answered."""
        url = f"{self.url}/tools/{tool}"
        asked = self.telnyx.use_tool(call_control_id, url, arguments)
        answer = httpx.post(
            asked.url, content=asked.body, headers=asked.headers, timeout=30.0, trust_env=False
        )
        return str(answer.json().get("message"))

    def messages_sent(self, conversation_id: str) -> list[str]:
        """What the assistant was told so far."""
        events = self.client.timeline(conversation_id)
        return [each["data"]["content"] for each in events if each["type"] == "message.sent"]

    def wait_for_message(self, conversation_id: str, words: str) -> None:
        """Wait until the assistant was told something with these words in it."""
        self.poll(
            f"the assistant to be told: {words}",
            lambda: any(words in each for each in self.messages_sent(conversation_id)),
        )

    def hang_up_host(self, conversation_id: str, host: str) -> None:
        """The host hangs up, and all is over."""
        self.telnyx.hang_up(latest_call(self.client.conversation(conversation_id), host))
        self.wait_for(conversation_id, "the end", lambda it: it["status"] == "ended")

    def print_trace(self, title: str, conversation_id: str) -> None:
        """Print what happened in a conversation."""
        beats = trace(self.client, self.telnyx, self.log(), conversation_id)
        self.console.print(f"\n[bold]{title}[/bold]  [dim]{conversation_id}[/dim]")
        print_lines(self.console, beats)


def expect(true: object, what: str) -> None:
    """Raise DemoFailedError unless it is so."""
    if not true:
        raise DemoFailedError(f"this is not so: {what}")


def participant(conversation: Json, name: str) -> Json:
    """A participant by name."""
    found: Json = next(each for each in conversation["participants"] if each["name"] == name)
    return found


def participant_status(conversation: Json, name: str) -> str:
    """Where a participant stands."""
    return str(participant(conversation, name)["status"])


def leg_outcomes(conversation: Json, name: str) -> list[str | None]:
    """How each call to a participant came out."""
    return [leg["outcome"] for leg in participant(conversation, name)["legs"]]


def latest_call(conversation: Json, name: str) -> str:
    """The newest call of a participant."""
    return str(participant(conversation, name)["legs"][-1]["call_control_id"])
