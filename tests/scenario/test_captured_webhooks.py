"""Webhooks as captured on live calls, and odd webhooks: every signed webhook is answered 200."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.simulator.settings import Settings
from local.stack.webhook_fixtures import fixtures
from partyline.telnyx.webhooks import WEBHOOK_TYPES, AcknowledgedEvent, UnknownEvent, parse
from tests.support import captured_webhooks
from tests.support.captured_webhooks import AS_CAPTURED, Captured
from tests.support.lab import Lab, NewLab, minutes
from tests.support.people import CALLER
from tests.support.security import assert_untouched, post, signed

Json = dict[str, Any]


class Effect(NamedTuple):
    """The answer to a webhook about a live call, and the conversation five minutes later."""

    answer: str
    status: str = "active"
    event: str | None = None


NONE = Effect("ok")
IGNORED = Effect("ignored")
EFFECTS = {
    "call.analyzed": Effect("ok", "ended", event="conversation.analyzed"),
    "call.bridged": Effect("ok", "ended", event="leg.transferred"),
    "call.conversation.created": NONE,
    "call.cost": NONE,
    "call.conversation.ended": Effect("ok", "ended", event="conversation.ended"),
    "call.conversation.start_failed": Effect("ok", "ended"),
    "call.gather.ended": NONE,
    "call.hangup": Effect("ok", "ended", event="leg.ended"),
    "call.machine.premium.call_screening.detected": NONE,
    "call.machine.premium.detection.ended": NONE,
    "call.machine.premium.greeting.ended": NONE,
    "conversation_insight_result": Effect("ok", "ended", event="conversation.insights_generated"),
}
"""The effect by event type. Webhooks of all other types are ignored."""

UNREADABLE = {"call.conversation_insights.generated, results as an object": IGNORED}
"""Captured webhooks whose effect differs from the effect of their type."""


def quiet() -> Settings:
    """A Telnyx that does not analyze, so that the only analysis is a captured one."""
    return Settings(accepts_conversation_keys=True, analyzed_after_secs=None)


def about(lab: Lab, envelope: Json) -> bytes:
    """The webhook's body about the call of the lab's caller."""
    leg, body = lab.leg(CALLER), json.dumps(envelope)
    names = {
        "call_control_id": leg.call_control_id,
        "call_leg_id": leg.call_leg_id,
        "call_session_id": leg.call_session_id,
        "conversation_id": lab.telnyx_conversation().conversation_id,
    }
    for name, value in names.items():
        body = body.replace(getattr(AS_CAPTURED, name), value)
    return body.encode()


def deliver(lab: Lab, body: bytes, path: str = "/webhooks") -> tuple[int, str]:
    """Deliver a signed webhook. Returns the status and the word of the answer."""
    answer = lab.post(path, body, signed(body, int(lab.clock.now().timestamp())))
    return answer.status, str(answer.json.get("status"))


@pytest.mark.parametrize("captured", captured_webhooks.load(), ids=str)
def test_a_captured_webhook_is_parsed(captured: Captured) -> None:
    event = parse(json.dumps(captured.envelope).encode())

    if captured.event_type in WEBHOOK_TYPES:
        assert type(event) is WEBHOOK_TYPES[captured.event_type].event
        assert event.event_type == captured.event_type
    else:
        assert isinstance(event, UnknownEvent | AcknowledgedEvent)
    assert event.payload.call_leg_id in (None, AS_CAPTURED.call_leg_id)


@pytest.mark.parametrize("captured", captured_webhooks.load(), ids=str)
def test_a_captured_webhook_of_an_unknown_call_is_ignored(
    new_lab: NewLab, captured: Captured
) -> None:
    lab = new_lab()

    assert deliver(lab, json.dumps(captured.envelope).encode()) == (200, "ignored")
    assert_untouched(lab)


@pytest.mark.parametrize("captured", captured_webhooks.load(), ids=str)
def test_a_captured_webhook_of_a_live_call_has_the_effect_of_its_type(
    new_lab: NewLab, captured: Captured
) -> None:
    lab = new_lab(settings=quiet())
    conversation_id = lab.inbound()
    before = len(lab.timeline(conversation_id))
    effect = UNREADABLE.get(captured.name, EFFECTS.get(captured.event_type, IGNORED))

    assert deliver(lab, about(lab, captured.envelope)) == (200, effect.answer)
    added = lab.event_types(conversation_id)[before:]
    lab.run(minutes(5))

    assert lab.status(conversation_id) == effect.status
    if effect.event is not None:
        assert effect.event in added + lab.event_types(conversation_id)[before:]


def test_the_captured_end_of_a_transferred_call_leaves_the_caller_up(new_lab: NewLab) -> None:
    lab = new_lab(settings=quiet())
    lab.inbound()
    bridged = next(item for item in captured_webhooks.load() if item.event_type == "call.bridged")

    deliver(lab, about(lab, bridged.envelope))
    lab.run(minutes(5))

    assert lab.leg(CALLER).state == "answered"


# Odd shapes


def in_payload(**fields: Any) -> Callable[[Json], Any]:
    """Replace fields of the payload."""

    def change(envelope: Json) -> None:
        envelope["data"]["payload"].update(fields)

    return change


def in_data(**fields: Any) -> Callable[[Json], Any]:
    """Replace fields beside the payload."""
    return lambda envelope: envelope["data"].update(fields)


def each_value(convert: Callable[[Any], Any]) -> Callable[[Json], Any]:
    """Replace each value of the payload."""

    def change(envelope: Json) -> None:
        payload = envelope["data"]["payload"]
        payload.update({name: convert(value) for name, value in payload.items()})

    return change


def number_of(value: Any) -> Any:
    digits = "".join(character for character in str(value) if character.isdigit())
    return int(digits[:15] or 0)


DEEP: Any = {}
for _ in range(200):
    DEEP = {"deeper": [DEEP]}

ODD: dict[str, Callable[[Json], Any]] = {
    "a withheld caller": in_payload(**{"from": "anonymous", "caller_id_name": "Anonymous"}),
    "a restricted caller": in_payload(**{"from": "Restricted", "from_sip_uri": None}),
    "a caller without a number": in_payload(**{"from": ""}),
    "a caller with the digits of anonymous": in_payload(**{"from": "+266696687"}),
    "a caller by SIP": in_payload(**{"from": "sip:ada@pbx.example.com:5060;transport=tls"}),
    "a caller with a display name": in_payload(**{"from": '"Ada" <sip:ada@example.com>'}),
    "a WebRTC leg": in_payload(
        **{"from": "gencredAbC123", "to": "gencredXyZ789@sip.telnyx.com"},
        calling_party_type="webrtc",
    ),
    "a called SIP address": in_payload(to="sip:sales@partyline-demo.sip.telnyx.com"),
    "a long number": in_payload(to="+1" + "3" * 300),
    "only nulls": each_value(lambda _: None),
    "numbers as texts": each_value(str),
    "texts as numbers": each_value(number_of),
    "lists for values": each_value(lambda value: [value]),
    "objects for values": each_value(lambda value: {"value": value}),
    "further fields": in_payload(note={"a": [1, None, "x"]}, X=None),
    "a deep field": in_payload(note=DEEP),
    "a field of 300 KB": in_payload(messages=[{"role": "user", "content": "a" * 300_000}]),
    "half a character": in_payload(note="\ud83d", caller_id_name="Zo\ud83d"),
    "a client_state in another encoding": in_payload(client_state="%%%"),
    "a client_state that is no object": in_payload(client_state="WzFd"),
    "a client_state of Telnyx": in_payload(client_state="g3QAAAACbQAAAAtkYXRhX2NlbnRlcm0="),
    "a payload that is a list": in_data(payload=[]),
    "a payload that is a text": in_data(payload="text"),
    "no payload": lambda envelope: envelope["data"].pop("payload"),
    "an id that is a number": in_data(id=17),
    "a long id": in_data(id="x" * 2000),
    "no id": lambda envelope: envelope["data"].pop("id"),
    "a time that is a text": in_data(occurred_at="yesterday"),
    "a time that is a number": in_data(occurred_at=1_700_000_000),
    "a type that is a number": in_data(event_type=5),
    "no type": lambda envelope: envelope["data"].pop("event_type", None),
    "a meta that is null": lambda envelope: envelope.update(meta=None),
    "an attempt that is a text": lambda envelope: envelope.update(meta={"attempt": "2"}),
    "data that is a list": lambda envelope: envelope.update(data=[envelope["data"]]),
    "data that is null": lambda envelope: envelope.update(data=None),
}

LAST = ("call.conversation.ended", "call.hangup")
"""Types that end a conversation, so the other types come before."""


def webhooks_of_every_type() -> list[Json]:
    """A webhook of each type, and a webhook for each captured shape."""
    stored = [json.loads(Path(path).read_text(encoding="utf-8")) for path in fixtures().values()]
    captured = [item.envelope for item in captured_webhooks.load()]
    complete = [
        envelope for envelope in stored + captured if isinstance(envelope.get("data"), dict)
    ]
    return sorted(complete, key=lambda envelope: envelope["data"].get("event_type") in LAST)


@pytest.mark.sampled
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_webhook_of_every_type_is_never_refused(new_lab: NewLab, odd: str) -> None:
    lab = new_lab(settings=quiet())
    lab.inbound()
    refused = []
    for number, envelope in enumerate(webhooks_of_every_type()):
        event_type = envelope["data"].get("event_type")
        changed = copy.deepcopy(envelope)
        changed["data"]["id"] = f"odd-{number}"
        ODD[odd](changed)
        has_own_url = WEBHOOK_TYPES.get(event_type) and WEBHOOK_TYPES[event_type].has_function
        path = f"/webhooks/{event_type}" if has_own_url else "/webhooks"
        for body in (json.dumps(changed).encode(), about(lab, changed)):
            status = post(lab, body, signed(body, int(lab.clock.now().timestamp())), path)
            # Telnyx does not know the captured call, so the webhook of a new call is to come again.
            known = {200, 503} if event_type == "call.initiated" else {200}
            refused += [] if status in known else [(event_type, status)]

    assert refused == []
