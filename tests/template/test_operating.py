"""What an operator sees: alarms on figures that are really written, and a dashboard of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack.template import Template
from partyline.domain.model.events import EventType
from tests.template.test_stack import PARAMETERS, ROOT

LAYER = ROOT / "layers/partyline/partyline"
PAGE = (ROOT / "docs/operations.md").read_text()
TOPIC = "arn:aws:sns:us-east-1:111122223333:alarms"

RESULTS = {
    "command.accepted",
    "command.refused",
    "command.unsettled",
}
"""Of what the engine counts under the name of a result's type: those that are looked at."""


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return {
        name: template.resolver.resolve(each["Properties"])
        for name, each in template.of_type("AWS::CloudWatch::Alarm")
    }


def counted() -> set[str]:
    """The figures that the code writes."""
    code = "".join(path.read_text() for path in LAYER.rglob("*.py"))
    named = set(re.findall(r'\b(?:count|measure_\w+)\(\s*"([A-Z]\w+)"', code))
    return named | set(EventType) | RESULTS


def figures(alarm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each figure that an alarm looks at."""
    found = [
        each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if "MetricStat" in each
    ]
    for each in found or [alarm]:
        dimensions = {one["Name"]: one["Value"] for one in each.get("Dimensions", ())}
        yield each["Namespace"], each["MetricName"], dimensions


def test_there_is_an_alarm_for_each_thing_that_goes_wrong(template: Template) -> None:
    looked_at = {
        (namespace, name)
        for alarm in alarms(template).values()
        for namespace, name, _ in figures(alarm)
    }
    assert looked_at == {
        ("Partyline", "WebhookFailed"),
        ("Partyline", "Failed"),
        ("Partyline", "SignatureRefused"),
        ("Partyline", "FailoverReceived"),
        ("Partyline", "OldestPendingSecs"),
        ("Partyline", "SweepTouched"),
        ("Partyline", "SweepFailed"),
        ("Partyline", "command.repaired"),
        ("Partyline", "ConversationsOpenLong"),
        ("AWS/ApiGateway", "5xx"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "IteratorAge"),
        ("AWS/DynamoDB", "ReadThrottleEvents"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    }


def test_what_an_alarm_looks_at_is_written_under_that_very_name(template: Template) -> None:
    """A misspelt name would be an alarm that never goes off."""
    service = template.functions["SweepFunction"].environment["POWERTOOLS_SERVICE_NAME"]
    for name, alarm in alarms(template).items():
        for namespace, metric, dimensions in figures(alarm):
            if namespace == "Partyline":
                assert metric in counted(), name
                assert dimensions == {"service": service}, name


def test_every_queue_of_dead_letters_has_an_alarm(template: Template) -> None:
    dead = {
        template.resolver.resolve({"Fn::GetAtt": [name, "QueueName"]})
        for name, _ in template.of_type("AWS::SQS::Queue")
        if name.endswith("DeadLetters")
    }
    watched = {each["QueueName"] for _, _, each in figures(alarms(template)["DeadLetters"])}
    assert watched == dead


def test_every_webhook_function_has_an_alarm(template: Template) -> None:
    webhooks = {route.function for route in template.routes if route.path.startswith("/webhooks")}
    alarm = alarms(template)["WebhookFunctionsFail"]
    assert {each["FunctionName"] for _, _, each in figures(alarm)} == webhooks


def test_no_alarm_looks_at_more_than_it_may(template: Template) -> None:
    """AWS: ten metrics and expressions together."""
    for name, alarm in alarms(template).items():
        assert len(alarm.get("Metrics", ())) <= 10, name


def test_silence_is_an_alarm_for_the_sweep_and_for_nothing_else(template: Template) -> None:
    for name, alarm in alarms(template).items():
        silent = "breaching" if name == "SweepSilent" else "notBreaching"
        assert alarm["TreatMissingData"] == silent, name


def test_alarms_tell_the_topic_that_was_named(template: Template) -> None:
    assert not any("AlarmActions" in each for each in alarms(template).values())
    told = alarms(Template({**PARAMETERS, "AlarmTopicArn": TOPIC}))
    for name, alarm in told.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC], name


def test_alarms_have_no_fixed_names_and_each_is_explained(template: Template) -> None:
    section = PAGE.partition("## Alarms")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert explained == set(alarms(template))
    for name, alarm in alarms(template).items():
        assert "AlarmName" not in alarm, name
        assert alarm["AlarmDescription"].endswith("."), name


def test_the_dashboard_shows_what_is_written(template: Template) -> None:
    [(_, dashboard)] = template.of_type("AWS::CloudWatch::Dashboard")
    assert "DashboardName" not in dashboard["Properties"]
    body = json.loads(template.resolver.resolve(dashboard["Properties"]["DashboardBody"]))
    shown = set()
    for widget in body["widgets"]:
        namespace = name = ""
        for metric in widget["properties"]["metrics"]:
            if metric[0] != "...":
                namespace = namespace if metric[0] == "." else metric[0]
                name = metric[1]
            if namespace == "Partyline":
                shown.add(name)
    assert shown
    assert shown <= counted()


@pytest.mark.parametrize("page", [ROOT / "docs/operations.md"], ids=["operations.md"])
def test_every_dead_letter_queue_is_explained(page: Path, template: Template) -> None:
    for name, _ in template.of_type("AWS::SQS::Queue"):
        assert f"`{name}`" in page.read_text(), name
