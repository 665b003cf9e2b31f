"""The console finds the logs of a stack, by the stack's name or by the region in its URL."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from local.deploy.redrive import NoSuchStackError
from local.room.aws_links import MAX_GROUPS, AwsLogs, find_logs, logs_of_url


class ClientError(Exception):
    response = {"Error": {"Message": "Stack with id nope does not exist"}}  # noqa: RUF012


class CloudFormation:
    """A stack with log groups on two pages."""

    meta = SimpleNamespace(region_name="eu-west-1")
    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, groups: int) -> None:
        self.groups = groups

    def get_paginator(self, name: str) -> "CloudFormation":
        assert name == "list_stack_resources"
        return self

    def paginate(self, *, StackName: str) -> Iterator[Any]:  # noqa: N803, boto3's name
        if StackName == "nope":
            raise ClientError
        yield {"StackResourceSummaries": [resource("AWS::DynamoDB::Table", "table")]}
        names = [f"partyline-{nth:03d}" for nth in range(self.groups)]
        yield {"StackResourceSummaries": [resource("AWS::Logs::LogGroup", name) for name in names]}


def resource(kind: str, name: str) -> dict[str, str]:
    return {"ResourceType": kind, "PhysicalResourceId": name, "LogicalResourceId": name}


def test_the_log_groups_of_all_pages_are_found() -> None:
    found = find_logs("partyline-prod", lambda _: CloudFormation(2))
    assert found == AwsLogs("eu-west-1", ("partyline-000", "partyline-001"))
    assert found.greeting == {"region": "eu-west-1", "groups": ["partyline-000", "partyline-001"]}


def test_a_query_has_no_more_log_groups_than_logs_insights_takes() -> None:
    found = find_logs("partyline-prod", lambda _: CloudFormation(MAX_GROUPS + 5))
    assert len(found.groups) == MAX_GROUPS


def test_an_unknown_stack_is_an_error_with_the_name() -> None:
    with pytest.raises(NoSuchStackError, match="nope: Stack with id nope"):
        find_logs("nope", lambda _: CloudFormation(0))


@pytest.mark.parametrize(
    ("url", "logs"),
    [
        ("https://a1b2.execute-api.eu-west-1.amazonaws.com", AwsLogs("eu-west-1")),
        ("https://a1b2.execute-api.cn-north-1.amazonaws.com.cn", AwsLogs("cn-north-1")),
        ("https://calls.example.com", None),
        ("https://a1b2.execute-api.eu-west-1.amazonaws.com.example.com", None),
        ("http://127.0.0.1:8400", None),
    ],
)
def test_a_url_of_api_gateway_tells_the_region(url: str, logs: AwsLogs | None) -> None:
    assert logs_of_url(url) == logs
