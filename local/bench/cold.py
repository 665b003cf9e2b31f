"""Cold starts in Lambda's own runtime: each function against what its libraries cost by themselves.

What counts is the processor's time, of which a start is made: what else runs on the machine then
weighs little. All is measured in turns within one run, the best of a few, for it weighs a little.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local.bench.goals import Figure
from local.deploy.lambda_emulator import LAYER, ROOT, Emulator, Runtime
from local.stack.local_stack import LocalStack
from local.stack.sample_events import sample
from local.stack.template import Function

GOAL_LIBRARIES = 1.25
GOAL_PLAIN = 0.7
START_SECS = 120
"""A function's own patience would cut short what is slow, which is what is measured here."""

OFFICIAL = ("telnyx", "distro", "sniffio")
"""The official client and what it needs beside the layer: for comparison, never deployed."""

MODULES = """
import json, sys
from importlib.machinery import PathFinder
before = set(sys.modules)
event, rounds = json.loads(sys.argv[1]), int(sys.argv[2])
import app
def findable(name):
    parent = sys.modules.get(name.rpartition(".")[0])
    return bool(PathFinder.find_spec(name, getattr(parent, "__path__", None)))
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "any"
    def get_remaining_time_in_millis(self): return 10000
for _ in range(rounds):
    app.handler(event, Context())
names = [name for name, module in list(sys.modules.items()) if name not in before
         and any(part in (getattr(module, "__file__", None) or "")
                 for part in ("PartylineLayer", "site-packages"))
         and name.split(".")[0] != "partyline"
         and name in sys.modules and findable(name)]
print("MODULES" + json.dumps(names))
"""

MEASURED = """
import time
from app import handler as work
init = time.process_time()
def handler(event, context):
    work(event, context)
    return {"init": init * 1000, "answered": time.process_time() * 1000}
"""
"""A handler around the function's own. Python itself and Lambda's runtime are in its figures."""

BARE = """
import importlib
for name in {names!r}:
    importlib.import_module(name)
{clients}
def handler(event, context):
    return {{}}
"""

CLIENTS = {
    "boto3": "import boto3; aws = boto3.client({service!r})",
    "httpx": "import httpx; http = httpx.Client()",
}


@dataclass(frozen=True)
class Start:
    """The processor's milliseconds of one start: the imports, and those with the first answer."""

    init: float
    answered: float


class ColdBench:
    """Measures starts of the functions that are built for this machine."""

    def __init__(self, runtime: Runtime, stack: LocalStack, folder: Path) -> None:
        self._runtime = runtime
        self._stack = stack
        self._folder = folder
        self._bare: dict[tuple[str, ...], Function] = {}
        (folder / "measured.py").write_text(MEASURED)
        # As a plain `sam build` ships a layer: without byte code.
        self._plain = replace(runtime, build=folder / "plain")
        shutil.copytree(
            runtime.build, self._plain.build, ignore=shutil.ignore_patterns("__pycache__")
        )
        self._bench = replace(runtime, build=folder / "bench")
        self._bench.build.mkdir()
        (self._bench.build / LAYER).symlink_to(runtime.build / LAYER)

    def figures(self, function: Function, rounds: int) -> list[Figure]:
        """Measure one function."""
        event = sample(self._stack.template, function.logical_id)
        at_import = self._bare_function(function, event, answers=0)
        at_answer = self._bare_function(function, event, answers=1)
        best: dict[str, Start] = {}
        for _ in range(rounds):
            for name, runtime, which in (
                ("ours", self._runtime, function),
                ("libraries", self._bench, at_import),
                ("clients", self._bench, at_answer),
                ("plain", self._plain, function),
            ):
                start = self.start(runtime, which, event)
                known = best.get(name, start)
                best[name] = Start(min(known.init, start.init), min(known.answered, start.answered))
        ours, plain = best["ours"], best["plain"]
        return [
            Figure(
                f"{function.folder}: its libraries' import",
                ours.init / best["libraries"].init,
                GOAL_LIBRARIES,
            ),
            Figure(
                "  with the first answer, against its libraries and their clients",
                ours.answered / best["clients"].answered,
            ),
            Figure("  against a plain sam build", ours.init / plain.init, GOAL_PLAIN),
            Figure("  the imports", ours.init, unit="ms"),
        ]

    def official(self, function: Function, rounds: int) -> Figure:
        """How the official client's import alone compares with a function's."""
        site = next((ROOT / ".venv" / "lib").glob("python3*/site-packages"))
        folder = self._bench.build / "Official"
        for name in OFFICIAL:
            if (site / name).is_dir():
                shutil.copytree(site / name, folder / name)
        (folder / "app.py").write_text(
            "import telnyx\ntelnyx.Telnyx(api_key='none').calls.actions\n"
            "def handler(event, context):\n    return {}\n"
        )
        subprocess.run(  # noqa: S603
            [self._runtime.python, "-m", "compileall", "-q", folder], check=False
        )
        official = replace(function, logical_id="Official")
        event = sample(self._stack.template, function.logical_id)
        ours = min(self.start(self._runtime, function, event).init for _ in range(rounds))
        theirs = min(self.start(self._bench, official, {}).init for _ in range(rounds))
        return Figure(f"{function.folder} against the official client's import", ours / theirs)

    def start(self, runtime: Runtime, function: Function, event: Any) -> Start:
        """Start a function anew and give it one event."""
        patient = replace(function, handler="measured.handler", timeout_secs=START_SECS)
        path = f"{self._folder}{os.pathsep}{runtime.path_of(function.logical_id)}"
        environment = {**self._stack.environment, "PYTHONPATH": path}
        with Emulator(runtime, patient, environment) as emulator:
            return Start(**emulator.invoke(event))

    def _bare_function(self, function: Function, event: Any, answers: int) -> Function:
        """A function that imports the same libraries and does nothing."""
        names = self._libraries(function, event, answers)
        key = (str(answers), *names)
        if key not in self._bare:
            logical_id = f"Bare{len(self._bare)}"
            folder = self._bench.build / logical_id
            folder.mkdir()
            asks_secrets = "BEARER_KEYS_SECRET" in function.environment
            service = "secretsmanager" if asks_secrets else "dynamodb"
            clients = [
                made.format(service=service)
                for library, made in CLIENTS.items()
                if answers and library in names
            ]
            (folder / "app.py").write_text(BARE.format(names=names, clients="\n".join(clients)))
            self._bare[key] = replace(function, logical_id=logical_id)
        return self._bare[key]

    def _libraries(self, function: Function, event: Any, answers: int) -> Sequence[str]:
        environment: Mapping[str, str] = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": self._runtime.path_of(function.logical_id),
            "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
            **function.environment,
            **self._stack.environment,
        }
        said = subprocess.run(  # noqa: S603
            [self._runtime.python, "-B", "-c", MODULES, json.dumps(event), str(answers)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        [line] = [each for each in said.stdout.splitlines() if each.startswith("MODULES")]
        names: list[str] = json.loads(line.removeprefix("MODULES"))
        return names


def cold(runtime: Runtime, stack: LocalStack, rounds: int, only: Sequence[str]) -> list[Figure]:
    """Measure every function, or those whose folders are in `only`."""
    functions = [
        each for each in stack.template.functions.values() if not only or each.folder in only
    ]
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder:
        bench = ColdBench(runtime, stack, Path(folder))
        figures = [figure for each in functions for figure in bench.figures(each, rounds)]
        return [*figures, bench.official(functions[0], rounds)]
