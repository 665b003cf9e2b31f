"""The `client_state` of a leg: a hint that Telnyx echoes on the leg's webhooks.

The hint names the conversation before the leg's ids are stored. The hint is not proof: only the
signature proves that Telnyx sent a webhook. Telnyx may send null, no field, or its own bytes (its
description shows an Erlang term), so `decode` never raises.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Self

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LEGS = range(1, 100)
PROMPTS = ("hold", "screen", "wait_words", "goodbye")
"""The commands that a person hears. A webhook reports the end of each."""
# Telnyx publishes no limit. This limit is far above our longest text, and cheap to decode.
MAX_CHARS = 1024


@dataclass(frozen=True, slots=True)
class ClientState:
    """The conversation, participant and leg that a webhook is about.

    `conversation` and `participant` are our ids (1 to 64 letters, digits, `_` or `-`), `leg` counts
    the participant's legs from 1 to 99. `prompt` is set by a command that a person hears, so that
    the webhook of its end names the command; `repeat` tells the repetitions of the command apart.
    Raises ValueError for other values.
    """

    conversation: str
    participant: str
    leg: int
    prompt: str | None = None
    repeat: int = 0

    def __post_init__(self) -> None:
        for our_id in (self.conversation, self.participant):
            if not (isinstance(our_id, str) and ID.fullmatch(our_id)):
                raise ValueError("an id has 1 to 64 letters, digits, underscores or hyphens")
        # Python counts True as the int 1, but True is not a leg.
        if type(self.leg) is not int or self.leg not in LEGS:
            raise ValueError("legs are counted from 1 to 99")
        if self.prompt not in (None, *PROMPTS):
            raise ValueError(f"a prompt is one of {', '.join(PROMPTS)}")
        if type(self.repeat) is not int or self.repeat < 0:
            raise ValueError("repetitions are counted from 0")

    def encode(self) -> str:
        """Return the text for `client_state`: JSON in base64, which Telnyx demands (90017)."""
        fields = {
            "conversation": self.conversation,
            "participant": self.participant,
            "leg": self.leg,
            **({"prompt": self.prompt} if self.prompt else {}),
            **({"repeat": self.repeat} if self.repeat else {}),
        }
        return base64.b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """Read a `client_state` text; None for every text that `encode` did not write."""
        if not isinstance(text, str) or len(text) > MAX_CHARS:
            return None
        try:
            fields = json.loads(base64.b64decode(text, validate=True))
            return cls(**fields) if isinstance(fields, dict) else None
        except (ValueError, TypeError, RecursionError):
            return None
