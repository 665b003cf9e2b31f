"""A function loads what it uses and no more: queries can't reach Telnyx, and start quickly."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
QUERIES = {"get_conversation", "get_timeline", "list_conversations", "authorizer"}
TELNYX = {"httpx", "nacl", "telnyx", "partyline.telnyx", "partyline.dispatch"}
HEAVY = {"boto3", "aws_xray_sdk", "moto", "local", "telnyx", "cryptography"}


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


@pytest.mark.parametrize("function", sorted(QUERIES))
def test_a_query_has_no_way_to_telnyx(function: str) -> None:
    assert not loaded(function) & TELNYX


def test_a_function_loads_nothing_before_it_needs_it() -> None:
    for function in ("call_answered", "start_conversation"):
        assert not loaded(function) & HEAVY


def test_the_queries_are_all_there() -> None:
    assert set(FUNCTIONS) >= QUERIES
