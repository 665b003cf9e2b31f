"""The demo's scenarios. Each drives a call or two and raises for an unexpected result."""

from local.demo.driver import Demo, expect, latest_call, leg_outcomes, participant
from local.simulator.model import Person
from local.stack.local_stack import Options

HOST, DANA, LEE, CALLER = "+13125550111", "+13125550112", "+13125550113", "+13125550114"
BUSY, MACHINE, PRESSES_1, PRESSES_2 = (f"+131255501{nth}" for nth in (15, 16, 17, 18))
FIRST, SECOND = "+13125550119", "+13125550121"
SLOW = "+13125550122"
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
    Person(SLOW, "Robin", answer_after_secs=4.0),
)

BRIEF = "Robin was charged twice for order 4711"

SCREENING = {"say": "Robin is on the line about an invoice. Press 1 to join."}


def outbound(demo: Demo) -> None:
    """We call Robin; Dana joins, Lee is busy; Dana leaves, Robin hangs up."""
    conversation_id = demo.start(HOST, "Robin", metadata={"ticket": "4711"})
    demo.invite(conversation_id, DANA, "Dana")
    demo.invite(conversation_id, LEE, "Lee")
    demo.wait_for_participant(conversation_id, "Dana", "joined")
    demo.wait_for_participant(conversation_id, "Lee", "failed")
    demo.wait_for_outcomes(conversation_id, "Lee", ["busy"], "Lee is busy")
    demo.client.ask(
        "POST",
        f"/conversations/{conversation_id}/messages",
        {"role": "system", "content": "Robin is a customer of ten years: be generous."},
    )
    demo.wait_for_message(conversation_id, "ten years")
    demo.wait_for_message(conversation_id, "“Lee” could not be reached: the line is busy.")
    demo.telnyx.hang_up(latest_call(demo.client.conversation(conversation_id), "Dana"))
    demo.wait_for_participant(conversation_id, "Dana", "left")
    status = demo.client.conversation(conversation_id)["status"]
    expect(status == "active", "the conversation goes on without Dana")
    demo.telnyx.hang_up(latest_call(demo.client.conversation(conversation_id), "Robin"))
    ended = demo.wait_for(conversation_id, "the insights", lambda seen: seen["insights"])
    expect(ended["status"] == "ended", "the conversation has ended")
    demo.print_trace("1. An outbound call with two guests", conversation_id)


def inbound(demo: Demo) -> None:
    """A caller calls our number, and the default assistant answers."""
    leg = demo.telnyx.ring_in(CALLER, OURS)
    conversation_id = demo.wait_for_inbound()
    demo.telnyx.say(leg.call_control_id, "When are you open?")
    demo.telnyx.hang_up(leg.call_control_id)
    demo.wait_for(conversation_id, "the insights", lambda seen: seen["insights"])
    demo.print_trace("2. An inbound call, answered by the assistant", conversation_id)


def attached(demo: Demo) -> None:
    """An assistant starts on a call that is already up, and stops while the call stays up."""
    leg = demo.telnyx.outside_call(CALLER, OURS)
    started = demo.client.ask("POST", "/conversations", {"call_control_id": leg.call_control_id})
    conversation_id = started["id"]
    expect(started["status"] == "active", "the assistant runs when the request is answered")
    demo.client.ask("POST", f"/conversations/{conversation_id}/stop", {"hang_up": False})
    demo.wait_for_status(conversation_id, "ended")
    expect(leg.state == "answered", "the call is still up")
    demo.print_trace("3. An assistant on a live call, stopped, the call left up", conversation_id)
    demo.telnyx.hang_up(leg.call_control_id)


def hunt(demo: Demo) -> None:
    """Dana has three numbers: busy, an answering machine, and a phone where she presses 1."""
    conversation_id = demo.start(HOST, "Robin")
    plan = {"machine_detection": "standard", "screening": SCREENING}
    demo.invite(conversation_id, [BUSY, MACHINE, PRESSES_1], "Dana", **plan)
    demo.wait_for_participant(conversation_id, "Dana", "joined")
    outcomes = ["busy", "machine", "human"]
    demo.wait_for_outcomes(conversation_id, "Dana", outcomes, "the third call reached Dana")
    demo.wait_for_message(conversation_id, "the line is busy. The next number is being tried.")
    demo.wait_for_message(
        conversation_id, "an answering machine picked up. The next number is being tried."
    )
    demo.wait_for_message(conversation_id, "“Dana” has joined the conversation.")
    demo.hang_up_host(conversation_id, "Robin")
    demo.print_trace("4. A hunt of three: busy, a machine, a person who presses 1", conversation_id)


def at_once(demo: Demo) -> None:
    """Two phones ring for the night shift, and both are answered in the same instant."""
    conversation_id = demo.start(HOST, "Robin")
    demo.invite(conversation_id, [FIRST, SECOND], "The night shift", strategy="at_once")
    ringing = [leg for leg in demo.telnyx.legs if leg.to in (FIRST, SECOND)]
    for leg in ringing:
        demo.telnyx.answer(leg.call_control_id)
    demo.wait_for_message(conversation_id, "“The night shift” has joined the conversation.")
    demo.poll("the other call to be hung up", lambda: any(leg.state == "ended" for leg in ringing))
    participants = demo.telnyx.conversations[-1].participants
    joined = [participant.call_control_id for participant in participants]
    expect(len(joined) == 1, "one of the two calls was joined, and never the other call")
    (winner,) = [leg for leg in ringing if leg.call_control_id in joined]
    expect(winner.state == "answered", "the joined call is up")
    demo.hang_up_host(conversation_id, "Robin")
    demo.print_trace("5. Two answer together: one is joined, the other hung up", conversation_id)


