"""What a person hears on a call beside the assistant: the waiting words and the goodbye."""

from datetime import datetime
from typing import Literal

from partyline.domain.model.stored import Stored


class LegVoice(Stored):
    """What plays on a call, as far as we know."""

    words_at: datetime | None = None
    """When the waiting words are said, for the first time or again; None: not planned."""
    words_play: bool = False
    """Whether the waiting words may play."""
    words_said: bool = False
    """Whether the words were said since the person began to wait."""
    words: Literal["own", "default", "none"] = "own"
    """The waiting words that can be said: Telnyx may refuse the plan's own, and the default too."""
    goodbye_until: datetime | None = None
    """When the call is hung up, if the goodbye has not ended by then."""

    def says_goodbye(self, now: datetime) -> bool:
        """Whether the goodbye is said now, as far as we know."""
        return self.goodbye_until is not None and now < self.goodbye_until
