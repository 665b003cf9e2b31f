"""The modes of Telnyx's machine detection, and their thresholds."""

from math import ceil
from typing import Any, Literal

MachineDetection = Literal[
    "off",
    "standard",
    "standard_beep",
    "standard_words",
    "standard_greeting_end",
    "premium",
    "premium_ios_call_screening",
]
"""Every mode of Telnyx (Telnyx API: POST /calls, answering_machine_detection)."""

SCREENING_DETECTION: MachineDetection = "premium_ios_call_screening"
"""Machine detection that waits for the person behind a phone that screens the call."""

Thresholds = dict[str, Any]
"""Telnyx's settings of a mode by name (Telnyx API: answering_machine_detection_config)."""

PROMPT_END_SECS = 5
"""How long Telnyx waits for the end of a screening phone's prompt, Telnyx's default."""


GREETING_SECS = 40
"""How long Telnyx listens for the end of a machine's greeting, if a message is to be left. Telnyx's
default, 5 s, is shorter than most greetings."""


def seconds_of(thresholds: Thresholds | None, name: str) -> int:
    """Return a time among the thresholds in seconds, rounded up; 0 for an absent time."""
    millis: int = (thresholds or {}).get(name, 0)
    return ceil(millis / 1000)
