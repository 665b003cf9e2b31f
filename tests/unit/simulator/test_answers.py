"""An experiment for each unknown: the simulator shows the answer that is set.

The experiments follow the evidence of the list, as a live test would.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.simulator.model import Person, SimulatedLeg
from local.simulator.settings import Settings
from local.simulator.unknowns import PLAYED
from tests.support.simulator_harness import (
    ASSISTANT,
    CALLER,
    FRIEND,
    HOOK,
    US,
    SimulatorHarness,
    code,
)

OTHER = "+13125550103"
STATE = "YQ=="
RANDOM_ID = "11111111-2222-4333-8444-555555555555"
URLS = {"webhook_urls": {"call.answered": ["https://partyline.example/answered"]}}

Experiment = Callable[[SimulatorHarness], Any]


def _refusal(reply: tuple[int, Any]) -> tuple[int, str]:
    status, answer = reply
    return status, "" if status == 200 else code(answer)[0]


def _dial(lab: SimulatorHarness, **more: Any) -> tuple[int, Any]:
    body = {"connection_id": lab.settings.connection_id, "to": FRIEND, "from": US, **more}
    return lab.request("POST", "/calls", body)


def _start(lab: SimulatorHarness, leg: SimulatedLeg, **more: Any) -> tuple[int, Any]:
    return lab.command(leg, "ai_assistant_start", **{"assistant": ASSISTANT, **more})


def _message(lab: SimulatorHarness, leg: SimulatedLeg) -> tuple[int, Any]:
    messages = [{"role": "system", "content": "Hello"}]
    return lab.command(leg, "ai_assistant_add_messages", messages=messages)


def _joined(lab: SimulatorHarness) -> tuple[SimulatedLeg, SimulatedLeg, str]:
    """A host with an assistant, and a joined guest."""
    host, guest = lab.answered(FRIEND), lab.answered(OTHER)
    conversation_id = lab.started(host)
    assert lab.joined(guest, conversation_id)[0] == 200
    lab.clock.advance(1)
    return host, guest, conversation_id


def _join_by(lab: SimulatorHarness, path: SimulatedLeg, guest: SimulatedLeg, talk: str) -> int:
    participant = {"id": guest.call_control_id, "role": "user"}
    body = {"conversation_id": talk, "participant": participant}
    return lab.command(path, "ai_assistant_join", **body)[0]


def _order(lab: SimulatorHarness) -> list[str]:
    return [type_ for type_ in lab.types if type_ in ("call.hangup", "call.conversation.ended")]


def duplicate_dial(lab: SimulatorHarness) -> Any:
    return [_dial(lab, command_id="c") for _ in range(2)][1]


def duplicate_start(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    return [_start(lab, leg, command_id="c") for _ in range(2)][1]


def duplicate_join(lab: SimulatorHarness) -> Any:
    host, guest = lab.answered(FRIEND), lab.answered(OTHER)
    participant = {"id": guest.call_control_id, "role": "user"}
    body = {"conversation_id": lab.started(host), "participant": participant, "command_id": "c"}
    return [lab.command(guest, "ai_assistant_join", **body) for _ in range(2)][1]


def refused_command_id(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.command(leg, "speak", voice="female", command_id="c")
    lab.command(leg, "speak", payload="Hello", voice="female", command_id="c")
    lab.clock.advance(1)
    return "call.speak.started" in lab.types


def webhook_urls_form(lab: SimulatorHarness) -> Any:
    return _dial(lab, **URLS)[0]


def conversation_keys(lab: SimulatorHarness) -> Any:
    url = "https://partyline.example/ended"
    status, answer = _dial(lab, webhook_urls={"call.conversation.ended": [url]})
    if status != 200:
        return status
    lab.clock.advance(2)
    leg = lab.telnyx.world.legs[answer["data"]["call_control_id"]]
    lab.started(leg)
    lab.telnyx.hang_up(leg.call_control_id)
    lab.clock.advance(1)
    return [hook.url for hook in lab.hooks("call.conversation.ended")]


def join_path(lab: SimulatorHarness) -> Any:
    host, guest, third = lab.answered(FRIEND), lab.answered(OTHER), lab.answered(CALLER)
    talk = lab.started(host)
    return _join_by(lab, guest, guest, talk), _join_by(lab, host, third, talk)


def unknown_assistant(lab: SimulatorHarness) -> Any:
    return _refusal(_start(lab, lab.answered(), assistant={"id": "nobody"}))


def unknown_conversation(lab: SimulatorHarness) -> Any:
    return _refusal(lab.joined(lab.answered(), RANDOM_ID))


def no_assistant(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    stop = lab.command(leg, "ai_assistant_stop")
    return _refusal(stop), _refusal(_message(lab, leg))


def ended_call_messages(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.telnyx.hang_up(leg.call_control_id)
    return _refusal(_message(lab, leg))


def message_history(lab: SimulatorHarness) -> Any:
    history = [{"role": "user", "content": "Earlier."}]
    return _refusal(_start(lab, lab.answered(), message_history=history))


def voice_client_state(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.command(leg, "speak", payload="Hello", voice="female", client_state=STATE)
    lab.command(leg, "client_state_update", client_state="bmV4dA==")
    lab.clock.advance(2)
    return lab.hooks("call.speak.ended")[0].payload["client_state"]


def stopped_speech(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.command(leg, "speak", payload="A long sentence", voice="female")
    lab.command(leg, "playback_stop")
    lab.clock.advance(2)
    return lab.hooks("call.speak.ended")[0].payload["status"]


def voice_with_assistant(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.started(leg)
    return _refusal(lab.command(leg, "speak", payload="Hello", voice="female"))


def client_state_omitted(lab: SimulatorHarness) -> Any:
    leg = lab.dial(client_state=STATE)
    lab.clock.advance(2)
    lab.command(leg, "speak", payload="Hello", voice="female")
    lab.clock.advance(2)
    return lab.hooks("call.speak.ended")[0].payload["client_state"]


def start_response(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    path = f"/calls/{leg.call_control_id}/actions/ai_assistant_start"
    return lab.reply("POST", path, {"assistant": ASSISTANT}).held_secs


def host_hangup(lab: SimulatorHarness) -> Any:
    host, _, _ = _joined(lab)
    lab.telnyx.hang_up(host.call_control_id)
    lab.clock.advance(1)
    return len(lab.hooks("call.conversation.ended"))


def legs_after_end(lab: SimulatorHarness) -> Any:
    host, guest, _ = _joined(lab)
    lab.telnyx.hang_up(host.call_control_id)
    lab.clock.advance(1)
    return guest.state


def stop_event(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.started(leg)
    lab.command(leg, "ai_assistant_stop")
    lab.clock.advance(1)
    return "call.conversation.ended" in lab.types


def start_again(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.started(leg)
    lab.command(leg, "ai_assistant_stop")
    return _refusal(_start(lab, leg, client_state=STATE))


def start_on_joined(lab: SimulatorHarness) -> Any:
    host, guest, _ = _joined(lab)
    lab.telnyx.hang_up(host.call_control_id)
    return _refusal(_start(lab, guest))


def end_count(lab: SimulatorHarness) -> Any:
    host, _, _ = _joined(lab)
    lab.command(host, "ai_assistant_stop")
    lab.clock.advance(1)
    return len(lab.hooks("call.conversation.ended"))


def end_order(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.started(leg)
    lab.telnyx.hang_up(leg.call_control_id)
    lab.clock.advance(1)
    return _order(lab)


def _names_conversation(lab: SimulatorHarness, event_type: str) -> bool:
    leg = lab.answered()
    lab.started(leg)
    lab.command(leg, "ai_assistant_stop")
    lab.clock.advance(10)
    return "conversation_id" in lab.hooks(event_type)[0].payload


def end_names_conversation(lab: SimulatorHarness) -> Any:
    return _names_conversation(lab, "call.conversation.ended")


def insights_name_conversation(lab: SimulatorHarness) -> Any:
    return _names_conversation(lab, "call.conversation_insights.generated")


def analysis(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.started(leg)
    lab.command(leg, "ai_assistant_stop")
    lab.clock.advance(10)
    return "call.analyzed" in lab.types


def second_join(lab: SimulatorHarness) -> Any:
    _, guest, talk = _joined(lab)
    return _refusal(lab.joined(guest, talk))


def guest_limit(lab: SimulatorHarness) -> Any:
    _, _, talk = _joined(lab)
    return _refusal(lab.joined(lab.answered(CALLER), talk))


def join_other_connection(lab: SimulatorHarness) -> Any:
    talk = lab.started(lab.answered())
    return _refusal(lab.joined(lab.telnyx.outside_call(CALLER, US), talk))


def join_bridged(lab: SimulatorHarness) -> Any:
    _joined(lab)
    return lab.types.count("call.bridged")


def _stopped(lab: SimulatorHarness) -> tuple[SimulatedLeg, SimulatedLeg]:
    """A host and a guest whose assistant was stopped."""
    host, guest, _ = _joined(lab)
    lab.command(host, "ai_assistant_stop")
    lab.clock.advance(1)
    return host, guest


def _bridge(lab: SimulatorHarness, leg: SimulatedLeg, other: SimulatedLeg) -> tuple[int, Any]:
    call = other.call_control_id
    return lab.command(leg, "bridge", call_control_id=call, park_after_unbridge="self")


def legs_after_stop(lab: SimulatorHarness) -> Any:
    return _stopped(lab)[1].state


def connect_after_stop(lab: SimulatorHarness) -> Any:
    return _bridge(lab, *_stopped(lab))[0]


def bridge_end(lab: SimulatorHarness) -> Any:
    first, second = lab.answered(FRIEND), lab.answered(OTHER)
    assert _bridge(lab, first, second)[0] == 200
    lab.telnyx.hang_up(first.call_control_id)
    return second.state


def start_on_bridged(lab: SimulatorHarness) -> Any:
    first, second = lab.answered(FRIEND), lab.answered(OTHER)
    assert _bridge(lab, first, second)[0] == 200
    return _start(lab, first)[0]


def _conference(lab: SimulatorHarness) -> list[str]:
    leg = lab.answered()
    body = {"call_control_id": leg.call_control_id, "name": "conference-1"}
    assert lab.request("POST", "/conferences", body)[0] == 200
    lab.clock.advance(1)
    return lab.types


def conference_events(lab: SimulatorHarness) -> Any:
    return "conference.created" in _conference(lab)


def conference_bridged(lab: SimulatorHarness) -> Any:
    return "call.bridged" in _conference(lab)


def turn_webhooks(lab: SimulatorHarness) -> Any:
    lab.started(lab.answered())
    return "call.conversation.messages_added" in lab.types


def _talk(lab: SimulatorHarness) -> tuple[SimulatedLeg, str]:
    """A conversation in which the assistant has greeted and the caller has spoken."""
    leg = lab.answered()
    conversation_id = lab.started(leg)
    lab.clock.advance(1)
    lab.telnyx.say(leg.call_control_id, "Hello")
    lab.clock.advance(1)
    return leg, conversation_id


def messages_added_rows(lab: SimulatorHarness) -> Any:
    lab.settings.sends_messages_added = True
    _talk(lab)
    return len(lab.hooks("call.conversation.messages_added")[-1].payload["messages"])


def _ended(lab: SimulatorHarness) -> Any:
    leg, _ = _talk(lab)
    lab.telnyx.hang_up(leg.call_control_id)
    lab.clock.advance(1)
    return lab.hooks("call.conversation.ended")[0].payload["messages"]


def end_messages(lab: SimulatorHarness) -> Any:
    return [message["role"] for message in _ended(lab)]


def redaction(lab: SimulatorHarness) -> Any:
    lab.settings.retains_data = False
    return [message["content"] for message in _ended(lab)]


def messages_order(lab: SimulatorHarness) -> Any:
    _, conversation_id = _talk(lab)
    _, answer = lab.request("GET", f"/ai/conversations/{conversation_id}/messages")
    return [row["role"] for row in answer["data"]]


def transfer_order(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.started(leg)
    lab.telnyx.transfer(leg.call_control_id, OTHER)
    lab.clock.advance(5)
    types = ("call.initiated", "call.answered", "call.bridged", "call.conversation.ended")
    return [type_ for type_ in lab.types if type_ in types]


def prepared_assistant(lab: SimulatorHarness) -> Any:
    lab.command(lab.telnyx.ring_in(CALLER, US), "answer", assistant=ASSISTANT)
    lab.clock.advance(2)
    return "call.conversation.created" in lab.types


def _delivered_twice(lab: SimulatorHarness) -> list[Any]:
    lab.answers = [503]
    lab.dial()
    lab.clock.advance(2)
    return lab.hooks("call.initiated")


def redelivered_id(lab: SimulatorHarness) -> Any:
    first, second = _delivered_twice(lab)
    assert second.envelope["meta"]["attempt"] == 2
    return first.envelope["data"]["id"] == second.envelope["data"]["id"]


def redelivery_signature(lab: SimulatorHarness) -> Any:
    first, second = _delivered_twice(lab)
    return first.headers["telnyx-timestamp"] == second.headers["telnyx-timestamp"]


def default_retries(lab: SimulatorHarness) -> Any:
    lab.answers = [503] * 9
    lab.telnyx.ring_in(CALLER, US)
    lab.clock.advance(60)
    return len(lab.hooks("call.initiated"))


def hangup_fields(lab: SimulatorHarness) -> Any:
    lab.telnyx.hang_up(lab.answered().call_control_id)
    lab.clock.advance(1)
    return "client_state" in lab.hooks("call.hangup")[0].payload


def connection_id(lab: SimulatorHarness) -> Any:
    lab.dial()
    lab.clock.advance(0.1)
    return "connection_id" in lab.hooks("call.initiated")[0].payload


def event_names(lab: SimulatorHarness) -> Any:
    lab.dial()
    lab.clock.advance(0.1)
    return lab.types


def body_version(lab: SimulatorHarness) -> Any:
    lab.dial()
    lab.clock.advance(0.1)
    return "data" in json.loads(lab.received[0].raw)


def ai_twins(lab: SimulatorHarness) -> Any:
    lab.started(lab.answered())
    return [type_ for type_ in lab.types if type_.startswith("ai.")]


def ids_after_answer(lab: SimulatorHarness) -> Any:
    leg = lab.dial()
    call, leg_id = leg.call_control_id, leg.call_leg_id
    lab.clock.advance(2)
    return call == leg.call_control_id, leg_id == leg.call_leg_id


def time_limit_cause(lab: SimulatorHarness) -> Any:
    lab.dial(time_limit_secs=60)
    lab.clock.advance(62)
    return lab.hooks("call.hangup")[0].payload["hangup_cause"]


def preset_fields(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    request = lab.telnyx.use_tool(leg.call_control_id, HOOK, {"name": "Dana"})
    return str(json.loads(request.body).get("call_control_id"))[:3]


def tool_call(lab: SimulatorHarness) -> Any:
    _, guest, _ = _joined(lab)
    request = lab.telnyx.use_tool(guest.call_control_id, HOOK, {})
    named = json.loads(request.body)["call_control_id"]
    assert request.headers["x-telnyx-call-control-id"] == named
    return named == guest.call_control_id


def tool_header(lab: SimulatorHarness) -> Any:
    request = lab.telnyx.use_tool(lab.answered().call_control_id, HOOK, {})
    return "x-telnyx-call-control-id" in request.headers


def tool_repeats(lab: SimulatorHarness) -> Any:
    return lab.telnyx.use_tool(lab.answered().call_control_id, HOOK, {}).attempts


def _active(lab: SimulatorHarness) -> list[Any]:
    rows: list[Any] = lab.request("GET", f"/connections/{lab.settings.connection_id}/active_calls")[
        1
    ]["data"]
    return rows


def active_client_state(lab: SimulatorHarness) -> Any:
    lab.dial(client_state=STATE)
    return [row["client_state"] for row in _active(lab)]


def _state(lab: SimulatorHarness, leg: SimulatedLeg) -> dict[str, Any]:
    state: dict[str, Any] = lab.request("GET", f"/calls/{leg.call_control_id}")[1]["data"]
    return state


def call_duration(lab: SimulatorHarness) -> Any:
    leg = lab.dial()
    lab.clock.advance(5)
    ringing = _state(lab, leg).get("call_duration")
    lab.telnyx.answer(leg.call_control_id)
    lab.clock.advance(5)
    return ringing, _state(lab, leg).get("call_duration")


def ringing_alive(lab: SimulatorHarness) -> Any:
    return _state(lab, lab.dial())["is_alive"]


def conversations_listed(lab: SimulatorHarness) -> Any:
    lab.started(lab.answered())
    found = []
    for secs in (0, 10):
        lab.clock.advance(secs)
        found.append(len(lab.request("GET", "/ai/conversations")[1]["data"]))
    return found


def calls_listed(lab: SimulatorHarness) -> Any:
    lab.dial()
    return len(_active(lab))


def calls_kept(lab: SimulatorHarness) -> Any:
    leg = lab.answered()
    lab.telnyx.hang_up(leg.call_control_id)
    return len(_active(lab))


def _events(lab: SimulatorHarness) -> list[Any]:
    lab.command(lab.answered(), "speak", payload="Hello", voice="female", command_id="c")
    rows: list[Any] = lab.request("GET", "/call_events")[1]["data"]
    return [row for row in rows if row["name"] == "speak"]


def events_listed(lab: SimulatorHarness) -> Any:
    return len(_events(lab))


def events_command_id(lab: SimulatorHarness) -> Any:
    return [row["metadata"].get("command_id") for row in _events(lab)]


def _greeting_ends(lab: SimulatorHarness, mode: str, **person: Any) -> list[str]:
    lab.telnyx.set_person(Person(FRIEND, behaviour="machine", **person))
    lab.dial(answering_machine_detection=mode)
    lab.clock.advance(60)
    hooks = [hook for hook in lab.received if hook.type.endswith("greeting.ended")]
    return [hook.payload["result"] for hook in hooks]


def second_verdict_without_tone(lab: SimulatorHarness) -> Any:
    lab.telnyx.set_person(Person(FRIEND, screens_calls="pixel"))
    lab.dial(answering_machine_detection="premium_ios_call_screening_detection")
    lab.clock.advance(20)
    return lab.types.count("call.machine.premium.detection.ended") == 2


def endless_greeting(lab: SimulatorHarness) -> Any:
    return next(iter(_greeting_ends(lab, "greeting_end", greeting_secs=None)), None)


def greeting_without_beep(lab: SimulatorHarness) -> Any:
    return next(iter(_greeting_ends(lab, "premium", beeps=False)), None)


def beep_after_prompt(lab: SimulatorHarness) -> Any:
    return "beep_detected" in _greeting_ends(lab, "premium_ios_call_screening_detection")


EXPERIMENTS: dict[str, Experiment] = {name: globals()[name.replace("-", "_")] for name in PLAYED}


def show(name: str, answer: str) -> Any:
    """Return the outcome of an unknown's experiment under an answer."""
    lab = SimulatorHarness(Settings.answering({name: answer}, webhook_url=HOOK))
    lab.telnyx.set_person(Person(FRIEND))
    return EXPERIMENTS[name](lab)


BREAKS_A_RULE = {"second-join": [pytest.mark.violates]}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=BREAKS_A_RULE.get(name, [])) for name in PLAYED]
)
def test_each_answer_shows_in_its_own_way(name: str) -> None:
    outcomes = [json.dumps(show(name, answer.id)) for answer in PLAYED[name].answers]
    assert len(set(outcomes)) == len(outcomes), outcomes
