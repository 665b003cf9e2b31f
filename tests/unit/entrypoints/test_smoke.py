"""The smoke test of a release: each broken part stops the deployment, and no phone rings."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.deployment import Deployment
from tests.unit.entrypoints.test_figures import refused

EVENT = {"DeploymentId": "d-ABCDEF123", "LifecycleEventHookExecutionId": "hook-1"}
SECRET_TEXT = "a secret that must not be logged"


class CodeDeploy:
    """CodeDeploy's client: keeps what the function reports."""

    def __init__(self) -> None:
        self.reports: list[dict[str, Any]] = []

    def put_lifecycle_event_hook_execution_status(self, **report: Any) -> None:
        self.reports.append(report)


@pytest.fixture
def code_deploy(deployment: Deployment) -> CodeDeploy:
    client = CodeDeploy()
    deployment.app.codedeploy_client = client
    return client


def test_a_release_whose_parts_work_gets_traffic(
    deployment: Deployment, code_deploy: CodeDeploy
) -> None:
    assert deployment.invoke("smoke", EVENT) == {"failed": []}
    assert code_deploy.reports == [
        {
            "deploymentId": "d-ABCDEF123",
            "lifecycleEventHookExecutionId": "hook-1",
            "status": "Succeeded",
        }
    ]
    assert deployment.telnyx.sent == []
    assert deployment.dynamodb.calls == ["get_item"]
    assert deployment.item_count() == 0


def test_secrets_that_the_operator_has_yet_to_fill_are_accepted(
    deployment: Deployment, code_deploy: CodeDeploy
) -> None:
    deployment.secrets.values = {"telnyx": '{"api_key": ""}', "bearer": '{"keys": []}'}
    assert deployment.invoke("smoke", EVENT) == {"failed": []}


def broken_setting(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_MINUTES", SECRET_TEXT)


def broken_hours(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUIET_HOURS", "always")


def broken_table(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.dynamodb.failures["get_item"] = [refused("get_item")]


def broken_telnyx_key(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.secrets.values["telnyx"] = SECRET_TEXT


def misnamed_telnyx_key(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.secrets.values["telnyx"] = f'{{"key": "{SECRET_TEXT}"}}'


def broken_bearer_keys(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.secrets.values["bearer"] = f'{{"keys": [{{"id": "{SECRET_TEXT}"}}]}}'


def missing_bearer_keys(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.secrets.values["bearer"] = "{}"


@pytest.mark.parametrize(
    ("breaks", "failed"),
    [
        (broken_setting, "settings"),
        (broken_hours, "settings"),
        (broken_table, "table"),
        (broken_telnyx_key, "telnyx_key"),
        (misnamed_telnyx_key, "telnyx_key"),
        (broken_bearer_keys, "bearer_keys"),
        (missing_bearer_keys, "bearer_keys"),
    ],
)
def test_each_broken_part_stops_the_deployment(
    deployment: Deployment,
    code_deploy: CodeDeploy,
    written: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[Deployment, pytest.MonkeyPatch], None],
    failed: str,
) -> None:
    breaks(deployment, monkeypatch)
    assert failed in deployment.invoke("smoke", EVENT)["failed"]
    [report] = code_deploy.reports
    assert report["status"] == "Failed"
    text = written()
    assert '"smoke test failed"' in text
    assert SECRET_TEXT not in text


def test_an_operator_can_run_the_test_without_a_deployment(
    deployment: Deployment, code_deploy: CodeDeploy
) -> None:
    assert deployment.invoke("smoke", {}) == {"failed": []}
    assert code_deploy.reports == []
