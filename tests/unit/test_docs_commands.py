"""The commands of README and docs run in their order, as printed, against `make dev`."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest
import typer.main
from botocore import xform_name

from local import credentials
from local.cli.app import app
from local.serving import free_port
from tests.support.pages import (
    NOT_RUN,
    PAGES,
    README,
    ROOT,
    blocks,
    canonical,
    commands,
    omission,
)
from tests.support.patience import PATIENCE_SECS

RUN = [page for page in PAGES if any(not omission(command) for command in commands(page))]
COMMANDS = [command for page in PAGES for command in commands(page)]
LANGUAGES = {"sh", "json", "yaml", "mermaid"}
AWS_OPTIONS = {"--query", "--output"}
"""Options of the AWS CLI for every operation."""
EXPECTED = {
    "api.md": "Calling “Dana” now.",
    "connecting.md": "Nothing is wrong.",
    "local.md": '<-- [200] {"status":"ok"}',
    "replay.md": "are decided as recorded.",
}
"""Texts in the output of pages whose commands also end with 0 when they have no effect."""

PRELUDE = """
set -Eeuo pipefail
trap 'echo "failed: $BASH_COMMAND" >&2' ERR
curl() { command curl --fail-with-body --show-error "$@"; }
make() { command make --no-print-directory -C "$ROOT" "$@"; }
partyline() { "$PYTHON" -P -c "$PARTYLINE" "$@"; }
"""
PARTYLINE = """
from pathlib import Path
from local.connect import records
records.FOLDER = Path.home() / ".partyline"
from local.cli.app import app
app(prog_name="partyline")
"""
"""The command line, with the records of `connect` in the test's home."""


@dataclass(frozen=True)
class Stack:
    """The running `make dev`: its port, and the home with the keys of the run."""

    port: int
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the printed commands."""
        return {
            **_environment(self.home),
            "PARTYLINE": PARTYLINE,
            "PYTHON": sys.executable,
            "ROOT": str(ROOT),
        }

    def run(self, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run commands in one shell. The ports of the stack replace the printed ports."""
        text = text.replace("127.0.0.1:8400", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:8401", f"127.0.0.1:{self.port + 1}")
        return subprocess.run(  # noqa: S603 our own pages
            ["bash", "-c", PRELUDE + text],  # noqa: S607 the user's shell
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE_SECS,
            check=False,
        )


def _environment(home: Path) -> dict[str, str]:
    # Without the layer on the path, as for a user.
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}


