"""The background parts: failover queue, event relay, bus, schedules, dead letters."""

import json
from typing import Any

import pytest

from local.stack.event_bus import matches
from local.stack.queues import MAX_DELAY_SECS, queue_routes
from local.stack.template import Template
from partyline.entrypoints.event_relay import MAX_ENTRIES
from partyline.services.hook_sender import MAX_SECS
from tests.template.test_stack import PARAMETERS, resource

MAPPING = "EventRelayMapping"


def resolved(template: Template, logical_id: str) -> dict[str, Any]:
    properties: dict[str, Any] = resource(template, logical_id)["Properties"]
    resolved_properties: dict[str, Any] = template.resolver.resolve(properties)
    return resolved_properties


def test_the_failover_route_leads_to_a_queue_and_to_no_function(template: Template) -> None:
    [route] = queue_routes(template)
    assert route.key == "POST /failover"
    operation = template.api_body()["paths"]["/failover"]["post"]
    assert operation["security"] == [{"NONE": []}], "FailoverFunction verifies"
    integration = operation["x-amazon-apigateway-integration"]
    assert (integration["type"], integration["integrationSubtype"]) == (
        "AWS_PROXY",
        "SQS-SendMessage",
    )
    assert route.parameters["MessageBody"] == "$request.body", "the whole body, unchanged"
    attributes = json.loads(route.parameters["MessageAttributes"])
    assert {name: value["StringValue"] for name, value in attributes.items()} == {
        "telnyx-signature-ed25519": "${request.header.telnyx-signature-ed25519}",
        "telnyx-timestamp": "${request.header.telnyx-timestamp}",
        "tool": "tool:${request.header.x-telnyx-call-control-id}",
        "host": "${context.domainName}",
    }
    assert {value["DataType"] for value in attributes.values()} == {"String"}