def declined(demo: Demo) -> None:
    """Lee hears the screening and presses another digit than 1."""
    conversation_id = demo.start(HOST, "Robin")
    demo.invite(conversation_id, PRESSES_2, "Lee", screening=SCREENING)
    demo.wait_for_message(
        conversation_id, "“Lee” was reached but declined to join the conversation."
    )
    seen = demo.client.conversation(conversation_id)
    expect(leg_outcomes(seen, "Lee") == ["declined"], "Lee has declined")
    expect(not demo.telnyx.conversations[-1].participants, "Lee was never joined")
    demo.hang_up_host(conversation_id, "Robin")
    demo.print_trace("6. A screening that is declined", conversation_id)


def ends_meanwhile(demo: Demo) -> None:
    """Robin hangs up while Dana's phone rings: the ringing stops, no other number is dialed."""
    conversation_id = demo.start(HOST, "Robin")
    demo.invite(conversation_id, [FIRST, DANA], "Dana")
    demo.hang_up_host(conversation_id, "Robin")
    seen = demo.wait_for_participant(conversation_id, "Dana", "failed")
    expect(leg_outcomes(seen, "Dana") == ["cancelled"], "one number was dialed and cancelled")
    expect(not demo.telnyx.conversations[-1].participants, "no guest was joined")
    demo.poll("the ringing to stop", lambda: demo.telnyx.legs[-1].state == "ended")
    demo.print_trace("7. The conversation ends while a plan is under way", conversation_id)


def tool(demo: Demo) -> None:
    """The assistant invites Dana with its tool, twice as models do, and asks for the status."""
    route = {"assistant": {"id": "assistant-sales"}, "contacts": {"Dana": {"to": DANA}}}
    demo.client.ask("PUT", f"/routes/{OURS}", route)
    leg = demo.telnyx.ring_in(CALLER, OURS)
    conversation_id = demo.wait_for_inbound()
    answers = [demo.use_tool(leg.call_control_id, "invite", name=name) for name in ("dana", "Dana")]
    expect(answers[0] == "Calling “Dana” now.", "the assistant can say what happens now")
    demo.wait_for_message(conversation_id, "“Dana” has joined the conversation.")
    status = demo.use_tool(leg.call_control_id, "status")
    expect(status == "On the line: the caller, “Dana”.", "the assistant knows the participants")
    people = demo.client.conversation(conversation_id)["participants"]
    expect(len(people) == 2, "Dana was called once, though the model invited Dana twice")
    demo.telnyx.hang_up(leg.call_control_id)
    demo.wait_for_status(conversation_id, "ended")
    late = demo.use_tool(leg.call_control_id, "invite", name="Dana")
    expect(late == "The call is over.", "after the hangup no number is dialed")
    demo.client.ask("DELETE", f"/routes/{OURS}")
    demo.print_trace("8. The assistant invites by itself, with its tool", conversation_id)
    for answer in (*answers, status, late):
        demo.console.print(f"  the tool answers  {answer}")


def handover(demo: Demo) -> None:
    """Dana hears why, waits for Robin and takes over; the assistant is silent, away, and back."""
    dana = {"to": PRESSES_1, "name": "Dana", "brief": BRIEF}
    conversation_id = demo.start(SLOW, "Robin", participants=[dana])
    demo.wait_for_participant(conversation_id, "Dana", "joined")
    robin, dana_leg = demo.legs(conversation_id, "Robin", "Dana")
    heard = [notice for _, notice in dana_leg.heard]
    expect(any(BRIEF in notice for notice in heard), "Dana heard the brief")
    expect(any("One moment" in notice for notice in heard), "Dana heard words while she waited")
    expect(not any(BRIEF in notice for _, notice in robin.heard), "Robin never hears the brief")

    person = participant(demo.client.conversation(conversation_id), "Dana")
    demo.hand_over(conversation_id, participant_id=person["id"], then="silent")
    seen = demo.client.conversation(conversation_id)
    expect(seen["mode"] == "silent", "the assistant is silent")
    demo.set_mode(conversation_id, "away")
    demo.telnyx.say(robin.call_control_id, "Are we alone?")
    words = f"{SLOW}: Are we alone?"
    expect(words in [notice for _, notice in dana_leg.heard], "the people hear each other")
    demo.wait_for(conversation_id, "the first insights", lambda seen: seen["insights"])
    demo.set_mode(conversation_id, "speaking")
    demo.poll(
        "Dana to be joined to the assistant that is back",
        lambda: (
            dana_leg.call_control_id
            in [guest.call_control_id for guest in demo.telnyx.conversations[-1].participants]
        ),
    )
    demo.poll(
        "the assistant's greeting",
        lambda: any("back with you" in notice for _, notice in robin.heard),
    )
    demo.hang_up_host(conversation_id, "Robin")
    demo.print_trace("9. A handover: the assistant is silent, away, and back", conversation_id)
    for _, notice in dana_leg.heard:
        demo.console.print(f"  Dana hears  {notice}")


SCENARIOS = (outbound, inbound, attached, hunt, at_once, declined, ends_meanwhile, tool, handover)
