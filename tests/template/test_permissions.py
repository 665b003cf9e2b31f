"""Permissions: each function has a role of its own with the rights that the function needs.

The tests run for a plain stack and for stage prod with all options on.
"""

from collections.abc import Mapping, Set
from typing import Any

import pytest

from local.stack.template import Template
from partyline.store import keys
from tests.template.test_hardening import EVERYTHING
from tests.template.test_stack import PARAMETERS

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/partyline-PartylineTable"
TELNYX_KEY = "partyline-TelnyxApiKey"
BEARER_KEYS = "partyline-BearerKeys"
NUMBER_KEY = "partyline-NumberKey"

MOVE_CONVERSATIONS = {
    "trigger",
    "control",
    "tool_invite",
    "tool_handover",
    "tool_call_back",
    "start_from_event",
    "start_scheduled",
    "failover",
    "timer",
}
SIGNED = ("call_", "webhook_", "tool_", "failover")
WRITES_CONVERSATIONS = {
    (f"dynamodb:{action}", TABLE) for action in ("GetItem", "BatchGetItem", "PutItem", "UpdateItem")
}
READS_BEARER_KEYS = {("secretsmanager:GetSecretValue", BEARER_KEYS)}
READS_NUMBER_KEY = {("secretsmanager:GetSecretValue", NUMBER_KEY)}
CALLS_TELNYX = {("secretsmanager:GetSecretValue", TELNYX_KEY)}
QUEUES = "arn:aws:sqs:us-east-1:000000000000:partyline-"
STARTS_TIMERS = {("sqs:SendMessage", f"{QUEUES}TimersQueue")}
READS_OPEN_COUNT = {("dynamodb:Query", TABLE)}
COUNTS_CALLERS = {("dynamodb:Query", f"{TABLE}/index/by_caller")}
READS_BY_OPEN = {("dynamodb:Query", f"{TABLE}/index/by_open")}
SCHEDULES = "arn:aws:scheduler:us-east-1:000000000000:schedule/partyline-starts/*"
"""A resource without a known name: a schedule is made for each later conversation."""

DEPLOYMENTS = "partyline-ServerlessDeploymentApplication-*/*"
"""SAM names the application and the groups of the canaries, which exist in stage prod only."""

CREATES_SCHEDULES = {
    ("scheduler:CreateSchedule", SCHEDULES),
    ("scheduler:UpdateSchedule", SCHEDULES),
    ("iam:PassRole", "arn:aws:iam::000000000000:role/partyline-StartSchedulerRole"),
}
ENDS_AS_DEAD_LETTER = {("sqs:SendMessage", f"{QUEUES}StartDeadLetters")}


def receives(queue: str) -> Set[tuple[str, str]]:
    """The rights of a function behind a queue."""
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    return {(f"sqs:{action}", f"{QUEUES}{queue}") for action in actions}


INBOUND = READS_OPEN_COUNT | COUNTS_CALLERS
BOOKS_STARTS = READS_OPEN_COUNT | READS_BY_OPEN | CREATES_SCHEDULES
DELETES_SCHEDULES = {("scheduler:DeleteSchedule", SCHEDULES)}
FURTHER_RIGHTS = {
    "trigger": BOOKS_STARTS,
    "control": READS_BY_OPEN | DELETES_SCHEDULES,
    "tool_call_back": READS_BY_OPEN | CREATES_SCHEDULES | DELETES_SCHEDULES,
    "start_from_event": BOOKS_STARTS | ENDS_AS_DEAD_LETTER,
    "start_scheduled": READS_OPEN_COUNT | ENDS_AS_DEAD_LETTER | READS_BEARER_KEYS,
    "failover": receives("FailoverQueue") | INBOUND,
    "timer": receives("TimersQueue") | READS_BEARER_KEYS,
}
"""The further rights of some functions that move conversations."""

SCHEDULED = ("Census", "Erase", "Sweep")
"""The functions that run every minute, without the end of the name."""

SERVICE_ROLES = {
    "FailoverQueueRole",
    "StartSchedulerRole",
    *(f"{name}SchedulerRole" for name in SCHEDULED),
}
"""The roles that AWS's services assume: API Gateway, else EventBridge Scheduler."""

Grants = Set[tuple[str, str]]


