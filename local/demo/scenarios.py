"""The plays of the demo: each is a call or two, and raises when it does not come out right."""

from local.client import Json
from local.demo.driver import (
    Demo,
    expect,
    latest_call,
    leg_outcomes,
    participant,
    participant_status,
)
from local.simulator.model import Person
from local.stack.local_stack import Options

HOST, DANA, LEE, CALLER = "+13125550111", "+13125550112", "+13125550113", "+13125550114"
BUSY, MACHINE, PRESSES_1, PRESSES_2 = (f"+131255501{nth}" for nth in (15, 16, 17, 18))
FIRST, SECOND = "+13125550119", "+13125550121"
OURS = Options().number

PEOPLE = (
    Person(HOST, "Robin", answer_after_secs=0.6),
    Person(DANA, "Dana", answer_after_secs=0.8),
    Person(LEE, "Lee", behaviour="busy", answer_after_secs=0.5),
    Person(BUSY, behaviour="busy", answer_after_secs=0.5),
    Person(MACHINE, behaviour="machine", answer_after_secs=0.5),
    Person(PRESSES_1, digits="1", answer_after_secs=0.5, digits_after_secs=0.5),
    Person(PRESSES_2, digits="2", answer_after_secs=0.5, digits_after_secs=0.5),
    Person(FIRST, behaviour="manual"),
    Person(SECOND, behaviour="manual"),
)

SCREENING = {"say": "Robin is on the line about an invoice. Press 1 to join."}


def outbound(demo: Demo) -> None:
    """We call Robin; Dana joins, Lee is busy; Dana leaves, Robin hangs up."""
    here = demo.start(HOST, "Robin", metadata={"ticket": "4711"})
    demo.invite(here, DANA, "Dana")
    demo.invite(here, LEE, "Lee")
    demo.wait_for(here, "Dana to join", lambda it: participant_status(it, "Dana") == "joined")
    demo.wait_for(here, "Lee to be busy", lambda it: participant(it, "Lee")["outcome"] == "busy")
    demo.client.ask(
        "POST",
        f"/conversations/{here}/messages",
        {"role": "system", "content": "Robin is a customer of ten years: be generous."},
    )
    demo.wait_for_message(here, "ten years")
    demo.wait_for_message(here, "Lee could not be reached: the line is busy.")
    demo.telnyx.hang_up(latest_call(demo.client.conversation(here), "Dana"))
    demo.wait_for(here, "Dana to leave", lambda it: participant_status(it, "Dana") == "left")
    expect(demo.client.conversation(here)["status"] == "active", "it goes on without Dana")
    demo.telnyx.hang_up(latest_call(demo.client.conversation(here), "Robin"))
    ended = demo.wait_for(here, "the insights", lambda it: it["insights"])
    expect(ended["status"] == "ended", "the conversation has ended")
    demo.print_trace("1. An outbound call with two guests", here)


def inbound(demo: Demo) -> None:
    """Somebody rings our number, and the default assistant answers."""
    leg = demo.telnyx.ring_in(CALLER, OURS)
    here = demo.poll("an inbound conversation", lambda: _newest_conversation(demo, "active"))["id"]
    demo.telnyx.say(leg.call_control_id, "When are you open?")
    demo.telnyx.hang_up(leg.call_control_id)
    demo.wait_for(here, "the end and the insights", lambda it: it["insights"])
    demo.print_trace("2. An inbound call, answered by the assistant", here)


def attached(demo: Demo) -> None:
    """An assistant is put on a call that is live already, and taken off it again."""
    leg = demo.telnyx.outside_call(CALLER, OURS)
    started = demo.client.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    here = started["id"]
    expect(started["status"] == "active", "the assistant runs when the request is answered")
    demo.client.ask("POST", f"/conversations/{here}/stop", {"hang_up": False})
    demo.wait_for(here, "the stop", lambda it: it["status"] == "ended")
    expect(leg.state == "answered", "the call is still up")
    demo.print_trace("3. An assistant on a live call, stopped, the call left up", here)
    demo.telnyx.hang_up(leg.call_control_id)


def hunt(demo: Demo) -> None:
    """Dana has three numbers: a busy one, a machine, and one where she presses 1."""
    here = demo.start(HOST, "Robin")
    plan = {"machine_detection": "standard", "screening": SCREENING}
    demo.invite(here, [BUSY, MACHINE, PRESSES_1], "Dana", **plan)
    found = demo.wait_for(
        here, "Dana to join", lambda it: participant_status(it, "Dana") == "joined"
    )
    expect(
        leg_outcomes(found, "Dana") == ["busy", "machine", "human"], "the third call reached her"
    )
    demo.wait_for_message(here, "the line is busy. The next number is being tried.")
    demo.wait_for_message(here, "an answering machine picked up. The next number is being tried.")
    demo.wait_for_message(here, "Dana has joined the conversation.")
    demo.hang_up_host(here, "Robin")
    demo.print_trace("4. A hunt of three: busy, a machine, a person who presses 1", here)


