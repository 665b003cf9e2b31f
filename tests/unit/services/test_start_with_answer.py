"""The settings that an assistant started by an answer cannot have."""

from partyline.services.assistant_settings import NOT_WITH_ANSWER, AssistantSettings
from partyline.telnyx.requests import Assistant


def test_the_door_refuses_exactly_the_settings_for_which_an_answer_has_no_place() -> None:
    short = {"voice"}  # stands for `voice_settings`
    settings = set(AssistantSettings.model_fields) - short
    assert set(NOT_WITH_ANSWER) == settings - set(Assistant.model_fields)
