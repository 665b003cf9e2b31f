"""The words that a called person hears: sentences and audio files in a request."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from partyline.domain.model.plan import DEFAULT_LANGUAGE, DEFAULT_VOICE
from partyline.domain.names import has_hidden_characters
from partyline.services.assistant_settings import RequestModel, SpokenText, field_error

MAX_GOODBYE_CHARS = 80
"""A voice says about 16 characters a second, and a goodbye lasts `timeouts.GOODBYE_TIME`."""


def _check_spoken(text: str) -> str:
    if has_hidden_characters(text) or not text.strip():
        raise PydanticCustomError("spoken", "a sentence has words, and no control characters")
    return text


Voice = Annotated[str, Field(min_length=1, max_length=256)]
"""A voice (Telnyx API: speak, voice): `female`, `male`, `AWS.Polly.Joanna`, ..."""
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
"""A language for the voices `female` and `male` (Telnyx API: speak, language)."""
Sentence = Annotated[SpokenText, AfterValidator(_check_spoken)]
"""A sentence without control characters and line breaks."""
AudioUrl = Annotated[
    str,
    Field(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!-~]*)?$", max_length=2000),
]
"""The HTTPS URL of a WAV or MP3 file, without a user name and a password."""


class WordsSettings(RequestModel):
    """A sentence (`say`) or an audio file (`audio_url`)."""

    say: Sentence | None = None
    audio_url: AudioUrl | None = None
    voice: Voice = DEFAULT_VOICE
    language: Language = DEFAULT_LANGUAGE

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.say is None) == (self.audio_url is None):
            raise field_error("say", "give exactly one of say and audio_url")
        return self


class GoodbyeSettings(RequestModel):
    """The sentence before the hangup of a call whose conversation has gone."""

    say: Annotated[Sentence, Field(max_length=MAX_GOODBYE_CHARS)]
    voice: Voice = DEFAULT_VOICE
    language: Language = DEFAULT_LANGUAGE
