"""Deploy the build on this machine: `sam deploy` into the embedded AWS.

CloudFormation creates the resources as in an account, with four exceptions. ministack ignores the
HTTP API's OpenAPI document, so this module creates the routes. Its transform does not see the
parameters, so the release is written into the template. It has neither alarms with metric math nor
CodeDeploy, so these are left out. The functions' timeouts are longer, for a slow machine.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.deploy.lambda_emulator import ROOT, SLOW_MACHINE_SECS
from local.stack.embedded_aws import Access
from local.stack.intrinsics import REGION
from local.stack.logs import Line
from local.stack.template import Template

STACK = "partyline-dev"
ALIAS = "live"
_BUCKET = "partyline-artifacts"
_SAM = ROOT / ".venv-sam" / "bin" / "sam"


class DeploymentFailedError(Exception):
    """`sam deploy` failed; the text is its output."""


@dataclass(frozen=True)
class Deployment:
    """A stack in the embedded AWS of `access`; `parameters` are the template's."""

    access: Access
    parameters: Mapping[str, str]

    def deploy(self, built: Path, release: str) -> None:
        """Create or update the stack from a folder of `sam build`.

        `release` is a commit hash of 40 hex digits. Raises DeploymentFailedError.
        """
        with tempfile.TemporaryDirectory(prefix="partyline-deploy-") as folder:
            template = yaml_parse((built / "template.yaml").read_text())
            template["Parameters"]["ReleaseSha"]["Default"] = release
            template["Globals"]["Function"]["Timeout"] += SLOW_MACHINE_SECS
            # SAM would upload the files that this entry names by paths from the build's folder.
            template["Metadata"].pop("AWS::ServerlessRepo::Application")
            template["Resources"] = _known_to_ministack(template["Resources"])
            for resource in template["Resources"].values():
                for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
                    code = resource["Properties"][name]
                    resource["Properties"][name] = str((built / code).resolve())
            path = Path(folder, "template.json")
            path.write_text(json.dumps(template))
            self._sam_deploy(path, {**self.parameters, "ReleaseSha": release})

    def make_routes(self) -> None:
        """Create the routes and the authorizer of the API's OpenAPI document."""
        template = Template({**self.parameters, "ReleaseSha": "0" * 40}, stack_name=STACK)
        api, id_, physical = self.client("apigatewayv2"), self.api_id, self.resources

        def uri(function: str) -> str:
            arn = physical[f"{function}Alias{ALIAS}"]
            return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"

        authorizers = {
            name: api.create_authorizer(
                ApiId=id_,
                Name=name,
                AuthorizerType="REQUEST",
                AuthorizerUri=uri(authorizer.function),
                IdentitySource=[f"$request.header.{authorizer.header}"],
                AuthorizerPayloadFormatVersion="2.0",
                EnableSimpleResponses=True,
                AuthorizerResultTtlInSeconds=authorizer.ttl_secs,
            )["AuthorizerId"]
            for name, authorizer in template.authorizers.items()
        }
        for route in template.routes:
            integration = api.create_integration(
                ApiId=id_,
                IntegrationType="AWS_PROXY",
                IntegrationUri=uri(route.function),
                PayloadFormatVersion="2.0",
            )
            guard = (
                {"AuthorizationType": "CUSTOM", "AuthorizerId": authorizers[route.authorizer]}
                if route.authorizer
                else {"AuthorizationType": "NONE"}
            )
            target = f"integrations/{integration['IntegrationId']}"
            api.create_route(ApiId=id_, RouteKey=route.key, Target=target, **guard)

    def log(self) -> list[Line]:
        """Return the log lines of all functions so far, as objects, in the order of time."""
        logs = self.client("logs")
        lines: list[tuple[int, Line]] = []
        for page in logs.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                answers = logs.get_paginator("filter_log_events").paginate(
                    logGroupName=group["logGroupName"]
                )
                lines += [
                    (event["timestamp"], json.loads(text))
                    for answer in answers
                    for event in answer["events"]
                    for text in event["message"].splitlines()
                    if text.startswith("{")
                ]
        return [line for _, line in sorted(lines, key=lambda line: line[0])]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name."""
        [stack] = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    @property
    def resources(self) -> dict[str, str]:
        """The physical id of each resource by its logical id."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return {
            summary["LogicalResourceId"]: summary["PhysicalResourceId"]
            for page in pages.paginate(StackName=STACK)
            for summary in page["StackResourceSummaries"]
        }

    @cached_property
    def api_id(self) -> str:
        """The HTTP API's id."""
        return self.resources["PartylineApi"]

    def client(self, service: str) -> Any:
        """Return a client of the embedded AWS."""
        return self.access.client(service)

    def _sam_deploy(self, template: Path, parameters: Mapping[str, str]) -> None:
        bucket = self.client("s3")
        if not any(listed["Name"] == _BUCKET for listed in bucket.list_buckets()["Buckets"]):
            bucket.create_bucket(Bucket=_BUCKET)
        run = subprocess.run(  # noqa: S603, SAM of our own environment
            [
                *(_SAM, "deploy", "--template-file", template, "--stack-name", STACK),
                *("--s3-bucket", _BUCKET, "--capabilities", "CAPABILITY_IAM"),
                *("--no-confirm-changeset", "--no-progressbar", "--parameter-overrides"),
                *(f"{name}={value}" for name, value in parameters.items() if value),
            ],
            # Not the project's folder, whose samconfig.toml is for an account.
            cwd=template.parent,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(template.parent),
                "SAM_CLI_TELEMETRY": "0",
                **self.access.environment(),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise DeploymentFailedError(f"{run.stdout[-4000:]}\n{run.stderr[-2000:]}")


def _known_to_ministack(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resources without alarms that use metric math, and without canaries."""
    kept = {}
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        properties.pop("DeploymentPreference", None)
        if "Metrics" not in properties:
            kept[name] = resource
    return kept


@contextmanager
def with_another_layer(built: Path) -> Iterator[Path]:
    """Copy a build and change its layer: responses carry a header `x-layer: 2`."""
    with tempfile.TemporaryDirectory(prefix="partyline-build-") as folder:
        copy = Path(shutil.copytree(built, Path(folder, "build")))
        module = copy / "PartylineLayer" / "python" / "partyline" / "telemetry.py"
        module.write_text(module.read_text() + _CHANGE)
        for stale in (module.parent / "__pycache__").glob("telemetry.*.pyc"):
            stale.unlink()
        yield copy


_CHANGE = '''
_first = lambda_handler


def lambda_handler(work):
    """Return the handler of the first layer, with a mark in its HTTP responses."""
    handler = _first(work)

    def marked(event, context):
        response = handler(event, context)
        if isinstance(response, dict) and "headers" in response:
            response["headers"]["x-layer"] = "2"
        return response

    return marked
'''
