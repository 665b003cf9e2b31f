"""Who may do what: each function has a role of its own, and it can do what that function does.

Read twice: for a plain stack, and for stage prod with everything switched on.
"""

from collections.abc import Mapping, Set
from typing import Any

import pytest

from local.stack.template import Template
from tests.template.test_hardening import EVERYTHING
from tests.template.test_stack import PARAMETERS

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/partyline-PartylineTable"
TELNYX_KEY = "partyline-TelnyxApiKey"
BEARER_KEYS = "partyline-BearerKeys"

MOVES_CONVERSATIONS = {
    "start_conversation",
    "invite_participant",
    "remove_participant",
    "send_message",
    "stop_conversation",
    "tool_invite",
    "start_from_event",
    "start_scheduled",
    "failover",
}
SIGNED = ("call_", "webhook_", "tool_", "failover")
KEEPS_CONVERSATIONS = {
    (action, TABLE) for action in ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem")
}
ASKS_TELNYX = {("secretsmanager:GetSecretValue", TELNYX_KEY)}
CHARGES_DIALS = {("dynamodb:UpdateItem", TABLE)}
COUNTS_CONVERSATIONS = {("dynamodb:Query", f"{TABLE}/index/by_open")}
SCHEDULES = "arn:aws:scheduler:us-east-1:000000000000:schedule/partyline-alarms/*"
"""The one thing that cannot be named beforehand: an alarm is made for each later conversation."""

SETS_ALARMS = {
    ("scheduler:CreateSchedule", SCHEDULES),
    ("scheduler:UpdateSchedule", SCHEDULES),
    ("iam:PassRole", "arn:aws:iam::000000000000:role/partyline-AlarmRole"),
}
QUEUES = "arn:aws:sqs:us-east-1:000000000000:partyline-"
ENDS_AS_DEAD_LETTER = {("sqs:SendMessage", f"{QUEUES}StartDeadLetters")}
STARTS = CHARGES_DIALS | COUNTS_CONVERSATIONS
BESIDES = {
    "start_conversation": STARTS | SETS_ALARMS,
    "start_from_event": STARTS | SETS_ALARMS | ENDS_AS_DEAD_LETTER,
    "start_scheduled": STARTS | ENDS_AS_DEAD_LETTER,
    "invite_participant": CHARGES_DIALS,
    "failover": {
        (f"sqs:{action}", f"{QUEUES}FailoverQueue")
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    },
}
"""What some may do that other movers of conversations may not."""

OF_AWS_ITSELF = {"FailoverDoorRole", "AlarmRole", "SweepFunctionEveryMinuteRole"}
"""The roles that AWS's services assume: API Gateway and, twice, EventBridge Scheduler."""

Grants = Set[tuple[str, str]]


@pytest.fixture(scope="module", params=[PARAMETERS, EVERYTHING], ids=["plain", "everything"])
def template(request: pytest.FixtureRequest) -> Template:
    return Template(request.param)


@pytest.fixture(scope="module")
def grants(template: Template) -> Mapping[str, Grants]:
    """Every (action, resource) that a function's own role allows, by the function's folder."""
    roles = {
        function["Properties"]["Role"]["Fn::GetAtt"][0]: template.functions[logical_id].folder
        for logical_id, function in template.of_type("AWS::Lambda::Function")
    }
    assert len(roles) == len(template.functions), "two functions share a role"
    allowed = {}
    for role, folder in roles.items():
        statements = _statements(template, role)
        pairs = [(action, each["Resource"]) for each in statements for action in each["Action"]]
        assert all(isinstance(named, str) for _, named in pairs), "one resource a statement"
        allowed[folder] = set(pairs)
    return allowed


def _has_everything(template: Template) -> bool:
    return any(template.of_type("AWS::CodeDeploy::DeploymentGroup"))


def _statements(template: Template, role: str) -> list[dict[str, Any]]:
    properties = template.transformed["Resources"][role]["Properties"]
    found = []
    for policy in properties.get("Policies", []):
        for statement in template.resolver.resolve(policy["PolicyDocument"]["Statement"]):
            assert statement["Effect"] == "Allow"
            assert statement.keys() == {"Effect", "Action", "Resource"}
            action = statement["Action"]
            found.append({**statement, "Action": [action] if isinstance(action, str) else action})
    return found


def test_no_role_has_a_wildcard(template: Template) -> None:
    roles = [role for role, _ in template.of_type("AWS::IAM::Role")]
    assert set(roles) - {f"{function}Role" for function in template.functions} == OF_AWS_ITSELF | (
        {"ChatRole", "CodeDeployServiceRole"} if _has_everything(template) else set()
    )
    for role in roles:
        for statement in _statements(template, role):
            assert "*" not in "".join(statement["Action"]), role
            assert "*" not in statement["Resource"].removesuffix(SCHEDULES), role


def test_the_only_managed_policies_are_those_that_sam_gives(template: Template) -> None:
    """Lambda's own logging, and X-Ray, which knows no resources; CodeDeploy's for the canaries."""
    managed = {
        (arn.rpartition("/")[2], role == "CodeDeployServiceRole")
        for role, each in template.of_type("AWS::IAM::Role")
        for arn in template.resolver.resolve(each["Properties"].get("ManagedPolicyArns", []))
    }
    canaries = {("AWSCodeDeployRoleForLambda", True)} if _has_everything(template) else set()
    assert managed == canaries | {
        ("AWSLambdaBasicExecutionRole", False),
        ("AWSXrayWriteOnlyAccess", False),
    }


