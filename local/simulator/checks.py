"""Check request bodies as Telnyx does, against Telnyx's public API description.

`requests.json` holds the request schemas of the Telnyx OpenAPI description. Functions in this file
check the further rules of the description's prose: number formats, base64, ranges.
"""

import base64
import binascii
import json
import re
from copy import deepcopy
from functools import cache, lru_cache
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
# Telnyx API: dial, from_display_name; hangup, reason (the text of a SIP Reason header).
_TEXTS = {
    "from_display_name": re.compile(r"[\w \\~!.+-]{0,128}"),
    "reason": re.compile(r'[^"\\\x00-\x1f\x7f\U00010000-\U0010ffff]*'),
}
_RING_SECS = (5, 600)
_RETRIES_TOTAL_MS = 60000


def check(
    action: str, body: JsonObject, webhook_keys: frozenset[str], *, texts_as_urls: bool = False
) -> tuple[list[Problem], list[str]]:
    """Check the body of a request.

    Telnyx answers 200 to an unknown field and ignores the field, so an unknown field is not a
    problem (seen on live calls, July 2026).

    Args:
        action: The action, e.g. `dial`.
        body: The request's body.
        webhook_keys: The event types that are valid keys of `webhook_urls`.
        texts_as_urls: Accept a text for each event type in `webhook_urls`, and no list.

    Returns:
        The problems, worst first, and the JSON pointers of the fields that Telnyx does not know.
    """
    problems, unknown = _checked(action, json.dumps(body), webhook_keys, texts_as_urls)
    return list(problems), list(unknown)


@lru_cache(maxsize=4096)  # tests send the same bodies many times, and a check takes long
def _checked(
    action: str, text: str, webhook_keys: frozenset[str], texts_as_urls: bool
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Check a body in JSON. The arguments and the result are those of `check`."""
    body: JsonObject = json.loads(text)
    schema = {"$ref": f"#/$defs/{_description()['requests'][action]}"}
    validator = _validator(texts_as_urls).evolve(schema=schema)
    problems = [problem for error in validator.iter_errors(body) for problem in _explain(error)]
    if not problems:
        problems += _addresses(body) + _texts(body) + _client_state(body) + _ring_time(body)
        problems += _webhooks(body, webhook_keys)
    # jsonschema reports each missing name separately, and each report repeats all missing names.
    return tuple(dict.fromkeys(problems)), tuple(sorted(_unknown_fields(schema, body, "")))


def _unknown_fields(schema: JsonObject, value: Any, pointer: str) -> set[str]:
    """Return the pointers of the fields in `value` that the schema does not list.

    A schema without properties accepts every field. Of several alternatives, the alternative counts
    that accepts the value and knows the most fields of the value.
    """
    schema = _resolved(schema)
    if "anyOf" in schema:
        choices = [
            choice
            for choice in schema["anyOf"]
            if _validator().evolve(schema=choice).is_valid(value)
        ]
        unknown = [_unknown_fields(choice, value, pointer) for choice in choices]
        return min(unknown, key=len, default=set())
    if isinstance(value, list):
        return {
            field
            for place, item in enumerate(value)
            for field in _unknown_fields(schema.get("items", {}), item, f"{pointer}/{place}")
        }
    if not isinstance(value, dict):
        return set()
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", {})
    fields = {f"{pointer}/{name}" for name in value.keys() - known if known}
    for name, item in value.items():
        fields |= _unknown_fields(known.get(name, rest), item, f"{pointer}/{name}")
    return fields


def _resolved(schema: JsonObject) -> JsonObject:
    while "$ref" in schema:
        schema = _description()["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _explain(error: ValidationError) -> list[Problem]:
    if error.validator == "required":
        required: Any = error.validator_value
        instance: Any = error.instance
        missing = [name for name in required if name not in instance]
        return [("10004", f"{name} is required", _pointer(error, name)) for name in missing]
    code = _CODES.get(str(error.validator), "10015")
    return [(code, error.message[:200], _pointer(error))]


def _pointer(error: ValidationError, *more: str) -> str:
    return "".join(f"/{part}" for part in (*error.absolute_path, *more))


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


def _texts(body: JsonObject) -> list[Problem]:
    return [
        ("10015", f"{name} has characters that are not allowed", f"/{name}")
        for name, allowed in _TEXTS.items()
        if not allowed.fullmatch(body.get(name, ""))
    ]


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
    return description


@cache
def _validator(texts_as_urls: bool = False) -> Draft202012Validator:
    """Return a validator to evolve; `texts_as_urls` is the form of before August 2026."""
    definitions = _description()["$defs"]
    if texts_as_urls:
        definitions = deepcopy(definitions)
        for name in ("CallRequest", "AnswerRequest"):
            urls = definitions[name]["properties"]["webhook_urls"]
            urls["additionalProperties"] = {"type": "string"}
    return Draft202012Validator({"$defs": definitions})
