"""The keys of a deployment: Telnyx's API key and the operator's bearer key, in their secrets."""

import json
import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from local.connect import bearer_keys
from local.connect.account import Json
from local.up.stack import Stack, StackError, StackState

TELNYX_OUTPUT, BEARER_OUTPUT = "TelnyxApiKeySecretName", "BearerKeysSecretName"
OPERATOR = "ops"
"""The id of the operator's bearer key."""


def stored_telnyx_key(stack: Stack, state: StackState | None) -> str:
    """Return Telnyx's API key from the deployment's secret, or an empty text."""
    if state is None or TELNYX_OUTPUT not in state.outputs:
        return ""
    value = _object(stack.secret(state, TELNYX_OUTPUT)).get("api_key")
    return value if isinstance(value, str) else ""


def put_telnyx_key(stack: Stack, state: StackState, key: str) -> list[str]:
    """Put Telnyx's API key into the secret. Returns a line for a change."""
    if stored_telnyx_key(stack, state) == key:
        return []
    stack.put_secret(state, TELNYX_OUTPUT, json.dumps({"api_key": key}))
    return ["put the Telnyx API key into its secret"]


class OperatorKey:
    """The operator's bearer key in a file that only the user can read.

    A new key is in a second file until the secret has its entry. So a key whose entry has been
    deleted from the secret is never put there again: an operator may have revoked the key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._new = path.with_suffix(".new")

    def read(self) -> str:
        """Return the key, or an empty text without a file."""
        return _read(self.path)

    def put(
        self, stack: Stack, state: StackState, rights: Sequence[str], say: Callable[[str], None]
    ) -> list[str]:
        """Make a key unless the secret has an operator's key. Returns a line for each change.

        Raises StackError for a secret that is not a list of keys.
        """
        document = _object(stack.secret(state, BEARER_OUTPUT))
        entries = document.get("keys")
        if not isinstance(entries, list):
            raise StackError(
                f"The secret {state.output(BEARER_OUTPUT)} is not a list of keys: docs/api.md, "
                "Keys, has its form."
            )
        named = [entry for entry in entries if isinstance(entry, dict)]
        hashes = {entry.get("sha256") for entry in named}
        if self.read() and _hash(self.read()) in hashes:
            return []
        made = f"made the bearer key {OPERATOR}, in {self.path}"
        key = _read(self._new)
        if key and _hash(key) in hashes:  # the answer of an earlier run was lost
            self._new.replace(self.path)
            return [made]
        if OPERATOR in {entry.get("id") for entry in named}:
            say(
                f"The deployment has a bearer key {OPERATOR} of another machine: "
                "`partyline key NAME` makes another key."
            )
            return []
        if not key:
            key = bearer_keys.new_key()
            self._write_new(key)
        entry = bearer_keys.entry(OPERATOR, key, rights)
        value = json.dumps({**document, "keys": [*entries, entry]})
        stack.put_secret(state, BEARER_OUTPUT, value)
        self._new.replace(self.path)
        return [made]

    def delete(self) -> None:
        """Delete the files."""
        self.path.unlink(missing_ok=True)
        self._new.unlink(missing_ok=True)

    def _write_new(self, key: str) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._new.unlink(missing_ok=True)
        descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key + "\n")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _object(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
