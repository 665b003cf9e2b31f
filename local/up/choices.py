"""The user's choices for a deployment, and where each comes from.

A choice comes from the command line, else from the deployed stack, else from an earlier run, else
from the account when the account leaves no choice, else from the user. `up` asks at most five
questions: the API key, the public key, the number, the assistant, the number of a first call.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from local.connect import numbers, tools
from local.connect.account import Account, AccountError, Json

PUBLIC_KEYS, NUMBER, ASSISTANT = "TelnyxPublicKeys", "DefaultNumber", "DefaultAssistantId"
CHOICES = (PUBLIC_KEYS, NUMBER, ASSISTANT)
"""The parameters of the template that `up` asks for."""
APPLICATION = "TelnyxConnectionId"
"""The parameter with the id of the Telnyx application, which `up` makes."""

_PUBLIC_KEYS = re.compile(r"[A-Za-z0-9+/]{43}=(,[A-Za-z0-9+/]{43}=)*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class NotAnsweredError(Exception):
    """No user is there to answer a question. The text names the option that answers it."""


class Ask(Protocol):
    """Asks the user a question and returns the answer."""

    def __call__(
        self,
        question: str,
        option: str,
        *,
        check: Callable[[str], str],
        hidden: bool = False,
        choices: Sequence[tuple[str, str]] = (),
    ) -> str:
        """Ask until `check` takes the answer. Raises NotAnsweredError without a terminal.

        Args:
            question: The question, without a question mark's space.
            option: The option of the command that gives the same answer.
            check: Returns the value of an answer. Raises ValueError with a sentence for the user.
            hidden: Whether the terminal hides the answer.
            choices: The values to choose from, each with a description.
        """


def public_keys(answer: str) -> str:
    """Return Telnyx's public keys as the template takes them. Raises ValueError."""
    answer = answer.replace(" ", "")
    if not _PUBLIC_KEYS.fullmatch(answer):
        raise ValueError("A public key has 44 characters of base64, and ends with =.")
    return answer


def phone_number(answer: str) -> str:
    """Return a phone number in E.164. Raises ValueError."""
    answer = re.sub(r"[\s().-]", "", answer)
    if not _E164.fullmatch(answer):
        raise ValueError("Write the number with its country code: +13125550100.")
    return answer


def phone_number_or_none(answer: str) -> str:
    """Return a phone number in E.164, or an empty text for an empty answer. Raises ValueError."""
    return phone_number(answer) if answer.strip() else ""


class EarlierChoices:
    """The choices and the application of an earlier run, in a file: the stack may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, str]:
        """Return the choices by parameter. A missing or damaged file has none."""
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        known = values if isinstance(values, dict) else {}
        return {
            name: value
            for name, value in known.items()
            if name in (*CHOICES, APPLICATION) and isinstance(value, str) and value
        }

    def write(self, values: Mapping[str, str]) -> None:
        """Keep the choices."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(dict(values), indent=2) + "\n", encoding="utf-8")

    def delete(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)


def choose(account: Account, known: Mapping[str, str], ask: Ask) -> dict[str, str]:
    """Return a value for each of CHOICES. `known` has the values that need no question."""
    found = {name: known[name] for name in CHOICES if known.get(name)}
    found[NUMBER] = found.get(NUMBER) or _number(account, ask)
    found[ASSISTANT] = found.get(ASSISTANT) or _assistant(account, ask)
    if PUBLIC_KEYS not in found:
        found[PUBLIC_KEYS] = ask(
            "Telnyx's public key (portal: Keys & Credentials, Public Key)",
            "--public-key",
            check=public_keys,
        )
    return found


def _number(account: Account, ask: Ask) -> str:
    rows = numbers.of_account(account)
    if not rows:
        raise AccountError(
            "This Telnyx account has no phone number: buy a number in the portal under Numbers."
        )
    choices = [(row["phone_number"], _use_of(row)) for row in rows]
    [first, *others] = rows
    # A number in use would stop to ring where it rings now: only the user may choose it.
    if not others and not first.get("connection_id"):
        return str(first["phone_number"])
    return ask("The number that Partyline answers", "--number", check=phone_number, choices=choices)


def _use_of(row: Json) -> str:
    used_by = row.get("connection_name") or row.get("connection_id")
    return f"used by {used_by}" if used_by else "free"


def _assistant(account: Account, ask: Ask) -> str:
    rows = account.ask(tools.READ, "GET", "/ai/assistants").get("data", [])
    if not rows:
        raise AccountError(
            "This Telnyx account has no AI assistant: make an assistant in the portal under AI "
            "Assistants."
        )
    if len(rows) == 1:
        return str(rows[0]["id"])
    choices = [(row["id"], str(row.get("name", ""))) for row in rows]
    return ask("The assistant", "--assistant", check=str.strip, choices=choices)