def _two_free_ports() -> int:
    """Return a free port; the next port is free too."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 1)):
                return port


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of `make dev`, with a call. At the end no request has broken a rule of Telnyx."""
    missing = [program for program in ("bash", "curl", "jq") if shutil.which(program) is None]
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {', '.join(missing)}")
    home = tmp_path_factory.mktemp("home")
    running = Stack(_two_free_ports(), home)
    environment = {**_environment(home), "PORT": str(running.port)}
    command = [sys.executable, "-P", "-m", "local", "dev"]
    keys = home / ".partyline" / "dev"
    with (
        (home / "log").open("w+") as log,
        subprocess.Popen(  # noqa: S603 our own program
            command, env=environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            end = time.monotonic() + PATIENCE_SECS
            while not all((keys / name).exists() for name in _KEYS):
                assert process.poll() is None, (home / "log").read_text()
                assert time.monotonic() < end, (home / "log").read_text()
                time.sleep(0.1)
            _call_in(running.port + 1, keys / credentials.SIMULATOR_KEY)
            yield running
            assert _violations(running.port + 1, keys / credentials.SIMULATOR_KEY) == []
        finally:
            process.terminate()


_KEYS = (credentials.BEARER_KEY, credentials.SIMULATOR_KEY, credentials.SIGNING_KEY)


def _violations(port: int, key: Path) -> object:
    return _admin(port, key, "GET", "state")["violations"]


def _call_in(port: int, key: Path) -> None:
    """Let a person call, so that a page can show the newest conversation."""
    _admin(port, key, "POST", "ring_in", {"from": "+13125550129", "to": "+13125550100"})


def _admin(port: int, key: Path, method: str, path: str, body: object = None) -> Any:
    url = f"http://127.0.0.1:{port}/admin/{path}"
    headers = {"authorization": f"Bearer {key.read_text().strip()}"}
    response = httpx.request(method, url, json=body, headers=headers, timeout=PATIENCE_SECS)
    return response.raise_for_status().json()


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_the_commands_of_a_page_run_in_their_order(
    page: Path, stack: Stack, tmp_path: Path
) -> None:
    text = "".join(command for command in commands(page) if not omission(command))
    result = stack.run(text, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert EXPECTED.get(page.name, "") in result.stdout


def test_the_commands_of_the_pages_that_users_need_first_run() -> None:
    names = {page.name for page in RUN}
    assert names >= {"README.md", "api.md", "local.md", "connecting.md", "deploying.md"}


def test_a_failing_command_fails_the_page(stack: Stack, tmp_path: Path) -> None:
    for text in ("curl -s http://127.0.0.1:8400/conversations\n", "partyline nonsense\n"):
        result = stack.run(text + "echo reached\n", tmp_path)
        assert result.returncode
        assert "failed: " in result.stderr
        assert "reached" not in result.stdout


def test_every_block_is_run_or_is_no_command() -> None:
    for page in PAGES:
        text = page.read_text()
        found = blocks(text)
        assert {language for language, _ in found} <= LANGUAGES, page.name
        fences = len(re.findall(r"^ *```", text, re.MULTILINE))
        assert fences == 2 * len(found), f"{page.name} has a block without a language"


def test_every_reason_not_to_run_a_command_is_in_use() -> None:
    assert {omission(command) for command in COMMANDS} - {None} == set(NOT_RUN)


def _omitted(first: str) -> list[str]:
    texts = [canonical(command) for command in COMMANDS if omission(command)]
    return [text for text in texts if text.startswith(f"{first} ")]


@pytest.mark.parametrize("command", _omitted("partyline"))
def test_the_command_line_knows_the_options_of_a_command_that_is_not_run(command: str) -> None:
    group: Any = typer.main.get_command(app)
    _without_effect(group)
    words = shlex.split(command.replace("<ApiUrl>", "https://api.example.com"))
    assert group.main(words[1:], standalone_mode=False) is None


def _without_effect(command: Any) -> None:
    """Let a command parse its options and do nothing."""
    subcommands = getattr(command, "commands", {})
    for subcommand in subcommands.values():
        _without_effect(subcommand)
    command.callback = lambda **_: None


@pytest.mark.parametrize("command", _omitted("make"))
def test_the_makefile_knows_the_variables_of_a_command_that_is_not_run(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    _, target, *_ = command.split(" ")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    parameters = set(re.findall(r"^  (\w+):$", _parameters(), re.MULTILINE))
    for name in re.findall(r"(\w+)=", command):
        assert f"$({name})" in makefile or name in parameters, name


def _parameters() -> str:
    source = (ROOT / "template.yaml").read_text()
    return source.partition("\nParameters:\n")[2].partition("\nRules:")[0]


@pytest.mark.parametrize("command", _omitted("aws"))
def test_aws_knows_the_options_of_a_command_that_is_not_run(command: str) -> None:
    _, service, operation, *_ = command.split(" ")
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape is not None
    options = {f"--{xform_name(name, '-')}" for name in shape.members}
    assert set(re.findall(r" (--[a-z-]+)", command)) <= options | AWS_OPTIONS


def test_the_command_line_page_names_every_command() -> None:
    page = (ROOT / "docs/local.md").read_text()
    table = page.partition("## The command line")[2].partition("\n## ")[0]
    group: Any = typer.main.get_command(app)
    assert set(re.findall(r"`partyline ([a-z-]+)", table)) == set(group.commands)


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= 1200
