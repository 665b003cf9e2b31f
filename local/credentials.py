"""The credentials of a run of the local stack: new for each run, and in files for the user alone.

`make dev` writes the files, and the commands of `partyline` read them. Another user of the machine
can reach the ports of the stack, and cannot read the files.
"""

import base64
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BEARER_KEY, SIMULATOR_KEY, SIGNING_KEY = "bearer-key", "simulator-key", "signing-key"
"""The files: the key of the API, the key of the simulated Telnyx, the seed that signs webhooks."""

API_URL, TELNYX_URL = "api-url", "telnyx-url"
"""The files with the base URLs of the API and of the Telnyx, so that every port is found."""


def folder() -> Path:
    """Return the folder of the files, in the user's home."""
    return Path.home() / ".partyline" / "dev"


def new_key(kind: str) -> str:
    """Return a new random key. `kind` tells a reader the use of the key."""
    return f"{kind}_{secrets.token_urlsafe(32)}"


def read(name: str) -> str | None:
    """Return the content of a file of the running stack, or None without a running stack."""
    try:
        return (folder() / name).read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


@contextmanager
def written(
    bearer_key: str, simulator_key: str, signing_seed: bytes, api_url: str, telnyx_url: str
) -> Iterator[None]:
    """Keep the credentials and the URLs of a run in files with mode 0600 while the `with` lasts.

    May raise OSError.
    """
    values = {
        API_URL: api_url,
        TELNYX_URL: telnyx_url,
        BEARER_KEY: bearer_key,
        SIMULATOR_KEY: simulator_key,
        SIGNING_KEY: base64.b64encode(signing_seed).decode(),
    }
    _write(values)
    try:
        yield
    finally:
        for name, value in values.items():
            if read(name) == value:  # not of a stack that has started since
                (folder() / name).unlink(missing_ok=True)


def _write(values: Mapping[str, str]) -> None:
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    for name, value in values.items():
        (place / name).unlink(missing_ok=True)
        # A new file: the mode of an old file, or a link of another user, does not count.
        descriptor = os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
