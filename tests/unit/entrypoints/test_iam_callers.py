"""Requests of IAM roles and users: their ids, their rights, and where Telnyx is sent."""

from typing import Any

import pytest

from partyline.entrypoints.api.caller import caller_of
from partyline.services.bearer_keys import Right, is_key_id
from tests.support.deployment import HOST_NUMBER, OPERATIONS, Deployment
from tests.unit.entrypoints.test_authorizer import ask as authorize

ROLE = "arn:aws:sts::111122223333:assumed-role/crm/i-0123456789"
ROLE_ID = "iam/111122223333/role/crm"
MAIN_API = "https://main.execute-api.us-east-1.amazonaws.com"


def ask_as(deployment: Deployment, operation: str, arn: str, body: Any = None) -> tuple[int, Any]:
    """Ask for an operation as API Gateway passes a request of an IAM caller on."""
    deployment.authorizer = {"iam": {"userArn": arn, "accountId": "111122223333"}}
    deployment.stage_variables = {"ApiUrl": MAIN_API}
    return deployment.ask(operation, body)


@pytest.mark.parametrize(
    ("arn", "id_"),
    [
        (ROLE, ROLE_ID),
        ("arn:aws-us-gov:sts::111122223333:assumed-role/crm/a@b.example", ROLE_ID),
        ("arn:aws:iam::111122223333:user/Ada", "iam/111122223333/user/Ada"),
        ("arn:aws:iam::111122223333:user/team/phones/Ada", "iam/111122223333/user/Ada"),
        ("arn:aws:sts::111122223333:federated-user/Ada", "iam/111122223333/federated-user/Ada"),
        ("arn:aws:iam::111122223333:root", "iam/111122223333/root"),
        ("", None),
        ("arn:aws:sts::111122223333:assumed-role", None),
        ("arn:aws:sts::1:assumed-role/crm/x", None),
        ("111122223333", None),
    ],
)
def test_a_role_has_the_same_id_in_every_session(arn: str, id_: str | None) -> None:
    caller = caller_of({"authorizer": {"iam": {"userArn": arn}}})
    assert (caller and caller.id) == id_
    assert caller is None or (caller.rights == set(Right) and not caller.has_key)


def test_no_bearer_key_has_the_id_of_an_iam_caller() -> None:
    assert not is_key_id(ROLE_ID)
    assert is_key_id("iam")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_iam_has_allowed_the_route_so_the_function_refuses_nothing(
    deployment: Deployment, operation: str
) -> None:
    assert ask_as(deployment, operation, ROLE)[0] not in {401, 403}


def test_a_request_without_a_known_caller_is_refused(deployment: Deployment) -> None:
    status, answer = ask_as(deployment, "list_conversations", "arn:aws:other::1:thing")
    assert (status, answer["error"]["code"]) == (401, "unauthorized")
    assert deployment.dynamodb.calls == []


def test_telnyx_gets_the_url_of_the_api_with_its_routes(deployment: Deployment) -> None:
    assert ask_as(deployment, "start_conversation", ROLE, {"to": HOST_NUMBER})[0] == 202
    [dial] = deployment.dials()
    assert dial.body["webhook_url"] == f"{MAIN_API}/webhooks"


def test_the_dials_of_a_role_are_counted_apart_from_those_of_a_key(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_DIALS_PER_MINUTE", "1")
    assert deployment.ask("start_conversation", {"to": HOST_NUMBER})[0] == 202
    other = ROLE.replace("i-0123456789", "i-9876543210")
    statuses = [
        ask_as(deployment, "start_conversation", arn, {"to": HOST_NUMBER})[0]
        for arn in (ROLE, other)
    ]
    assert statuses == [202, 429]


def test_a_later_call_for_a_role_needs_no_bearer_key(deployment: Deployment) -> None:
    body = {"to": HOST_NUMBER, "max_attempts": 2, "pause_secs": 60}
    _, answer = ask_as(deployment, "start_conversation", ROLE, body)
    stored = deployment.store.load(answer["id"])
    assert stored is not None
    assert stored.host.key_id is None


def test_with_iam_alone_a_bearer_key_is_refused(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for authorization, admitted in (("bearer", True), ("both", True), ("iam", False)):
        monkeypatch.setenv("API_AUTHORIZATION", authorization)
        assert authorize(deployment, "Bearer key-1")["isAuthorized"] is admitted
