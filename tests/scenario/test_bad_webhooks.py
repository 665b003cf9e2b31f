"""Webhooks of unknown calls, forged webhooks and malformed webhooks."""

import json

import pytest

from local.simulator.settings import PUBLISHED_TEST_SEED
from local.stack.template import Template
from local.stack.webhook_fixtures import body_of, fixtures
from tests.support.lab import Lab, NewLab
from tests.support.people import HOST
from tests.support.security import assert_untouched, post, signed

TYPES = sorted(fixtures())


def headers_for(
    lab: Lab, body: bytes, *, seed: bytes = PUBLISHED_TEST_SEED, age_secs: float = 0
) -> dict[str, str]:
    """The headers of a signature that was made `age_secs` ago."""
    return signed(body, int(lab.clock.now().timestamp() - age_secs), seed)


def post_signed(lab: Lab, body: bytes, age_secs: float = 0) -> int:
    """Post a signed body to the default webhook URL. Returns the status of the answer."""
    return post(lab, body, headers_for(lab, body, age_secs=age_secs))


@pytest.mark.parametrize("event_type", TYPES)
def test_a_captured_event_of_an_unknown_call_is_ignored(
    new_lab: NewLab, without_assistant: Template, event_type: str
) -> None:
    lab = new_lab(template=without_assistant)
    _, body = body_of(event_type)
    routes = ["/webhooks"]
    if any(route.path == f"/webhooks/{event_type}" for route in without_assistant.routes):
        routes.append(f"/webhooks/{event_type}")
    assert [post(lab, body, headers_for(lab, body), path) for path in routes] == [200] * len(routes)
    assert_untouched(lab)


@pytest.mark.parametrize(
    "event_type", [event_type for event_type in TYPES if event_type != "call.initiated"]
)
def test_with_a_default_assistant_only_a_new_call_is_answered(
    new_lab: NewLab, event_type: str
) -> None:
    lab = new_lab()
    assert post_signed(lab, body_of(event_type)[1]) == 200
    assert_untouched(lab)


def test_a_captured_call_to_our_number_is_answered(new_lab: NewLab) -> None:
    lab = new_lab()
    # The simulated Telnyx does not know the call, so the webhook is to come again.
    assert post_signed(lab, body_of("call.initiated")[1]) == 503
    entry, *polls = lab.telnyx.ledger
    assert [poll.action for poll in polls] == ["retrieve", "active_calls"]
    assert entry.action == "answer"
    assert entry.path.startswith("/v2/calls/v3%3A2EC-70")


@pytest.mark.parametrize("wrong", ["key", "old", "new", "unsigned", "tampered", "half", "garbage"])
def test_a_webhook_with_a_bad_signature_does_nothing(new_lab: NewLab, wrong: str) -> None:
    lab = new_lab()
    _, body = body_of("call.initiated")
    headers = headers_for(lab, body)
    if wrong == "key":
        headers = headers_for(lab, body, seed=bytes(32))
    elif wrong in ("old", "new"):
        headers = headers_for(lab, body, age_secs=301 if wrong == "old" else -301)
    elif wrong == "unsigned":
        headers = {}
    elif wrong == "tampered":
        body = body.replace(b"+13125550124", b"+13125550125")
    elif wrong == "half":
        del headers["telnyx-timestamp"]
    else:
        headers["telnyx-signature-ed25519"] = "not base64!"
    assert post(lab, body, headers) == 401
    assert_untouched(lab)


@pytest.mark.parametrize("age", [-290.0, 290.0])
def test_a_signature_is_accepted_up_to_290_seconds_from_our_clock(
    new_lab: NewLab, age: float
) -> None:
    lab = new_lab()
    assert post_signed(lab, body_of("call.initiated")[1], age_secs=age) == 503
    assert lab.telnyx.ledger[0].action == "answer"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"call"', b"\xff\xfe"])
def test_a_signed_body_that_is_not_an_event_gets_400(new_lab: NewLab, body: bytes) -> None:
    lab = new_lab()
    assert post_signed(lab, body) == 400
    assert_untouched(lab)


@pytest.mark.parametrize(
    "data",
    [
        {
            "event_type": "call.hologram.started",
            "id": "1",
            "payload": {"call_control_id": "v3:abcdef"},
        },
        {"event_type": "call.answered"},
        {"event_type": "call.answered", "payload": None},
        {"event_type": None, "payload": []},
        {"event_type": "call.initiated", "payload": {"direction": "incoming"}},
        {"event_type": "call.hangup", "payload": {"call_control_id": 7, "client_state": {}}},
    ],
)
def test_an_event_with_an_unknown_type_or_shape_is_ignored(
    new_lab: NewLab, data: dict[str, object]
) -> None:
    lab = new_lab()
    assert post_signed(lab, json.dumps({"data": data}).encode()) == 200
    assert_untouched(lab)


def test_the_client_state_of_another_call_changes_no_conversation(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.run(5)
    ours = lab.leg(HOST).client_state
    before = lab.conversation(conversation_id)
    _, body = body_of("call.hangup", new=[f"payload.client_state={ours}"])
    assert post_signed(lab, body) == 200
    assert lab.conversation(conversation_id) | {"updated_at": ""} == before | {"updated_at": ""}
    assert lab.telnyx.ledger[-1].action == "retrieve"  # our call was polled, and is up


def test_every_webhook_function_accepts_every_event_type(new_lab: NewLab) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.hold()
    lab.run(5)
    (answered,) = [webhook for webhook in lab.release() if webhook.path.endswith("/call.answered")]
    headers = {name: value for name, value in answered.headers if name.startswith("telnyx")}
    assert post(lab, answered.body, headers, "/webhooks/call.hangup") == 200
    lab.run(5)
    assert lab.status(conversation_id) == "active"
