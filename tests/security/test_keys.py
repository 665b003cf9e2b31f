"""Bearer keys and the Telnyx key: authorization, rotation during calls, and secrecy."""

import hmac
import json
import traceback
from hashlib import sha256

import httpx
import pytest

from partyline.telnyx.client import TelnyxClient
from partyline.telnyx.errors import TelnyxError
from tests.support.backend import Secrets
from tests.support.lab import API_KEY, Lab, NewLab
from tests.support.people import HOST
from tests.support.security import assert_untouched


def accept_keys(secrets: Secrets, *keys: str) -> None:
    """Set the secret of the bearer keys to the hashes of exactly these keys."""
    entries = [
        {"id": f"id-{nth}", "sha256": sha256(key.encode()).hexdigest()}
        for nth, key in enumerate(keys)
    ]
    secrets.values["bearer"] = json.dumps({"keys": entries})


def ask(lab: Lab, key: str) -> int:
    return lab.ask("GET", "/conversations", authorization=f"Bearer {key}").status


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> "Clocks":
    return Clocks(monkeypatch)


class Clocks:
    """The clocks of the gateway's cached verdicts and of Powertools' cached secrets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._secs = 0.0

    def advance(self, secs: float) -> None:
        from datetime import UTC, datetime, timedelta  # noqa: PLC0415
        from time import monotonic  # noqa: PLC0415

        self._secs += secs
        later = self._secs
        module = "aws_lambda_powertools.utilities.parameters.base"

        class Later(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return datetime.now(UTC if tz else None) + timedelta(seconds=later)

        self._monkeypatch.setattr("local.stack.gateway.time.monotonic", lambda: monotonic() + later)
        self._monkeypatch.setattr(f"{module}.datetime", Later)


def test_a_bearer_key_can_be_replaced_without_refusing_a_valid_key(
    new_lab: NewLab, secrets: Secrets, clocks: Clocks
) -> None:
    lab = new_lab()
    accept_keys(secrets, "old")
    assert [ask(lab, key) for key in ("old", "new")] == [200, 403]
    accept_keys(secrets, "old", "new")
    clocks.advance(100)
    assert [ask(lab, key) for key in ("old", "new")] == [200, 200]
    accept_keys(secrets, "new")
    clocks.advance(100)
    assert [ask(lab, key) for key in ("old", "new")] == [403, 200]


def test_a_revoked_bearer_key_works_for_90_seconds_at_most(
    new_lab: NewLab, secrets: Secrets, clocks: Clocks
) -> None:
    lab = new_lab()
    accept_keys(secrets, "old")
    assert ask(lab, "old") == 200
    accept_keys(secrets)
    clocks.advance(91)  # 30 s for the cached secret, 60 s for the cached verdict
    assert ask(lab, "old") == 403


def test_a_key_reaches_only_the_routes_of_its_rights(new_lab: NewLab, secrets: Secrets) -> None:
    lab = new_lab()
    entry = {"id": "reader", "sha256": sha256(b"reader").hexdigest(), "may": ["read"]}
    secrets.values["bearer"] = json.dumps({"keys": [entry]})
    assert ask(lab, "reader") == 200
    requests: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("POST", "/conversations", {"to": HOST}),
        ("POST", "/conversations/c-1/participants", {"to": HOST}),
        ("POST", "/conversations/c-1/stop", {}),
        ("DELETE", "/conversations?key_id=reader", {}),
        ("GET", "/routes", {}),
        ("DELETE", "/do-not-call/%2B13125550100", {}),
    )
    for method, path, body in requests:
        answer = lab.ask(method, path, body, authorization="Bearer reader")
        assert (answer.status, answer.json["error"]["code"]) == (403, "forbidden"), path
    assert_untouched(lab)


def test_a_key_is_compared_in_constant_time_with_every_hash(
    new_lab: NewLab, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = new_lab()
    accept_keys(secrets, "one", "two", "three")
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def compare(digest: bytes, known: bytes) -> bool:
        compared.append((len(digest), len(known)))
        return real(digest, known)

    monkeypatch.setattr("partyline.services.bearer_keys.hmac.compare_digest", compare)
    for key in ("one", "three", "unknown"):
        compared.clear()
        ask(lab, key)
        assert compared == [(64, 64)] * 3, key


def test_neither_a_hash_nor_a_part_of_a_key_is_accepted(new_lab: NewLab, secrets: Secrets) -> None:
    lab = new_lab()
    accept_keys(secrets, API_KEY, "")
    hashed = sha256(API_KEY.encode()).hexdigest()
    for key in (hashed, "", API_KEY[:-1], API_KEY + "x", API_KEY.upper(), f"{API_KEY},{API_KEY}"):
        assert ask(lab, key) in (401, 403), key
    assert_untouched(lab)
    assert ask(lab, API_KEY) == 200


def test_a_key_longer_than_512_characters_is_refused(new_lab: NewLab, secrets: Secrets) -> None:
    lab = new_lab()
    accept_keys(secrets, "k" * 512, "k" * 513)
    assert [ask(lab, "k" * length) for length in (512, 513)] == [200, 403]


def test_a_replaced_telnyx_key_is_read_again_during_a_call(
    new_lab: NewLab, secrets: Secrets
) -> None:
    lab = new_lab()
    conversation_id = lab.start()
    lab.settings.api_key = "KEY-the-new-one"
    secrets.values["telnyx"] = json.dumps({"api_key": "KEY-the-new-one"})
    secrets.reads.clear()
    lab.run(10)
    assert lab.status(conversation_id) == "active"
    assert secrets.reads == ["telnyx"]  # one read after the first 401
    refused = [entry for entry in lab.telnyx.ledger if entry.status == 401]
    assert len(refused) == 1


def test_a_wrong_telnyx_key_is_read_once_more_and_then_reported(
    new_lab: NewLab, secrets: Secrets
) -> None:
    lab = new_lab()
    lab.settings.api_key = "KEY-of-another-account"
    answer = lab.ask("POST", "/conversations", {"to": HOST})
    assert answer.status == 202
    assert answer.json["status"] == "failed"
    assert secrets.reads.count("telnyx") == 2


def test_a_telnyx_error_with_its_whole_traceback_shows_no_key() -> None:
    key = "KEY" + "0" * 20

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"could not send {request.headers['authorization']}")

    client = TelnyxClient(
        lambda fresh=False: key, transport=httpx.MockTransport(fail), pause=lambda _: None
    )
    with pytest.raises(TelnyxError) as caught:
        client.request("GET", "/calls/1")
    client.close()
    assert key not in "".join(traceback.format_exception(caught.value))


def test_the_telnyx_key_is_read_again_after_five_minutes(
    new_lab: NewLab, secrets: Secrets, clocks: Clocks
) -> None:
    lab = new_lab()
    for _ in range(3):
        lab.start()
    assert secrets.reads.count("telnyx") == 1
    clocks.advance(301)
    lab.start()
    assert secrets.reads.count("telnyx") == 2
