"""The census of live calls: once a minute, finds the calls whose hangup was lost.

Every fifth minute the function also counts the dead letters. SQS has a metric for each queue, and
an alarm pays for each.
"""

from collections.abc import Callable
from typing import Any

from partyline.aws_errors import AwsError
from partyline.bootstrap import App, with_app
from partyline.domain.model.timeouts import CENSUS_GRACE
from partyline.entrypoints.sweep import hand_out, time_left
from partyline.telemetry import Metric, count, count_if_any, logger

DEAD_LETTERS_EVERY_MINUTES = 5


def census() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The handler of the scheduled function. Its answer counts the calls that were missing."""

    def handle(app: App, _event: dict[str, Any], context: Any) -> dict[str, int]:
        has_time = time_left(context)
        if app.clock().minute % DEAD_LETTERS_EVERY_MINUTES == 0:
            _count_dead_letters(app)
        try:
            result = app.census.take(has_time)
        except AwsError as error:
            count(Metric.CENSUS_FAILED)
            logger.error("census failed", extra={"error": type(error).__name__})
            return {"missing": 0}
        count_if_any(Metric.CENSUS_CALLS, result.compared)
        count_if_any(Metric.CENSUS_MISSING, result.missing)
        count(Metric.CENSUS_FAILED, result.failed)  # also 0: the alarm rings when no value comes
        hand_out(app, iter(result.messages), "census", has_time, CENSUS_GRACE)
        return {"missing": result.missing}

    return with_app(handle)


def _count_dead_letters(app: App) -> None:
    try:
        letters = app.all_dead_letters.count()
    except AwsError as error:
        logger.error("dead letters not counted", extra={"error": type(error).__name__})
        return
    count(Metric.DEAD_LETTERS, letters)  # also 0: the alarm rings when no value comes
