"""docs/openapi.json matches the code and describes all of the API."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat
from pydantic import TypeAdapter, ValidationError

from local.docs.openapi import PATH, document, text
from local.stack.template import Template
from partyline.domain.dial_policy import IMPOSSIBLE
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.numbers import normal_number
from partyline.entrypoints.http import HTTP_STATUS
from partyline.services.requests import E164_SCHEMA, PhoneNumber

TELNYX_ONLY = {ErrorCode.BAD_SIGNATURE, ErrorCode.MALFORMED_WEBHOOK}
"""The errors of the routes that Telnyx asks, which the document does not describe."""


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


def codes_in(described: Any) -> Iterator[str]:
    if isinstance(described, dict):
        if "code" in described and "enum" in described["code"]:
            yield from described["code"]["enum"]
        for value in described.values():
            yield from codes_in(value)
    elif isinstance(described, list):
        for value in described:
            yield from codes_in(value)


def test_the_file_is_what_the_code_says() -> None:
    assert PATH.read_text() == text(), "stale: make openapi"


def test_exactly_the_routes_with_a_key_are_described(
    template: Template, described: dict[str, Any]
) -> None:
    keyed = {route.key for route in template.routes if route.authorizer}
    documented = {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
    }
    assert documented == keyed


def test_the_document_names_every_error_code(described: dict[str, Any]) -> None:
    # The gateway answers a request without a key, before a function could answer `unauthorized`.
    assert set(codes_in(described)) == set(ErrorCode) - TELNYX_ONLY - {ErrorCode.UNAUTHORIZED}


def test_every_error_code_has_a_status() -> None:
    assert set(HTTP_STATUS) == set(ErrorCode)


def test_every_operation_has_a_summary_and_requires_a_key(described: dict[str, Any]) -> None:
    assert described["security"] == [{"bearerKey": []}]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].strip(), (method, path)
            assert "security" not in operation
            assert {"401", "403", "500", "503"} <= set(operation["responses"])


def test_the_headers_of_repeated_and_later_requests_are_described(
    described: dict[str, Any],
) -> None:
    for methods in described["paths"].values():
        for operation in methods.values():
            names = {parameter["name"] for parameter in operation.get("parameters", ())}
            for status, answer in operation["responses"].items():
                done, ours = status < "300", "anyOf" in json.dumps(answer)
                replayed = "Idempotent-Replayed" in answer.get("headers", {})
                assert replayed == (done and "Idempotency-Key" in names)
                later = "Retry-After" in answer.get("headers", {})
                assert later == (status in ("429", "503") and ours)


def test_every_schema_is_valid(described: dict[str, Any]) -> None:
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    references = re.findall(r'"#/components/schemas/([\w-]+)"', json.dumps(described))
    assert set(references) <= set(described["components"]["schemas"])


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_number_of_every_country_is_accepted_in_every_spelling_and_allowed_by_the_schema(
    region: str,
) -> None:
    number = phonenumbers.example_number(region)
    assert number is not None
    normal = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    for spelling in (normal, international, international.replace(" ", "\u2011")):
        assert TypeAdapter(PhoneNumber).validate_python(spelling) == normal
    assert re.fullmatch(str(E164_SCHEMA["pattern"]), normal)


@given(
    number=st.from_regex(str(E164_SCHEMA["pattern"]).replace("$", r"\Z"), alphabet=st.characters())
)
def test_a_number_that_the_schema_allows_is_refused_only_if_it_is_impossible(number: str) -> None:
    if normal_number(number) is None:
        with pytest.raises(ValidationError, match=IMPOSSIBLE):
            TypeAdapter(PhoneNumber).validate_python(number)
    else:
        normal = TypeAdapter(PhoneNumber).validate_python(number)
        assert TypeAdapter(PhoneNumber).validate_python(normal) == normal


@given(text=st.text(alphabet="+0123456789 ,;@sip:٣é\n", max_size=20))
def test_every_accepted_number_is_allowed_by_the_schema(text: str) -> None:
    try:
        normal = TypeAdapter(PhoneNumber).validate_python(text)
    except ValidationError:
        return
    assert re.fullmatch(str(E164_SCHEMA["pattern"]), normal)
