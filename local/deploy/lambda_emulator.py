"""The built functions in Lambda's own runtime: no AWS account, no Docker.

What `sam build` made runs under awslambdaric, the interface client that is in Lambda's runtime too,
inside AWS's runtime interface emulator, which comes in the aws-sam-cli package. A function has its
own folder and the built layer to import from, and the AWS SDK of the runtime; nothing of ours.
"""

import atexit
import json
import os
import platform
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from local.stack.logs import Logs
from local.stack.serving import free_port
from local.stack.template import Function, Template

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".aws-sam" / "here" / "build"
LAYER = "PartylineLayer"

_START_SECS = 30.0
_STOP_SECS = 5.0
_GRACE_SECS = 60.0
"""Beyond the function's own timeout: the first invocation waits for the imports too."""

_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class RuntimeMissingError(Exception):
    """The built functions can't be run here; the text says what is missing and how to get it."""


class FunctionFailedError(Exception):
    """A function raised, ran out of time or died: Lambda's own words."""


@dataclass(frozen=True)
class Runtime:
    """Where the parts are: a folder that `sam build` filled, a Python, AWS's emulator."""

    build: Path
    python: Path
    emulator: Path

    @classmethod
    def found(cls, build: Path | None = None) -> Self:
        """The parts that `make artifact` puts in place. Raises RuntimeMissingError."""
        build = build or BUILD
        if platform.system() != "Linux":
            raise RuntimeMissingError("AWS's runtime interface emulator runs on Linux only")
        processor = _PROCESSORS.get(platform.machine().lower())
        rapid = "lib/python*/site-packages/samcli/local/rapid"
        emulators = list((ROOT / ".venv-sam").glob(f"{rapid}/aws-lambda-rie-{processor}"))
        python = ROOT / ".venv-runtime" / "bin" / "python"
        if not (build / LAYER).is_dir() or not emulators or not python.exists():
            raise RuntimeMissingError(
                "nothing is built for this machine; `make artifact` does that, with Python 3.13"
            )
        return cls(build, python, emulators[0])

    @property
    def layer(self) -> Path:
        """What Lambda has at /opt/python."""
        return self.build / LAYER / "python"

    def path_of(self, function: str) -> str:
        """The PYTHONPATH that gives a function (its logical id) what Lambda gives it."""
        return f"{self.build / function}{os.pathsep}{self.layer}"


class Emulator:
    """One execution environment of a function: a process that answers one event at a time.

    `environment` is all that the function sees of the outside; `on_output` is called with every
    line that it prints. The imports happen at the first event.
    """

    def __init__(
        self,
        runtime: Runtime,
        function: Function,
        environment: Mapping[str, str],
        on_output: Callable[[str], object] = lambda _: None,
    ) -> None:
        folder = runtime.build / function.logical_id
        if not folder.is_dir():
            raise RuntimeMissingError(f"{function.logical_id} isn't built; `make artifact` again")
        port, inner = free_port(), free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._http = httpx.Client(
            trust_env=False, timeout=httpx.Timeout(function.timeout_secs + _GRACE_SECS)
        )
        self._noted = tempfile.TemporaryFile()  # noqa: SIM115, stop() closes it
        self._process = subprocess.Popen(  # noqa: S603, the emulator and our own function
            [
                runtime.emulator,
                *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{inner}"),
                *(runtime.python, "-m", "awslambdaric", function.handler),
            ],
            cwd=folder,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "LANG": "C.UTF-8",
                "TZ": ":UTC",
                "PYTHONPATH": runtime.path_of(function.logical_id),
                # Lambda's folders are read-only: what lacks byte code is compiled at every start.
                "PYTHONDONTWRITEBYTECODE": "1",
                "LAMBDA_TASK_ROOT": str(folder),
                "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_secs),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
                **function.environment,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._noted,
            text=True,
            # A group of its own: the emulator starts the function, and both end together.
            start_new_session=True,
        )
        atexit.register(self.stop)
        self._reader = threading.Thread(target=self._read, args=(on_output,), daemon=True)
        self._reader.start()
        self._wait_until_up()

    def invoke(self, event: Any) -> Any:
        """Give the function an event and return what its handler returns.

        Raises FunctionFailedError for what Lambda would call a function error.
        """
        try:
            response = self._http.post(
                f"{self._url}/2015-03-31/functions/function/invocations", content=json.dumps(event)
            )
        except httpx.TransportError as error:
            raise FunctionFailedError(f"the emulator is gone: {error}\n{self._notes()}") from error
        try:
            # Errors come with status 200 as well, a timeout as plain text.
            answer = response.json()
        except ValueError:
            raise FunctionFailedError(response.text) from None
        if isinstance(answer, dict) and {"errorMessage", "errorType"} <= answer.keys():
            trace = "".join(answer.get("stackTrace") or [])
            raise FunctionFailedError(f"{answer['errorType']}: {answer['errorMessage']}\n{trace}")
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the function and its emulator; calling it twice is fine."""
        atexit.unregister(self.stop)
        for each in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, each)
            try:
                self._process.wait(_STOP_SECS)
                break
            except subprocess.TimeoutExpired:
                continue
        self._reader.join(_STOP_SECS)
        if self._process.stdout:
            self._process.stdout.close()
        self._http.close()
        self._noted.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _read(self, on_output: Callable[[str], object]) -> None:
        for line in self._process.stdout or ():
            on_output(line)

    def _notes(self) -> str:
        self._noted.seek(0)
        return self._noted.read().decode(errors="replace")

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + _START_SECS
        while self.alive and time.monotonic() < deadline:
            try:
                # It knows no such page, and saying so it is up.
                self._http.get(f"{self._url}/", timeout=1.0)
            except httpx.TransportError:
                time.sleep(0.01)
            else:
                return
        said = self._notes()[-2000:]
        self.stop()
        raise FunctionFailedError(f"the emulator didn't come up:\n{said}")


class Emulators:
    """An `Invoke` that runs the built functions, as Lambda scales them.

    An emulator takes one event at a time, so a busy function gets another one; each is kept for the
    next event. `environment` goes over what the template gives the functions.
    """

    def __init__(
        self,
        runtime: Runtime,
        environment: Mapping[str, str],
        on_output: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._runtime = runtime
        self._environment = environment
        self._on_output = on_output
        self._lock = threading.Lock()
        self._idle: dict[str, list[Emulator]] = {}
        self._all: list[Emulator] = []

    def __call__(self, function: Function, event: dict[str, Any]) -> Any:
        """Run the function. Raises FunctionFailedError."""
        with self._lock:
            idle = self._idle.setdefault(function.logical_id, [])
            emulator = idle.pop() if idle else None
        if emulator is None:
            emulator = Emulator(self._runtime, function, self._environment, self._on_output)
            with self._lock:
                self._all.append(emulator)
        try:
            return emulator.invoke(event)
        finally:
            if emulator.alive:
                with self._lock:
                    idle.append(emulator)

    def stop(self) -> None:
        """End all of them."""
        with self._lock:
            every, self._all = self._all, []
        for emulator in every:
            emulator.stop()


@contextmanager
def emulated(_: Template, environment: Mapping[str, str], logs: Logs) -> Iterator[Emulators]:
    """Run the stack's functions as they are built, while the `with` lasts (a Runner).

    Raises RuntimeMissingError where that can't be done.
    """
    emulators = Emulators(Runtime.found(), environment, logs.write)
    try:
        yield emulators
    finally:
        emulators.stop()
