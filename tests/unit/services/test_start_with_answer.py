"""The settings that an assistant started by an answer cannot have."""

from partyline.services.requests import NOT_WITH_ANSWER, AssistantSettings
from partyline.telnyx.requests import Assistant


def test_the_door_refuses_exactly_the_settings_for_which_an_answer_has_no_place() -> None:
    assert set(NOT_WITH_ANSWER) == set(AssistantSettings.model_fields) - set(Assistant.model_fields)