@pytest.fixture(scope="module", params=[PARAMETERS, EVERYTHING], ids=["plain", "everything"])
def template(request: pytest.FixtureRequest) -> Template:
    return Template(request.param)


@pytest.fixture(scope="module")
def grants(template: Template) -> Mapping[str, Grants]:
    """Every (action, resource) that a function's role allows, by the function's folder."""
    roles = {
        function["Properties"]["Role"]["Fn::GetAtt"][0]: template.functions[logical_id].folder
        for logical_id, function in template.of_type("AWS::Lambda::Function")
    }
    assert len(roles) == len(template.functions), "two functions share a role"
    allowed = {}
    for role, folder in roles.items():
        statements = _statements(template, role)
        pairs = [(action, s["Resource"]) for s in statements for action in s["Action"]]
        assert all(isinstance(named, str) for _, named in pairs), "a single resource a statement"
        allowed[folder] = set(pairs)
    return allowed


def _has_everything(template: Template) -> bool:
    return any(template.of_type("AWS::CodeDeploy::DeploymentGroup"))


def _statements(template: Template, role: str) -> list[dict[str, Any]]:
    properties = template.transformed["Resources"][role]["Properties"]
    statements = []
    for policy in properties.get("Policies", []):
        for statement in template.resolver.resolve(policy["PolicyDocument"]["Statement"]):
            if statement["Effect"] == "Deny":
                continue
            assert statement.keys() - {"Condition"} == {"Effect", "Action", "Resource"}
            action = statement["Action"]
            statements.append(
                {**statement, "Action": [action] if isinstance(action, str) else action}
            )
    return statements


def test_no_role_has_a_wildcard(template: Template) -> None:
    roles = [role for role, _ in template.of_type("AWS::IAM::Role")]
    assert set(roles) - {f"{function}Role" for function in template.functions} == SERVICE_ROLES | (
        {"ChatRole", "CodeDeployRole"} if _has_everything(template) else set()
    )
    for role in roles:
        for statement in _statements(template, role):
            assert "*" not in "".join(statement["Action"]), role
            named = statement["Resource"].removesuffix(SCHEDULES).removesuffix(DEPLOYMENTS)
            assert "*" not in named, role


def test_the_only_managed_policies_are_for_logs_traces_and_canaries(template: Template) -> None:
    """Lambda's logging, X-Ray (which has no resources), and CodeDeploy for the canaries."""
    managed = {
        (arn.rpartition("/")[2], role == "CodeDeployRole")
        for role, body in template.of_type("AWS::IAM::Role")
        for arn in template.resolver.resolve(body["Properties"].get("ManagedPolicyArns", []))
    }
    canaries = {("AWSCodeDeployRoleForLambdaLimited", True)} if _has_everything(template) else set()
    assert managed == canaries | {
        ("AWSLambdaBasicExecutionRole", False),
        ("AWSXrayWriteOnlyAccess", False),
    }


