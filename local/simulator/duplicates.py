"""Commands whose command_id was seen before: Telnyx ignores such a command."""

from collections.abc import Callable
from datetime import datetime, timedelta

from local.simulator.errors import ApiError
from local.simulator.model import JsonObject, LedgerEntry
from local.simulator.settings import Settings

# Telnyx docs: Telnyx ignores a command_id that is repeated within 60 s.
_WINDOW = timedelta(seconds=60)
_BARE: JsonObject = {"data": {"result": "ok"}}


class Duplicates:
    """The commands that were carried out, by call (or connection) and command_id."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: dict[tuple[str, str], tuple[datetime, JsonObject]] = {}

    def perform(
        self, entry: LedgerEntry, subject: str, command: Callable[[], JsonObject]
    ) -> JsonObject:
        """Carry out the command of a request and return its response, or answer a repetition.

        Args:
            entry: The record of the request.
            subject: The call, or the connection of a dial.
            command: Carries out the command.

        Raises:
            ApiError: The command was refused.
        """
        if entry.command_id is None:
            return command()
        key = (subject, entry.command_id)
        if key in self._seen:
            at, response = self._seen[key]
            if entry.at - at <= _WINDOW:
                entry.duplicate = True
                return self._repeated(entry.action, response)
        try:
            response = command()
        except ApiError:
            if self._settings.refusal_uses_command_id:
                self._seen[key] = (entry.at, _BARE)
            raise
        self._seen[key] = (entry.at, response)
        return response

    def _repeated(self, action: str | None, response: JsonObject) -> JsonObject:
        """Answer a repetition. The response to any other command has no ids, so both are equal."""
        replies = {
            "dial": self._settings.duplicate_dial,
            "ai_assistant_start": self._settings.duplicate_start,
            "ai_assistant_join": self._settings.duplicate_join,
        }
        reply = replies.get(action or "", "bare")
        if reply == "refused":
            raise ApiError("10015", "This command_id has been used", "/command_id")
        return response if reply == "same" else _BARE
