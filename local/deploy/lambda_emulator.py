"""Run the built functions in Lambda's own runtime, without an AWS account or Docker.

A built function runs under awslambdaric, the interface client of Lambda's runtime, inside AWS's
runtime interface emulator from the package aws-sam-cli. A function can import its own folder, the
built layer and the AWS SDK of the runtime, and no other code of ours.
"""

import atexit
import json
import os
import platform
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from local.serving import answers, free_port
from local.stack.embedded_aws import Access, create_secrets
from local.stack.logs import Logs
from local.stack.template import Function, Template

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".aws-sam" / "here" / "build"
LAYER = "PartylineLayer"

_START_SECS = 120.0
_STOP_SECS = 20.0
SLOW_MACHINE_SECS = 60
"""Added to the timeout of every function: a machine with many processes imports slowly, and the
functions compile their modules at each start."""
_ANSWER_SECS = 60.0
"""Added to the function's timeout for the emulator's own answer, which reports a timeout."""

_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class RuntimeMissingError(Exception):
    """The built functions cannot run here; the text names the missing part and its source."""


class FunctionFailedError(Exception):
    """A function raised, timed out or crashed; the text is Lambda's."""


@dataclass(frozen=True)
class Runtime:
    """The paths of the parts: the folder of `sam build`, a Python, AWS's emulator."""

    build: Path
    python: Path
    emulator: Path

    @classmethod
    def locate(cls, build: Path | None = None) -> Self:
        """Locate the parts that `make artifact` installs. Raises RuntimeMissingError."""
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
        """The folder that stands for Lambda's /opt/python."""
        return self.build / LAYER / "python"

    def path_of(self, function: str) -> str:
        """Return the PYTHONPATH of a function (its logical id), as in Lambda."""
        return f"{self.build / function}{os.pathsep}{self.layer}"


class Emulator:
    """An execution environment of a function: a process that handles a single event at a time.

    `environment` overrides the function's variables. `on_output` is called with every line that the
    function prints. The imports happen at the first event.
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
        timeout_secs = function.timeout_secs + SLOW_MACHINE_SECS
        self._http = httpx.Client(trust_env=False, timeout=timeout_secs + _ANSWER_SECS)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, stop() closes it
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
                # Lambda's folders are read-only: each start compiles modules without byte code.
                "PYTHONDONTWRITEBYTECODE": "1",
                "LAMBDA_TASK_ROOT": str(folder),
                "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_secs),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
                **function.environment,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            # A group of its own: the emulator starts the function, and both end together.
            start_new_session=True,
        )
        atexit.register(self.stop)
        self._reader = threading.Thread(target=self._read, args=(on_output,), daemon=True)
        self._reader.start()
        self._wait_until_up()

    def invoke(self, event: Any) -> Any:
        """Invoke the function with an event and return its handler's result.

        Raises FunctionFailedError for a function error in the sense of Lambda.
        """
        try:
            response = self._http.post(
                f"{self._url}/2015-03-31/functions/function/invocations", content=json.dumps(event)
            )
        except httpx.TransportError as error:
            raise FunctionFailedError(
                f"the emulator is gone: {error}\n{self._error_output()}"
            ) from error
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
        """Whether the process can handle another event."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the function and its emulator. A second call does nothing."""
        atexit.unregister(self.stop)
        for sent in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, sent)
            try:
                self._process.wait(_STOP_SECS)
                break
            except subprocess.TimeoutExpired:
                continue
        self._reader.join(_STOP_SECS)
        if self._process.stdout:
            self._process.stdout.close()
        self._http.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self, on_output: Callable[[str], object]) -> None:
        for line in self._process.stdout or ():
            on_output(line)

    def _error_output(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def _wait_until_up(self) -> None:
        # The path is unknown, but any response means that the emulator is up.
        if answers(f"{self._url}/", lambda: self.alive, _START_SECS):
            return
        output = self._error_output()[-2000:]
        self.stop()
        raise FunctionFailedError(f"the emulator did not start:\n{output}")


class Emulators:
    """An `Invoke` that runs the built functions, as Lambda scales them.

    An emulator handles a single event at a time, so a busy function gets a further emulator. Idle
    emulators stay for the next events. `environment` overrides the template's variables.
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
        """End all emulators."""
        with self._lock:
            every, self._all = self._all, []
        for emulator in every:
            emulator.stop()


@contextmanager
def emulated(
    template: Template, environment: Mapping[str, str], logs: Logs, secrets: Mapping[str, str]
) -> Iterator[Emulators]:
    """Run the built functions for a stack while the `with` lasts (a Runner).

    The functions read the secrets from the embedded AWS, as in an account. Raises
    RuntimeMissingError.
    """
    access = Access(environment["AWS_ENDPOINT_URL"], environment["AWS_SESSION_TOKEN"])
    create_secrets(access.client("secretsmanager"), template, secrets)
    emulators = Emulators(Runtime.locate(), environment, logs.write)
    try:
        yield emulators
    finally:
        emulators.stop()