def test_webhooks_and_triggers_write_conversations_and_call_telnyx(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    routed = {template.functions[route.function].folder for route in template.routes}
    webhooks = {folder for folder in routed if folder.startswith(("call_", "webhook_"))}
    assert webhooks
    for folder in webhooks | MOVE_CONVERSATIONS:
        expected = WRITES_CONVERSATIONS | CALLS_TELNYX | STARTS_TIMERS
        further = INBOUND if folder in webhooks else FURTHER_RIGHTS.get(folder, set())
        assert grants[folder] == expected | further, folder


def test_functions_of_conversations_write_no_row_of_the_directory_and_no_emergency_stop(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    denied = {
        "Effect": "Deny",
        "Action": [f"dynamodb:{action}" for action in ("PutItem", "UpdateItem", "DeleteItem")],
        "Resource": TABLE,
        "Condition": {
            "ForAnyValue:StringLike": {
                "dynamodb:LeadingKeys": [
                    keys.route("*")[0],
                    keys.do_not_call("*")[0],
                    keys.DIALING_OFF[0],
                ]
            }
        },
    }
    writers = {folder for folder, allowed in grants.items() if allowed >= WRITES_CONVERSATIONS}
    assert "trigger" in writers
    for logical_id, function in template.of_type("AWS::Lambda::Function"):
        if template.functions[logical_id].folder not in writers - {"directory", "erase"}:
            continue
        role = template.transformed["Resources"][function["Properties"]["Role"]["Fn::GetAtt"][0]]
        assert denied in [
            statement
            for policy in role["Properties"]["Policies"]
            for statement in template.resolver.resolve(policy["PolicyDocument"]["Statement"])
        ], logical_id


def test_the_sweep_also_queries_due_conversations(grants: Mapping[str, Grants]) -> None:
    due = {("dynamodb:Query", f"{TABLE}/index/by_due")}
    moves = WRITES_CONVERSATIONS | CALLS_TELNYX | STARTS_TIMERS
    reads = READS_OPEN_COUNT | READS_BY_OPEN | READS_BEARER_KEYS
    assert grants["sweep"] == moves | due | reads


def only_rows(*keys: str) -> dict[str, Any]:
    """The condition of a statement for the rows with these keys."""
    return {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


CHARGE_DIALS = {
    "trigger",
    "start_from_event",
    "start_scheduled",
    "tool_invite",
    "tool_handover",
    "tool_call_back",
}


def test_functions_without_dials_count_open_conversations_and_update_nothing_else(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    read, written = only_rows("OPEN#*"), only_rows("OPEN#*", "SPEND#*")
    for logical_id, function in template.functions.items():
        statements = _statements(template, f"{logical_id}Role")
        updates = [s for s in statements if "dynamodb:UpdateItem" in s["Action"]]
        assert bool(updates) is (grants[function.folder] >= WRITES_CONVERSATIONS)
        assert any("Condition" not in s for s in updates) is (function.folder in CHARGE_DIALS)
        reads = [
            s for s in statements if (s["Action"], s["Resource"]) == (["dynamodb:Query"], TABLE)
        ]
        bound = [s["Condition"] for s in updates if "Condition" in s]
        if function.folder in ("control", "erase"):  # a cancelled booking leaves its counter
            bound.remove(only_rows("BOOKINGS#*"))
        assert all(condition == written for condition in bound)
        queried = [s["Condition"] for s in reads if "Condition" in s]
        if function.folder == "people":
            queried.remove(only_rows("PERSON#*"))
        assert all(condition == read for condition in queried)


def test_the_census_reads_the_index_of_open_conversations_and_counts_dead_letters(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    moves = WRITES_CONVERSATIONS | CALLS_TELNYX | STARTS_TIMERS
    counts = {
        ("sqs:GetQueueAttributes", template.resolver.resolve({"Fn::GetAtt": [name, "Arn"]}))
        for name, _ in template.of_type("AWS::SQS::Queue")
        if name.endswith("DeadLetters")
    }
    assert len(counts) == 7
    assert grants["census"] == moves | READS_BY_OPEN | READS_BEARER_KEYS | counts


LIST = {("dynamodb:Query", f"{TABLE}/index/by_status"), ("dynamodb:BatchGetItem", TABLE)}


def test_queries_can_only_read(grants: Mapping[str, Grants]) -> None:
    reads = {("dynamodb:Query", TABLE), ("dynamodb:GetItem", TABLE)}
    assert grants["query"] == LIST | reads | READS_NUMBER_KEY


def test_the_directory_writes_its_own_rows_and_no_conversation(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    writes = {("dynamodb:PutItem", TABLE), ("dynamodb:DeleteItem", TABLE)}
    assert grants["directory"] == LIST | {("dynamodb:GetItem", TABLE)} | writes
    rows = only_rows("ROUTE#*", "DNC#*")
    for statement in _statements(template, "DirectoryFunctionRole"):
        if {"dynamodb:PutItem", "dynamodb:DeleteItem"} & set(statement["Action"]):
            assert statement["Condition"] == rows


HOOK_ROWS, EVENT_ROWS = ("HOOKS", "HOOK#*"), ("CONVERSATION#*",)
READS_HOOK_KEY = {("secretsmanager:GetSecretValue", "partyline-HookKey")}
SENDS_DELIVERIES = {("sqs:SendMessage", f"{QUEUES}HookDeliveries")}


def of_table(*actions: str) -> Grants:
    """The rights to these actions of DynamoDB on the table."""
    return {(f"dynamodb:{action}", TABLE) for action in actions}


def test_functions_of_hooks_have_no_right_to_dial_and_write_rows_of_hooks_only(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    assert grants["hooks"] == READS_HOOK_KEY | SENDS_DELIVERIES | of_table(
        "Query", "GetItem", "PutItem", "DeleteItem"
    )
    dead_letters = {("sqs:SendMessage", f"{QUEUES}HookDeadLetters")}
    assert grants["fan_out_hooks"] == (
        dead_letters | SENDS_DELIVERIES | of_table("Query", "GetItem", "PutItem")
    )
    assert grants["deliver_hooks"] == (
        receives("HookDeliveries")
        | dead_letters
        | READS_HOOK_KEY
        | SENDS_DELIVERIES
        | of_table("BatchGetItem", "PutItem")
    )
    for logical_id in ("HooksFunction", "FanOutHooksFunction", "DeliverHooksFunction"):
        for statement in _statements(template, f"{logical_id}Role"):
            if statement["Resource"] != TABLE:
                continue
            reads = statement["Action"] in (["dynamodb:GetItem"], ["dynamodb:BatchGetItem"])
            rows = (*HOOK_ROWS, *EVENT_ROWS) if reads else HOOK_ROWS
            assert statement["Condition"] == only_rows(*rows), logical_id


def test_no_other_function_reads_the_key_of_the_hooks(grants: Mapping[str, Grants]) -> None:
    readers = {folder for folder, allowed in grants.items() if allowed & READS_HOOK_KEY}
    assert readers == {"hooks", "deliver_hooks"}


def test_the_status_tool_can_only_read(grants: Mapping[str, Grants]) -> None:
    assert grants["tool_status"] == {("dynamodb:GetItem", TABLE), ("dynamodb:BatchGetItem", TABLE)}


def test_the_authorizer_reads_only_bearer_keys(grants: Mapping[str, Grants]) -> None:
    assert grants["authorizer"] == READS_BEARER_KEYS


def test_only_functions_that_may_read_a_secret_get_its_name(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    for function in template.functions.values():
        may_read = bool(grants[function.folder] & CALLS_TELNYX)
        assert ("TELNYX_API_KEY_SECRET" in function.environment) is may_read, function.folder
        assert ("TELNYX_PUBLIC_KEYS" in function.environment) is (
            function.folder.startswith(SIGNED)
        )
        may_read = bool(grants[function.folder] & READS_BEARER_KEYS)
        assert ("BEARER_KEYS_SECRET" in function.environment) is may_read, function.folder
        may_read = bool(grants[function.folder] & READS_NUMBER_KEY)
        assert ("NUMBER_KEY_SECRET" in function.environment) is may_read, function.folder


def test_each_schedule_may_only_start_its_own_function(template: Template) -> None:
    schedules = template.of_type("AWS::Scheduler::Schedule")
    roles = {
        schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0] for _, schedule in schedules
    }
    assert roles == {f"{name}SchedulerRole" for name in SCHEDULED}
    for name in SCHEDULED:
        assert _statements(template, f"{name}SchedulerRole") == [
            {
                "Effect": "Allow",
                "Action": ["lambda:InvokeFunction"],
                "Resource": f"arn:aws:lambda:us-east-1:000000000000:function:{name}Function:live",
            }
        ]


def role_of(template: Template, logical_id: str) -> Grants:
    """Return the (action, resource) pairs that a role allows."""
    statements = _statements(template, logical_id)
    return {(action, s["Resource"]) for s in statements for action in s["Action"]}


def test_each_service_role_has_a_single_right(template: Template) -> None:
    functions = "arn:aws:lambda:us-east-1:000000000000:function:"
    assert role_of(template, "FailoverQueueRole") == {("sqs:SendMessage", f"{QUEUES}FailoverQueue")}
    assert role_of(template, "StartSchedulerRole") == {
        ("lambda:InvokeFunction", f"{functions}StartScheduledFunction:live")
    }
    if _has_everything(template):
        chat = "arn:aws:events:us-east-1:000000000000:api-destination/partyline-ChatDestination"
        assert role_of(template, "ChatRole") == {("events:InvokeApiDestination", chat)}


def test_functions_that_schedule_starts_pass_their_role_to_the_scheduler_only(
    template: Template,
) -> None:
    for role in ("TriggerFunctionRole", "StartFromEventFunctionRole"):
        [statement] = [s for s in _statements(template, role) if s["Action"] == ["iam:PassRole"]]
        passed_to = {"iam:PassedToService": "scheduler.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": passed_to}


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


def bound_keys(template: Template, logical_id: str, action: str) -> list[list[str]]:
    """The partition keys to which each statement binds an action of a function."""
    statements = _statements(template, f"{logical_id}Role")
    return [
        s.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
        for s in statements
        if f"dynamodb:{action}" in s["Action"]
    ]


def test_the_index_of_people_is_written_and_nothing_else(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    reads = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    assert grants["index_numbers"] == READS_NUMBER_KEY | {
        *((f"dynamodb:{action}", f"{TABLE}/stream/1") for action in reads),
        ("dynamodb:PutItem", TABLE),
        ("sqs:SendMessage", f"{QUEUES}IndexNumbersDeadLetters"),
    }
    assert bound_keys(template, "IndexNumbersFunction", "PutItem") == [["PERSON#*"]]


def test_requests_for_an_erasure_delete_nothing_themselves(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    actions = ("GetItem", "Query", "PutItem")
    assert grants["people"] == READS_NUMBER_KEY | {(f"dynamodb:{name}", TABLE) for name in actions}
    assert bound_keys(template, "PeopleFunction", "PutItem") == [["ERASURE#*"]]


def test_an_erasure_deletes_no_route_and_no_counter_and_starts_no_call(
    template: Template, grants: Mapping[str, Grants]
) -> None:
    actions = ("GetItem", "BatchGetItem", "Query", "DeleteItem", "BatchWriteItem")
    queues = ("FailoverDeadLetters", "StartDeadLetters", "BusDeadLetters")
    assert grants["erase"] == READS_NUMBER_KEY | CALLS_TELNYX | DELETES_SCHEDULES | {
        *((f"dynamodb:{action}", TABLE) for action in (*actions, "PutItem", "UpdateItem")),
        ("dynamodb:Query", f"{TABLE}/index/by_due"),
        ("dynamodb:Query", f"{TABLE}/index/by_status"),
        *((f"sqs:{name}Message", f"{QUEUES}{q}") for name in ("Receive", "Delete") for q in queues),
    }
    erased = ["CONVERSATION#*", "CALL#*", "LEG#*", "AI#*", "PERSON#*", "DNC#*"]
    assert bound_keys(template, "EraseFunction", "DeleteItem") == [erased]
    written = ["ERASURE#*", "CONVERSATION#*", "ROUTE#*"]
    assert bound_keys(template, "EraseFunction", "PutItem") == [written]
    assert bound_keys(template, "EraseFunction", "UpdateItem") == [["BOOKINGS#*"]]


def test_only_erasures_delete_rows_of_conversations(grants: Mapping[str, Grants]) -> None:
    deletes = {f for f, allowed in grants.items() if ("dynamodb:DeleteItem", TABLE) in allowed}
    assert deletes == {"erase", "directory", "hooks"}  # directory and hooks: of their own rows


WITHOUT_ACCOUNT = {
    "lambda.amazonaws.com": "SAM makes the role; Lambda assumes a role of its own account only",
    "codedeploy.amazonaws.com": "SAM makes the role; CodeDeploy asks for iam:PassRole",
    "apigateway.amazonaws.com": "API Gateway does not send aws:SourceAccount for an integration",
}
"""The services whose roles have no condition on the account, and the reason."""


def test_a_role_can_be_assumed_by_a_service_of_this_account_only(template: Template) -> None:
    """Otherwise another account's schedule could use the role (AWS: the confused deputy)."""
    own_account = {"StringEquals": {"aws:SourceAccount": "000000000000"}}
    services = set()
    for logical_id, role in template.of_type("AWS::IAM::Role"):
        document = template.resolver.resolve(role["Properties"]["AssumeRolePolicyDocument"])
        for statement in document["Statement"]:
            named = statement["Principal"]["Service"]
            trusted = {named} if isinstance(named, str) else set(named)
            services |= trusted
            if not trusted <= WITHOUT_ACCOUNT.keys():
                assert statement["Condition"] == own_account, logical_id
    assert {"apigateway.amazonaws.com", "scheduler.amazonaws.com"} <= services
