"""Alarms and dashboard watch metrics that the code writes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack.template import Template
from partyline.entrypoints.census import DEAD_LETTERS_EVERY_MINUTES
from partyline.services.eraser import ALARMING
from partyline.telemetry import Metric
from tests.template.test_stack import PARAMETERS, ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
BUDGET = {**PARAMETERS, "DailyBudget": "20"}
TOPIC = "arn:aws:sns:us-east-1:111122223333:alarms"


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return {
        name: template.resolver.resolve(alarm["Properties"])
        for name, alarm in template.of_type("AWS::CloudWatch::Alarm")
    }


def metrics(alarm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield namespace, name and dimensions of each metric that an alarm watches."""
    stats = [query["MetricStat"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    for metric in [stat["Metric"] for stat in stats] or [alarm]:
        dimensions = {pair["Name"]: pair["Value"] for pair in metric.get("Dimensions", ())}
        yield metric["Namespace"], metric["MetricName"], dimensions


@pytest.mark.parametrize("budget", ["0", "0.0", "0.5", "20"])
def test_the_budget_has_an_alarm_if_there_is_a_budget(budget: str) -> None:
    template = Template({**PARAMETERS, "DailyBudget": budget})
    assert ("BudgetNearlyUsed" in alarms(template)) is (float(budget) > 0)


def test_there_is_an_alarm_for_each_kind_of_failure() -> None:
    watched = {
        (namespace, name)
        for alarm in alarms(Template(BUDGET)).values()
        for namespace, name, _ in metrics(alarm)
    }
    assert watched == {
        ("Partyline", "Failed"),
        ("Partyline", "SignatureRefused"),
        ("Partyline", "WebhookNotUnderstood"),
        ("Partyline", "FailoverReceived"),
        ("Partyline", "OldestPendingSecs"),
        ("Partyline", "SweepFailed"),
        ("Partyline", "CensusFailed"),
        ("Partyline", "DeadLetters"),
        ("Partyline", "TimerFailed"),
        ("Partyline", "TimerLateSecs"),
        ("Partyline", "TimerNotSent"),
        ("Partyline", "CommandRepaired"),
        ("Partyline", "AwsErrorUnexpected"),
        ("Partyline", "ConversationsOpenLong"),
        ("Partyline", "DialingOff"),
        ("Partyline", "BudgetUsedPercent"),
        ("Partyline", "ErasureFailed"),
        ("Partyline", "HookDisabled"),
        ("AWS/ApiGateway", "5xx"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "IteratorAge"),
        ("AWS/DynamoDB", "ReadThrottleEvents"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
    }


def test_every_metric_of_an_alarm_is_written_under_its_name() -> None:
    """An alarm on a misspelt name would never fire."""
    template = Template(BUDGET)
    service = template.functions["SweepFunction"].environment["POWERTOOLS_SERVICE_NAME"]
    for name, alarm in alarms(template).items():
        for namespace, metric, dimensions in metrics(alarm):
            if namespace == "Partyline":
                assert metric in set(Metric), name
                assert dimensions == {"service": service}, name


def test_dead_letters_ring_within_minutes_also_when_they_are_not_counted(
    template: Template,
) -> None:
    """tests/unit/settings holds that the census counts the messages of every such queue."""
    alarm = alarms(template)["DeadLetters"]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 0)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3 * 60 * DEAD_LETTERS_EVERY_MINUTES


def test_every_webhook_function_has_an_alarm(template: Template) -> None:
    webhooks = {route.function for route in template.routes if route.path.startswith("/webhooks")}
    alarm = alarms(template)["WebhookFunctionsFail"]
    assert {dimensions["FunctionName"] for _, _, dimensions in metrics(alarm)} == webhooks


def test_a_conversation_that_telnyx_did_not_delete_rings_at_once(template: Template) -> None:
    alarm = alarms(template)["ErasuresFail"]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", ALARMING)


def test_no_alarm_exceeds_the_limit_of_metrics(template: Template) -> None:
    """AWS: ten metrics and expressions together."""
    for name, alarm in alarms(template).items():
        assert len(alarm.get("Metrics", ())) <= 10, name


def test_missing_data_is_an_alarm_for_the_sweep_and_the_census_only(
    template: Template,
) -> None:
    for name, alarm in alarms(template).items():
        every_minute = name in ("SweepFails", "CensusFails", "DeadLetters")
        silent = "breaching" if every_minute else "notBreaching"
        assert alarm["TreatMissingData"] == silent, name


def test_alarms_notify_the_topic_of_the_parameter(template: Template) -> None:
    assert not any("AlarmActions" in alarm for alarm in alarms(template).values())
    notifying = alarms(Template({**BUDGET, "AlarmTopicArn": TOPIC}))
    for name, alarm in notifying.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC], name


def test_alarms_have_no_fixed_names_and_the_docs_explain_each() -> None:
    template = Template(BUDGET)
    section = PAGE.partition("## Alarms")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert explained == set(alarms(template))
    for name, alarm in alarms(template).items():
        assert "AlarmName" not in alarm, name
        assert alarm["AlarmDescription"].endswith("."), name


def test_the_dashboard_shows_metrics_that_the_code_writes(template: Template) -> None:
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
    assert shown <= set(Metric)


@pytest.mark.parametrize("page", [ROOT / "docs/operations.md"], ids=["operations.md"])
def test_the_docs_explain_every_dead_letter_queue(page: Path, template: Template) -> None:
    for name, _ in template.of_type("AWS::SQS::Queue"):
        assert f"`{name}`" in page.read_text(), name
