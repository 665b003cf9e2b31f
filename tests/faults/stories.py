"""The stories that run with every fault at every point: people and their actions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.simulator.model import Person
from local.simulator.settings import Settings
from tests.faults.lab import FaultLab
from tests.support.lab import URL
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER
from tests.support.refusing_transport import JOINING_LEG

ANSWERS = {"conversation-keys": "taken"}
"""The answers of Telnyx in the stories, where these are not the assumed answers."""

SCREENING = {"say": "Somebody wants to speak to you. Press 1."}


@dataclass(frozen=True)
class Story:
    """A story: `play` runs the story; `settings` go to the simulated Telnyx."""

    name: str
    play: Callable[[FaultLab], None]
    people: Sequence[Person] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    interchangeable: Sequence[str] = ()
    """People of whom any may answer first."""
    attempts: int = 1
    """How often a plan of the story may call a number (`max_attempts`)."""
    refuses: Sequence[str] = ()
    """What this Telnyx refuses (see `RefusingTransport`)."""

    def new_lab(
        self,
        strikes: dict[int, str] | None = None,
        meanwhile: dict[int, float] | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> FaultLab:
        """Return a new lab for the story; `answers` are those of this Telnyx to unknowns."""
        settings = Settings.answering({**ANSWERS, **(answers or {})}, **self.settings)
        refuses = set(self.refuses)
        if settings.join_path == "host":
            refuses -= {JOINING_LEG}  # the simulator refuses this path itself
        return FaultLab(self.people, settings, strikes, meanwhile, refuses)


def _outbound(lab: FaultLab) -> None:
    lab.start_conversation(to=HOST, name="Robin", participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_until_joined("Dana")
    lab.invite_guest(LEE, "Lee")
    lab.wait_until_joined("Dana", "Lee")
    lab.request("POST", "/messages", {"role": "system", "content": "Be generous."})
    lab.wait_until(lambda: "Be generous." in _messages(lab), 60)
    hang_up(lab, DANA, "Dana")
    hang_up(lab, HOST)


def _refused_forms(lab: FaultLab) -> None:
    """Every command is refused once or more, and carried out in another form."""
    lab.start_conversation(
        to=HOST,
        assistant={
            "id": "assistant-1",
            "voice": "Telnyx.Ultra.nobody",
            "message_history": [{"role": "user", "content": "Earlier."}],
        },
    )
    lab.wait_until_active()
    lab.invite_guest(DANA, "Dana")
    lab.wait_until_joined("Dana")
    hang_up(lab, DANA, "Dana")
    hang_up(lab, HOST)


def _inbound(lab: FaultLab) -> None:
    lab.ring_in()
    lab.wait_until_active()
    lab.invite_guest(DANA, "Dana")
    lab.wait_until_joined("Dana")
    hang_up(lab, DANA, "Dana")
    hang_up(lab, CALLER)


def _with_answer(lab: FaultLab) -> None:
    route = {"assistant": {"id": "assistant-1"}, "start": "with_answer"}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", route).status in (200, 201)
    _inbound(lab)


def _attached(lab: FaultLab) -> None:
    call = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
    lab.start_conversation(call_control_id=call.call_control_id)
    lab.wait_until_active()
    lab.invite_guest(DANA, "Dana")
    lab.wait_until_joined("Dana")
    hang_up(lab, CALLER)


def _live_call_as_guest(lab: FaultLab) -> None:
    call = lab.telnyx.outside_call(LEE, OUR_NUMBER, f"{URL}/webhooks")
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    guest = {"call_control_id": call.call_control_id, "name": "Lee"}
    lab.request("POST", "/participants", guest)
    lab.wait_until_joined("Lee")
    hang_up(lab, LEE, "Lee")
    hang_up(lab, HOST)


def _stop(lab: FaultLab) -> None:
    lab.start_conversation(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_until_joined("Dana")
    lab.invite_guest(LEE, "Lee")
    lab.wait_until(
        lambda: LEE in [leg.person_number for leg in lab.telnyx.legs] or lab.has_departed("Lee")
    )
    lab.request("POST", "/stop")
    lab.wait_until(lambda: lab.current_status() == "ended")


def _stop_and_hang_up(lab: FaultLab) -> None:
    lab.start_conversation(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_until_joined("Dana")
    lab.request("POST", "/stop", {"hang_up": True})
    lab.wait_until(lambda: lab.current_status() == "ended")


def _host_leaves_first(lab: FaultLab) -> None:
    lab.start_conversation(
        to=HOST,
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    lab.wait_until_joined("Dana", "Lee")
    hang_up(lab, HOST)


def _goes_on_without_host(lab: FaultLab) -> None:
    lab.start_conversation(
        to=HOST,
        name="Robin",
        on_host_hangup="continue_conversation",
        participants=[{"to": DANA, "name": "Dana"}, {"to": LEE, "name": "Lee"}],
    )
    lab.wait_until_joined("Dana", "Lee")
    hang_up(lab, HOST)
    lab.wait_until(
        lambda: (
            len(lab.telnyx.conversations) == 2 and len(lab.telnyx_conversation().participants) == 1
        )
    )
    lab.run(10)
    hang_up(lab, LEE, "Lee")
    hang_up(lab, DANA)


def _hunt(lab: FaultLab) -> None:
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    lab.invite_guest([LEE, KIM, DANA], "Dana", machine_detection="standard", screening=SCREENING)
    lab.wait_until_joined("Dana")
    hang_up(lab, HOST)


def _at_once(lab: FaultLab) -> None:
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    lab.invite_guest([LEE, KIM, DANA], "Dana", strategy="at_once")
    lab.wait_until_joined("Dana")
    lab.run(5)
    hang_up(lab, HOST)


def _hunt_for_host(lab: FaultLab) -> None:
    lab.start_conversation(
        to=[LEE, KIM, HOST],
        machine_detection="standard",
        screening=SCREENING,
        participants=[{"to": DANA, "name": "Dana"}],
    )
    lab.wait_until_joined("Dana")
    hang_up(lab, HOST)


def _hosts_at_once(lab: FaultLab) -> None:
    lab.start_conversation(to=[HOST, LEE], strategy="at_once", max_attempts=2)
    lab.wait_until_active()
    lab.run(5)
    for number in (HOST, LEE):
        hang_up(lab, number)


def _waiting_words(lab: FaultLab) -> None:
    """A guest hears words until the host answers, and a goodbye at the end."""
    goodbye = {"say": "The call is over. Goodbye."}
    guest = {"to": DANA, "name": "Dana", "goodbye": goodbye}
    lab.start_conversation(to=HOST, participants=[guest])
    lab.wait_until_joined("Dana")
    lab.run(5)
    hang_up(lab, HOST)
    lab.run(8)


def _declined_screening(lab: FaultLab) -> None:
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    lab.invite_guest(DANA, "Dana", screening=SCREENING)
    lab.wait_until(lambda: bool(_messages(lab)))
    hang_up(lab, HOST)


def _voicemail(lab: FaultLab) -> None:
    """A phone that screens the call is not taken, and the next number takes a message."""
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    lab.invite_guest(
        [LEE, DANA],
        "Dana",
        machine_detection="premium_ios_call_screening",
        on_screen={"say": "It is about an invoice."},
        on_machine={"leave": {"say": "Please call back."}},
    )
    lab.wait_until(lambda: any("message was left" in text for text in _messages(lab)), 300)
    hang_up(lab, HOST)


def _tool_invites(lab: FaultLab) -> None:
    contacts = {"billing": {"to": DANA, "name": "Dana"}}
    route = {"assistant": {"id": "assistant-1"}, "contacts": contacts}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", route).status in (200, 201)
    call = lab.ring_in()
    lab.wait_until_active()
    use_tool(lab, call.call_control_id, "Billing")
    lab.wait_until_joined("Dana")
    hang_up(lab, CALLER)


def use_tool(lab: FaultLab, call_control_id: str, name: str) -> None:
    """Let the assistant on a call invite a person with its tool."""
    request = lab.telnyx.use_tool(call_control_id, f"{URL}/tools/invite", {"name": name})
    for _ in range(5):  # Telnyx may not repeat the request; the model may
        if any(lab.post_tool(request) == 200 for _ in range(request.attempts)):
            break
        lab.run(3)


def _hand_over(then: str, lab: FaultLab) -> None:
    """Hand the caller over to Dana; the assistant comes back, and Dana leaves before the caller."""
    lab.ring_in()
    lab.wait_until_active()
    plan = {"to": DANA, "name": "Dana", "brief": "An invoice.", "then": then}
    lab.request("POST", "/handover", plan)
    lab.wait_until(lambda: _handover_outcome(lab) is not None)
    lab.run(10)
    if then != "stay" and _handover_outcome(lab) == "handed_over":
        lab.request("POST", "/assistant", {"mode": "speaking"})
        lab.wait_until(lambda: _mode(lab) == "speaking", 60)
        lab.run(10)
    hang_up(lab, DANA, "Dana")
    hang_up(lab, CALLER)


def _handover_outcome(lab: FaultLab) -> str | None:
    stored = lab.stored.load(lab.conversation_id)
    return stored.handovers[-1].outcome if stored and stored.handovers else None


def _mode(lab: FaultLab) -> str:
    stored = lab.stored.load(lab.conversation_id)
    return stored.mode if stored else ""


def _messages(lab: FaultLab) -> list[str]:
    return lab.messages_to_assistant() if lab.telnyx.conversations else []


def hang_up(lab: FaultLab, number: str, name: str | None = None) -> None:
    """Hang up the person's call, if any; the assistant is told about a guest."""
    if not [leg for leg in lab.telnyx.legs if leg.person_number == number]:
        return
    lab.hang_up(number)
    if name:
        lab.wait_until(lambda: f"“{name}” has left the conversation." in _messages(lab))


