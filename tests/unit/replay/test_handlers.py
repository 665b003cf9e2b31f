"""A file goes through the real handlers, the engine, the executor and the client of Telnyx."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.cli.app import app
from local.replay import replay_file
from local.replay.demo import FOLDER
from local.replay.handlers import PARAMETERS, HandlersReplay
from local.simulator.signing import Signer
from local.stack.template import Template
from partyline.domain.model import results
from partyline.domain.model.commands import Action
from partyline.services.command_executor import SEND
from tests.support.backend import memory_backend, restored_process

FILES = sorted(FOLDER.glob("*.replay"))
HUNT = FOLDER / "hunt.replay"


@pytest.fixture(scope="module")
def own_template() -> Template:
    return Template(PARAMETERS)


def replayed(file: Path, template: Template) -> Any:
    backend, steps = memory_backend(template), replay_file.read(file)
    with restored_process():
        replay = HandlersReplay(template, backend.dynamodb, backend.environment)
        return replay.replay(replay_file.conversation_id_of(steps), steps)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_handlers_do_as_recorded(file: Path, own_template: Template) -> None:
    assert replayed(file, own_template) is None


def test_a_change_of_the_webhook_function_is_found(
    own_template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partyline.entrypoints.webhook.MACHINE_RESULTS", frozenset())
    difference = replayed(HUNT, own_template)
    assert difference["inputs"] == ["MachineVerdict"]


def test_a_change_of_the_executor_is_found(
    own_template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = results.Refused(code="1", message="No.")
    monkeypatch.setitem(SEND, Action.DIAL, lambda *_: refused)
    difference = replayed(HUNT, own_template)
    assert difference["inputs"] == ["CommandResult"]


def test_webhooks_whose_signature_is_refused_are_found() -> None:
    other = Template({**PARAMETERS, "TelnyxPublicKeys": Signer(bytes(32)).public_key})
    assert replayed(HUNT, other) is not None


def test_the_command_replays_on_an_embedded_aws() -> None:
    with restored_process():
        result = CliRunner().invoke(app, ["replay", "--handlers", str(FOLDER / "attached.replay")])
    assert result.exit_code == 0, result.stderr
    assert "steps are decided as recorded" in result.stdout
