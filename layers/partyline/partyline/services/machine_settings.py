"""The settings of a request for machines that answer."""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from partyline.domain.model.plan import DEFAULT_LANGUAGE, DEFAULT_VOICE
from partyline.services.assistant_settings import RequestModel, SpokenText, field_error
from partyline.services.words_settings import Language, Voice, WordsSettings

_Millis = Annotated[int, Field(ge=0, le=60_000)]
_Analysis = Annotated[int, Field(ge=500, le=30_000)]
_Hertz = Annotated[int, Field(ge=50, le=4000)]


class DetectionSettings(RequestModel):
    """Thresholds of the machine detection (Telnyx API: answering_machine_detection_config).

    The bounds are ours: Telnyx publishes only that of `beep_spectral_min_purity`. A person waits
    for the detection, so the times for its verdict are shorter than those for a greeting's end. A
    phone line carries no tone beyond 4 kHz.
    """

    total_analysis_time_millis: _Analysis | None = None
    after_greeting_silence_millis: _Millis | None = None
    between_words_silence_millis: _Millis | None = None
    greeting_duration_millis: _Analysis | None = None
    greeting_silence_duration_millis: _Millis | None = None
    greeting_total_analysis_time_millis: Annotated[int, Field(ge=500, le=120_000)] | None = None
    initial_silence_millis: _Millis | None = None
    maximum_number_of_words: Annotated[int, Field(ge=1, le=100)] | None = None
    maximum_word_length_millis: _Millis | None = None
    silence_threshold: Annotated[int, Field(ge=0, le=32_767)] | None = None
    prompt_end_timeout_millis: Annotated[int, Field(ge=1000, le=30_000)] | None = None
    beep_detection_profile: Literal["both", "freq_only"] | None = None
    beep_min_frequency_hz: _Hertz | None = None
    beep_max_frequency_hz: _Hertz | None = None
    beep_min_tone_duration_millis: _Millis | None = None
    beep_spectral_confirmation: bool | None = None
    beep_spectral_min_purity: Annotated[float, Field(ge=0, le=1)] | None = None
    beep_spectral_reject_fax_cng: bool | None = None
    beep_spectral_window_millis: _Millis | None = None

    @model_validator(mode="after")
    def _from_low_to_high(self) -> Self:
        low, high = self.beep_min_frequency_hz, self.beep_max_frequency_hz
        if low is not None and high is not None and low > high:
            raise field_error("beep_max_frequency_hz", "lower than beep_min_frequency_hz")
        return self


class OnScreenSettings(RequestModel):
    """What a phone that screens the call hears, and shows to the called person.

    `say` may have the placeholders of a screening.
    """

    say: SpokenText
    voice: Voice = DEFAULT_VOICE
    language: Language = DEFAULT_LANGUAGE


class LeaveSettings(RequestModel):
    """The message for a machine, spoken after the machine's greeting; then the call is hung up.

    A sentence may have the placeholders of a screening.
    """

    leave: WordsSettings


OnMachine = Annotated[
    Annotated[Literal["next", "join"], Tag("word")] | Annotated[LeaveSettings, Tag("message")],
    Discriminator(lambda value: "word" if isinstance(value, str) else "message"),
]
"""What happens when a machine answers."""
