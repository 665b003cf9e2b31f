"""A replay file that was changed or cut, or has a newer version, is refused with the reason."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from local.cli.app import app
from local.replay import driver, replay_file
from local.replay.demo import FOLDER
from local.replay.replay_file import ReplayFileError

FILES = sorted(FOLDER.glob("*.replay"))
DEMO_CALL = FOLDER / "declined.replay"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["replay", *arguments])


def test_each_demo_call_has_a_file() -> None:
    from local.demo.scenarios import SCENARIOS  # noqa: PLC0415 - the demo is slow to import

    names = {scenario.__name__.replace("_", "-") for scenario in SCENARIOS}
    assert names <= {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_saved_conversation_is_decided_as_recorded(file: Path) -> None:
    steps = replay_file.read(file)
    assert len(steps) > 3
    assert driver.replay(steps) is None


def test_the_command_tells_that_each_step_is_decided_as_recorded() -> None:
    result = run(str(DEMO_CALL))
    assert result.exit_code == 0
    assert "steps are decided as recorded" in result.stdout


def test_json_of_a_replay_has_the_difference(tmp_path: Path) -> None:
    document = json.loads(run(str(DEMO_CALL), "--json").stdout)
    steps = len(replay_file.read(DEMO_CALL))
    assert document == {"steps": steps, "first_bad": None, "difference": None}
    changed = replay_file.read(DEMO_CALL)
    changed[0]["commands"] = []
    file = tmp_path / "changed.replay"
    replay_file.write(file, changed)
    result = run(str(file), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["difference"]["recorded"]["commands"] == []


def test_a_file_that_is_written_again_is_the_same(tmp_path: Path) -> None:
    copy = tmp_path / "copy.replay"
    replay_file.write(copy, replay_file.read(DEMO_CALL))
    assert copy.read_bytes() == DEMO_CALL.read_bytes()


def _with_header(text: str, **fields: object) -> str:
    first, _, rest = text.partition("\n")
    return json.dumps({**json.loads(first), **fields}) + "\n" + rest


BAD_FILES: dict[str, tuple[Callable[[str], str], str]] = {
    "changed": (lambda text: text.replace("Guest a", "Guest b", 1), "was changed"),
    "cut between lines": (lambda text: "".join(text.splitlines(True)[:-2]), "was cut: "),
    "cut in a line": (lambda text: text[:-9], "was cut: "),
    "longer": (lambda text: text + text.splitlines(True)[-1], "was changed"),
    "newer": (lambda text: _with_header(text, partyline_replay=2), "has version 2 of the format"),
    "with a strange version": (lambda text: _with_header(text, partyline_replay="x"), "version x"),
    "without steps": (lambda text: _with_header(text, steps=None), "was cut"),
    "empty": (lambda text: "", "is no replay file"),
    "not JSON": (lambda text: "nonsense", "is no replay file"),
    "other JSON": (lambda text: "[1]\n", "is no replay file"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    spoil, reason = BAD_FILES[name]
    file = tmp_path / "bad.replay"
    file.write_text(spoil(DEMO_CALL.read_text()))
    with pytest.raises(ReplayFileError, match=reason):
        replay_file.read(file)
    result = run(str(file))
    assert result.exit_code == 2
    assert reason in result.stderr.replace("\n", " ")
    assert result.stdout == ""


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    result = run(str(tmp_path / "missing.replay"))
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_a_file_with_an_unknown_input_is_refused(tmp_path: Path) -> None:
    steps = replay_file.read(DEMO_CALL)
    steps[1]["inputs"][0]["type"] = "CallPainted"
    file = tmp_path / "unknown.replay"
    replay_file.write(file, steps)
    result = run(str(file))
    assert result.exit_code == 2
    assert "this commit has no input CallPainted" in result.stderr


def test_a_difference_names_the_step_and_both_decisions(tmp_path: Path) -> None:
    steps = replay_file.read(DEMO_CALL)
    place = next(nth for nth, step in enumerate(steps) if step["commands"])
    steps[place]["commands"][0]["attempts"] = 7
    file = tmp_path / "different.replay"
    replay_file.write(file, steps)
    result = run(str(file))
    assert result.exit_code == 1
    assert f"Step {steps[place]['version']} (" in result.stdout
    assert [line for line in result.stdout.splitlines() if line.startswith("-command ")]
    assert [line for line in result.stdout.splitlines() if line.startswith("+command ")]
