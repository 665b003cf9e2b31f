"""Who is let in: whoever has a key whose hash is in the secret, and nobody else."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from tests.support.deployment import Deployment


def hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def ask(deployment: Deployment, authorization: str | None) -> Any:
    headers = {} if authorization is None else {"authorization": authorization}
    return deployment.invoke("authorizer", {"headers": headers})


def test_a_key_lets_its_owner_in(deployment: Deployment) -> None:
    let_in = {"isAuthorized": True, "context": {"key_id": "ops"}}
    assert ask(deployment, "Bearer key-1") == let_in
    assert ask(deployment, "bearer  key-1 ") == let_in


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "key-1",
        "Basic key-1",
        "Bearer key-2",
        "Bearer KEY-1",
        "Bearer key-1,key-1",
        "Bearer " + hashed("key-1"),
        "Bearer \ud800",
        "Bearer " + "x" * 9000,
    ],
)
def test_anything_else_lets_nobody_in(deployment: Deployment, authorization: str | None) -> None:
    assert ask(deployment, authorization) == {"isAuthorized": False}


def test_two_keys_hold_while_one_is_being_replaced(deployment: Deployment) -> None:
    entries = [{"id": name, "sha256": hashed(name).upper()} for name in ("old", "new")]
    deployment.secrets.values["bearer"] = json.dumps({"keys": entries})
    for name in ("old", "new"):
        assert ask(deployment, f"Bearer {name}")["context"] == {"key_id": name}
    assert deployment.secrets.reads == 1, "the secret is kept for a while"


def test_every_hash_is_compared_whichever_fits(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [{"id": str(n), "sha256": hashed(str(n))} for n in range(5)]
    deployment.secrets.values["bearer"] = json.dumps({"keys": entries})
    compared: list[bytes] = []

    def compare(given: bytes, known: bytes) -> bool:
        compared.append(known)
        return given == known

    monkeypatch.setattr("hmac.compare_digest", compare)
    for key in ("0", "4", "none"):
        compared.clear()
        assert ask(deployment, f"Bearer {key}")["isAuthorized"] is (key != "none")
        assert compared == [hashed(str(n)).encode() for n in range(5)]


@pytest.mark.parametrize(
    "secret",
    [
        {},
        {"keys": None},
        {"keys": "key-1"},
        {"keys": {"id": "ops", "sha256": hashed("key-1")}},
        {"keys": [None, 1, "x", [], {}]},
        {"keys": [{"id": "ops"}, {"sha256": hashed("key-1")}]},
        {"keys": [{"id": "", "sha256": hashed("key-1")}, {"id": 1, "sha256": hashed("key-1")}]},
        {"keys": [{"id": "ops", "sha256": None}, {"id": "ops", "sha256": ""}]},
    ],
)
def test_a_malformed_secret_lets_nobody_in(
    deployment: Deployment, secret: Any, written: Callable[[], str]
) -> None:
    deployment.secrets.values["bearer"] = json.dumps(secret)
    for key in ("key-1", "None", ""):
        assert ask(deployment, f"Bearer {key}") == {"isAuthorized": False}
    logged = written()
    assert "holds an entry that is not a key" in logged
    assert hashed("key-1") not in logged


def test_one_malformed_entry_locks_nobody_else_out(deployment: Deployment) -> None:
    entries = [{"id": "ops", "sha256": hashed("key-1")}, {"id": "half"}]
    deployment.secrets.values["bearer"] = json.dumps({"keys": entries})
    assert ask(deployment, "Bearer key-1")["isAuthorized"] is True


def test_a_secret_that_cannot_be_read_is_a_failure_and_no_verdict(deployment: Deployment) -> None:
    # API Gateway keeps a verdict for a while, and a failure it does not.
    deployment.secrets.values["bearer"] = "not json: key-1"
    with pytest.raises(SecretMissingError, match="is not JSON") as told:
        ask(deployment, "Bearer key-1")
    assert "key-1" not in str(told.value)
    assert told.value.__suppress_context__, "the error of the reader quotes what it read"
    del deployment.secrets.values["bearer"]
    deployment.app.bearer_keys._provider = None
    with pytest.raises(SecretUnreadableError):
        ask(deployment, "Bearer key-1")


@pytest.mark.parametrize("secret", ['["key-1"]', "{}", '{"api_key": ""}', '{"api_key": 7}'])
def test_a_secret_that_lacks_what_it_should_hold_says_which_it_is(
    deployment: Deployment, secret: str
) -> None:
    deployment.secrets.values["telnyx"] = secret
    with pytest.raises(SecretMissingError, match="secret telnyx"):
        deployment.app.telnyx_api_key.field("api_key")
