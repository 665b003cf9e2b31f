"""`partyline replay --bisect GOOD BAD`: the first commit that decides a replay file differently.

`git bisect run` chooses the commits, in a worktree in a temporary folder. The driver of this commit
replays the file against the layer of each chosen commit, in a process of its own. A commit whose
layer cannot replay the file is skipped.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.replay import driver

Json = dict[str, Any]

REPOSITORY = Path(__file__).resolve().parents[2]
LAYER = Path("layers") / "partyline"

_FIRST_BAD = re.compile(r"^([0-9a-f]{40,64}) is the first '?bad'? commit", re.MULTILINE)


class BisectionError(Exception):
    """No commit can be named. The message says why."""


@dataclass(frozen=True)
class FirstBad:
    """The first commit that decides differently, its subject, and the first difference."""

    commit: str
    subject: str
    difference: Json


def find_first_bad(file: Path, good: str, bad: str, repository: Path | None = None) -> FirstBad:
    """Find the first commit after `good`, up to `bad`, that decides a file differently.

    `repository` is that of this commit by default. Raises BisectionError.
    """
    with _worktree(repository or REPOSITORY, bad) as tree:
        command = [sys.executable, "-P", driver.__file__, str(file.resolve())]
        environment = os.environ | {
            "PYTHONPATH": str(tree / LAYER),
            "PYTHONDONTWRITEBYTECODE": "1",  # the next commit's file may have the same time
        }

        def outcome_at(commit: str) -> Json:
            _git(tree, "checkout", "--quiet", "--detach", commit)
            ran = subprocess.run(  # noqa: S603 - our own driver
                command, env=environment, capture_output=True, text=True, check=False
            )
            if ran.returncode not in (driver.SAME, driver.DIFFERENT):
                said = json.loads(ran.stdout)["cannot"] if ran.stdout else ran.stderr[-500:]
                raise BisectionError(f"{commit} cannot replay the file: {said}")
            outcome: Json = json.loads(ran.stdout)
            return outcome

        difference = outcome_at(good)["difference"]
        if difference:
            version = difference["version"]
            raise BisectionError(f"{good}, the good commit, differs already, at step {version}.")
        if outcome_at(bad)["difference"] is None:
            raise BisectionError(f"{bad}, the bad commit, decides every step as recorded.")
        _git(tree, "bisect", "start", bad, good)
        found = _git(tree, "bisect", "run", *command, env=environment, check=False)
        named = _FIRST_BAD.search(found)
        if named is None:
            raise BisectionError("The commits in between cannot replay the file.")
        subject = _git(tree, "log", "-1", "--format=%s", named[1]).strip()
        return FirstBad(named[1], subject, outcome_at(named[1])["difference"])


@contextmanager
def _worktree(repository: Path, commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="partyline-replay-") as folder:
        tree = Path(folder).resolve() / "tree"
        _git(repository, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git(repository, "worktree", "remove", "--force", str(tree), check=False)


def _git(
    folder: Path, *arguments: str, env: dict[str, str] | None = None, check: bool = True
) -> str:
    ran = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607 - git of the PATH
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and ran.returncode:
        raise BisectionError(f"git {arguments[0]}: {ran.stderr.strip()}")
    return ran.stdout