STORIES = (
    Story("outbound with two guests", _outbound),
    Story(
        "refused forms",
        _refused_forms,
        refuses=[
            "/webhook_urls",
            "/message_history",
            "/assistant/voice_settings",
            JOINING_LEG,
        ],
    ),
    Story("inbound", _inbound),
    Story("assistant with the answer", _with_answer),
    Story("attached", _attached),
    Story("live call as guest", _live_call_as_guest),
    Story("stop", _stop, [Person(LEE, behaviour="manual")]),
    Story("stop and hang up", _stop_and_hang_up),
    Story("host leaves first", _host_leaves_first),
    Story("goes on without its host", _goes_on_without_host),
    Story(
        "hunt of three",
        _hunt,
        [Person(LEE, behaviour="busy"), Person(KIM, behaviour="machine"), Person(DANA, digits="1")],
    ),
    Story("at once", _at_once, interchangeable=["Lee", "Kim", "Dana"]),
    Story(
        "hunt for the host",
        _hunt_for_host,
        [Person(LEE, behaviour="busy"), Person(KIM, behaviour="machine"), Person(HOST, digits="1")],
    ),
    Story("hosts at once", _hosts_at_once, interchangeable=["host", "Lee"], attempts=2),
    Story("waiting words", _waiting_words, [Person(HOST, answer_after_secs=18)]),
    Story("declined screening", _declined_screening, [Person(DANA, digits="2")]),
    Story(
        "a message on a machine",
        _voicemail,
        [
            Person(LEE, behaviour="machine", screens_calls="iphone"),
            Person(DANA, behaviour="machine"),
        ],
        {"beep_after_prompt": True},
    ),
    Story("the assistant invites", _tool_invites),
    *(
        Story(f"handover, then {then}", partial(_hand_over, then), [Person(DANA, digits="1")])
        for then in ("stay", "silent", "away")
    ),
)
