"""The authorizer admits the keys in the secret, and no other key."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from partyline.services.bearer_keys import Right
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from tests.support.deployment import Deployment


def hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def ask(deployment: Deployment, authorization: str | None) -> Any:
    headers = {} if authorization is None else {"authorization": authorization}
    return deployment.invoke("authorizer", {"headers": headers})


def test_a_key_in_the_secret_is_admitted(deployment: Deployment) -> None:
    context = {"key_id": "ops", "may": "control directory erase hooks read start"}
    admitted = {"isAuthorized": True, "context": context}
    assert ask(deployment, "Bearer key-1") == admitted
    assert ask(deployment, "bearer  key-1 ") == admitted


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
def test_any_other_header_is_refused(deployment: Deployment, authorization: str | None) -> None:
    assert ask(deployment, authorization) == {"isAuthorized": False}


def test_two_keys_are_valid_during_a_replacement(deployment: Deployment) -> None:
    entries = [{"id": name, "sha256": hashed(name).upper()} for name in ("old", "new")]
    deployment.secrets.values["bearer"] = json.dumps({"keys": entries})
    for name in ("old", "new"):
        assert ask(deployment, f"Bearer {name}")["context"]["key_id"] == name
    assert deployment.secrets.reads == 1, "the secret is cached"


def test_every_hash_is_compared_whichever_matches(
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
        {"keys": [{"id": name, "sha256": hashed("key-1")} for name in ("é", "a\n", "x" * 129)]},
        *(
            {"keys": [{"id": "ops", "sha256": hashed("key-1"), **field}]}
            for field in (
                {"may": "start"},
                {"may": None},
                {"may": ["start", "everything"]},
                {"may": [["start"]]},
                {"rights": ["read"]},
                {"expires_at": None},
                {"expires_at": 4102444800},
                {"expires_at": "tomorrow"},
                {"expires_at": "2100-01-01T00:00:00"},
                {"expires-at": "2020-01-01T00:00:00Z"},
            )
        ),
    ],
)
def test_a_malformed_secret_admits_no_key(
    deployment: Deployment, secret: Any, written: Callable[[], str]
) -> None:
    deployment.secrets.values["bearer"] = json.dumps(secret)
    for key in ("key-1", "None", ""):
        assert ask(deployment, f"Bearer {key}") == {"isAuthorized": False}
    logged = written()
    assert "holds an entry that is not a key" in logged
    assert hashed("key-1") not in logged


@pytest.mark.parametrize("field", [{}, {"sha256": "\ud800"}, {"sha256": "ab12"}])
def test_a_malformed_entry_does_not_affect_the_other_keys(
    deployment: Deployment, field: dict[str, str], written: Callable[[], str]
) -> None:
    entries = [{"id": "half", **field}, {"id": "ops", "sha256": hashed("key-1")}]
    deployment.secrets.values["bearer"] = json.dumps({"keys": entries})
    assert ask(deployment, "Bearer key-1")["isAuthorized"] is True
    assert "holds an entry that is not a key" in written()


@pytest.mark.parametrize("rights", [[], ["read"], ["read", "start"], list(Right)])
def test_the_rights_of_a_key_go_to_the_functions(deployment: Deployment, rights: list[str]) -> None:
    entry = {"id": "ops", "sha256": hashed("key-1"), "may": rights}
    deployment.secrets.values["bearer"] = json.dumps({"keys": [entry]})
    assert ask(deployment, "Bearer key-1")["context"]["may"] == " ".join(sorted(rights))


def test_an_expired_key_is_refused_like_an_unknown_key(deployment: Deployment) -> None:
    now = deployment.clock.now
    entry = {"id": "ops", "sha256": hashed("key-1")}
    for seconds, admitted in ((1, True), (0, False), (-1, False)):
        expires_at = (now + timedelta(seconds=seconds)).isoformat()
        deployment.secrets.values["bearer"] = json.dumps(
            {"keys": [{**entry, "expires_at": expires_at}]}
        )
        deployment.app.bearer_keys._provider = None
        assert ask(deployment, "Bearer key-1")["isAuthorized"] is admitted, seconds
    assert ask(deployment, "Bearer key-1") == {"isAuthorized": False}


def test_an_unreadable_secret_is_an_error_and_not_a_refusal(deployment: Deployment) -> None:
    # API Gateway caches a refusal, and does not cache an error.
    deployment.secrets.values["bearer"] = "not json: key-1"
    with pytest.raises(SecretMissingError, match="is not JSON") as told:
        ask(deployment, "Bearer key-1")
    assert "key-1" not in str(told.value)
    assert told.value.__suppress_context__, "the parser's error quotes the secret"
    del deployment.secrets.values["bearer"]
    deployment.app.bearer_keys._provider = None
    with pytest.raises(SecretUnreadableError):
        ask(deployment, "Bearer key-1")


@pytest.mark.parametrize("secret", ['["key-1"]', "{}", '{"api_key": ""}', '{"api_key": 7}'])
def test_the_error_of_an_incomplete_secret_names_the_secret(
    deployment: Deployment, secret: str
) -> None:
    deployment.secrets.values["telnyx"] = secret
    with pytest.raises(SecretMissingError, match="secret telnyx"):
        deployment.app.telnyx_api_key.field("api_key")
