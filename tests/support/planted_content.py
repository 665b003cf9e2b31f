"""Webhooks of Telnyx whose insights and messages hold planted values."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from tests.support.lab import Lab
from tests.support.planted import Planted, planted
from tests.support.security import post, signed

VALUES = cache(lambda: planted(2000))  # made by the first test, not by the collection
IN_TURN = 20  # the values of a text


def texts(values: Sequence[Planted]) -> list[str]:
    """Sentences with the values, some as JSON."""
    parts = [values[start : start + IN_TURN] for start in range(0, len(values), IN_TURN)]
    said = [" \u2013 and then: ".join(value.text for value in part) for part in parts]
    return [json.dumps({"said": text}) if nth % 3 == 0 else text for nth, text in enumerate(said)]


def deliver(lab: Lab, event_type: str, number: str, **payload: Any) -> None:
    """Deliver a webhook of Telnyx about the newest leg of a number."""
    leg = lab.leg(number)
    ids = {"call_control_id": leg.call_control_id, "client_state": leg.client_state}
    data = {"event_type": event_type, "id": f"e-{event_type}", "payload": {**ids, **payload}}
    body = json.dumps({"data": data}).encode()
    assert post(lab, body, signed(body, int(lab.clock.now().timestamp()))) == 200


def insights(values: Sequence[Planted], name: str) -> list[dict[str, Any]]:
    """Insights that hold the values as texts, in lists, and as names."""
    results: list[Any] = list(texts(values))
    results[1] = {"facts": [results[1], {results[2]: 1}]}
    return [{"insight_id": f"{name}-{nth}", "result": text} for nth, text in enumerate(results)]


def messages(values: Sequence[Planted]) -> list[dict[str, Any]]:
    """Messages of a conversation that hold the values in texts and in calls of tools."""
    said = [{"role": "user", "content": text} for text in texts(values)]
    function = {"name": "note", "arguments": json.dumps({"said": said[1]["content"]})}
    calls = [{"id": "call-1", "type": "function", "function": function}]
    return [*said, {"role": "assistant", "content": None, "tool_calls": calls}]


def texts_in(value: Any) -> list[str]:
    """Return all texts in a JSON value, also in texts that are JSON themselves."""
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return texts_in(json.loads(value))
        except ValueError:
            return [value]
    return [str(value)]
