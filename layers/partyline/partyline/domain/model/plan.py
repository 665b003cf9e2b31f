"""The plan to reach a person: the numbers, the machine detection, the screening."""

from typing import Literal

from partyline.domain.model.stored import Stored

MachineDetection = Literal["off", "standard", "premium", "premium_ios_call_screening"]

SCREENING_DETECTION: MachineDetection = "premium_ios_call_screening"
"""Machine detection that waits for the person behind an iPhone that screens the call."""

DEFAULT_VOICE, DEFAULT_LANGUAGE = "female", "en-US"


class Screening(Stored):
    """The sentence that a person hears before being joined, and the digit that accepts."""

    say: str
    accept_digit: str = "1"
    timeout_secs: int = 15
    voice: str = DEFAULT_VOICE
    language: str = DEFAULT_LANGUAGE


class VerdictWait(Stored):
    """How long a person waits for the verdict of the machine detection, and the words meanwhile.

    The end of the words comes as a webhook, which ends the wait too. Without words, and with
    `SCREENING_DETECTION`, a timer ends the wait.
    """

    secs: int
    say: str = ""
    voice: str = DEFAULT_VOICE
    language: str = DEFAULT_LANGUAGE


VERDICT_WAITS = {
    "standard": VerdictWait(secs=10),
    "premium": VerdictWait(secs=12, say="One moment, please."),
    SCREENING_DETECTION: VerdictWait(secs=35),
}
"""The wait for a verdict by default. Standard verdicts come within 3.5 s (Telnyx docs, answering
machine detection). Premium verdicts may take 30 s or never come; on live calls 3.5 s was seen.

An iPhone that screens the call would take our words for the caller's answer, so there are none. The
wait begins again after the tone of the iPhone, because Telnyx then starts the detection again."""


class Plan(Stored):
    """How to reach a person: numbers, in order or at once, in several rounds if need be."""

    to: list[str]
    from_: str
    strategy: Literal["in_order", "at_once"] = "in_order"
    ring_timeout_secs: int = 30
    deadline_secs: int | None = None
    machine_detection: MachineDetection = "off"
    on_machine: Literal["next", "join"] = "next"
    on_late_machine: Literal["tell", "remove"] = "tell"
    verdict_wait: VerdictWait | None = None
    screening: Screening | None = None
    brief: str | None = None
    """Why the person is called, in words that the person alone hears, before being joined."""
    max_attempts: int = 1
    pause_secs: int = 30
    time_limit_secs: int | None = None

    @property
    def tries(self) -> int:
        """How often calls are made one after the other; numbers at once are a single try."""
        return self.max_attempts * (1 if self.strategy == "at_once" else len(self.to))

    @property
    def wait_for_verdict(self) -> VerdictWait | None:
        """The wait for the verdict; None without machine detection."""
        default = VERDICT_WAITS.get(self.machine_detection)
        return self.verdict_wait if default and self.verdict_wait else default

    @property
    def waiting_words(self) -> str:
        """The words that a person hears who waits for the verdict; empty without words."""
        return self.wait_for_verdict.say if self.wait_for_verdict else ""
