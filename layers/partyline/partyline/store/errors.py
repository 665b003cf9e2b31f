"""The errors of the store that its callers act on. An error of AWS itself is an `AwsError`."""


class VersionConflictError(Exception):
    """Another process changed the conversation in the meantime: load and decide again."""


class AlreadyProcessedError(Exception):
    """The webhook or request was processed before. `request_hash` is its stored hash."""

    def __init__(self, request_hash: str | None) -> None:
        super().__init__("already processed")
        self.request_hash = request_hash


class InvalidCursorError(ValueError):
    """The cursor belongs to another list."""


class QuotaExceededError(Exception):
    """The charge would pass its quota, and no row was written.

    `of_budget`: the quota is the budget of the day.
    """

    def __init__(self, *, of_budget: bool = False) -> None:
        super().__init__("the quota is used up")
        self.of_budget = of_budget


class CallInUseError(Exception):
    """Another conversation has the live call, and no row was written."""


class ConversationTooLargeError(Exception):
    """The conversation is larger than a table item may be, and no row was written."""


class TooManyConflictsError(Exception):
    """Other processes changed the conversation at each attempt. The input can be sent again."""
