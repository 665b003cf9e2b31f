"""A function loads what it uses and no more: queries can't reach Telnyx, and start quickly.

What every request needs is loaded as Lambda starts the function, before the first one waits for it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
QUERIES = {"query"}
DIRECTORY = {"directory"}
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
def test_who_only_reads_and_writes_rows_has_no_way_to_telnyx(function: str) -> None:
    assert not loaded(function) & (TELNYX | FOR_NOBODY)


@pytest.mark.parametrize("function", sorted(QUERIES))
def test_a_query_decides_nothing(function: str) -> None:
    assert not loaded(function) & DECIDING


def test_the_authorizer_looks_at_a_secret_and_nothing_else() -> None:
    modules = loaded("authorizer")
    assert "boto3" in modules
    assert not modules & {"pydantic", "partyline.store", "partyline.domain", *TELNYX}


def test_what_puts_events_on_the_bus_reaches_nothing() -> None:
    assert not loaded("event_relay") & (TELNYX | DECIDING)


@pytest.mark.parametrize("function", sorted(WEBHOOKS))
def test_a_webhook_finds_loaded_what_it_needs(function: str) -> None:
    modules = loaded(function)
    assert modules >= {
        "boto3",
        "httpx",
        "partyline.services.engine",
        "partyline.services.command_executor",
    }
    assert not modules & {"partyline.services.requests", *FOR_NOBODY}


def test_every_event_has_its_function() -> None:
    assert len(WEBHOOKS) == 9
