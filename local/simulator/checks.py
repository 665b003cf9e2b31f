"""Check request bodies as Telnyx does, against Telnyx's public API description.

`requests.json` holds the request schemas of the Telnyx OpenAPI description. Functions in this file
check the further rules of the description's prose: number formats, base64, ranges.
"""

import base64
import binascii
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from local.simulator.model import JsonObject

Problem = tuple[str, str, str | None]

_E164 = re.compile(r"\+[1-9]\d{6,14}")
# A number may be followed by digits to press after the answer (Telnyx API: dial, `to`).
_DESTINATION = re.compile(r"\+[1-9]\d{6,14}(,[0-9wW*#]+)?|sips?:[^@\s]+@[^@\s]+")
_SIZES = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_CODES = {"enum": "10032", **dict.fromkeys(_SIZES, "10033")}
_RING_SECS = (5, 600)
_RETRIES_TOTAL_MS = 60000


def check(
    action: str, body: JsonObject, webhook_keys: frozenset[str]
) -> tuple[list[Problem], list[str]]:
    """Return the problems of `body`, worst first, and the fields that Telnyx does not know.

    Telnyx's reaction to an unknown field is not documented, so an unknown field is not a problem.
    """
    problems: list[Problem] = []
    unknown: list[str] = []
    for error in _validator(action).iter_errors(body):
        if error.validator == "additionalProperties":
            known = _mapping(error.schema)["properties"]
            unknown += [_pointer(error, name) for name in _mapping(error.instance).keys() - known]
        else:
            problems += _explain(error)
    if not problems:
        problems += _addresses(body) + _client_state(body) + _ring_time(body)
        problems += _webhooks(body, webhook_keys)
    # jsonschema reports each missing name separately, and each report repeats all missing names.
    return list(dict.fromkeys(problems)), sorted(unknown)


def _explain(error: ValidationError) -> list[Problem]:
    if error.validator == "required":
        required: Any = error.validator_value
        missing = [name for name in required if name not in _mapping(error.instance)]
        return [("10004", f"{name} is required", _pointer(error, name)) for name in missing]
    code = _CODES.get(str(error.validator), "10015")
    return [(code, error.message[:200], _pointer(error))]


def _pointer(error: ValidationError, *more: str) -> str:
    return "".join(f"/{part}" for part in (*error.absolute_path, *more))


def _mapping(value: Any) -> JsonObject:
    """Return the value as a JSON object, which the failed rule guarantees."""
    if not isinstance(value, dict):
        raise TypeError("a rule for objects failed on another type")
    return value


def _addresses(body: JsonObject) -> list[Problem]:
    problems: list[Problem] = []
    to, from_ = body.get("to"), body.get("from")
    if isinstance(to, list):
        problems.append(("10015", "the simulator rings one number a dial", "/to"))
    elif to is not None and not _DESTINATION.fullmatch(to):
        problems.append(("10016", "The 'to' parameter must be in +E164 format", "/to"))
    if from_ is not None and not _E164.fullmatch(from_):
        problems.append(("10016", "The 'from' parameter must be in +E164 format", "/from"))
    return problems


def _client_state(body: JsonObject) -> list[Problem]:
    text = body.get("client_state")
    try:
        base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return [("90017", "client_state must be a valid base64 string", "/client_state")]
    return []


def _ring_time(body: JsonObject) -> list[Problem]:
    low, high = _RING_SECS
    if not low <= body.get("timeout_secs", low) <= high:
        return [("10033", f"timeout_secs is {low} to {high}", "/timeout_secs")]
    return []


def _webhooks(body: JsonObject, keys: frozenset[str]) -> list[Problem]:
    problems: list[Problem] = [
        ("90057", f"{name} is not a valid call control event type", f"/webhook_urls/{name}")
        for name in body.get("webhook_urls", {})
        if name not in keys
    ]
    for name, policy in body.get("webhook_retries_policies", {}).items():
        if sum(policy.get("retries_ms", [])) > _RETRIES_TOTAL_MS:
            pointer = f"/webhook_retries_policies/{name}"
            problems.append(("10033", "retries_ms exceeds 60000 ms in total", pointer))
    return problems


@cache
def _description() -> JsonObject:
    text = Path(__file__).with_name("requests.json").read_text(encoding="utf-8")
    description: JsonObject = json.loads(text)
    alternatives = set(_alternatives(description["$defs"]))
    for name, schema in description["$defs"].items():
        if name not in alternatives:
            _close(schema)
    return description


@cache
def _validator(action: str) -> Draft202012Validator:
    description = _description()
    reference = f"#/$defs/{description['requests'][action]}"
    return Draft202012Validator({"$ref": reference, "$defs": description["$defs"]})


def _alternatives(node: Any) -> list[str]:
    """Return the names of `anyOf` schemas: a closed alternative would refuse unknown fields."""
    if isinstance(node, list):
        return [name for item in node for name in _alternatives(item)]
    if not isinstance(node, dict):
        return []
    names = [
        choice["$ref"].rsplit("/", 1)[1] for choice in node.get("anyOf", []) if "$ref" in choice
    ]
    return names + [name for item in node.values() for name in _alternatives(item)]


def _close(node: Any) -> None:
    """Make a schema report unlisted properties."""
    if not isinstance(node, dict):
        return
    if node.get("properties") and node.get("type") == "object":
        node.setdefault("additionalProperties", False)
    for key, item in node.items():
        if key == "properties":
            for schema in item.values():
                _close(schema)
        elif key in ("items", "additionalProperties"):
            _close(item)
