"""`partyline up` and `partyline down` in the embedded AWS, with a whole build."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from local.connect.account import Account
from local.connect.records import Records
from local.deploy.background_checks import NotDoneError
from local.deploy.deployment import STACK, Deployment
from local.deploy.reverse_proxy import ReverseProxy
from local.stack.local_stack import Options
from local.stack.template import declared_parameters
from local.up.choices import NotAnsweredError
from local.up.down import down
from local.up.stack import Stack
from local.up.up import Request, Surroundings, up
from partyline.services.bearer_keys import Right

_MAX_RUNS = 10


@dataclass
class BuildDeployer:
    """Deploys a build into the embedded AWS. The commit is made up."""

    deployment: Deployment
    build: Path
    proxy: ReverseProxy
    deployments: int = 0

    def commit(self) -> str:
        """Return the hash of a commit."""
        return "1" * 40

    def deploy(self, stack: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        """Deploy the build with these parameters, and make the routes."""
        if stack != STACK or not tags:
            raise NotDoneError(f"the stack would be {stack}, with the tags {dict(tags)}")
        self.deployments += 1
        self.deployment = replace(
            self.deployment, parameters={**self.deployment.parameters, **parameters}
        )
        self.deployment.deploy(self.build, parameters["ReleaseSha"])
        self.deployment.make_routes()
        self.proxy.api_id = self.deployment.api_id


class UpLocally:
    """Runs `up` and `down` for `options` without a question; `folder` takes their files."""

    def __init__(
        self,
        options: Options,
        deployer: BuildDeployer,
        telnyx_url: str,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        parameters = dict(deployer.deployment.parameters)
        self._request = Request(
            stage="dev",
            telnyx_key=options.telnyx_api_key,
            application_id=parameters.pop("TelnyxConnectionId"),
            parameters={name: value for name, value in parameters.items() if name != "ReleaseSha"},
            call="",
        )
        earlier, operator_key = Surroundings.folders(folder, folder, STACK)
        self._deployer = deployer
        self._around = Surroundings(
            stack=Stack(STACK, deployer.deployment.client, say),
            deployer=deployer,
            open_account=lambda key: Account(telnyx_url, key),
            records=Records(folder),
            earlier=earlier,
            operator_key=operator_key,
            declared=declared_parameters(),
            rights=tuple(Right),
            ask=_no_answer,
            say=say,
            report=lambda finding: say(f"{finding.verdict:8}{finding.sentence}"),
            sleep=time.sleep,
        )

    @property
    def bearer_key(self) -> str:
        """The operator's bearer key, which `up` has made."""
        return self._around.operator_key.read()

    def up(self) -> None:
        """Run `up` until the doctor finds nothing wrong, then once more.

        The first requests may take too long on a slow machine, which the doctor reports. Raises
        NotDoneError when the findings stay, and after a second deployment.
        """
        runs = (up(self._request, self._around) for _ in range(_MAX_RUNS))
        if not any(runs):
            raise NotDoneError("the doctor found something wrong")
        up(self._request, self._around)
        if self._deployer.deployments != 1:
            raise NotDoneError("the second `partyline up` deployed again")

    def down(self) -> None:
        """Run `down`. Raises NotDoneError unless the table alone stays."""
        deployment = self._deployer.deployment
        table = deployment.outputs["TableName"]
        down(self._request, self._around, with_calls=True)
        tables = deployment.client("dynamodb").list_tables()["TableNames"]
        if self._around.stack.read() is not None or tables != [table]:
            raise NotDoneError(f"`partyline down` has left the tables {tables}")


def _no_answer(question: str, option: str, **_: object) -> str:
    raise NotAnsweredError(f"{question}: give {option}.")
