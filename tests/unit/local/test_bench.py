"""`make bench` measures with the stated number of conversations in every round, and the cost."""

import json
from collections.abc import Callable, Iterator

import pytest

from local.bench.usage import (
    COUNTS_OF_DEAD_LETTERS_AN_HOUR,
    MAX_IDLE_MONTH,
    MINUTE_METRICS,
    PRICES,
    cost_beyond_free,
    idle_month,
    queue_readers,
)
from local.bench.warm import Answer, WarmBench
from local.stack.local_stack import LocalStack, Options
from local.stack.template import Template
from partyline.bootstrap import override
from partyline.entrypoints.census import DEAD_LETTERS_EVERY_MINUTES
from tests.support.deployment import delete_all_items
from tests.template.test_stack import PARAMETERS


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(Options(with_turns=False)) as stack:
        yield stack
        override(None)


@pytest.fixture(autouse=True)
def empty_table(stack: LocalStack) -> None:
    """Delete the rows of the tests before: the stack is the same for all tests."""
    bench = WarmBench(stack)
    delete_all_items(bench._client, bench._table)


class CountingBench(WarmBench):
    """Counts the conversations in the table before each measured webhook."""

    def __init__(self, stack: LocalStack) -> None:
        super().__init__(stack)
        self.counts: list[int] = []

    def time_handler(self, handler: Callable[[Answer], Answer]) -> float:
        if handler == self.ours:
            rows = self._client.scan(TableName=self._table)["Items"]
            self.counts.append(sum("open" in row for row in rows))
        return super().time_handler(handler)


def test_every_round_has_the_stated_number_of_conversations(stack: LocalStack) -> None:
    bench = CountingBench(stack)
    sizes = []
    for size, measured in bench.measure_at_sizes(rounds=4, sizes=(1, 3)):
        assert bench.counts[-4:] == [size] * 4
        assert (measured.trips, measured.requests) == (2, 1)
        sizes.append(size)
    assert sizes == [1, 3]


def test_figures_has_a_figure_for_every_size(stack: LocalStack) -> None:
    names = [figure.name for figure in WarmBench(stack).figures(1, sizes=(2, 4))]
    for text in ("conversations going on", "round trips to the table", "requests to Telnyx"):
        assert sum(text in name for name in names) == 2, text


def test_the_metrics_of_an_idle_month_are_those_whose_absence_rings(template: Template) -> None:
    alarms = [properties for _, properties in template.properties_of("AWS::CloudWatch::Alarm")]
    watched = {each["MetricName"] for each in alarms if each["TreatMissingData"] == "breaching"}
    assert watched == set(MINUTE_METRICS)
    assert COUNTS_OF_DEAD_LETTERS_AN_HOUR * DEAD_LETTERS_EVERY_MINUTES == 60


IDLE_MINUTE = {"gb_seconds": 2.0, "reads": 16}
"""An idle minute of the sweep and the census, with time to spare."""


@pytest.mark.parametrize("options", [{}, {"DailyBudget": "20"}], ids=["plain", "budget"])
def test_a_month_without_calls_costs_at_most_the_goal(options: dict[str, str]) -> None:
    month = idle_month(Template({**PARAMETERS, **options}), IDLE_MINUTE)
    assert month["dashboard_month"] == 1
    assert month["alarm_metric_month"] >= 30
    assert cost_beyond_free(month) <= MAX_IDLE_MONTH


def test_every_mapping_on_a_queue_is_polled_and_no_mapping_on_a_stream(template: Template) -> None:
    mappings = dict(template.properties_of("AWS::Lambda::EventSourceMapping"))
    on_streams = [name for name, each in mappings.items() if "StartingPosition" in each]
    assert on_streams
    assert queue_readers(template) == len(mappings) - len(on_streams)


def test_allowances_are_subtracted_and_never_make_a_cost_negative() -> None:
    free = PRICES["always_free"]
    assert cost_beyond_free({name: units / 2 for name, units in free.items()}) == 0
    beyond = cost_beyond_free({"alarm_metric_month": free["alarm_metric_month"] + 5})
    assert beyond == pytest.approx(5 * PRICES["alarm_metric_month"])


def test_the_dashboard_has_few_enough_metrics_to_be_free(template: Template) -> None:
    """AWS: 50 metrics in each of three dashboards (CloudWatch pricing)."""
    [(_, dashboard)] = template.of_type("AWS::CloudWatch::Dashboard")
    body = json.loads(template.resolver.resolve(dashboard["Properties"]["DashboardBody"]))
    assert sum(len(widget["properties"]["metrics"]) for widget in body["widgets"]) <= 50