def test_a_webhook_in_the_failover_queue_is_retried_and_then_set_aside(template: Template) -> None:
    queue = resolved(template, "FailoverQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queue["RedrivePolicy"]["deadLetterTargetArn"].endswith("FailoverDeadLetters")
    function = template.functions["FailoverFunction"]
    assert queue["VisibilityTimeout"] >= 6 * function.timeout_secs
    assert queue["MaximumMessageSize"] == 2**20, "the largest that SQS takes"
    mapping = resolved(template, "FailoverMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["FunctionName"].endswith(":live")


def test_the_message_of_a_timer_is_retried_and_then_set_aside(template: Template) -> None:
    queue = resolved(template, "TimersQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 3
    assert queue["RedrivePolicy"]["deadLetterTargetArn"].endswith("TimersDeadLetters")
    assert queue["VisibilityTimeout"] >= 6 * template.functions["TimerFunction"].timeout_secs
    assert queue.get("DelaySeconds", 0) == 0
    mapping = resolved(template, "TimersMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["FunctionName"].endswith(":live")
    assert "MaximumBatchingWindowInSeconds" not in mapping, "a timer would wait for others"
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": "50"}


def test_dead_letters_are_kept_for_two_weeks_and_every_queue_is_encrypted(
    template: Template,
) -> None:
    queues = [logical_id for logical_id, _ in template.of_type("AWS::SQS::Queue")]
    assert len(queues) == 10
    for name in queues:
        properties = resolved(template, name)
        assert properties["SqsManagedSseEnabled"] is True
        assert "QueueName" not in properties
        if name.endswith("DeadLetters"):
            assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.parametrize(
    ("name", "key", "picked"),
    [
        ("INSERT", "EVENT#000001", True),
        ("INSERT", "STATE", False),
        ("INSERT", "DEDUPE#1", False),
        ("INSERT", "INSIGHT#EVENT#1", False),
        ("MODIFY", "EVENT#000001", False),
        ("REMOVE", "EVENT#000001", False),
    ],
)
def test_the_event_relay_gets_new_events_and_no_other_rows(
    template: Template, name: str, key: str, picked: bool
) -> None:
    [rule] = resolved(template, MAPPING)["FilterCriteria"]["Filters"]
    record = {"eventName": name, "dynamodb": {"Keys": {"pk": {"S": "c"}, "sk": {"S": key}}}}
    assert matches(rule["Pattern"], record) is picked


def test_the_event_relay_loses_no_event_and_no_record_blocks_it(template: Template) -> None:
    mapping = resolved(template, MAPPING)
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    halvings = (mapping["BatchSize"] - 1).bit_length()
    assert halvings < mapping["MaximumRetryAttempts"] <= 10, "a bad record is alone before the end"
    assert 0 < mapping["MaximumRecordAgeInSeconds"] <= 24 * 3600
    on_failure = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert on_failure.endswith("EventRelayDeadLetters")


def test_the_event_relay_keeps_the_order_of_a_conversation(template: Template) -> None:
    """Parallel batches keep the order within an item only, and each event is a separate item."""
    assert resolved(template, MAPPING)["ParallelizationFactor"] == 1


BUS_SECS, EVENT_SECS, INVOCATION_SECS = 0.02, 0.0006, 0.02
"""A request to the bus, the processor time of an event, and the rest of an invocation."""

SHARDS = 4
"""A new table with on-demand capacity has four partitions (DynamoDB: 4,000 write units a second),
and a stream has a shard for each."""


def test_the_event_relay_takes_a_thousand_events_a_second(template: Template) -> None:
    mapping = resolved(template, MAPPING)
    batch = mapping["BatchSize"]
    took_secs = INVOCATION_SECS + -(-batch // MAX_ENTRIES) * BUS_SECS + batch * EVENT_SECS
    assert SHARDS * batch / took_secs >= 1_000
    assert mapping["MaximumBatchingWindowInSeconds"] == 0, "an event does not wait for others"
    # Also when each event needs a request of its own, because of its size.
    slowest_secs = batch * (BUS_SECS + EVENT_SECS)
    assert slowest_secs < template.functions["EventRelayFunction"].timeout_secs / 2


def test_an_alarm_tells_of_events_that_wait_for_a_minute(template: Template) -> None:
    alarm = resolved(template, "EventsLate")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("IteratorAge", "Maximum")
    assert (alarm["Threshold"], alarm["Period"]) == (60_000, 60)
    assert alarm["Dimensions"][0]["Value"] == "EventRelayFunction"


def test_the_event_relay_is_called_by_its_alias_and_knows_the_bus(template: Template) -> None:
    mapping = resolved(template, MAPPING)
    assert mapping["FunctionName"].endswith(":EventRelayFunction:live")
    assert mapping["EventSourceArn"].endswith("-PartylineTable/stream/1")
    environment = template.functions["EventRelayFunction"].environment
    assert environment["EVENT_BUS_NAME"] == "partyline-PartylineBus"


def test_one_rule_takes_events_in_and_one_gives_events_to_hooks(template: Template) -> None:
    (_, (name, _)) = sorted(template.of_type("AWS::Events::Rule"))
    rule = resolved(template, name)
    start = {"source": "partyline.starts", "detail-type": "StartConversation"}
    assert matches(rule["EventPattern"], start)
    assert not matches(rule["EventPattern"], start | {"source": "crm"})
    # Otherwise outgoing events would come in again.
    assert not matches(
        rule["EventPattern"], {"source": "partyline", "detail-type": "conversation.started"}
    )
    [target] = rule["Targets"]
    assert target["Arn"].endswith(":StartFromEventFunction:live")
    assert target["DeadLetterConfig"]["Arn"].endswith("BusDeadLetters")
    [statement] = resolved(template, "BusDeadLettersPolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert "PartylineBus" in statement["Condition"]["ArnLike"]["aws:SourceArn"]


def test_every_event_of_ours_goes_to_the_function_of_the_hooks(template: Template) -> None:
    rule = resolved(template, "HookRule")
    assert matches(rule["EventPattern"], {"source": "partyline", "detail-type": "leg.ended"})
    assert not matches(rule["EventPattern"], {"source": "partyline.starts"})
    [target] = rule["Targets"]
    assert target["Arn"].endswith(":FanOutHooksFunction:live")
    assert target["DeadLetterConfig"]["Arn"].endswith("BusDeadLetters")
    permission = resolved(template, "HookRulePermission")
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["FunctionName"] == target["Arn"]
    assert permission["SourceArn"].endswith("HookRule")


def test_an_event_that_cannot_be_given_to_hooks_is_kept(template: Template) -> None:
    config = resolved(template, "FanOutHooksFunctionEventInvokeConfig")
    assert config["Qualifier"] == "live"
    assert config["DestinationConfig"]["OnFailure"]["Destination"].endswith("HookDeadLetters")
    assert config["MaximumRetryAttempts"] == 2
    assert config["MaximumEventAgeInSeconds"] == 6 * 3600


def test_a_delivery_to_a_hook_is_retried_and_then_set_aside(template: Template) -> None:
    properties = resolved(template, "HookDeliveries")
    assert properties["RedrivePolicy"]["maxReceiveCount"] == 5
    assert properties["RedrivePolicy"]["deadLetterTargetArn"].endswith("HookDeadLetters")
    function = template.functions["DeliverHooksFunction"]
    assert properties["VisibilityTimeout"] >= 6 * function.timeout_secs
    source = resolved(template, "DeliverHooksMapping")
    assert source["EventSourceArn"].endswith("-HookDeliveries")
    assert source["FunctionName"].endswith(":DeliverHooksFunction:live")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"]["MaximumConcurrency"] == "20"


def test_a_delivery_has_time_for_a_slow_receiver_and_waits_for_no_other(
    template: Template,
) -> None:
    assert resolved(template, "DeliverHooksMapping")["BatchSize"] == 1
    assert template.functions["DeliverHooksFunction"].timeout_secs >= 2 * MAX_SECS + 5
    kept_secs = resolved(template, "HookDeliveries")["MessageRetentionPeriod"]
    assert kept_secs > MAX_DELAY_SECS + 5 * 180


def test_an_event_that_cannot_start_a_conversation_is_kept(template: Template) -> None:
    for logical_id in ("StartFromEventFunction", "StartScheduledFunction"):
        config = resolved(template, f"{logical_id}EventInvokeConfig")
        assert config["DestinationConfig"]["OnFailure"]["Destination"].endswith("StartDeadLetters")
        assert config["MaximumRetryAttempts"] == 2


def test_a_chat_gets_events_when_the_parameter_names_the_chat(template: Template) -> None:
    chat = ("ChatRule", "ChatDestination", "ChatConnection", "ChatRole")
    with_chat = Template(
        {**PARAMETERS, "ChatWebhookUrl": "https://hooks.example.com/services/T0/B0"}
    )

    def chat_parts(stack: Template) -> set[str]:
        kinds = ("Events::Rule", "Events::ApiDestination", "Events::Connection", "IAM::Role")
        return {name for kind in kinds for name, _ in stack.of_type(f"AWS::{kind}")} & set(chat)

    assert chat_parts(template) == set()
    assert chat_parts(with_chat) == set(chat)
    rule = resource(with_chat, "ChatRule")["Properties"]
    pattern = with_chat.resolver.resolve(rule["EventPattern"])
    assert matches(pattern, {"source": "partyline", "detail-type": "conversation.ended"})
    assert not matches(pattern, {"source": "partyline", "detail-type": "leg.ringing"})
    [target] = rule["Targets"]
    transformer = target["InputTransformer"]
    assert set(transformer["InputPathsMap"]) == {"what", "id", "at"}, "no name, no number"
    text = transformer["InputTemplate"]
    for name in transformer["InputPathsMap"]:
        text = text.replace(f"<{name}>", "x")
    assert json.loads(text) == {"text": "x x at x"}
