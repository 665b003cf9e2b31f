"""The assistant asks somebody in by itself. Models ask twice, late, and for what is not there."""

import json
from functools import partial
from typing import Any

import pytest

from local.simulator.model import Person
from local.simulator.settings import Settings
from partyline import engine
from tests.scenario.people import CALLER, DANA, HOST, KIM, LEE, OURS
from tests.scenario.stage import URL, Answer, Stage, Staged, minutes

CONTACTS: dict[str, Any] = {
    "Dana": {"to": DANA},
    "Night Shift ": {"to": [LEE, KIM], "name": "The night shift"},
}
CALLING = "Calling Dana now."
JOINED = "Dana has joined the conversation."
BUSY = "Dana could not be reached: the line is busy."
NO_CALL = "There is no call to bring anybody into."
OVER = "The call is over."


def on_a_call(stage: Staged, *people: Person, **route: Any) -> tuple[Stage, str]:
    """The caller talks to the assistant, who has contacts."""
    at = stage(people, Settings(accepts_conversation_keys=True))
    at.route(OURS, CONTACTS, **route)
    return at, at.inbound()


def asked(
    at: Stage,
    body: dict[str, Any] | bytes,
    header: str | None = None,
    tool: str = "invite",
    **changed: str,
) -> Answer:
    """A signed request for a tool, with this body and this header for the call."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = at.telnyx.deliverer.signed(raw)
    if header is not None:
        headers["x-telnyx-call-control-id"] = header
    return at.post(f"/tools/{tool}", raw, {**headers, **changed})


def said(answer: Answer) -> str:
    """The words for the model; it always gets some."""
    assert (answer.status, list(answer.json)) == (200, ["message"])
    return str(answer.json["message"])


@pytest.mark.parametrize("name", ["Dana", "dana", "  DANA "])
def test_a_contact_is_called_by_name_and_what_came_of_it_follows(stage: Staged, name: str) -> None:
    at, here = on_a_call(stage)
    assert at.use_tool("invite", name=name) == CALLING
    assert at.told() == []
    at.run(5)
    assert at.asked() == ["answer caller", "start caller", "dial Dana", "join Dana", "tell caller"]
    assert at.told() == [JOINED]
    assert at.person(here, "Dana")["on_hangup"] == "continue_conversation"
    at.assert_clean()


def test_a_contact_is_a_whole_plan_under_a_name_of_its_own(stage: Staged) -> None:
    at, here = on_a_call(stage, Person(LEE, behaviour="busy"))
    assert at.use_tool("invite", name="night shift") == "Calling The night shift now."
    at.run(10)
    assert at.outcomes(here, "The night shift") == ["busy", "human"]
    assert at.told() == [
        "The night shift could not be reached: the line is busy. The next number is being tried.",
        "The night shift has joined the conversation.",
    ]


@pytest.mark.parametrize("name", ["Robin", "dan", "x" * 500, "+13125550112"])
def test_who_is_no_contact_is_not_called_and_the_model_knows_who_is(
    stage: Staged, name: str
) -> None:
    at, _ = on_a_call(stage)
    words = at.use_tool("invite", name=name)
    assert words == f"There is no contact named {name[:50]}. Known are: Dana, Night Shift."
    assert at.dialled() == []


@pytest.mark.parametrize("number", [DANA, " +1 (312) 555-0112", "+1.312.555.0112"])
def test_a_number_is_called_where_the_route_allows_it(stage: Staged, number: str) -> None:
    at, here = on_a_call(stage, dial_any_number=True)
    assert at.use_tool("invite", name="", number=number) == "Calling the number ending in 0112 now."
    at.run(5)
    assert at.dialled() == ["Dana"]
    assert at.told() == ["the number ending in 0112 has joined the conversation."]
    assert DANA not in json.dumps(at.timeline(here))
    at.assert_clean()


def test_a_number_is_called_by_the_name_that_the_model_gives_it(stage: Staged) -> None:
    at, here = on_a_call(stage, dial_any_number=True)
    assert at.use_tool("invite", name="Robin", number=DANA) == "Calling Robin now."
    at.run(5)
    assert at.told() == ["Robin has joined the conversation."]
    assert at.person(here, "Robin")["status"] == "joined"


def test_a_number_for_a_name_is_not_shown_whole(stage: Staged) -> None:
    at, here = on_a_call(stage, dial_any_number=True)
    words = at.use_tool("invite", name=DANA, number=DANA)
    assert words == "Calling the number ending in 0112 now."
    assert DANA not in json.dumps(at.timeline(here))


def test_who_was_invited_otherwise_is_not_called_once_more(stage: Staged) -> None:
    at, here = on_a_call(stage, dial_any_number=True)
    at.invite(here, DANA, name="Dana Prince")
    assert at.use_tool("invite", name="Dana") == "Dana is being called."
    at.run(5)
    assert at.use_tool("invite", name="Dana") == "Dana is here."
    assert at.use_tool("invite", number=DANA) == "the number ending in 0112 is here."
    assert at.use_tool("invite", name="me", number=CALLER) == "me is here."
    assert at.dialled() == ["Dana"]
    at.hang_up(DANA)
    at.run(5)
    assert at.use_tool("invite", name="Dana") == CALLING
    at.assert_clean()


def test_the_model_gets_words_where_the_assistant_is_told_none(stage: Staged) -> None:
    at, _ = on_a_call(stage, dial_any_number=True, words={"destination_not_allowed": ""})
    words = at.use_tool("invite", number="+4420555501")
    assert words == "the number ending in 5501 cannot be called from this line."
    assert at.told() == []


def test_no_number_is_called_where_the_route_does_not_allow_it(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    words = at.use_tool("invite", number=DANA)
    assert words == "Only the contacts of this line can be called, not free numbers."
    assert at.dialled() == []


@pytest.mark.parametrize(
    "number", ["555", "3125550112", "+13125550112,,1", "sip:dana@example.com", "+1312555011x"]
)
def test_what_is_no_number_is_not_called(stage: Staged, number: str) -> None:
    at, _ = on_a_call(stage, dial_any_number=True)
    assert at.use_tool("invite", number=number).startswith("That is not a phone number.")
    assert at.dialled() == []


def test_a_number_where_calls_may_not_go_is_refused_with_an_event(stage: Staged) -> None:
    at, here = on_a_call(stage, dial_any_number=True)
    name = "the number ending in 5501"
    assert at.use_tool("invite", number="+4420555501") == f"{name} cannot be called from this line."
    (refusal,) = [each["data"] for each in at.timeline(here) if each["type"] == "leg.refused"]
    assert (refusal["rule"], refusal["to"]) == ("destination_not_allowed", "***5501")
    assert at.told() == [f"{name} cannot be called from this line."]
    assert at.dialled() == []
    at.assert_clean()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[]", b'"Dana"', b"{", b"\xff", b'{"name": 5, "number": null}']
)
def test_a_model_that_says_nothing_usable_is_asked_whom_to_call(stage: Staged, body: bytes) -> None:
    at, _ = on_a_call(stage)
    words = said(asked(at, body, at.leg(CALLER).call_control_id))
    assert words == "Say whom to call: the name of a contact."
    assert at.dialled() == []


# Which call it is


def test_the_header_alone_says_which_call_it_is(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    assert said(asked(at, {"name": "Dana"}, at.leg(CALLER).call_control_id)) == CALLING


def test_what_is_signed_wins_over_the_header(stage: Staged) -> None:
    at, here = on_a_call(stage)
    first = at.leg(CALLER)
    other = at.inbound(from_=KIM)
    body = {"name": "Dana", "call_control_id": first.call_control_id}
    assert said(asked(at, body, at.leg(KIM).call_control_id)) == CALLING
    assert len(at.conversation(here)["participants"]) == 2
    assert len(at.conversation(other)["participants"]) == 1


@pytest.mark.parametrize("given", ["{{call_control_id}}", "", None, 5])
def test_a_variable_that_telnyx_did_not_fill_in_leaves_it_to_the_header(
    stage: Staged, given: object
) -> None:
    at, _ = on_a_call(stage)
    body = {"name": "Dana", "call_control_id": given}
    assert said(asked(at, body, at.leg(CALLER).call_control_id)) == CALLING


def test_a_call_that_is_not_ours_brings_nobody_in(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    theirs = at.telnyx.outside_call(LEE, OURS).call_control_id
    assert said(asked(at, {"name": "Dana", "call_control_id": theirs})) == NO_CALL
    mine = at.leg(CALLER).call_control_id
    assert said(asked(at, {"name": "Dana", "call_control_id": theirs}, mine)) == NO_CALL
    assert said(asked(at, {"name": "Dana"})) == NO_CALL
    assert said(asked(at, {"name": "Dana"}, "v3:" + "x" * 300)) == NO_CALL
    assert said(asked(at, {}, tool="status")) == NO_CALL
    assert at.dialled() == []


@pytest.mark.parametrize("tool", ["invite", "status"])
def test_what_telnyx_has_not_signed_is_refused(stage: Staged, tool: str) -> None:
    at, _ = on_a_call(stage)
    call = at.leg(CALLER).call_control_id
    body = {"name": "Dana", "call_control_id": call}
    for wrong in ({"telnyx-signature-ed25519": "A" * 86 + "=="}, {"telnyx-timestamp": "1"}):
        assert asked(at, body, call, tool, **wrong).status == 401
    old = at.telnyx.use_tool(call, f"{URL}/tools/{tool}", body)
    at.run(301)
    assert at.post(f"/tools/{tool}", old.body, old.headers).status == 401
    unsigned = at.post(f"/tools/{tool}", json.dumps(body).encode(), {})
    assert (unsigned.status, unsigned.json["error"]["code"]) == (401, "bad_signature")
    assert at.dialled() == []


# Twice, and late


def test_the_same_request_delivered_again_calls_nobody_again(stage: Staged) -> None:
    at, here = on_a_call(stage)
    call = at.leg(CALLER).call_control_id
    first = at.telnyx.use_tool(call, f"{URL}/tools/invite", {"name": "Dana"})
    words = [said(at.post("/tools/invite", first.body, first.headers)) for _ in range(2)]
    assert words == [CALLING, "Dana is being called."]
    at.run(5)
    assert said(at.post("/tools/invite", first.body, first.headers)) == "Dana is here."
    assert at.dialled() == ["Dana"]
    assert len(at.conversation(here)["participants"]) == 2
    at.assert_clean()


def test_the_same_request_delivered_late_calls_nobody_again(stage: Staged) -> None:
    """Its signature is good for five minutes: whoever has seen it may send it once more."""
    at, here = on_a_call(stage)
    call = at.leg(CALLER).call_control_id
    first = at.telnyx.use_tool(call, f"{URL}/tools/invite", {"name": "Dana"})
    said(at.post("/tools/invite", first.body, first.headers))
    at.run(5)
    at.hang_up(DANA)
    at.run(25)
    said(at.post("/tools/invite", first.body, first.headers))
    at.run(5)
    assert at.dialled() == ["Dana"]
    assert len(at.conversation(here)["participants"]) == 2
    assert at.use_tool("invite", name="Dana") == CALLING, "asked for anew she is called"


def test_the_tool_called_twice_at_once_calls_once(stage: Staged) -> None:
    at, here = on_a_call(stage)
    names = ["Dana", "dana", "DANA "]
    words = at.at_once([partial(at.use_tool, "invite", name=name) for name in names])
    assert CALLING in words
    assert set(words) <= {CALLING, "Dana is being called."}
    at.run(5)
    assert at.dialled() == ["Dana"]
    assert at.joined() == ["Dana"]
    assert len(at.conversation(here)["participants"]) == 2
    at.assert_clean()


def test_two_contacts_asked_for_at_once_are_both_called(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    at.at_once([partial(at.use_tool, "invite", name=name) for name in ("Dana", "night shift")])
    at.run(5)
    assert sorted(at.joined()) == ["Dana", "Lee"]
    at.assert_clean()


def test_asked_again_while_it_rings_and_after_joining(stage: Staged) -> None:
    at, _ = on_a_call(stage, Person(DANA, behaviour="manual"))
    at.use_tool("invite", name="Dana")
    at.run(2)
    assert at.use_tool("invite", name="Dana") == "Dana is being called."
    at.pick_up(DANA)
    at.run(2)
    assert at.use_tool("invite", name="Dana") == "Dana is here."
    assert at.dialled() == ["Dana"]
    assert at.told() == [JOINED]


def test_asked_again_right_after_a_failure_the_failure_is_told_again(stage: Staged) -> None:
    at, here = on_a_call(stage, Person(DANA, behaviour="busy"))
    assert at.use_tool("invite", name="Dana") == CALLING
    at.run(5)
    assert at.told() == [BUSY]
    assert at.use_tool("invite", name="Dana") == BUSY
    assert at.dialled() == ["Dana"]
    at.telnyx.set_person(Person(DANA))
    at.run(20)
    assert at.use_tool("invite", name="Dana") == CALLING
    at.run(5)
    assert at.dialled() == ["Dana", "Dana"]
    assert [each["status"] for each in at.conversation(here)["participants"]] == [
        "joined",
        "failed",
        "joined",
    ]
    at.assert_clean()


def test_who_has_left_can_be_called_again(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    at.use_tool("invite", name="Dana")
    at.run(5)
    at.hang_up(DANA)
    at.run(2)
    assert at.use_tool("invite", name="Dana") == CALLING
    at.run(5)
    assert at.told() == [JOINED, "Dana has left the conversation.", JOINED]
    assert sorted(at.up()) == ["Dana", "caller"]


def test_after_the_hangup_nobody_is_called(stage: Staged) -> None:
    at, here = on_a_call(stage)
    leg = at.leg(CALLER)
    at.hang_up(CALLER)
    at.run(1)
    assert at.use_tool("invite", leg, name="Dana") == OVER
    assert at.use_tool("status", leg) == OVER
    at.run(minutes(5))
    assert at.use_tool("invite", leg, name="Dana") == OVER
    assert at.dialled() == []
    assert at.status(here) == "ended"


def test_asked_before_the_hangup_is_known_the_call_is_taken_back(stage: Staged) -> None:
    at, here = on_a_call(stage, Person(DANA, behaviour="manual"))
    at.hold()
    at.hang_up(CALLER)
    assert at.use_tool("invite", name="Dana") == CALLING
    at.run(1)
    assert at.up() == ["Dana"]
    at.arrive(at.release())
    at.run(minutes(2))
    assert at.status(here) == "ended"
    assert at.joined() == []
    at.assert_no_leg_up()
    at.assert_clean()


def test_when_nobody_else_may_be_in_it_the_model_hears_why(stage: Staged) -> None:
    at, _ = on_a_call(stage, limits={"participants": 2})
    at.use_tool("invite", name="Dana")
    words = at.use_tool("invite", name="night shift")
    assert words == "A conversation has 2 participants at most."
    assert at.dialled() == ["Dana"]


def test_what_telnyx_refuses_at_once_is_said_at_once(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    at.line.refuse("dial", 403, "90041", "Channel limit exceeded.")
    words = at.use_tool("invite", name="Dana")
    assert words == "Dana could not be called: the limit of calls is reached."
    assert at.told() == [words]


def test_a_dial_that_telnyx_takes_a_moment_later_is_made_before_the_answer(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    at.fail("dial", "refuse", times=2, status=503)
    assert at.use_tool("invite", name="Dana") == CALLING
    assert at.dialled() == ["Dana"]


def test_a_dial_that_the_first_request_could_not_make_is_made_by_the_second(stage: Staged) -> None:
    at, _ = on_a_call(stage)
    at.fail("dial", "refuse", times=None, status=503)
    assert at.use_tool("invite", name="Dana") == CALLING
    assert at.dialled() == []
    at.telnyx.faults.clear()
    at.run(5)
    assert at.use_tool("invite", name="Dana") == "Dana is being called."
    assert at.dialled() == ["Dana"]
    at.run(5)
    assert at.joined() == ["Dana"]
    at.assert_clean()


def test_where_the_conversation_holds_no_more_the_model_has_words_for_it(
    stage: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, here = on_a_call(stage)
    monkeypatch.setattr(engine, "MAX_ASKED_BYTES", 100)
    words = at.use_tool("invite", name="Dana")
    assert words == "Nobody else can be called in this conversation."
    assert at.dialled() == []
    assert len(at.conversation(here)["participants"]) == 1


def test_where_everybody_moves_the_conversation_at_once_the_model_is_to_ask_again(
    stage: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, _ = on_a_call(stage)
    with monkeypatch.context() as busy:
        busy.setattr(engine, "MAX_CONFLICTS", 0)
        words = at.use_tool("invite", name="Dana")
    assert words == "Dana could not be called just now. Try once more."
    assert at.dialled() == []
    assert at.use_tool("invite", name="Dana") == CALLING


def test_a_conversation_that_our_api_began_has_tools_too(stage: Staged) -> None:
    at = stage()
    at.route("default", CONTACTS)
    leg = at.telnyx.outside_call(KIM, OURS)
    at.attach(leg)
    assert at.use_tool("invite", leg, name="Dana") == CALLING
    at.run(5)
    assert at.joined() == ["Dana"]


# Who is there


def test_the_assistant_asks_who_is_there(stage: Staged) -> None:
    at, _ = on_a_call(stage, Person(LEE, behaviour="manual"))
    assert at.use_tool("status") == "On the line: the caller."
    at.use_tool("invite", name="Dana")
    at.use_tool("invite", name="night shift")
    assert at.use_tool("status") == (
        "On the line: the caller. Being called: Dana, The night shift."
    )
    at.run(5)
    assert at.use_tool("status") == "On the line: the caller, Dana. Being called: The night shift."
    at.hang_up(DANA)
    at.telnyx.busy(at.leg(LEE).call_control_id)
    at.telnyx.set_person(Person(KIM, behaviour="busy"))
    at.run(5)
    assert at.use_tool("status") == "On the line: the caller."


def test_the_host_whom_we_called_is_named_or_described(stage: Staged) -> None:
    at = stage()
    at.start(name="Robin")
    at.run(5)
    assert at.use_tool("status") == "On the line: Robin."
    at.hang_up(HOST)
    at.run(5)
    at.start()
    at.run(5)
    assert at.use_tool("status") == "On the line: the first person on the line."
