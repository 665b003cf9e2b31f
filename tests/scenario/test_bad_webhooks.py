"""Webhooks that are not ours, not Telnyx's, or not what they should be."""

import base64
import json
from datetime import timedelta

import pytest
from nacl.signing import SigningKey

from local.http_api import HttpRequest
from local.simulator.settings import PUBLISHED_TEST_SEED
from local.template import Template
from local.trigger import body_of, fixtures
from tests.scenario.people import HOST
from tests.scenario.stage import Stage, Staged

TYPES = sorted(fixtures())


def signed(at: Stage, body: bytes, *, seed: bytes = PUBLISHED_TEST_SEED, age: float = 0) -> int:
    """Post a body to the default route, signed as Telnyx signs; what it was answered."""
    return post(at, body, headers_for(at, body, seed=seed, age=age))


def headers_for(
    at: Stage, body: bytes, *, seed: bytes = PUBLISHED_TEST_SEED, age: float = 0
) -> dict[str, str]:
    timestamp = str(int((at.clock.now() - timedelta(seconds=age)).timestamp()))
    signature = SigningKey(seed).sign(timestamp.encode() + b"|" + body).signature
    return {
        "telnyx-timestamp": timestamp,
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
    }


def post(at: Stage, body: bytes, headers: dict[str, str], path: str = "/webhooks") -> int:
    given = [("host", "partyline.example"), ("content-type", "application/json")]
    request = HttpRequest(
        method="POST", path=path, headers=[*given, *headers.items()], body=body, scheme="https"
    )
    return at.gateway.handle(request).status


def assert_untouched(at: Stage) -> None:
    """Nothing is stored, and Telnyx was asked nothing."""
    assert at.table.keys() == []
    assert at.telnyx.ledger == []


@pytest.mark.parametrize("event_type", TYPES)
def test_a_captured_event_of_a_call_that_is_not_ours_is_left_alone(
    stage: Staged, without_assistant: Template, event_type: str
) -> None:
    at = stage(template=without_assistant)
    _, body = body_of(event_type)
    routes = ["/webhooks"]
    if any(route.path == f"/webhooks/{event_type}" for route in without_assistant.routes):
        routes.append(f"/webhooks/{event_type}")
    assert [post(at, body, headers_for(at, body), path) for path in routes] == [200] * len(routes)
    assert_untouched(at)


@pytest.mark.parametrize("event_type", [each for each in TYPES if each != "call.initiated"])
def test_with_a_default_assistant_too_only_a_new_call_is_taken(
    stage: Staged, event_type: str
) -> None:
    at = stage()
    assert signed(at, body_of(event_type)[1]) == 200
    assert_untouched(at)


def test_a_captured_call_to_our_number_is_answered(stage: Staged) -> None:
    at = stage()
    assert signed(at, body_of("call.initiated")[1]) == 200
    (entry,) = at.telnyx.ledger
    assert entry.action == "answer"
    assert entry.path.startswith("/v2/calls/v3%3A2EC-70")


@pytest.mark.parametrize("wrong", ["key", "old", "new", "unsigned", "tampered", "half", "garbage"])
def test_a_webhook_with_a_bad_signature_does_nothing(stage: Staged, wrong: str) -> None:
    at = stage()
    _, body = body_of("call.initiated")
    headers = headers_for(at, body)
    if wrong == "key":
        headers = headers_for(at, body, seed=bytes(32))
    elif wrong in ("old", "new"):
        headers = headers_for(at, body, age=301 if wrong == "old" else -301)
    elif wrong == "unsigned":
        headers = {}
    elif wrong == "tampered":
        body = body.replace(b"+13125550124", b"+13125550125")
    elif wrong == "half":
        del headers["telnyx-timestamp"]
    else:
        headers["telnyx-signature-ed25519"] = "not base64!"
    assert post(at, body, headers) == 401
    assert_untouched(at)


@pytest.mark.parametrize("age", [-290.0, 290.0])
def test_a_clock_that_is_a_little_off_does_no_harm(stage: Staged, age: float) -> None:
    at = stage()
    assert signed(at, body_of("call.initiated")[1], age=age) == 200
    assert len(at.telnyx.ledger) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"call"', b"\xff\xfe"])
def test_a_signed_body_that_is_no_event_is_refused_and_not_an_error(
    stage: Staged, body: bytes
) -> None:
    at = stage()
    assert signed(at, body) == 400
    assert_untouched(at)


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
def test_an_event_of_an_unknown_kind_or_shape_is_ignored(
    stage: Staged, data: dict[str, object]
) -> None:
    at = stage()
    assert signed(at, json.dumps({"data": data}).encode()) == 200
    assert_untouched(at)


def test_somebody_elses_client_state_leads_nowhere(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.run(5)
    ours = at.leg(HOST).client_state
    before = at.conversation(here)
    _, body = body_of("call.hangup", [f"payload.client_state={ours}"])
    assert signed(at, body) == 200
    assert at.conversation(here) == before


def test_every_webhook_function_takes_every_event(stage: Staged) -> None:
    at = stage()
    here = at.start()
    at.hold()
    at.run(5)
    (answered,) = [each for each in at.release() if each.path.endswith("/call.answered")]
    headers = {name: value for name, value in answered.headers if name.startswith("telnyx")}
    assert post(at, answered.body, headers, "/webhooks/call.hangup") == 200
    at.run(5)
    assert at.status(here) == "active"
