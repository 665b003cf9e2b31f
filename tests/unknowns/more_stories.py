"""Stories about the unknowns that no other story touches."""

from tests.faults.lab import FaultLab
from tests.faults.stories import Story, hang_up, use_tool
from tests.support.lab import URL, minutes
from tests.support.people import CALLER, DANA, HOST, LEE, OUR_NUMBER


def _hang_up_all(lab: FaultLab) -> None:
    for leg in lab.telnyx.legs:
        if leg.state != "ended":
            lab.telnyx.hang_up(leg.call_control_id)


def _transfer(lab: FaultLab) -> None:
    """The assistant transfers the caller; the two people talk for a minute."""
    call = lab.ring_in()
    lab.wait_until_active()
    if call.conversation_id is None:
        return
    lab.telnyx.transfer(call.call_control_id, LEE)
    lab.run(minutes(1))
    if [leg.state for leg in lab.telnyx.legs[:2]] != ["answered", "answered"]:
        lab.unexpected.append("the transferred people were cut off")
    _hang_up_all(lab)


def _time_limit(lab: FaultLab) -> None:
    """Telnyx ends the guest's call after a minute."""
    guest = {"to": DANA, "name": "Dana", "time_limit_secs": 60}
    lab.start_conversation(to=HOST, participants=[guest])
    lab.wait_until_joined("Dana")
    lab.run(minutes(3))
    _hang_up_all(lab)


def _unknown_assistant(lab: FaultLab) -> None:
    lab.start_conversation(to=HOST, assistant={"id": "assistant-nobody"})
    lab.run(minutes(2))
    _hang_up_all(lab)


def _second_conversation(lab: FaultLab) -> None:
    """The assistant is stopped and started again on the same live call."""
    call = lab.telnyx.outside_call(CALLER, OUR_NUMBER, f"{URL}/webhooks")
    for _ in range(2):
        lab.start_conversation(call_control_id=call.call_control_id)
        lab.wait_until_active()
        lab.request("POST", "/stop")
        lab.wait_until(lambda: lab.current_status() in ("ended", "failed"))
        lab.run(30)  # until the insights
    lab.telnyx.hang_up(call.call_control_id)


def _guest_uses_tool(lab: FaultLab) -> None:
    """A guest asks the assistant to invite a second guest."""
    contacts = {"Dana": {"to": DANA, "name": "Dana"}, "Lee": {"to": LEE, "name": "Lee"}}
    route = {"assistant": {"id": "assistant-1"}, "contacts": contacts}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", route).status in (200, 201)
    lab.ring_in()
    lab.wait_until_active()
    lab.invite_guest(DANA, "Dana")
    lab.wait_until_joined("Dana")
    guest = lab.leg(DANA) if DANA in [leg.person_number for leg in lab.telnyx.legs] else None
    if guest is not None:
        use_tool(lab, guest.call_control_id, "Lee")
        lab.wait_until_joined("Dana", "Lee")
    hang_up(lab, CALLER)


def _after_the_end(lab: FaultLab) -> None:
    """A message meets an ended call: Telnyx's webhook of the end is on the way."""
    lab.start_conversation(to=HOST, participants=[{"to": DANA, "name": "Dana"}])
    lab.wait_until_joined("Dana")
    hang_up(lab, HOST)
    lab.request("POST", "/messages", {"role": "system", "content": "Be generous."})
    lab.run(5)


def _without_assistant(lab: FaultLab) -> None:
    """A message and a stop meet a call whose assistant has just ended at its own time limit."""
    lab.start_conversation(to=HOST)
    lab.wait_until_active()
    if lab.telnyx.conversations:
        lab.telnyx.end_assistant(lab.telnyx_conversation().starting_call)
    lab.request("POST", "/messages", {"role": "system", "content": "Be generous."})
    lab.request("POST", "/stop", {"hang_up": True})
    lab.run(5)


MORE_STORIES = (
    Story("transfer by the assistant", _transfer),
    Story("time limit", _time_limit),
    Story(
        "unknown assistant",
        _unknown_assistant,
        settings={"assistants": frozenset({"assistant-1", "assistant-default"})},
    ),
    Story("second conversation on a call", _second_conversation),
    Story("a guest uses the tool", _guest_uses_tool),
    Story("message after the end", _after_the_end),
    Story("stop without an assistant", _without_assistant),
)
