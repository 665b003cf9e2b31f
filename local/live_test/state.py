"""The state of a live test on disk: calls, findings, and where the test stopped.

The file is written before each call, so that a later process can hang up all calls.
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError


class StateError(Exception):
    """The state cannot be used. The text is a sentence for the user."""


class Setup(BaseModel):
    """The account's objects that the live test uses, and the budget of the test.

    `telnyx` is the API's URL, `webhook_url` the application's. `second_number` answers itself: the
    live test answers its incoming calls.
    """

    telnyx: str
    connection_id: str
    webhook_url: str
    number: str
    second_number: str | None
    assistant_id: str
    second_connection_id: str | None = None
    max_calls: int
    max_minutes: int
    max_usd: float


class CallRecord(BaseModel):
    """A call. A call without ids was about to be dialled, and is found by its client_state.

    `ids` are the known call_control_ids, oldest first. An incoming call is the far end of a call
    that the live test dialled.
    """

    client_state: str | None
    connection_id: str
    begun_at: datetime
    session_id: str | None = None
    ids: list[str] = []
    ended: bool = False


class Finding(BaseModel):
    """The result of a question.

    `answer` is the id of a listed answer. `unlisted`: Telnyx gave another answer. Otherwise the
    question stayed open, and `reason` says why. `evidence` has neither numbers nor ids.
    """

    answer: str | None = None
    unlisted: bool = False
    reason: str = ""
    evidence: list[str] = []


class Result(BaseModel):
    """The result of an experiment: findings by the id of the unknown, and facts for others."""

    findings: dict[str, Finding] = {}
    facts: dict[str, str] = {}


class State(BaseModel):
    """The whole state of a live test. `minutes` counts each begun minute of a dialled call."""

    version: Literal[1] = 1
    setup: Setup
    begun_at: datetime
    calls: list[CallRecord] = []
    results: dict[str, Result] = {}
    dialled: int = 0
    minutes: int = 0
    stopped: str = ""

    @property
    def open_calls(self) -> list[CallRecord]:
        """The calls that may be up."""
        return [call for call in self.calls if not call.ended]


class StateFile:
    """The file of the state."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether a live test is unfinished."""
        return self.path.exists()

    def load(self) -> State:
        """Return the stored state. Raises StateError."""
        try:
            return State.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            raise StateError(f"There is nothing to resume: {self.path} does not exist.") from None
        except ValidationError:
            raise StateError(
                f"{self.path} is damaged or of another version: hang up the application's calls in "
                "the portal, and remove the file."
            ) from None

    def save(self, state: State) -> None:
        """Write the state: the whole file or nothing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.write_text(state.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.replace(self.path)

    def delete(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
