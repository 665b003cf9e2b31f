"""How a stack is kept from harm: releases that go back by themselves, bounds, keys, names."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from local.stack.intrinsics import TemplateError
from local.stack.template import Template
from tests.template.test_stack import PARAMETERS, ROOT, resource

KEY = "arn:aws:kms:us-east-1:111122223333:key/0b8f0d0e-6f43-4a58-8a7e-5d3c2b1a0f9e"
EVERYTHING = {
    **PARAMETERS,
    "Stage": "prod",
    "DefaultNumber": "+13125550100",
    "DefaultAssistantId": "assistant-1",
    "QuietHours": "21:00-08:00",
    "DoNotCall": "on",
    "PublicBaseUrl": "https://calls.example.com",
    "ChatWebhookUrl": "https://hooks.example.com/services/T0/B0",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:111122223333:alarms",
    "ProvisionedConcurrency": "2",
    "KmsKeyArn": KEY,
}
"""Stage prod with all that can be switched on together."""

DIALS = ("Trigger", "ToolInvite", "StartFromEvent", "StartScheduled")
BEHIND_NO_ROUTE = ("StartFromEvent", "StartScheduled")
WAITED_FOR = ("CallInitiated", "CallAnswered", "WebhookDefault")


@pytest.fixture(scope="module")
def prod() -> Template:
    return Template({**PARAMETERS, "Stage": "prod"})


def of(template: Template, name: str, what: str) -> Any:
    """A property of a resource; None when it is left out."""
    given = template.resolver.resolve([resource(template, name)["Properties"].get(what)])
    return given[0] if given else None


def test_in_prod_a_release_begins_with_a_tenth_and_goes_back_on_an_alarm(
    template: Template, prod: Template
) -> None:
    webhooks = {route.function for route in prod.routes if route.path.startswith("/webhooks")}
    careful = webhooks | {f"{each}Function" for each in DIALS}
    goes_by = ["WebhooksFail", "WebhookFunctionsFail", "RequestsFail", "DialFunctionsFail"]
    groups = dict(prod.of_type("AWS::CodeDeploy::DeploymentGroup"))
    assert groups.keys() == {f"{each}DeploymentGroup" for each in careful}
    for name, group in groups.items():
        properties = group["Properties"]
        assert "Canary10Percent5Minutes" in json.dumps(properties["DeploymentConfigName"]), name
        own = name.removesuffix("FunctionDeploymentGroup") in BEHIND_NO_ROUTE
        looks_at = [*goes_by, *(["StartFunctionsFail"] if own else [])]
        assert properties["AlarmConfiguration"] == {
            "Enabled": True,
            "Alarms": [{"Name": {"Ref": each}} for each in looks_at],
        }
        function = name.removesuffix("DeploymentGroup")
        assert function in set().union(*(crashes_seen(prod, each) for each in looks_at)), name
    for function in careful:
        alias = resource(prod, f"{function}Aliaslive")
        assert "CodeDeployLambdaAliasUpdate" in alias["UpdatePolicy"]
    assert list(template.of_type("AWS::CodeDeploy::DeploymentGroup")) == []


def crashes_seen(template: Template, alarm: str) -> set[str]:
    """The functions whose errors an alarm looks at."""
    metrics = resource(template, alarm)["Properties"].get("Metrics", ())
    return {
        each["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"]
        for each in metrics
        if "MetricStat" in each
    }


def test_what_dials_runs_so_often_at_once_in_prod(template: Template, prod: Template) -> None:
    none = Template({**PARAMETERS, "Stage": "prod", "DialConcurrency": "0"})
    for name in DIALS:
        function = f"{name}Function"
        assert of(prod, function, "ReservedConcurrentExecutions") == "10"
        assert of(none, function, "ReservedConcurrentExecutions") is None
        # An account that is new may have ten in all, and a first try must not fail on that.
        assert of(template, function, "ReservedConcurrentExecutions") is None
    others = set(prod.functions) - {f"{name}Function" for name in DIALS}
    assert all(of(prod, each, "ReservedConcurrentExecutions") is None for each in others)


def test_functions_start_from_a_snapshot_when_that_is_wanted(template: Template) -> None:
    quick = Template({**PARAMETERS, "SnapStart": "PublishedVersions"})
    for function in template.functions:
        assert of(template, function, "SnapStart") == {"ApplyOn": "None"}
        assert of(quick, function, "SnapStart") == {"ApplyOn": "PublishedVersions"}


def test_what_a_caller_waits_for_is_kept_warm_when_that_is_wanted(template: Template) -> None:
    warm = Template({**PARAMETERS, "ProvisionedConcurrency": "2"})
    kept = "ProvisionedConcurrencyConfig"
    for function in template.functions:
        wanted = function.removesuffix("Function") in WAITED_FOR
        assert of(template, f"{function}Aliaslive", kept) is None
        assert of(warm, f"{function}Aliaslive", kept) == (
            {"ProvisionedConcurrentExecutions": "2"} if wanted else None
        )


def test_one_key_for_everything_that_is_kept(template: Template) -> None:
    own = Template({**PARAMETERS, "KmsKeyArn": KEY})
    places = {
        "AWS::SecretsManager::Secret": "KmsKeyId",
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::Events::EventBus": "KmsKeyIdentifier",
        "AWS::Lambda::Function": "KmsKeyArn",
    }
    for kind, name in places.items():
        assert list(template.of_type(kind))
        for logical_id, _ in template.of_type(kind):
            assert of(own, logical_id, name) == KEY, logical_id
            assert of(template, logical_id, name) is None, logical_id
    assert of(own, "PartylineTable", "SSESpecification") == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": KEY,
    }
    # The two exclude each other.
    assert of(own, "FailoverQueue", "SqsManagedSseEnabled") is None


def test_the_keys_policy_in_the_docs_lets_every_service_in() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    shown = page.partition("## A key of your own")[2].partition("```json\n")[2].partition("```")[0]
    statements = json.loads(shown)
    services = set(re.findall(r"(\w+)\.(?:REGION\.)?amazonaws\.com", shown))
    assert services == {"dynamodb", "secretsmanager", "sqs", "lambda", "events", "logs"}
    for statement in statements:
        assert "kms:Decrypt" in statement["Action"]
        assert "ACCOUNT" in json.dumps(statement["Condition"]), "nobody else's account"


@pytest.mark.parametrize("parameters", [PARAMETERS, EVERYTHING], ids=["plain", "everything"])
def test_no_resource_needs_itself(parameters: dict[str, str]) -> None:
    """CloudFormation refuses a circle, and only when it is deployed."""
    resources = Template(parameters).transformed["Resources"]
    left = {name: set(needed(each)) & resources.keys() for name, each in resources.items()}
    while left:
        free = {name for name, needs in left.items() if not needs & left.keys()}
        assert free, f"in a circle: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}


def needed(value: Any) -> Iterator[str]:
    """The logical ids that a piece of a template refers to."""
    if isinstance(value, list):
        for each in value:
            yield from needed(each)
    elif isinstance(value, dict):
        for name, argument in value.items():
            if name == "Ref":
                yield argument
            elif name == "Fn::GetAtt":
                yield argument[0]
            elif name == "Fn::Sub":
                text = argument if isinstance(argument, str) else argument[0]
                yield from re.findall(r"\$\{(\w+)(?:\.\w+)?\}", text)
            elif name == "DependsOn":
                yield from [argument] if isinstance(argument, str) else argument
            else:
                yield from needed(argument)


def test_two_stages_fit_into_one_account() -> None:
    """Whatever has a name of its own has the stack's in it."""
    named = ("Name", "FunctionName", "TableName", "QueueName", "RoleName", "LogGroupName")
    for logical_id, each in Template(EVERYTHING).transformed["Resources"].items():
        for name in named:
            given = each.get("Properties", {}).get(name)
            if given is None or name == "FunctionName" or each["Type"] == "AWS::Lambda::Alias":
                continue
            assert "AWS::StackName" in json.dumps(given), f"{logical_id}.{name}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AlarmTopicArn", "alarms"),
        ("KmsKeyArn", "alias/mine"),
        ("ChatWebhookUrl", "http://hooks.example.com"),
        ("SnapStart", "yes"),
    ],
)
def test_a_wrong_parameter_stops_the_deployment_with_a_sentence(name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=name):
        Template({**PARAMETERS, name: value})


def test_a_function_starts_warm_in_one_way_only() -> None:
    both = {"SnapStart": "PublishedVersions", "ProvisionedConcurrency": "2"}
    for given, allowed in (({}, True), (both, False)):
        stack = Template({**PARAMETERS, **given})
        [assertion] = stack.transformed["Rules"]["OneWayToStartWarm"]["Assertions"]
        assert stack.resolver.resolve(assertion["Assert"]) is allowed
        assert assertion["AssertDescription"].endswith(".")
