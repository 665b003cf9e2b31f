"""The deployed resources, read from the template after SAM's own transform."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.stack.intrinsics import TemplateError
from local.stack.template import Route, Template

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {
    "TelnyxConnectionId": "1494404757140276705",
    "TelnyxPublicKeys": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "ReleaseSha": "0123456789abcdef0123456789abcdef01234567",
}


def resource(template: Template, logical_id: str) -> dict[str, Any]:
    definition: dict[str, Any] = template.transformed["Resources"][logical_id]
    return definition


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_sam_takes_the_template_in_every_stage(stage: str) -> None:
    stack = Template({**PARAMETERS, "Stage": stage})
    table = resource(stack, "PartylineTable")
    assert stack.resolver.resolve(table["Properties"]["DeletionProtectionEnabled"]) is (
        stage == "prod"
    )
    # Every expression can be resolved, so each names an existing resource.
    routed = {stack.functions[route.function].folder for route in stack.routes}
    assert {function.folder for function in stack.functions.values()} - routed == {
        *("authorizer", "sweep", "census", "erase", "timer", "failover", "event_relay"),
        "index_numbers",
        *("start_from_event", "start_scheduled"),
    }


def test_only_routes_that_telnyx_signs_need_no_key(template: Template) -> None:
    opened = [route.path for route in template.routes if route.authorizer is None]
    assert opened
    assert all(re.fullmatch(r"/webhooks(/.*)?|/tools/.*", path) for path in opened)
    closed = [route for route in template.routes if route.authorizer]
    assert {route.authorizer for route in closed} == {"BearerKey"}
    assert not any(route.path.startswith(("/webhooks", "/tools")) for route in closed)


def test_each_route_has_the_function_of_its_name(template: Template) -> None:
    def folder(route: Route) -> str:
        return template.functions[route.function].folder

    routes = [route for route in template.routes if not route.path.startswith("/webhooks")]
    assert {route.key: folder(route) for route in routes} == {
        "POST /conversations": "trigger",
        "GET /conversations": "query",
        "GET /conversations/{id}": "query",
        "DELETE /conversations": "control",
        "DELETE /conversations/{id}": "control",
        "GET /conversations/{id}/timeline": "query",
        "GET /conversations/{id}/transcript": "query",
        "GET /conversations/{id}/export": "query",
        "POST /conversations/{id}/participants": "trigger",
        "POST /conversations/{id}/handover": "trigger",
        "DELETE /conversations/{id}/participants/{participant_id}": "control",
        "POST /conversations/{id}/messages": "control",
        "POST /conversations/{id}/assistant": "control",
        "POST /conversations/{id}/stop": "control",
        "POST /tools/invite": "tool_invite",
        "POST /tools/handover": "tool_handover",
        "POST /tools/call_back": "tool_call_back",
        "POST /tools/status": "tool_status",
        "GET /routes": "directory",
        "GET /routes/{number}": "directory",
        "PUT /routes/{number}": "directory",
        "DELETE /routes/{number}": "directory",
        "GET /do-not-call/{number}": "directory",
        "PUT /do-not-call/{number}": "directory",
        "DELETE /do-not-call/{number}": "directory",
        "DELETE /people/{number}": "people",
        "GET /erasures/{id}": "people",
    }


def test_the_authorizer_is_called_by_its_alias_and_cached_briefly(template: Template) -> None:
    [authorizer] = template.authorizers.values()
    assert (authorizer.function, authorizer.header) == ("AuthorizerFunction", "authorization")
    assert 0 < authorizer.ttl_secs <= 60
    [(_, api)] = template.of_type("AWS::ApiGatewayV2::Api")
    scheme = api["Properties"]["Body"]["components"]["securitySchemes"]["BearerKey"]
    settings = template.resolver.resolve(scheme["x-amazon-apigateway-authorizer"])
    assert settings["authorizerPayloadFormatVersion"] == "2.0"
    assert settings["enableSimpleResponses"] is True
    assert settings["authorizerUri"].endswith(":AuthorizerFunction:live/invocations")
    permission = resource(template, "PartylineApiBearerKeyAuthorizerPermission")["Properties"]
    assert template.resolver.resolve(permission["FunctionName"]).endswith(":live")


def test_no_route_has_a_lower_rate_limit_that_strangers_could_use_up(template: Template) -> None:
    """API Gateway throttles before the authorizer, so unauthenticated requests count."""
    [(_, stage)] = template.of_type("AWS::ApiGatewayV2::Stage")
    assert stage["Properties"]["DefaultRouteSettings"] == {
        "ThrottlingBurstLimit": {"Ref": "RequestBurst"},
        "ThrottlingRateLimit": {"Ref": "RequestsPerSecond"},
    }
    lower = stage["Properties"]["RouteSettings"]
    # A message of the failover queue costs more than a webhook, and a stranger can send 1 MiB.
    assert lower == {"POST /failover": {"ThrottlingBurstLimit": 50, "ThrottlingRateLimit": 25}}


def test_lambda_writes_no_line_of_its_own_for_each_invocation(template: Template) -> None:
    """A stranger can cause any number of invocations. Metrics are lines of level INFO."""
    for function, _ in template.of_type("AWS::Lambda::Function"):
        logging = dict(resource(template, function)["Properties"]["LoggingConfig"])
        assert logging.pop("LogGroup"), function
        assert logging == {
            "LogFormat": "JSON",
            "SystemLogLevel": "WARN",
            "ApplicationLogLevel": {"Ref": "LogLevel"},
        }, function
    with pytest.raises(TemplateError, match="LogLevel"):
        Template({**PARAMETERS, "LogLevel": "WARNING"})


def test_the_access_log_holds_no_personal_data(template: Template) -> None:
    [(_, stage)] = template.of_type("AWS::ApiGatewayV2::Stage")
    settings = stage["Properties"]["AccessLogSettings"]
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["AccessLogs", "Arn"]}
    fields = set(re.findall(r"\$context\.([A-Za-z_.]+)", settings["Format"]))
    assert {"routeKey", "status", "requestId", "authorizer.key_id"} <= fields
    assert not fields & {"path", "requestOverride.path", "authorizer.key", "identity.user"}


def test_every_release_updates_every_alias(template: Template) -> None:
    """A change in the layer alone publishes no new version; a new release does."""
    before = {name for name, _ in template.of_type("AWS::Lambda::Version")}
    release = Template({**PARAMETERS, "ReleaseSha": "f" * 40})
    after = {name for name, _ in release.of_type("AWS::Lambda::Version")}
    assert len(before) == len(after) == len(template.functions)
    assert not before & after
    for name, alias in release.of_type("AWS::Lambda::Alias"):
        version = alias["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
        assert version in after, name
    # Lambda publishes no version of an unchanged function, so each must change.
    for logical_id, function in release.of_type("AWS::Lambda::Function"):
        assert function != resource(template, logical_id)


def test_every_log_group_has_a_retention(template: Template) -> None:
    groups = dict(template.of_type("AWS::Logs::LogGroup"))
    for logical_id, group in groups.items():
        assert template.resolver.resolve(group["Properties"]["RetentionInDays"]) == "30", logical_id
    written = [
        function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for _, function in template.of_type("AWS::Lambda::Function")
    ]
    assert len(set(written)) == len(written) == len(template.functions)
    assert set(written) | {"AccessLogs"} == set(groups)


def test_the_table_survives_operator_errors(template: Template) -> None:
    table = resource(template, "PartylineTable")
    assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    assert table["UpdateReplacePolicy"] == "Retain"
    properties = template.resolver.resolve(table["Properties"])
    assert "TableName" not in properties
    assert properties["TimeToLiveSpecification"] == {
        "AttributeName": "expires_at",
        "Enabled": True,
    }
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_a_new_stack_has_no_valid_keys(template: Template) -> None:
    initial = {name: secret.initial for name, secret in template.secrets.items()}
    assert len(json.loads(initial.pop("NumberKey"))["key"]) == 64
    assert initial == {"TelnyxApiKey": '{"api_key": ""}', "BearerKeys": '{"keys": []}'}


def test_the_sweep_the_census_and_erasures_run_every_minute(template: Template) -> None:
    functions = {template.functions[schedule.function].folder for schedule in template.schedules}
    assert functions == {"sweep", "census", "erase"}
    for schedule in template.schedules:
        assert schedule.expression == "rate(1 minute)"
        # A name that names the stack: SAM's own would clash with a second stage in the account.
        assert schedule.name.startswith("partyline-")


def test_no_requirements_file_names_a_package_index() -> None:
    files = [*ROOT.glob("requirements/*.*"), *ROOT.glob("layers/partyline/requirements.*")]
    assert len(files) >= 5
    for path in files:
        text = path.read_text()
        named = re.search(r"://|--(extra-)?index-url[ =]|--find-links|(?m:^-[if]\b)", text)
        assert named is None, path


def test_the_lock_of_prism_has_hashes_and_names_no_host() -> None:
    lock = json.loads((ROOT / "requirements/prism/package-lock.json").read_text())
    packages = {path: package for path, package in lock["packages"].items() if path}
    assert packages
    assert all("integrity" in package for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_every_pin_has_its_hashes() -> None:
    for path in [ROOT / "layers/partyline/requirements.txt", *ROOT.glob("requirements/*.txt")]:
        text = re.sub(r"\s*\\\n\s*", " ", path.read_text())
        pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert pins
        for pin in pins:
            assert re.match(r"\S+==\S+ .*--hash=sha256:[0-9a-f]{64}", pin), f"{path}: {pin}"


def test_prod_has_stricter_rules() -> None:
    """CloudFormation's rules state constraints over several parameters."""
    fine = Template({**PARAMETERS, "Stage": "prod"})
    wrong = Template(
        {**PARAMETERS, "LogLevel": "DEBUG", "TelnyxApiBaseUrl": "http://127.0.0.1:9/v2"}
    )
    rules = {name: rule for name, rule in fine.transformed["Rules"].items() if "Prod" in name}
    assert rules.keys() == {"ProdTalksToTelnyx", "ProdIsNotDebugged"}
    for name, rule in rules.items():
        assert fine.resolver.resolve(rule["RuleCondition"]) is True, name
        assert wrong.resolver.resolve(rule["RuleCondition"]) is False, name
        for assertion in rule["Assertions"]:
            assert fine.resolver.resolve(assertion["Assert"]) is True, name
            assert wrong.resolver.resolve(assertion["Assert"]) is False, name