def test_webhooks_and_triggers_keep_conversations_and_ask_telnyx(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    routed = {template.functions[route.function].folder for route in template.routes}
    webhooks = {folder for folder in routed if folder.startswith(("call_", "webhook_"))}
    assert webhooks
    for folder in webhooks | MOVES_CONVERSATIONS:
        assert grants[folder] == KEEPS_CONVERSATIONS | ASKS_TELNYX | BESIDES.get(folder, set()), (
            folder
        )


def test_the_sweep_also_finds_what_is_due(grants: Mapping[str, Grants]) -> None:
    due = {("dynamodb:Query", f"{TABLE}/index/by_due")}
    assert grants["sweep"] == KEEPS_CONVERSATIONS | ASKS_TELNYX | due | COUNTS_CONVERSATIONS


def test_queries_read_and_nothing_else(grants: Mapping[str, Grants]) -> None:
    assert grants["get_conversation"] == {("dynamodb:Query", TABLE), ("dynamodb:GetItem", TABLE)}
    assert grants["get_timeline"] == {("dynamodb:Query", TABLE)}
    assert grants["list_conversations"] == {
        ("dynamodb:Query", f"{TABLE}/index/by_status"),
        ("dynamodb:BatchGetItem", TABLE),
    }


def test_tables_that_people_edit_are_reached_one_way_each(grants: Mapping[str, Grants]) -> None:
    for what in ("route", "do_not_call"):
        assert grants[f"put_{what}"] == {("dynamodb:PutItem", TABLE)}
        assert grants[f"get_{what}"] == {("dynamodb:GetItem", TABLE)}
        assert grants[f"delete_{what}"] == {("dynamodb:DeleteItem", TABLE)}
    assert grants["list_routes"] == {
        ("dynamodb:Query", f"{TABLE}/index/by_status"),
        ("dynamodb:BatchGetItem", TABLE),
    }
    assert grants["tool_status"] == {("dynamodb:GetItem", TABLE), ("dynamodb:BatchGetItem", TABLE)}


def test_the_authorizer_reads_bearer_keys_and_nothing_else(grants: Mapping[str, Grants]) -> None:
    assert grants["authorizer"] == {("secretsmanager:GetSecretValue", BEARER_KEYS)}


def test_who_may_not_read_the_key_is_not_told_of_it(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    for function in template.functions.values():
        may_read = bool(grants[function.folder] & ASKS_TELNYX)
        assert ("TELNYX_API_KEY_SECRET" in function.environment) is may_read, function.folder
        assert ("TELNYX_PUBLIC_KEYS" in function.environment) is (
            function.folder.startswith(SIGNED)
        )
        assert ("BEARER_KEYS_SECRET" in function.environment) is (function.folder == "authorizer")


def test_the_scheduler_may_start_the_sweep_and_nothing_else(template: Template) -> None:
    [(_, schedule)] = template.of_type("AWS::Scheduler::Schedule")
    role = schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0]
    assert _statements(template, role) == [
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction"],
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:SweepFunction:live",
        }
    ]


def role_of(template: Template, logical_id: str) -> Grants:
    """What a role of the template's own allows."""
    statements = _statements(template, logical_id)
    return {(action, each["Resource"]) for each in statements for action in each["Action"]}


def test_what_aws_does_for_us_it_does_with_one_right_each(template: Template) -> None:
    functions = "arn:aws:lambda:us-east-1:000000000000:function:"
    assert role_of(template, "FailoverDoorRole") == {("sqs:SendMessage", f"{QUEUES}FailoverQueue")}
    assert role_of(template, "AlarmRole") == {
        ("lambda:InvokeFunction", f"{functions}StartScheduledFunction:live")
    }
    if _has_everything(template):
        chat = "arn:aws:events:us-east-1:000000000000:api-destination/partyline-ChatDestination"
        assert role_of(template, "ChatRole") == {("events:InvokeApiDestination", chat)}


def test_the_event_relay_reads_the_stream_and_puts_events_on_the_bus(
    grants: Mapping[str, Grants],
) -> None:
    reads = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    bus = "arn:aws:events:us-east-1:000000000000:event-bus/partyline-PartylineBus"
    assert grants["event_relay"] == {
        *((f"dynamodb:{action}", f"{TABLE}/stream/1") for action in reads),
        ("events:PutEvents", bus),
        ("sqs:SendMessage", f"{QUEUES}EventRelayDeadLetters"),
    }


def test_taking_back_what_was_to_begin_later(grants: Mapping[str, Grants]) -> None:
    assert grants["cancel_conversation"] == {
        ("dynamodb:GetItem", TABLE),
        ("dynamodb:PutItem", TABLE),
        ("scheduler:DeleteSchedule", SCHEDULES),
    }


def test_a_role_is_taken_on_by_one_service_of_this_account(template: Template) -> None:
    """Otherwise another account's schedule could use the role (AWS: the confused deputy)."""
    for logical_id in ("AlarmRole", "ChatRole"):
        if logical_id == "ChatRole" and not _has_everything(template):
            continue
        role = template.transformed["Resources"][logical_id]["Properties"]
        [statement] = template.resolver.resolve(role["AssumeRolePolicyDocument"])["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}
