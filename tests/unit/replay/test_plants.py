"""A replay of the saved files shows every planted change of the rules."""

import compileall
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.replay import driver
from local.replay.demo import FOLDER
from tests.unit.replay.plants import PLANTS, Plant, copy_domain

FILES = sorted(map(str, FOLDER.glob("*.replay")))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The domain with its bytecode, so that a process compiles a planted file only."""
    layer = tmp_path_factory.mktemp("layer")
    copy_domain(layer)
    compileall.compile_dir(layer, quiet=2)
    return layer


@pytest.fixture
def layer(compiled: Path, tmp_path: Path) -> Path:
    return shutil.copytree(compiled, tmp_path / "layer")


def replayed(layer: Path) -> tuple[int, dict[str, Any]]:
    """Replay the saved files against a layer, in a process of its own."""
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-P", driver.__file__, *FILES],
        env=os.environ | {"PYTHONPATH": str(layer)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_without_a_change_every_file_is_decided_as_recorded(layer: Path) -> None:
    assert replayed(layer) == (driver.SAME, {"difference": None})


def test_a_layer_without_decide_cannot_replay(tmp_path: Path) -> None:
    status, outcome = replayed(tmp_path)
    assert status == driver.CANNOT
    assert "No module named 'partyline'" in outcome["cannot"]


@pytest.mark.sampled
@pytest.mark.parametrize(
    "plant", PLANTS, ids=lambda plant: f"{plant.file} {plant.new.strip()[:24]}"
)
def test_a_planted_change_is_found(plant: Plant, layer: Path) -> None:
    plant.apply(layer)
    status, outcome = replayed(layer)
    assert status == driver.DIFFERENT
    assert outcome["difference"]["recorded"] != outcome["difference"]["replayed"]


def test_there_are_twenty_plants() -> None:
    assert len(set(PLANTS)) == 20
