"""What was before Partyline came: a file for each application, so that it can be put back."""

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

FOLDER = Path(__file__).resolve().parents[2] / ".partyline"
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


class RecordError(Exception):
    """There is no record, or it is unusable; the text is a sentence."""


class Tool(BaseModel):
    """A tool that we made: its id, and what it was last told to be."""

    id: str
    sent: dict[str, Any]


class Record(BaseModel):
    """One connected application.

    `before` has the fields that we changed as they were, `ours` every value that we gave or meant
    to give them: a change that failed must not pass for somebody else's. `created` says that there
    was no application before. `tools` is keyed by the name of the tool, `assistants` are those that
    have them.
    """

    application_id: str
    created: bool = False
    before: dict[str, Any] = {}
    ours: dict[str, list[Any]] = {}
    tools: dict[str, Tool] = {}
    assistants: list[str] = []

    def add_our_values(self, fields: dict[str, Any]) -> None:
        """Note what we are about to set."""
        for name, value in fields.items():
            if not self.is_our_value(name, value):
                self.ours.setdefault(name, []).append(value)

    def is_our_value(self, name: str, value: Any) -> bool:
        """Whether the value of a field is one of ours."""
        return value in self.ours.get(name, [])


class Records:
    """The records in a folder, which is made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        """Read nothing yet."""
        self._folder = folder

    def path(self, application_id: str) -> Path:
        """Where the record of an application is kept. Raises RecordError for an odd id."""
        if not _ID.fullmatch(application_id):
            raise RecordError(f"{application_id[:80]!r} is not the id of a Telnyx application.")
        return self._folder / f"connect-{application_id}.json"

    def find(self, application_id: str) -> Record | None:
        """The record of an application; None when it was never connected from here."""
        path = self.path(application_id)
        try:
            return Record.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise RecordError(f"{path} is damaged: put it right, or remove it.") from None

    def get(self, application_id: str | None) -> Record:
        """The record of the application, or the only one there is. Raises RecordError."""
        if application_id is None:
            files = sorted(self._folder.glob("connect-*.json"))
            ids = [path.stem.removeprefix("connect-") for path in files]
            if len(ids) > 1:
                raise RecordError(f"Several are connected: say --application, of {', '.join(ids)}.")
            application_id = ids[0] if ids else None
        record = self.find(application_id) if application_id else None
        if record is None:
            raise RecordError(
                f"Nothing is known of how it was before: there is no such record in {self._folder}."
            )
        return record

    def save(self, record: Record) -> None:
        """Write it, whole or not at all."""
        path = self.path(record.application_id)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)

    def delete(self, record: Record) -> None:
        """Forget it."""
        self.path(record.application_id).unlink(missing_ok=True)
