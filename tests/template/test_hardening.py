"""The safeguards of a stack: automatic rollback, limits, encryption keys, names."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from local.stack.intrinsics import TemplateError
from local.stack.template import Template
from partyline.settings import ConversationSettings
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
    "ApiAuthorization": "both",
    "ArchiveDays": "30",
    "DailyBudget": "20",
}
"""Stage prod with all compatible options on."""

TOOLS = ("ToolInvite", "ToolHandover")
DIALS = ("Trigger", *TOOLS, "StartFromEvent", "StartScheduled")
BEHIND_NO_ROUTE = ("StartFromEvent", "StartScheduled")
WAITED_FOR = ("CallInitiated", "CallAnswered", "WebhookDefault")


@pytest.fixture(scope="module")
def prod() -> Template:
    return Template({**PARAMETERS, "Stage": "prod"})


def property_of(template: Template, name: str, key: str) -> Any:
    """Return a property of a resource, or None."""
    values = template.resolver.resolve([resource(template, name)["Properties"].get(key)])
    return values[0] if values else None


def test_in_prod_a_release_starts_with_a_canary_and_rolls_back_on_an_alarm(
    template: Template, prod: Template
) -> None:
    webhooks = {route.function for route in prod.routes if route.path.startswith("/webhooks")}
    with_canary = webhooks | {f"{name}Function" for name in DIALS}
    goes_by = ["RequestsFail", "WebhookFunctionsFail", "DialFunctionsFail"]
    groups = dict(prod.of_type("AWS::CodeDeploy::DeploymentGroup"))
    assert groups.keys() == {f"{function}DeploymentGroup" for function in with_canary}
    for name, group in groups.items():
        properties = group["Properties"]
        assert "Canary10Percent5Minutes" in json.dumps(properties["DeploymentConfigName"]), name
        own = name.removesuffix("FunctionDeploymentGroup") in BEHIND_NO_ROUTE
        looks_at = [*goes_by, *(["StartFunctionsFail"] if own else [])]
        assert properties["AlarmConfiguration"] == {
            "Enabled": True,
            "Alarms": [{"Name": {"Ref": alarm}} for alarm in looks_at],
        }
        function = name.removesuffix("DeploymentGroup")
        assert function in set().union(*(functions_watched(prod, alarm) for alarm in looks_at)), (
            name
        )
    for function in with_canary:
        alias = resource(prod, f"{function}Aliaslive")
        update = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert update["BeforeAllowTrafficHook"] == {"Ref": "SmokeFunction"}
    assert list(template.of_type("AWS::CodeDeploy::DeploymentGroup")) == []


def test_code_deploy_may_invoke_the_smoke_test(prod: Template) -> None:
    """The managed policy of its role covers functions with this prefix (AWS docs)."""
    name = property_of(prod, "SmokeFunction", "FunctionName")
    assert name == "CodeDeployHook_partyline"
    groups = [name for name, _ in prod.of_type("AWS::CodeDeploy::DeploymentGroup")]
    assert "SmokeFunctionDeploymentGroup" not in groups, "the smoke test has no canary itself"


def test_an_archive_of_events_out_exists_only_for_a_number_of_days(template: Template) -> None:
    assert list(template.of_type("AWS::Events::Archive")) == []
    kept = Template({**PARAMETERS, "ArchiveDays": "30", "KmsKeyArn": KEY})
    [(_, archive)] = kept.properties_of("AWS::Events::Archive")
    assert archive["RetentionDays"] == "30"
    assert archive["EventPattern"] == {"source": ["partyline"]}, "a replay starts no conversation"
    assert archive["KmsKeyIdentifier"] == KEY


def functions_watched(template: Template, alarm: str) -> set[str]:
    """Return the functions with errors that an alarm watches."""
    metrics = resource(template, alarm)["Properties"].get("Metrics", ())
    return {
        metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"]
        for metric in metrics
        if "MetricStat" in metric
    }


def test_the_concurrency_of_dialing_functions_is_limited_in_prod(
    template: Template, prod: Template
) -> None:
    none = Template({**PARAMETERS, "Stage": "prod", "DialConcurrency": "0"})
    # Strangers reach a tool without a key: they would use up its reservation.
    reserved = [name for name in DIALS if name not in TOOLS]
    for name in reserved:
        function = f"{name}Function"
        assert property_of(prod, function, "ReservedConcurrentExecutions") == "10"
        assert property_of(none, function, "ReservedConcurrentExecutions") is None
        # A new account may have a limit of ten, and a first deployment must not fail at that limit.
        assert property_of(template, function, "ReservedConcurrentExecutions") is None
    others = set(prod.functions) - {f"{name}Function" for name in reserved}
    assert all(property_of(prod, name, "ReservedConcurrentExecutions") is None for name in others)


LARGE = {
    "MaxConversations": "20000",
    "RequestsPerSecond": "2000",
    "RequestBurst": "4000",
    "TimerConcurrency": "400",
}


def test_a_large_deployment_is_a_matter_of_parameters(template: Template) -> None:
    large = Template({**PARAMETERS, **LARGE})
    expected = {template: ("100", "100", "200", "50"), large: ("20000", "2000", "4000", "400")}
    for deployment, limits in expected.items():
        [(_, stage)] = deployment.of_type("AWS::ApiGatewayV2::Stage")
        throttle = deployment.resolver.resolve(stage["Properties"]["DefaultRouteSettings"])
        mapping = dict(deployment.properties_of("AWS::Lambda::EventSourceMapping"))["TimersMapping"]
        assert limits == (
            deployment.functions["TriggerFunction"].environment["MAX_CONVERSATIONS"],
            throttle["ThrottlingRateLimit"],
            throttle["ThrottlingBurstLimit"],
            mapping["ScalingConfig"]["MaximumConcurrency"],
        )
    assert (
        ConversationSettings.from_environment(
            large.functions["TriggerFunction"].environment
        ).max_api_conversations
        == 10_000
    )


def test_functions_start_from_a_snapshot_when_snapstart_is_on(template: Template) -> None:
    quick = Template({**PARAMETERS, "SnapStart": "PublishedVersions"})
    for function in template.functions:
        assert property_of(template, function, "SnapStart") == {"ApplyOn": "None"}
        assert property_of(quick, function, "SnapStart") == {"ApplyOn": "PublishedVersions"}


def test_functions_of_a_call_start_have_provisioned_concurrency_when_set(
    template: Template,
) -> None:
    warm = Template({**PARAMETERS, "ProvisionedConcurrency": "2"})
    kept = "ProvisionedConcurrencyConfig"
    for function in template.functions:
        wanted = function.removesuffix("Function") in WAITED_FOR
        assert property_of(template, f"{function}Aliaslive", kept) is None
        assert property_of(warm, f"{function}Aliaslive", kept) == (
            {"ProvisionedConcurrentExecutions": "2"} if wanted else None
        )


def test_all_stored_data_is_encrypted_with_the_given_key(template: Template) -> None:
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
            assert property_of(own, logical_id, name) == KEY, logical_id
            assert property_of(template, logical_id, name) is None, logical_id
    assert property_of(own, "PartylineTable", "SSESpecification") == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": KEY,
    }
    # The two exclude each other.
    assert property_of(own, "FailoverQueue", "SqsManagedSseEnabled") is None


def test_the_key_policy_in_the_docs_admits_every_service() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    shown = page.partition("## A key of your own")[2].partition("```json\n")[2].partition("```")[0]
    statements = json.loads(shown)
    services = set(re.findall(r"(\w+)\.(?:REGION\.)?amazonaws\.com", shown))
    assert services == {"dynamodb", "secretsmanager", "sqs", "lambda", "events", "logs"}
    for statement in statements:
        assert "kms:Decrypt" in statement["Action"]
        assert "ACCOUNT" in json.dumps(statement["Condition"]), "this account only"


@pytest.mark.parametrize("parameters", [PARAMETERS, EVERYTHING], ids=["plain", "everything"])
def test_no_resource_depends_on_itself(parameters: dict[str, str]) -> None:
    """CloudFormation refuses a circular dependency, but only at deployment."""
    resources = Template(parameters).transformed["Resources"]
    left = {name: set(needed(body)) & resources.keys() for name, body in resources.items()}
    while left:
        free = {name for name, needs in left.items() if not needs & left.keys()}
        assert free, f"circular dependency: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}


def needed(value: Any) -> Iterator[str]:
    """Yield the logical ids to which a part of a template refers."""
    if isinstance(value, list):
        for item in value:
            yield from needed(item)
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
    """Every explicit name contains the name of the stack."""
    named = ("Name", "FunctionName", "TableName", "QueueName", "RoleName", "LogGroupName")
    for logical_id, body in Template(EVERYTHING).transformed["Resources"].items():
        for name in named:
            value = body.get("Properties", {}).get(name)
            if value is None or name == "FunctionName" or body["Type"] == "AWS::Lambda::Alias":
                continue
            assert "AWS::StackName" in json.dumps(value), f"{logical_id}.{name}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AlarmTopicArn", "alarms"),
        ("KmsKeyArn", "alias/mine"),
        ("ChatWebhookUrl", "http://hooks.example.com"),
        ("SnapStart", "yes"),
    ],
)
def test_an_invalid_parameter_stops_the_deployment_with_a_message(name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=name):
        Template({**PARAMETERS, name: value})


def test_snapstart_and_provisioned_concurrency_exclude_each_other() -> None:
    both = {"SnapStart": "PublishedVersions", "ProvisionedConcurrency": "2"}
    for options, allowed in (({}, True), (both, False)):
        stack = Template({**PARAMETERS, **options})
        [assertion] = stack.transformed["Rules"]["SnapStartOrProvisionedConcurrency"]["Assertions"]
        assert stack.resolver.resolve(assertion["Assert"]) is allowed
        assert assertion["AssertDescription"].endswith(".")


@pytest.mark.parametrize("parameters", [PARAMETERS, EVERYTHING], ids=["plain", "everything"])
def test_all_functions_are_traced_but_those_of_every_minute(parameters: dict[str, str]) -> None:
    template = Template(parameters)
    traced = {
        template.functions[name].folder
        for name, function in template.of_type("AWS::Lambda::Function")
        if function["Properties"].get("TracingConfig") == {"Mode": "Active"}
    }
    every = {function.folder for function in template.functions.values()}
    assert every - traced == {"sweep", "census", "erase"}
