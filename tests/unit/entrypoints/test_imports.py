"""Each function loads only the modules that the function uses, at its start.

Queries therefore start quickly and cannot reach Telnyx. Modules that every request needs are loaded
when Lambda starts the function, before the first request.
"""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
QUERIES = {"query"}
DIRECTORY = {"directory"}
HOOKS = {"hooks", "fan_out_hooks", "deliver_hooks"}
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
RULES = {"partyline.domain.decide", "partyline.domain.model.inputs", "partyline.settings"}
CONTENT = {"partyline.domain.content_mask", "re2"}
NEVER_LOADED = {"aws_xray_sdk", "moto", "local", "telnyx", "cryptography", "phonenumbers"}


def code_of(function: str) -> str:
    """A function's code without the docstring."""
    module = ast.parse((ROOT / "functions" / function / "app.py").read_text())
    return ast.unparse(ast.Module(module.body[1:], []))


@cache
def loaded_modules(function: str) -> frozenset[str]:
    """The modules in a new process after the import of a function."""
    program = f"import functions.{function}.app, sys; print(*sys.modules)"
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own program
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'partyline'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(ran.stdout.split())


@pytest.mark.parametrize("function", sorted(QUERIES | DIRECTORY))
def test_queries_and_directory_functions_do_not_load_telnyx_code(function: str) -> None:
    assert not loaded_modules(function) & (TELNYX | NEVER_LOADED)


@pytest.mark.parametrize("function", sorted(QUERIES))
def test_a_query_does_not_load_the_rules_of_the_domain(function: str) -> None:
    assert not loaded_modules(function) & RULES


def test_the_authorizer_loads_no_more_than_it_needs_for_a_secret() -> None:
    modules = loaded_modules("authorizer")
    assert "boto3" in modules
    assert not modules & {"pydantic", "partyline.store", "partyline.domain", *TELNYX}


def test_the_event_relay_loads_neither_telnyx_code_nor_rules() -> None:
    assert not loaded_modules("event_relay") & (TELNYX | RULES)


@pytest.mark.parametrize("function", sorted(HOOKS))
def test_functions_of_hooks_load_no_code_that_reaches_telnyx(function: str) -> None:
    assert not loaded_modules(function) & (TELNYX | NEVER_LOADED)


@pytest.mark.parametrize("function", [min(WEBHOOKS), "trigger", "timer", "tool_invite"])
def test_functions_for_which_a_caller_waits_load_nothing_of_hooks(function: str) -> None:
    hooks = {name for name in loaded_modules(function) if "hook" in name.rpartition(".")[2]}
    assert {name for name in hooks if name.startswith("partyline")} <= {
        "partyline.entrypoints.webhook",
        "partyline.telnyx.webhooks",
        "partyline.telnyx.webhook_urls",
    }


def test_a_webhook_function_loads_the_engine_before_its_first_request() -> None:
    modules = loaded_modules(min(WEBHOOKS))
    assert modules >= {
        "boto3",
        "httpx",
        "partyline.services.engine",
        "partyline.services.command_executor",
    }
    assert not modules & {"partyline.services.requests", *NEVER_LOADED, *CONTENT}


@pytest.mark.parametrize("function", ["query", "control", "tool_invite", "event_relay"])
def test_a_function_loads_the_mask_of_content_at_the_first_content_only(function: str) -> None:
    assert not loaded_modules(function) & CONTENT


def test_the_nine_webhook_functions_have_the_same_code() -> None:
    assert len(WEBHOOKS) == 9
    assert len({code_of(function) for function in WEBHOOKS}) == 1
