"""The plan to reach a person: the numbers, the machine detection, the screening."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from partyline.domain.model.detection import (
    GREETING_SECS,
    PROMPT_END_SECS,
    SCREENING_DETECTION,
    MachineDetection,
    Thresholds,
    seconds_of,
)
from partyline.domain.model.stored import Stored
from partyline.domain.model.timeouts import DETECTION_GRACE

DEFAULT_VOICE, DEFAULT_LANGUAGE = "female", "en-US"

MAX_BRIEF_CHARS = 500

BRIEFING = "You have a call from {caller}. It is about: {brief}. Press 1 to take the call."
"""The question of a plan with a brief and without a screening (see `rules.spoken`)."""


class Words(Stored):
    """What a person hears: a sentence, or the HTTPS URL of an audio file (WAV or MP3).

    `say` counts only without an `audio_url`.
    """

    say: str = ""
    audio_url: str | None = None
    voice: str = DEFAULT_VOICE
    language: str = DEFAULT_LANGUAGE


DEFAULT_WAITING = Words(say="One moment, please. You will be connected shortly.")
"""The waiting words of a plan without its own, and in place of words that Telnyx refuses."""


class Screening(Stored):
    """The sentence that a person hears before being joined, and the digit that accepts.

    `say` may have the placeholders of `rules.spoken`.
    """

    say: str
    accept_digit: str = "1"
    timeout_secs: int = 15
    voice: str = DEFAULT_VOICE
    language: str = DEFAULT_LANGUAGE


class OnScreen(Stored):
    """The sentence to a phone that screens the call: the phone shows or plays the words.

    `say` may have the placeholders of `rules.spoken`.
    """

    say: str
    voice: str = DEFAULT_VOICE
    language: str = DEFAULT_LANGUAGE


class Leave(Stored):
    """The message for a machine, spoken after the machine's greeting.

    A sentence may have the placeholders of `rules.spoken`.
    """

    leave: Words


class VerdictWait(Stored):
    """How long a person waits for the verdict of the machine detection, and the words meanwhile.

    The end of the words comes as a webhook, which ends the wait too. Without words, and with
    `SCREENING_DETECTION`, a timer ends the wait.
    """

    secs: int
    say: str = ""
    voice: str = DEFAULT_VOICE
    language: str = DEFAULT_LANGUAGE


_STANDARD = VerdictWait(secs=10)
VERDICT_WAITS = {
    "standard": _STANDARD,
    "standard_beep": _STANDARD,
    "standard_words": _STANDARD,
    "standard_greeting_end": _STANDARD,
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
    machine_detection_config: Thresholds | None = None
    on_machine: Literal["next", "join"] | Leave = "next"
    on_screen: OnScreen | None = None
    on_late_machine: Literal["tell", "remove"] = "tell"
    verdict_wait: VerdictWait | None = None
    screening: Screening | None = None
    brief: str | None = None
    """Why the person is called, in words that the person alone hears, before being joined.

    A plan with a brief has a screening, whose sentence speaks the brief.
    """
    # Pydantic makes a deep copy of a default that is a model, in each validation.
    waiting: Words = Field(default_factory=DEFAULT_WAITING.model_copy)
    """What a person hears who has answered and waits, again and again until the join."""
    goodbye: Words | None = None
    """The sentence that a person hears who is hung up because the conversation has gone."""
    max_attempts: int = 1
    pause_secs: int = 30
    time_limit_secs: int | None = None

    @model_validator(mode="after")
    def _speak_brief(self) -> Self:
        if self.brief and self.screening is None:
            self.screening = Screening(say=BRIEFING)
        return self

    @property
    def tries(self) -> int:
        """How often calls are made one after the other; numbers at once are a single try."""
        return self.max_attempts * (1 if self.strategy == "at_once" else len(self.to))

    @property
    def wait_for_verdict(self) -> VerdictWait | None:
        """The wait for the verdict; None without machine detection.

        The default wait is as long as the thresholds let the detection last.
        """
        default = VERDICT_WAITS.get(self.machine_detection)
        if default is None or self.verdict_wait:
            return default and self.verdict_wait
        analysis = seconds_of(self.machine_detection_config, "total_analysis_time_millis")
        longest = analysis + int(DETECTION_GRACE.total_seconds())
        return default.model_copy(update={"secs": max(default.secs, longest)})

    @property
    def message(self) -> Words | None:
        """The message for a machine, if the plan leaves one."""
        return self.on_machine.leave if isinstance(self.on_machine, Leave) else None

    @property
    def greeting_wait(self) -> timedelta:
        """How long the greeting of a machine may last before a message."""
        own = seconds_of(self.machine_detection_config, "greeting_total_analysis_time_millis")
        return timedelta(seconds=own or GREETING_SECS) + DETECTION_GRACE

    @property
    def may_be_screened(self) -> bool:
        """Whether the machine detection recognizes a phone that screens the call."""
        return self.machine_detection == SCREENING_DETECTION

    @property
    def prompt_end_wait(self) -> timedelta:
        """How long after the verdict `machine` the tone of a screening phone may take."""
        own = seconds_of(self.machine_detection_config, "prompt_end_timeout_millis")
        return timedelta(seconds=own or PROMPT_END_SECS) + DETECTION_GRACE

    @property
    def waiting_words(self) -> str:
        """The words that a person hears who waits for the verdict; empty without words."""
        return self.wait_for_verdict.say if self.wait_for_verdict else ""
