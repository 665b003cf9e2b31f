"""The figures of runs, their goals, and the costs."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.bench.goals import Figure
from local.scale.run import Result

PRICES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "bench/prices.json").read_text())

MAX_P99_SECS, MAX_LATE_SECS, MAX_KNOWN_SECS = 2.0, 5.0, 180.0
CONVERSATIONS_PER_REQUEST = 400
"""So many conversations on the line cause at most a request a second to Telnyx."""

MAX_GROWTH = 1.1
"""The units of a conversation in the largest run, against those in the smallest."""

BEHIND_NO_ROUTE = ("timer", "sweep", "census", "authorizer")
HOUR = 3600
SHOWN_PEAKS = 5  # functions


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the values does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def figures(result: Result) -> Iterator[Figure]:
    """Yield the figures of a run."""
    late, known = result.lateness_secs, result.known_secs
    yield Figure("timers of people who wait", len(late), unit="")
    yield Figure("  late, p50", percentile(late, 0.5), unit="s")
    yield Figure("  late, p99", percentile(late, 0.99), MAX_P99_SECS, "s")
    yield Figure("  late, max", max(late, default=0.0), MAX_LATE_SECS, "s")
    secs = [secs for secs in known if secs is not None]
    yield Figure("lost hangups", len(known), unit="")
    yield Figure("  known after, p50", percentile(secs, 0.5), unit="s")
    yield Figure("  known after, max", max(secs, default=0.0), MAX_KNOWN_SECS, "s")
    yield Figure("  never known", len(known) - len(secs), 0, "")
    held = result.held_requests / result.held_secs
    goal = result.conversations / CONVERSATIONS_PER_REQUEST
    yield Figure("requests to Telnyx while all are on the line", held, goal, "a second")
    yield Figure("  in the whole run", result.requests / result.run_secs, unit="a second")
    for unit in ("reads", "writes"):
        used = result.used[unit] / result.run_secs
        yield Figure(f"table: {unit[:-1]} units", used, unit="a second")
        yield Figure("  a conversation", units(result, unit), unit="units")
    invocations = result.used["invocations"]
    yield Figure("invocations", invocations / result.run_secs, unit="a second")
    for folder, most in sorted(result.peaks.items(), key=lambda peak: -peak[1])[:SHOWN_PEAKS]:
        yield Figure(f"  most at once, of {folder}", most, unit="")
    money = f"{PRICES['currency']} an hour, without logs"
    yield Figure("cost", cost(result.used) / result.run_secs * HOUR, unit=money)


def growth(smallest: Result, largest: Result) -> Iterator[Figure]:
    """Yield how much more units a conversation of the larger run takes."""
    for unit in ("reads", "writes"):
        ratio = units(largest, unit) / units(smallest, unit)
        sizes = f"from {smallest.conversations} to {largest.conversations}"
        yield Figure(f"growth {sizes}: {unit[:-1]} units a conversation", ratio, MAX_GROWTH)


def units(result: Result, unit: str) -> float:
    """Return the units of the table that a conversation took."""
    return result.used[unit] / result.conversations


def cost(used: Mapping[str, float]) -> float:
    """Return the price of a run: functions, requests, table and queue."""
    invocations = used["invocations"]
    http = invocations - sum(used[f"invocations of {folder}"] for folder in BEHIND_NO_ROUTE)
    amounts = {
        "lambda_request": invocations,
        "lambda_gb_second_arm64": used["gb_seconds"],
        "http_api_request": http,
        "dynamodb_read_unit": used["reads"],
        "dynamodb_write_unit": used["writes"],
        "sqs_request": used["sqs_requests"],
    }
    return float(sum(PRICES[name] * amount for name, amount in amounts.items()))
