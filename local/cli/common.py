"""The options, the consoles and the error handling that several commands share."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import typer
from rich.text import Text

from local.printing import DataConsole, json_text

Command = TypeVar("Command", bound=Callable[..., None])

LOCAL_URL = "http://127.0.0.1:8400"
"""The API of `partyline dev` by default."""

WIDTH = 110
"""Columns of output that does not go to a terminal."""

FAILED, MISUSED, TRY_AGAIN = 1, 2, 3
"""Exit statuses: a refusal or a failed check; wrong options; no answer, or a temporary failure."""

_PROGRESS_AFTER_SECS = 1.0
_WAKE_SECS = 1.0


def option(
    metavar: str, text: str, default: str | None = None, *flags: str, **settings: Any
) -> Any:
    """Declare an option: its value's name, its help, the text of its default, its flags."""
    shown = default or True
    return typer.Option(*flags, metavar=metavar, help=text, show_default=shown, **settings)


def examples(*lines: str, name: str | None = None) -> Callable[[Command], Command]:
    """Give a command the examples of its help, and a name if the function's name does not fit."""

    def describe(command: Command) -> Command:
        command.__dict__.update(examples=lines, command_name=name)
        return command

    return describe


def register(app: typer.Typer, *commands: Callable[..., None], section: str | None = None) -> None:
    """Add commands with their examples to an application, in a section of its help."""
    for command in commands:
        lines = "\n".join(f"  {line}" for line in command.__dict__.get("examples", ()))
        app.command(
            command.__dict__.get("command_name"),
            epilog=f"\b\nExamples:\n{lines}",  # \b keeps the lines as they are
            rich_help_panel=section,
        )(command)


def check_url(text: str | None) -> str | None:
    """Return a valid URL unchanged. Raises BadParameter for any other text."""
    if text is None:
        return None
    parts = urlsplit(text)
    usable = parts.scheme in ("http", "https") and parts.hostname and text.isprintable()
    if not usable or " " in text or parts.query or parts.fragment:
        raise typer.BadParameter(f"{text!r} is no URL such as https://api.example.com")
    return text


ApiUrl = Annotated[
    str | None,
    option(
        "URL",
        "The API's base URL.",
        "$PARTYLINE_URL, else the running `partyline dev`",
        "--url",
        callback=check_url,
    ),
]
BearerKeyFile = Annotated[
    Path | None,
    option(
        "FILE",
        "A file with the bearer key.",
        "$PARTYLINE_API_KEY, else the key of the running `partyline dev`",
    ),
]
SigningKeyFile = Annotated[
    Path | None,
    option("FILE", "A file with the base64 seed of an Ed25519 key that the deployment trusts."),
]
StackName = Annotated[str, option("STACK", "The stack's name, such as partyline-dev.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class KeyUnreadableError(Exception):
    """The file with the bearer key cannot be read."""


class UnknownIdError(Exception):
    """A short id, or a name, fits no conversation or person, or fits several."""


def stdout() -> DataConsole:
    """A console for results."""
    return DataConsole(width=None if sys.stdout.isatty() else WIDTH)


def stderr() -> DataConsole:
    """A console for notes, progress and errors."""
    return DataConsole(stderr=True)


def print_line(line: str, **style: Any) -> None:
    """Print a line of the result to stdout, without line breaks of ours."""
    stdout().print(line, soft_wrap=True, **style)


def print_note(line: str) -> None:
    """Print a line for a person to stderr."""
    stderr().print(line, soft_wrap=True)


def print_error(message: str) -> None:
    """Print an error to stderr, in red."""
    stderr().print(message, style="red", soft_wrap=True)


def print_json(data: Any) -> None:
    """Print the result as JSON to stdout."""
    typer.echo(json_text(data, indent=2))


@contextmanager
def exit_on(*errors: type[Exception], status: int = FAILED, prefix: str = "") -> Iterator[None]:
    """Print these errors as one sentence and end the command with the exit status."""
    try:
        yield
    except errors as error:
        print_error(prefix + (str(error) or type(error).__name__))
        raise typer.Exit(status) from None


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show the text after a second, while the `with` lasts, if stderr is a terminal.

    Nothing else may be printed meanwhile.
    """
    console = stderr()
    if not console.is_terminal:
        yield
        return
    status = console.status(Text(text))
    timer = threading.Timer(_PROGRESS_AFTER_SECS, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()


def api_url(url: str | None = None) -> str:
    """Return the API's base URL, without a slash at its end: given, or of the environment.

    Without both, the URL is that of the running local stack.
    """
    from local import credentials

    running = credentials.read(credentials.API_URL)
    return (url or os.environ.get("PARTYLINE_URL") or running or LOCAL_URL).rstrip("/")


def bearer_key(path: Path | None, url: str) -> str:
    """Read the bearer key from a file, from PARTYLINE_API_KEY, or take the running local stack's.

    The key of the local stack is for a `url` on this machine only, and comes before
    PARTYLINE_API_KEY at the stack's own URL. Raises KeyUnreadableError.
    """
    from local import credentials
    from local.loopback import is_loopback

    try:
        key = path.read_text().strip() if path else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the file is not text"
        raise KeyUnreadableError(f"The bearer key can't be read from {path}: {reason}") from error
    own = credentials.read(credentials.BEARER_KEY) if is_loopback(url) else None
    is_running = url == credentials.read(credentials.API_URL)
    key = key or (own if is_running else None) or os.environ.get("PARTYLINE_API_KEY") or own
    if key is None:
        raise KeyUnreadableError("There is no bearer key: give --key-from, or start `make dev`.")
    return key


@contextmanager
def stop_event() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set while the `with` lasts."""
    stopped = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stopped.set()) for number in numbers]
    try:
        yield stopped
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def wait_for_stop(stopped: threading.Event) -> None:
    """Wait for the event of `stop_event`, however long that takes.

    Python runs a signal's handler in the main thread, and a signal that another thread takes does
    not wake the main thread. So the main thread wakes every second.
    """
    while not stopped.wait(_WAKE_SECS):
        pass
