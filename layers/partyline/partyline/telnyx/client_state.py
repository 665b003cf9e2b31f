"""The mark we put on a leg: Telnyx echoes `client_state` on that leg's webhooks.

It finds the conversation before we have stored the leg's ids. It proves nothing: only the
signature does. What comes back may be null, absent, or Telnyx's own bytes (its description shows an
Erlang term), so decoding never raises.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Self

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LEGS = range(1, 100)
# Telnyx publishes no limit. Ours is far more than what we write, and cheap to decode.
MAX_CHARS = 1024


@dataclass(frozen=True, slots=True)
class ClientState:
    """Which leg of which participant of which conversation a webhook is about.

    `conversation` and `participant` are our ids (letters, digits, `_`, `-`, 1 to 64 of them), `leg`
    counts the participant's legs from 1 to 99. Raises ValueError for anything else.
    """

    conversation: str
    participant: str
    leg: int

    def __post_init__(self) -> None:
        for name in (self.conversation, self.participant):
            if not (isinstance(name, str) and ID.fullmatch(name)):
                raise ValueError("an id has 1 to 64 letters, digits, underscores or hyphens")
        # A bool is an int to Python, and True is no leg.
        if type(self.leg) is not int or self.leg not in LEGS:
            raise ValueError("legs are counted from 1 to 99")

    def encode(self) -> str:
        """The text for `client_state`: base64, which Telnyx demands (90017), of compact JSON."""
        fields = {
            "conversation": self.conversation,
            "participant": self.participant,
            "leg": self.leg,
        }
        return base64.b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """Read it back; None for everything that we did not write."""
        if not isinstance(text, str) or len(text) > MAX_CHARS:
            return None
        try:
            fields = json.loads(base64.b64decode(text, validate=True))
            return cls(**fields) if isinstance(fields, dict) else None
        except (ValueError, TypeError, RecursionError):
            return None