def at_once(demo: Demo) -> None:
    """Two phones ring for the night shift, and both are picked up in the same instant."""
    here = demo.start(HOST, "Robin")
    demo.invite(here, [FIRST, SECOND], "The night shift", strategy="at_once")
    ringing = [leg for leg in demo.telnyx.legs if leg.to in (FIRST, SECOND)]
    for leg in ringing:
        demo.telnyx.answer(leg.call_control_id)
    demo.wait_for_message(here, "The night shift has joined the conversation.")
    demo.poll("the other one to be hung up", lambda: any(leg.state == "ended" for leg in ringing))
    joined = [each.call_control_id for each in demo.telnyx.conversations[-1].participants]
    expect(len(joined) == 1, "one of the two was joined, and never the other")
    (winner,) = [leg for leg in ringing if leg.call_control_id in joined]
    expect(winner.state == "answered", "who was joined is on the line")
    demo.hang_up_host(here, "Robin")
    demo.print_trace("5. Two answer together: one is joined, the other hung up", here)


def declined(demo: Demo) -> None:
    """Lee hears what it is about, and presses another digit."""
    here = demo.start(HOST, "Robin")
    demo.invite(here, PRESSES_2, "Lee", screening=SCREENING)
    demo.wait_for_message(here, "Lee was reached but declined to join the conversation.")
    seen = demo.client.conversation(here)
    expect(leg_outcomes(seen, "Lee") == ["declined"], "Lee has declined")
    expect(not demo.telnyx.conversations[-1].participants, "Lee was never joined")
    demo.hang_up_host(here, "Robin")
    demo.print_trace("6. A screening that is declined", here)


def ends_meanwhile(demo: Demo) -> None:
    """A phone rings for Dana when Robin hangs up: it stops, and no other number is tried."""
    here = demo.start(HOST, "Robin")
    demo.invite(here, [FIRST, DANA], "Dana")
    demo.hang_up_host(here, "Robin")
    seen = demo.wait_for(
        here, "the plan to end", lambda it: participant_status(it, "Dana") == "failed"
    )
    expect(leg_outcomes(seen, "Dana") == ["cancelled"], "one number was tried, and was called off")
    expect(not demo.telnyx.conversations[-1].participants, "nobody was joined to nothing")
    demo.poll("the ringing to stop", lambda: demo.telnyx.legs[-1].state == "ended")
    demo.print_trace("7. The conversation ends while a plan is under way", here)


def tool(demo: Demo) -> None:
    """The assistant asks Dana in by itself, twice as models do, and knows who is there."""
    route = {"assistant": {"id": "assistant-sales"}, "contacts": {"Dana": {"to": DANA}}}
    demo.client.ask("PUT", f"/routes/{OURS}", route)
    leg = demo.telnyx.ring_in(CALLER, OURS)
    here = demo.poll("an inbound conversation", lambda: _newest_conversation(demo, "active"))["id"]
    asked = [demo.use_tool(leg.call_control_id, "invite", name=each) for each in ("dana", "Dana")]
    expect(asked[0] == "Calling Dana now.", "the assistant can say what happens now")
    demo.wait_for_message(here, "Dana has joined the conversation.")
    who = demo.use_tool(leg.call_control_id, "status")
    expect(who == "On the line: the caller, Dana.", "it knows who is there")
    people = demo.client.conversation(here)["participants"]
    expect(len(people) == 2, "Dana was called once, though the model asked twice")
    demo.telnyx.hang_up(leg.call_control_id)
    demo.wait_for(here, "the end", lambda it: it["status"] == "ended")
    late = demo.use_tool(leg.call_control_id, "invite", name="Dana")
    expect(late == "The call is over.", "after the hangup nobody is called")
    demo.client.ask("DELETE", f"/routes/{OURS}")
    demo.print_trace("8. The assistant invites by itself, with its tool", here)
    for words in (*asked, who, late):
        demo.console.print(f"  the tool answers  “{words}”", highlight=False)


SCENARIOS = (outbound, inbound, attached, hunt, at_once, declined, ends_meanwhile, tool)


def _newest_conversation(demo: Demo, status: str) -> Json | None:
    found = demo.client.ask("GET", f"/conversations?status={status}")["conversations"]
    return found[0] if found else None
