"""docs/openapi.json matches the code and describes all of the API."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from local.docs.openapi import OPERATIONS, PATH, document, text
from local.stack.template import Template
from partyline.services.requests import E164_SCHEMA, PhoneNumber

LAYER = Path(__file__).resolve().parents[2] / "layers/partyline/partyline"
CODE_ARGUMENT = {"ApiError": 1, "invalid": 2, "refuse": 0}
"""The callables that take an error code, with the position of the argument."""

SIGNED = {"bad_signature", "malformed_webhook", "already_there"}
"""Error codes of the signed paths for Telnyx, which the document leaves out."""


@pytest.fixture(scope="module")
def described(template: Template) -> dict[str, Any]:
    return document(template)


def codes_in_the_code() -> Iterator[str]:
    for path in LAYER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
                arguments = node.args[CODE_ARGUMENT[name] :][:1] if name in CODE_ARGUMENT else []
                yield from (str(code.value) for code in arguments if isinstance(code, ast.Constant))


def codes_in(described: Any) -> Iterator[str]:
    if isinstance(described, dict):
        if "code" in described and "enum" in described["code"]:
            yield from described["code"]["enum"]
        for value in described.values():
            yield from codes_in(value)
    elif isinstance(described, list):
        for value in described:
            yield from codes_in(value)


def test_the_file_matches_the_code(template: Template) -> None:
    assert PATH.read_text() == text(template), "stale: make openapi"


def test_exactly_the_routes_with_a_key_are_described(
    template: Template, described: dict[str, Any]
) -> None:
    keyed = {route.key for route in template.routes if route.authorizer}
    documented = {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
    }
    assert documented == keyed == set(OPERATIONS)


def test_every_error_code_is_described(described: dict[str, Any]) -> None:
    defaults = {"invalid_request", "destination_not_allowed", "unauthorized"}
    met = {code for code in codes_in_the_code() if re.fullmatch(r"[a-z_]+", code)} | defaults
    # The gateway itself answers a request without a key.
    assert set(codes_in(described)) == met - SIGNED - {"unauthorized"}


def test_every_operation_has_a_summary_and_requires_a_key(described: dict[str, Any]) -> None:
    assert described["security"] == [{"bearerKey": []}]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].strip(), (method, path)
            assert "security" not in operation
            assert {"401", "403", "500", "503"} <= set(operation["responses"])


def test_every_schema_is_valid(described: dict[str, Any]) -> None:
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described))
    assert set(references) <= set(described["components"]["schemas"])


@given(
    number=st.from_regex(str(E164_SCHEMA["pattern"]).replace("$", r"\Z"), alphabet=st.characters())
)
def test_every_number_that_the_schema_allows_is_accepted(number: str) -> None:
    assert TypeAdapter(PhoneNumber).validate_python(number) == number


@given(text=st.text(alphabet="+0123456789 ,;@sip:٣é\n", max_size=20))
def test_every_accepted_number_is_allowed_by_the_schema(text: str) -> None:
    try:
        TypeAdapter(PhoneNumber).validate_python(text)
    except ValidationError:
        return
    assert re.fullmatch(str(E164_SCHEMA["pattern"]), text)
