"""The webhooks of `captured_webhooks.json`: shapes of live calls and of Telnyx's own examples.

Fields, order, nulls and extra fields are as captured. Numbers, ids, names and words are replaced.
`events/` holds a webhook of each further type.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ids:
    """The ids in every captured webhook."""

    call_control_id: str = "v3:HDR1vQHx697hpP9xZ0bhlbUOWPFPDtPcxw-nuSMuC6mGVpb0euoklQ"
    call_leg_id: str = "cc29cce6-3c91-11f0-a8e5-02420aef3d20"
    call_session_id: str = "cc29c8d6-3c91-11f0-aa7c-02420aef3d20"
    conversation_id: str = "0424805b-adc1-4ff8-9f95-e1de6883ecbe"


AS_CAPTURED = Ids()


@dataclass(frozen=True)
class Captured:
    """A captured webhook with its name in the file."""

    name: str
    envelope: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def event_type(self) -> str:
        """The event type, or empty."""
        data = self.envelope.get("data", self.envelope)
        return str((data or {}).get("event_type", ""))


def load() -> list[Captured]:
    """Return all captured webhooks."""
    path = Path(__file__).with_name("captured_webhooks.json")
    envelopes = json.loads(path.read_text(encoding="utf-8"))
    return [Captured(name, envelope) for name, envelope in envelopes.items()]
