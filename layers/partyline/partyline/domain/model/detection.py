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


def seconds_of(thresholds: Thresholds | None, name: str) -> int:
    """Return a time among the thresholds in seconds, rounded up; 0 for an absent time."""
    return ceil((thresholds or {}).get(name, 0) / 1000)
