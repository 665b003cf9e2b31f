"""The absence of the assistant, and how the people are connected to each other meanwhile."""

from datetime import datetime

from pydantic import Field

from partyline.domain.model.stored import Stored


class Conference(Stored):
    """A conference at Telnyx. `members` are the participants whose calls are in the conference."""

    name: str
    creator: str  # the participant whose call makes the conference
    is_open: bool = False
    telnyx_id: str | None = None
    members: list[str] = Field(default_factory=list)

    @property
    def address(self) -> str:
        """The conference in the path of a request: an id or a name (Telnyx API: conferences)."""
        return self.telnyx_id or self.name


class Absence(Stored):
    """An absence of the assistant, from the stop to the assistant's return."""

    number: int  # from 1
    stopped_at: datetime | None = None  # when the assistant was known to have left
    bridge: list[str] = Field(default_factory=list)
    """The two people of a bridge. Telnyx parks the call of the first when the bridge ends."""
    bridged_at: datetime | None = None
    failed: bool = False
    """The people could not be connected to each other."""
    back_at: datetime | None = None  # since when the assistant is being taken back
    reason: str | None = None  # why the assistant is taken back, unless by request
    tried: list[str] = Field(default_factory=list)
    """The people on whose calls the assistant was started for the return."""
    start_in_doubt: bool = False
    """A start for the return was given up, and may still have worked."""

    @property
    def is_bridged(self) -> bool:
        """Whether two people are connected by a bridge."""
        return self.bridged_at is not None
