"""`make bench` measures what it says: at a size, from the first round to the last."""

from collections.abc import Callable, Iterator

import pytest

from local.bench.warm import Answer, WarmBench
from local.stack.local_stack import LocalStack, Options
from partyline.bootstrap import override


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(Options(with_turns=False)) as stack:
        yield stack
        override(None)


class Watching(WarmBench):
    """Notes how many conversations are in the table when a webhook is measured."""

    def __init__(self, stack: LocalStack) -> None:
        super().__init__(stack)
        self.seen: list[int] = []

    def time(self, handler: Callable[[Answer], Answer]) -> float:
        if handler == self.ours:
            rows = self._client.scan(TableName=self._table)["Items"]
            self.seen.append(sum("open" in row for row in rows))
        return super().time_handler(handler)


def test_a_size_is_what_it_says_in_every_round(stack: LocalStack) -> None:
    bench = Watching(stack)
    sizes = []
    for size, measured in bench.measure_at_sizes(rounds=4, sizes=(1, 3)):
        assert bench.seen[-4:] == [size] * 4
        assert (measured.trips, measured.requests) == (2, 1)
        sizes.append(size)
    assert sizes == [1, 3]


def test_every_size_is_printed(stack: LocalStack) -> None:
    printed = [each.name for each in WarmBench(stack).figures(1, sizes=(2, 4))]
    for what in ("conversations going on", "round trips to the table", "requests to Telnyx"):
        assert sum(what in each for each in printed) == 2, what
