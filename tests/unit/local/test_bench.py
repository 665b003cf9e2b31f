"""`make bench` measures with the stated number of conversations in every round."""

from collections.abc import Callable, Iterator

import pytest

from local.bench.warm import Answer, WarmBench
from local.stack.local_stack import LocalStack, Options
from partyline.bootstrap import override
from tests.support.deployment import delete_all_items


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
