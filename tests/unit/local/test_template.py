"""The template's parameters, and the values of its expressions on this machine."""

from typing import Any

import pytest

from local.stack.intrinsics import Resolver, TemplateError
from local.stack.template import Template

REQUIRED = {
    "TelnyxConnectionId": "1494404757140276705",
    "TelnyxPublicKeys": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "ReleaseSha": "0123456789abcdef0123456789abcdef01234567",
}


def test_parameters_reach_the_environment_of_the_functions() -> None:
    keys = ",".join([REQUIRED["TelnyxPublicKeys"]] * 2)
    stack = Template(
        {**REQUIRED, "TelnyxPublicKeys": keys, "PublicBaseUrl": "http://127.0.0.1:8400"},
        stack_name="tuesday",
    )
    environment = stack.functions["CallAnsweredFunction"].environment
    assert environment == {
        "TABLE_NAME": "tuesday-PartylineTable",
        "KEEP_INPUTS": "on",
        "KEEP_CONVERSATIONS_DAYS": "90",
        "KEEP_TRANSCRIPTS_DAYS": "30",
        "KEEP_EVENTS_DAYS": "90",
        "LOG_LEVEL": "INFO",
        "POWERTOOLS_SERVICE_NAME": "tuesday",
        "POWERTOOLS_METRICS_NAMESPACE": "Partyline",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        "TELNYX_API_KEY_SECRET": "tuesday-TelnyxApiKey",
        "TELNYX_API_BASE_URL": "https://api.telnyx.com/v2",
        "TELNYX_WEBHOOK_URLS": "list",
        "TIMERS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/tuesday-TimersQueue",
        "TELNYX_CONNECTION_ID": REQUIRED["TelnyxConnectionId"],
        "TELNYX_PUBLIC_KEYS": keys,
        "FAILOVER_ROLE_ID": "AROAFailoverQueueRole",
        "DEFAULT_NUMBER": "",
        "DEFAULT_ASSISTANT_ID": "",
        "ALLOWED_DESTINATION_PREFIXES": "+1",
        "ALLOWED_SIP_DOMAINS": "",
        "DIGITS_AFTER_NUMBER": "off",
        "ALLOWED_COUNTRIES": "US,CA",
        "ALLOWED_SPECIAL_NUMBERS": "",
        "QUIET_HOURS": "",
        "DO_NOT_CALL": "off",
        "MASK_CONTENT": "on",
        "MASK_PATTERNS": "",
        "MAX_PARTICIPANTS": "10",
        "MAX_LEGS_AT_ONCE": "20",
        "MAX_MINUTES": "120",
        "DAILY_BUDGET": "0.0",
        "RESERVED_PER_CALL": "0.5",
        "INTEGRATION_SECRETS": "off",
        "ALLOWED_TOOL_HOSTS": "",
        "MAX_CONVERSATIONS": "100",
        "INBOUND_SHARE": "50",
        "MAX_CALLS_PER_CALLER": "3",
        "MAX_TOOL_DIALS_PER_MINUTE": "30",
        "MAX_TOOL_DIALS": "60",
        "PUBLIC_BASE_URL": "http://127.0.0.1:8400",
    }
    assert stack.table.name == stack.table.create["TableName"] == environment["TABLE_NAME"]
    assert stack.secrets["TelnyxApiKey"].name == environment["TELNYX_API_KEY_SECRET"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Stage", "staging"),
        ("TelnyxConnectionId", ""),
        ("TelnyxConnectionId", "my app"),
        ("TelnyxPublicKeys", ""),
        ("TelnyxPublicKeys", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=,short="),
        ("DefaultNumber", "3125550100"),
        ("DefaultAssistantId", "helpful"),
        ("AllowedDestinationPrefixes", "1"),
        ("AllowedDestinationPrefixes", "+1,,+44"),
        ("AllowedSipDomains", "sip:robin@pbx.example.com"),
        ("AllowedSipDomains", "PBX.example.com"),
        ("DigitsAfterNumber", "yes"),
        ("TelnyxApiBaseUrl", "https://api.telnyx.com/v2/"),
        ("PublicBaseUrl", "https://example.com/api"),
        ("LogLevel", "TRACE"),
        ("LogRetentionDays", "0"),
        ("ReleaseSha", "HEAD"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=name):
        Template({**REQUIRED, name: value})


def test_a_missing_parameter_is_refused_with_its_description() -> None:
    incomplete = {name: value for name, value in REQUIRED.items() if name != "ReleaseSha"}
    with pytest.raises(TemplateError, match=r"ReleaseSha needs a value\. The release\."):
        Template(incomplete)


def test_an_undeclared_parameter_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"no parameter TelnyxPublicKey$"):
        Template({**REQUIRED, "TelnyxPublicKey": REQUIRED["TelnyxPublicKeys"]})


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(
        resources={
            "Table": {"Type": "AWS::DynamoDB::Table"},
            "Hello": {"Type": "AWS::Lambda::Function"},
            "HelloLive": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {"FunctionName": {"Ref": "Hello"}, "Name": "live"},
            },
            "Api": {"Type": "AWS::ApiGatewayV2::Api"},
        },
        parameters={"Stage": "prod", "Prefixes": ["+1", "+44"]},
        conditions={
            "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "IsDev": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
            "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsDev"}]},
        },
        stack_name="tuesday",
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ({"Ref": "Stage"}, "prod"),
        ({"Ref": "AWS::StackName"}, "tuesday"),
        ({"Ref": "Table"}, "tuesday-Table"),
        ({"Fn::GetAtt": ["Hello", "Arn"]}, "arn:aws:lambda:us-east-1:000000000000:function:Hello"),
        (
            {"Ref": "HelloLive"},
            "arn:aws:lambda:us-east-1:000000000000:function:Hello:live",
        ),
        ({"Fn::Join": [",", {"Ref": "Prefixes"}]}, "+1,+44"),
        ({"Fn::Sub": "${Stage} ${!Stage} ${AWS::Region}"}, "prod ${Stage} us-east-1"),
        (
            {"Fn::Sub": "${Table.Arn}/index/by_due"},
            "arn:aws:dynamodb:us-east-1:000000000000:table/tuesday-Table/index/by_due",
        ),
        ({"Fn::Sub": ["${of}-${Stage}", {"of": {"Ref": "Table"}}]}, "tuesday-Table-prod"),
        ({"Fn::If": ["IsProd", {"Ref": "Stage"}, "no"]}, "prod"),
        ({"Fn::If": ["IsDev", "yes", "no"]}, "no"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"list": [{"Ref": "Stage"}]}, {"list": ["prod"]}),
    ],
)
def test_an_expression_has_a_value(resolver: Resolver, expression: Any, value: Any) -> None:
    assert resolver.resolve(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        {"Fn::ImportValue": "other-stack"},
        {"Ref": "Nothing"},
        {"Ref": "Topic"},
        {"Fn::GetAtt": ["Api", "ApiId"]},
        {"Fn::If": ["IsTuesday", "yes", "no"]},
        {"Fn::Sub": "${Nothing}"},
    ],
)
def test_an_unsupported_expression_is_refused(resolver: Resolver, expression: Any) -> None:
    with pytest.raises(TemplateError):
        resolver.resolve(expression)
