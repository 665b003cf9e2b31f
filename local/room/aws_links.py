"""The logs of a deployed stack, to which the console links: the region and the log groups.

The links are made on the page (`links.js`). Only `find_logs` asks AWS; the console itself has no
AWS credentials.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.deploy.aws import aws_client
from local.deploy.redrive import NoSuchStackError

MAX_GROUPS = 50
"""The log groups that a query of Logs Insights may have."""

_HOST = re.compile(r"[a-z0-9]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


@dataclass(frozen=True)
class AwsLogs:
    """Where a stack's logs are; without `groups` the user chooses the groups in CloudWatch."""

    region: str
    groups: tuple[str, ...] = ()

    @property
    def greeting(self) -> dict[str, Any]:
        """The logs as the page gets them."""
        return {"region": self.region, "groups": list(self.groups)}


def logs_of_url(url: str) -> AwsLogs | None:
    """Return the logs of a stack by its URL; None when the URL tells no region."""
    match = _HOST.fullmatch(urlsplit(url).hostname or "")
    return AwsLogs(match[1]) if match else None


def find_logs(stack: str, client: Callable[[str], Any] = aws_client) -> AwsLogs:
    """Ask AWS for the log groups of a stack. Raises NoSuchStackError, and botocore's errors."""
    cloudformation = client("cloudformation")
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        groups = [
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == "AWS::Logs::LogGroup"
        ]
    except cloudformation.exceptions.ClientError as error:
        raise NoSuchStackError(f"{stack}: {error.response['Error']['Message']}") from error
    return AwsLogs(cloudformation.meta.region_name, tuple(sorted(groups)[:MAX_GROUPS]))
