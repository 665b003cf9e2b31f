"""`make demo`: three calls on this machine, through the real handlers, told as they happened."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.console import Console

from local.client import ApiRefusedError, Client, Json
from local.logs import Line
from local.simulator.model import Person
from local.simulator.settings import Settings
from local.simulator.telnyx import Simulator
from local.stack import LocalStack, Options, Runner, in_process
from local.story import story, tell

T = TypeVar("T")

HOST, DANA, LEE, CALLER = "+13125550111", "+13125550112", "+13125550113", "+13125550114"
OURS = Options().number

PEOPLE = (
    Person(HOST, "Robin", answer_after_secs=0.6),
    Person(DANA, "Dana", answer_after_secs=0.8),
    Person(LEE, "Lee", behaviour="busy", answer_after_secs=0.5),
)

PATIENCE_SECS = 20.0


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

    def wait(self, what: str, look: Callable[[], T | None]) -> T:
        """Wait until `look` finds something. Raises DemoFailedError when it does not come."""
        deadline = time.monotonic() + PATIENCE_SECS
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise DemoFailedError(f"waited in vain for: {what}")

    def until(self, conversation_id: str, what: str, true: Callable[[Json], Any]) -> Json:
        """Wait until the conversation is as it should be, and return it."""

        def look() -> Json | None:
            conversation = self.client.conversation(conversation_id)
            return conversation if true(conversation) else None

        return self.wait(what, look)

    def tell(self, title: str, conversation_id: str) -> None:
        """Print what happened in a conversation."""
        beats = story(self.client, self.telnyx, self.log(), conversation_id)
        self.console.print(f"\n[bold]{title}[/bold]  [dim]{conversation_id}[/dim]")
        tell(self.console, beats)


def run(console: Console, runner: Runner = in_process) -> int:
    """Run the demo on a local stack; 0 if everything came out as it should, else 1."""
    console.print("[bold]Partyline[/bold]  starting the local stack ...", highlight=False)
    with LocalStack(Options(simulator=settings()), runner) as stack:
        if stack.simulator is None:
            raise DemoFailedError("the demo needs the simulator")
        console.print(
            f"  the API of template.yaml, real handlers   {stack.url}\n"
            f"  a simulated Telnyx, signed webhooks       {stack.simulator.url}\n"
            "  an embedded AWS with the template's table",
            highlight=False,
        )
        return perform(console, stack.url, stack.simulator.simulator, stack.logs.lines)


def settings() -> Settings:
    """The simulator of the demo: nobody wants to wait for its insights."""
    return Settings(insights_after_secs=0.5, accepts_conversation_keys=True)


def perform(console: Console, url: str, telnyx: Simulator, log: Callable[[], list[Line]]) -> int:
    """Play the calls on a stack that is up; 0 if everything came out as it should, else 1.

    `url` is the API's, `log` answers what its functions logged so far.
    """
    client = Client(url, Options().api_key)
    demo = Demo(url, client, telnyx, log, console)
    for person in PEOPLE:
        telnyx.set_person(person)
    try:
        for play in (outbound, inbound, attached):
            play(demo)
        _clean(demo)
    except (DemoFailedError, ApiRefusedError) as error:
        console.print(f"\n[bold red]The demo failed:[/bold red] {error}")
        return 1
    finally:
        client.close()
    console.print("\n[bold green]All as it should be.[/bold green]")
    return 0


def outbound(demo: Demo) -> None:
    """We call Robin; Dana joins, Lee is busy; Dana leaves, Robin hangs up."""
    started = demo.client.ask(
        "POST", "/conversations", {"to": HOST, "name": "Robin", "metadata": {"ticket": "4711"}}
    )
    here = started["id"]
    demo.until(here, "the assistant to run", lambda it: it["status"] == "active")
    for number, name in ((DANA, "Dana"), (LEE, "Lee")):
        demo.client.ask("POST", f"/conversations/{here}/participants", {"to": number, "name": name})
    demo.until(here, "Dana to join", lambda it: _status(it, "Dana") == "joined")
    demo.until(here, "Lee to be busy", lambda it: _person(it, "Lee")["outcome"] == "busy")
    demo.client.ask(
        "POST",
        f"/conversations/{here}/messages",
        {"role": "system", "content": "Robin is a customer of ten years: be generous."},
    )
    told = demo.wait("the assistant to be told", lambda: _told(demo, here, 3))
    _expect("busy" in " ".join(told), "the assistant knows that Lee is busy")
    demo.telnyx.hang_up(_call(demo.client.conversation(here), "Dana"))
    demo.until(here, "Dana to leave", lambda it: _status(it, "Dana") == "left")
    _expect(demo.client.conversation(here)["status"] == "active", "it goes on without Dana")
    demo.telnyx.hang_up(_call(demo.client.conversation(here), "Robin"))
    ended = demo.until(here, "the insights", lambda it: it["insights"])
    _expect(ended["status"] == "ended", "the conversation has ended")
    demo.tell("1. An outbound call with two guests", here)


def inbound(demo: Demo) -> None:
    """Somebody rings our number, and the default assistant answers."""
    leg = demo.telnyx.ring_in(CALLER, OURS)
    here = demo.wait("an inbound conversation", lambda: _newest(demo, "active"))["id"]
    demo.telnyx.say(leg.call_control_id, "When are you open?")
    demo.telnyx.hang_up(leg.call_control_id)
    demo.until(here, "the end and the insights", lambda it: it["insights"])
    demo.tell("2. An inbound call, answered by the assistant", here)


def attached(demo: Demo) -> None:
    """An assistant is put on a call that is live already, and taken off it again."""
    leg = demo.telnyx.outside_call(CALLER, OURS)
    started = demo.client.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    here = started["id"]
    _expect(started["status"] == "active", "the assistant runs when the request is answered")
    demo.client.ask("POST", f"/conversations/{here}/stop", {"hang_up": False})
    demo.until(here, "the stop", lambda it: it["status"] == "ended")
    _expect(leg.state == "answered", "the call is still up")
    demo.tell("3. An assistant on a live call, stopped, the call left up", here)
    demo.telnyx.hang_up(leg.call_control_id)


def _clean(demo: Demo) -> None:
    """Nobody was called twice, every request was one that Telnyx knows, no call is left up."""
    _expect(not demo.telnyx.violations, f"no violations: {demo.telnyx.violations}")
    unknown = [entry.unknown_fields for entry in demo.telnyx.ledger if entry.unknown_fields]
    _expect(not unknown, f"no unknown fields: {unknown}")
    demo.wait(
        "every call to be over", lambda: all(each.state == "ended" for each in demo.telnyx.legs)
    )


def _expect(true: object, what: str) -> None:
    if not true:
        raise DemoFailedError(f"this is not so: {what}")


def _person(conversation: Json, name: str) -> Json:
    found: Json = next(each for each in conversation["participants"] if each["name"] == name)
    return found


def _status(conversation: Json, name: str) -> str:
    return str(_person(conversation, name)["status"])


def _call(conversation: Json, name: str) -> str:
    return str(_person(conversation, name)["legs"][-1]["call_control_id"])


def _told(demo: Demo, conversation_id: str, count: int) -> list[str] | None:
    events = demo.client.timeline(conversation_id)
    told = [each["data"]["content"] for each in events if each["type"] == "message.sent"]
    return told if len(told) >= count else None


def _newest(demo: Demo, status: str) -> Json | None:
    found = demo.client.ask("GET", f"/conversations?status={status}")["conversations"]
    return found[0] if found else None
