"""Outcomes to act on, not errors to report: what the store and the engine raise."""


class VersionConflictError(Exception):
    """Somebody else moved the conversation meanwhile: load it again, and decide again."""


class AlreadyProcessedError(Exception):
    """What brought this input was taken in before; `request_hash` is what it hashed to then."""

    def __init__(self, request_hash: str | None) -> None:
        """Keep what the inbox knows."""
        super().__init__("taken in before")
        self.request_hash = request_hash


class QuotaExceededError(Exception):
    """A charge would pass what it may come to; nothing was written."""


class ConversationTooLargeError(Exception):
    """The conversation has grown past what one table item holds; nothing was written."""


class TooManyConflictsError(Exception):
    """Too many others moved the conversation at the same time. Nothing was lost: ask again."""
