"""The smoke test of a release: CodeDeploy calls this function before traffic shifts (stage prod).

The function has the release's layer and settings. The function reads the settings, a row of the
table and both secrets. No phone rings, and Telnyx gets no request. A failure stops the deployment.
"""

from collections.abc import Callable
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.services.bearer_keys import malformed_entries
from partyline.telemetry import logger

Check = Callable[[App], object]


class SecretFormError(Exception):
    """A secret does not have the form that the functions read."""


def smoke() -> Callable[[dict[str, Any], Any], dict[str, list[str]]]:
    """The handler of CodeDeploy's hook BeforeAllowTraffic. Its answer names the failed checks.

    An event without a deployment reports to nobody, so that an operator can invoke the function.
    """

    def handle(app: App, event: dict[str, Any], _context: Any) -> dict[str, list[str]]:
        failed = [name for name, check in CHECKS.items() if not _passes(app, name, check)]
        if "DeploymentId" in event:
            app.codedeploy_client.put_lifecycle_event_hook_execution_status(
                deploymentId=event["DeploymentId"],
                lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
                status="Failed" if failed else "Succeeded",
            )
        return {"failed": failed}

    return with_app(handle)


def _passes(app: App, name: str, check: Check) -> bool:
    try:
        check(app)
    except Exception as error:  # noqa: BLE001 - each failure is a result
        # The text of an error may hold a setting; the class does not.
        logger.error("smoke test failed", extra={"check": name, "error": type(error).__name__})
        return False
    return True


def _check_telnyx_key(app: App) -> None:
    """Check the form of the secret. An empty key is accepted: the operator has yet to put a key."""
    if not isinstance(app.telnyx_api_key.document().get("api_key"), str):
        raise SecretFormError


def _check_bearer_keys(app: App) -> None:
    if malformed_entries(app.bearer_keys.document()):
        raise SecretFormError


CHECKS: dict[str, Check] = {
    "settings": lambda app: app.dial_policy,
    "engine": lambda app: app.engine,
    "table": lambda app: app.dialing.is_off(),
    "telnyx_key": _check_telnyx_key,
    "bearer_keys": _check_bearer_keys,
}
"""The checks by name. Building the engine imports everything that sends commands."""
