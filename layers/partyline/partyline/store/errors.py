"""The errors of the store that its callers act on. An error of AWS itself is an `AwsError`."""


class VersionConflictError(Exception):
    """Another process changed the conversation since it was read: load it and decide again."""


class AlreadyProcessedError(Exception):
    """The webhook or request was processed before. `request_hash` is the hash stored with it."""

    def __init__(self, request_hash: str | None) -> None:
        """Keep the stored hash, which only a request has."""
        super().__init__("already processed")
        self.request_hash = request_hash


class QuotaExceededError(Exception):
    """The charge would pass its quota. Nothing was written."""


class CallInUseError(Exception):
    """Another conversation has the live call. Nothing was written."""


class ConversationTooLargeError(Exception):
    """The conversation is larger than one table item may be. Nothing was written."""


class TooManyConflictsError(Exception):
    """Other processes changed the conversation at each attempt. The input can be sent again."""
