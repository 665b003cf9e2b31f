"""Keeps the previous settings of each connected application in a file, for `disconnect`."""

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

FOLDER = Path(__file__).resolve().parents[2] / ".partyline"
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


class RecordError(Exception):
    """A record is missing or unusable. The text is a sentence for the user."""


class Tool(BaseModel):
    """A tool that Partyline created: its id and the last body that was sent."""

    id: str
    sent: dict[str, Any]


class Record(BaseModel):
    """A connected application.

    `before` has the previous values of the fields that Partyline changed. `ours` has every value
    that Partyline set or tried to set: a failed change must not look like the user's change.
    `created` says that Partyline created the application. `tools` is keyed by the tool's name,
    `assistants` are the assistants that have the tools. `numbers` has the previous application of
    each assigned number, or an empty text. `skip_turn` are the assistants that got Skip Turn, and
    `profile` is the name of the outbound voice profile that Partyline created.
    """

    application_id: str
    created: bool = False
    before: dict[str, Any] = {}
    ours: dict[str, list[Any]] = {}
    tools: dict[str, Tool] = {}
    assistants: list[str] = []
    numbers: dict[str, str] = {}
    skip_turn: list[str] = []
    profile: str | None = None

    def add_our_values(self, fields: dict[str, Any]) -> None:
        """Add the values that Partyline is about to set."""
        for name, value in fields.items():
            if not self.is_our_value(name, value):
                self.ours.setdefault(name, []).append(value)

    def is_our_value(self, name: str, value: Any) -> bool:
        """Whether Partyline has set this value of a field."""
        return value in self.ours.get(name, [])


class Records:
    """The records in a folder. The first saved record creates the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, application_id: str) -> Path:
        """Return the path of an application's record. Raises RecordError for an invalid id."""
        if not _ID.fullmatch(application_id):
            raise RecordError(f"{application_id[:80]!r} is not the id of a Telnyx application.")
        return self._folder / f"connect-{application_id}.json"

    def find(self, application_id: str) -> Record | None:
        """Return an application's record; None when there is no record."""
        path = self.path(application_id)
        try:
            return Record.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise RecordError(f"{path} is damaged: repair or remove the file.") from None

    def get(self, application_id: str | None) -> Record:
        """Return an application's record, or the only record. Raises RecordError."""
        if application_id is None:
            files = sorted(self._folder.glob("connect-*.json"))
            ids = [path.stem.removeprefix("connect-") for path in files]
            if len(ids) > 1:
                raise RecordError(f"--application is needed: one of {', '.join(ids)}.")
            application_id = ids[0] if ids else None
        record = self.find(application_id) if application_id else None
        if record is None:
            raise RecordError(
                f"The previous settings are unknown: there is no such record in {self._folder}."
            )
        return record

    def save(self, record: Record) -> None:
        """Write a record: the whole file or nothing."""
        path = self.path(record.application_id)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)

    def delete(self, record: Record) -> None:
        """Delete a record."""
        self.path(record.application_id).unlink(missing_ok=True)
