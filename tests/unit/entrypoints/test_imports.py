"""A function loads what it uses and no more: queries can't reach Telnyx, and start quickly.

What every request needs is loaded as Lambda starts the function, before the first one waits for it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
QUERIES = {"get_conversation", "get_timeline", "list_conversations"}
DIRECTORY = {
    *("get_route", "list_routes", "put_route", "delete_route"),
    *("get_do_not_call", "put_do_not_call", "delete_do_not_call"),
}
WEBHOOKS = {
    path.parent.name
    for path in (ROOT / "functions").glob("*/app.py")
    if "entrypoints.webhook" in path.read_text()
}
TELNYX = {
    "httpx",
    "nacl",
    "partyline.telnyx",
    "partyline.services.command_executor",
    "partyline.services.engine",
}
DECIDING = {"partyline.domain.decide", "partyline.domain.model.inputs", "partyline.settings"}
FOR_NOBODY = {"aws_xray_sdk", "moto", "local", "telnyx", "cryptography", "phonenumbers"}


def loaded(function: str) -> set[str]:
    """The modules that are there once a function is imported."""
    program = f"import functions.{function}.app, sys; print(*sys.modules)"
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own program
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'partyline'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize("function", sorted(QUERIES | DIRECTORY))
def test_queries_and_directory_functions_do_not_load_telnyx_code(function: str) -> None:
    assert not loaded(function) & (TELNYX | FOR_NOBODY)


@pytest.mark.parametrize("function", sorted(QUERIES))
def test_a_query_does_not_load_the_rules_of_the_domain(function: str) -> None:
    assert not loaded(function) & DECIDING


def test_the_authorizer_loads_no_more_than_it_needs_for_a_secret() -> None:
    modules = loaded("authorizer")
    assert "boto3" in modules
    assert not modules & {"pydantic", "partyline.store", "partyline.domain", *TELNYX}


def test_the_event_relay_loads_no_aws_client_and_no_telnyx_code() -> None:
    assert not loaded("outbox") & {"boto3", *TELNYX, *DECIDING}


@pytest.mark.parametrize("function", sorted(WEBHOOKS))
def test_a_webhook_function_loads_the_engine_before_its_first_request(function: str) -> None:
    modules = loaded(function)
    assert modules >= {
        "boto3",
        "httpx",
        "partyline.services.engine",
        "partyline.services.command_executor",
    }
    assert not modules & {"partyline.services.requests", *FOR_NOBODY}


def test_there_are_nine_webhook_functions() -> None:
    assert len(WEBHOOKS) == 9
