"""Logs and metrics. Nothing that says who somebody is, or what was said, goes into either."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(log_uncaught_exceptions=False)
metrics = Metrics()


def count(name: str, value: int = 1) -> None:
    """Count something that happened, under the function's own dimensions."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
