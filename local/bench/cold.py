"""Measures cold starts in Lambda's own runtime: each function against its bare libraries.

The measure is processor time, because other processes of the machine then matter little. The
starts are measured in turns within a run, and the best of a few starts counts.
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
"""The timeout of a start: the function's own timeout would cut a slow start short."""

OFFICIAL = ("telnyx", "distro", "sniffio")
"""The official client and its further dependencies: for comparison, never deployed."""

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
"""A handler around the function's own. The figures include Python and Lambda's runtime."""

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
    """Processor milliseconds of a start: until the imports are done, until the first answer."""

    init: float
    answered: float


class ColdBench:
    """Measures starts of the functions in the build for this machine."""

    def __init__(self, runtime: Runtime, stack: LocalStack, folder: Path) -> None:
        self._runtime = runtime
        self._stack = stack
        self._folder = folder
        self._bare: dict[tuple[str, ...], Function] = {}
        (folder / "measured.py").write_text(MEASURED)
        # A plain `sam build` makes a layer without byte code.
        self._plain = replace(runtime, build=folder / "plain")
        shutil.copytree(
            runtime.build, self._plain.build, ignore=shutil.ignore_patterns("__pycache__")
        )
        self._bench = replace(runtime, build=folder / "bench")
        self._bench.build.mkdir()
        (self._bench.build / LAYER).symlink_to(runtime.build / LAYER)

    def figures(self, function: Function, rounds: int) -> list[Figure]:
        """Measure a function."""
        event = sample(self._stack.template, function.logical_id)
        at_import = self._bare_function(function, event, answers=0)
        at_answer = self._bare_function(function, event, answers=1)
        best: dict[str, Start] = {}
        for _ in range(rounds):
            for name, runtime, variant in (
                ("ours", self._runtime, function),
                ("libraries", self._bench, at_import),
                ("clients", self._bench, at_answer),
                ("plain", self._plain, function),
            ):
                start = self.start(runtime, variant, event)
                known = best.get(name, start)
                best[name] = Start(min(known.init, start.init), min(known.answered, start.answered))
        ours, bare, clients, plain = best.values()
        return [
            Figure(f"{function.folder}: libraries' import", ours.init / bare.init, GOAL_LIBRARIES),
            Figure("  until the first answer, with clients", ours.answered / clients.answered),
            Figure("  against a plain sam build", ours.init / plain.init, GOAL_PLAIN),
            Figure("  the imports", ours.init, unit="ms"),
        ]

    def official(self, function: Function, rounds: int) -> Figure:
        """Compare a function's import with the official client's import."""
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
        official_ms = min(self.start(self._bench, official, {}).init for _ in range(rounds))
        return Figure(f"{function.folder} against the official client's import", ours / official_ms)

    def start(self, runtime: Runtime, function: Function, event: Any) -> Start:
        """Start a function in a new process and send an event."""
        measured = replace(function, handler="measured.handler", timeout_secs=START_SECS)
        path = f"{self._folder}{os.pathsep}{runtime.path_of(function.logical_id)}"
        environment = {**self._stack.environment, "PYTHONPATH": path}
        with Emulator(runtime, measured, environment) as emulator:
            return Start(**emulator.invoke(event))

    def _bare_function(self, function: Function, event: Any, answers: int) -> Function:
        """Make a function that only imports the same libraries."""
        names = self._libraries(function, event, answers)
        key = (str(answers), *names)
        if key not in self._bare:
            logical_id = f"Bare{len(self._bare)}"
            folder = self._bench.build / logical_id
            folder.mkdir()
            asks_secrets = function.folder == "authorizer"
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
        result = subprocess.run(  # noqa: S603
            [self._runtime.python, "-B", "-c", MODULES, json.dumps(event), str(answers)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        [line] = [text for text in result.stdout.splitlines() if text.startswith("MODULES")]
        names: list[str] = json.loads(line.removeprefix("MODULES"))
        return names


def cold(runtime: Runtime, stack: LocalStack, rounds: int, only: Sequence[str]) -> list[Figure]:
    """Measure every function, or only the functions of the folders in `only`."""
    every = stack.template.functions.values()
    functions = [function for function in every if not only or function.folder in only]
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder:
        bench = ColdBench(runtime, stack, Path(folder))
        figures = [figure for function in functions for figure in bench.figures(function, rounds)]
        return [*figures, bench.official(functions[0], rounds)]
