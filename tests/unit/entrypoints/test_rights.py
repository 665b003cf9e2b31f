"""Each operation of the API needs one right of the bearer key."""

import pytest

from partyline.services.bearer_keys import Right
from tests.support.deployment import OPERATIONS, Deployment

NEEDED = {
    "trigger": Right.START,
    "control": Right.CONTROL,
    "query": Right.READ,
    "directory": Right.DIRECTORY,
    "people": Right.ERASE,
    "hooks": Right.HOOKS,
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_key_without_the_right_is_refused_before_any_work(
    deployment: Deployment, operation: str
) -> None:
    right = NEEDED[OPERATIONS[operation][0]]
    for rights in ("", " ".join(set(Right) - {right}), f"{right}s", right.upper()):
        status, answer = deployment.ask(operation, {"to": "+13125550101"}, may=rights)
        assert (status, answer["error"]["code"]) == (403, "forbidden")
        assert answer["error"]["message"] == f"The bearer key lacks the right `{right}`."
        assert answer["error"]["details"] == [{"right": right}]
    assert deployment.dynamodb.calls == []
    assert deployment.telnyx.sent == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_key_needs_no_other_right(deployment: Deployment, operation: str) -> None:
    right = NEEDED[OPERATIONS[operation][0]]
    assert deployment.ask(operation, may=right)[0] not in {401, 403}


def test_an_authorizer_that_passes_no_rights_on_opens_nothing(deployment: Deployment) -> None:
    event = {
        "version": "2.0",
        "routeKey": "GET /conversations",
        "rawPath": "/conversations",
        "requestContext": {"requestId": "r-1", "authorizer": {"lambda": {"key_id": "ops"}}},
    }
    assert deployment.invoke("query", event)["statusCode"] == 403
