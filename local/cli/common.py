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
    option("FILE", "A file with the bearer key.", "$PARTYLINE_API_KEY, else the local stack's"),
]
SigningKeyFile = Annotated[
    Path | None,
    option("FILE", "A file with the base64 seed of an Ed25519 key that the deployment trusts."),
]


class KeyUnreadableError(Exception):
    """The file with the bearer key cannot be read."""


def stdout() -> Console:
    """A console for results."""
    return Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def print_error(message: str) -> None:
    """Print an error to stderr, in red."""
    console = Console(stderr=True, highlight=False)
    console.print(message, style="red", markup=False, soft_wrap=True)


@contextmanager
def exit_on(*errors: type[Exception], status: int = 1, prefix: str = "") -> Iterator[None]:
    """Print these errors as one sentence and end the command with the exit status."""
    try:
        yield
    except errors as error:
        print_error(prefix + (str(error) or type(error).__name__))
        raise typer.Exit(status) from None


def bearer_key(path: Path | None) -> str:
    """Read the bearer key from a file, from PARTYLINE_API_KEY, or take the local stack's.

    Raises KeyUnreadableError.
    """
    from local.stack.local_stack import API_KEY

    try:
        key = path.read_text().strip() if path else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the file is not text"
        raise KeyUnreadableError(f"The bearer key can't be read from {path}: {reason}") from error
    return key or os.environ.get("PARTYLINE_API_KEY") or API_KEY


def stop_event() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
