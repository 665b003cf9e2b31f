"""The help: sections, examples that parse, the version, JSON, and completion."""

import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from local.cli.app import SECTIONS, app

GROUP: Any = typer.main.get_command(app)
GROUPS: dict[str, Any] = {name: GROUP.commands[name] for name in ("conversations", "hooks")}
COMMANDS = {
    **{name: command for name, command in GROUP.commands.items() if name not in GROUPS},
    **{
        f"{group} {name}": command
        for group, commands in GROUPS.items()
        for name, command in commands.commands.items()
    },
}
WITHOUT_JSON = {"demo"}
"""`demo` shows calls to a person. Its result is the exit status."""

ROOT = Path(__file__).resolve().parents[3]


def examples(command: Any) -> list[str]:
    """The lines of a command's examples."""
    return [line.strip() for line in (command.epilog or "").splitlines()[2:]]


def test_the_help_lists_every_command_in_a_section() -> None:
    result = CliRunner().invoke(app, ["--help"])
    lines = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")]
    assert set(GROUP.commands) <= set(lines)
    assert [f"{name}:" in result.stdout for name in SECTIONS] == [True] * len(SECTIONS)
    assert "Exit statuses" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_examples_that_parse(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = COMMANDS[name]
    shown = CliRunner().invoke(app, [*name.split(), "--help"]).stdout
    assert examples(command)
    for example in examples(command):
        assert f"    {example}\n" in shown, "an example is a line of its own"
        text = example.partition(" | ")[0].removeprefix("ID=$(").removesuffix(")")
        words = shlex.split(text.partition(" < ")[0])
        program = next(nth for nth, word in enumerate(words) if word == "partyline")
        arguments = words[program + 1 :]
        assert arguments[: len(name.split())] == name.split()
        monkeypatch.setattr(command, "callback", lambda **_: None)
        assert command.main(arguments[len(name.split()) :], standalone_mode=False) is None


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - WITHOUT_JSON))
def test_a_command_can_print_json(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert "--json" in options


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"partyline {project['version']}\n")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("partyline inv", "invite"),
        ("partyline conversations ti", "timeline"),
        ("partyline trigger call.ha", "call.hangup"),
        ("partyline conversations list --status sch", "scheduled"),
        ("partyline mode 402ec47c aw", "away"),
    ],
)
def test_a_shell_completes_commands_and_values(words: str, completed: str) -> None:
    variables = {
        "_PARTYLINE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    result = CliRunner().invoke(app, [], env=variables, prog_name="partyline")
    assert result.stdout.split() == [completed]
