"""The options, the consoles and the error handling that several commands share."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from local.printing import DataConsole

LOCAL_URL = "http://127.0.0.1:8400"
WIDTH = 110
"""Columns of output that does not go to a terminal."""


def option(
    metavar: str, text: str, default: str | None = None, *flags: str, **settings: Any
) -> Any:
    """Declare an option: its value's name, its help, the text of its default, its flags."""
    shown = default or True
    return typer.Option(*flags, metavar=metavar, help=text, show_default=shown, **settings)


ApiUrl = Annotated[str, option("URL", "The API's base URL.")]
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


class KeyUnreadableError(Exception):
    """The file with the bearer key cannot be read."""


def stdout() -> Console:
    """A console for results."""
    return DataConsole(width=None if sys.stdout.isatty() else WIDTH)


def print_error(message: str) -> None:
    """Print an error to stderr, in red."""
    DataConsole(stderr=True).print(message, style="red", soft_wrap=True)


@contextmanager
def exit_on(*errors: type[Exception], status: int = 1, prefix: str = "") -> Iterator[None]:
    """Print these errors as one sentence and end the command with the exit status."""
    try:
        yield
    except errors as error:
        print_error(prefix + (str(error) or type(error).__name__))
        raise typer.Exit(status) from None


def bearer_key(path: Path | None, url: str) -> str:
    """Read the bearer key from a file, from PARTYLINE_API_KEY, or take the running local stack's.

    The key of the local stack is for a `url` on this machine only. Raises KeyUnreadableError.
    """
    from local import credentials
    from local.loopback import is_loopback

    try:
        key = path.read_text().strip() if path else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the file is not text"
        raise KeyUnreadableError(f"The bearer key can't be read from {path}: {reason}") from error
    own = credentials.read(credentials.BEARER_KEY) if is_loopback(url) else None
    key = key or os.environ.get("PARTYLINE_API_KEY") or own
    if key is None:
        raise KeyUnreadableError("There is no bearer key: give --key-from, or start `make dev`.")
    return key


def stop_event() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
