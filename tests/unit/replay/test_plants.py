"""A replay of the saved files shows every planted change of the rules."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.replay import driver
from local.replay.demo import FOLDER
from tests.unit.replay.plants import PLANTS, Plant, copy_domain

FILES = sorted(map(str, FOLDER.glob("*.replay")))


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


def test_without_a_change_every_file_is_decided_as_recorded(tmp_path: Path) -> None:
    copy_domain(tmp_path)
    assert replayed(tmp_path) == (driver.SAME, {"difference": None})


def test_a_layer_without_decide_cannot_replay(tmp_path: Path) -> None:
    status, outcome = replayed(tmp_path)
    assert status == driver.CANNOT
    assert "No module named 'partyline'" in outcome["cannot"]


@pytest.mark.parametrize(
    "plant", PLANTS, ids=lambda plant: f"{plant.file} {plant.new.strip()[:24]}"
)
def test_a_planted_change_is_found(plant: Plant, tmp_path: Path) -> None:
    copy_domain(tmp_path)
    plant.apply(tmp_path)
    status, outcome = replayed(tmp_path)
    assert status == driver.DIFFERENT
    assert outcome["difference"]["recorded"] != outcome["difference"]["replayed"]


def test_there_are_twenty_plants() -> None:
    assert len(set(PLANTS)) == 20
