"""The modes of Telnyx's machine detection, and their thresholds."""

from typing import Any

import pytest

from local.simulator.model import Person
from tests.support.lab import NewLab
from tests.support.people import DANA, HOST

MODES = {
    "standard": "detect",
    "standard_beep": "detect_beep",
    "standard_words": "detect_words",
    "standard_greeting_end": "greeting_end",
    "premium": "premium",
    "premium_ios_call_screening": "premium_ios_call_screening_detection",
}
THRESHOLDS: dict[str, Any] = {
    "total_analysis_time_millis": 5000,
    "after_greeting_silence_millis": 700,
    "between_words_silence_millis": 40,
    "greeting_duration_millis": 4000,
    "greeting_silence_duration_millis": 2000,
    "greeting_total_analysis_time_millis": 30_000,
    "initial_silence_millis": 4000,
    "maximum_number_of_words": 6,
    "maximum_word_length_millis": 3000,
    "silence_threshold": 512,
    "prompt_end_timeout_millis": 7000,
    "beep_detection_profile": "freq_only",
    "beep_min_frequency_hz": 500,
    "beep_max_frequency_hz": 2000,
    "beep_min_tone_duration_millis": 150,
    "beep_spectral_confirmation": True,
    "beep_spectral_min_purity": 0.7,
    "beep_spectral_reject_fax_cng": True,
    "beep_spectral_window_millis": 80,
}


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_has_telnyxs_name_in_the_dial_and_joins_a_person(
    new_lab: NewLab, mode: str
) -> None:
    lab = new_lab([Person(DANA)])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", machine_detection=mode)
    lab.run(10)
    assert lab.commands("dial")[-1]["answering_machine_detection"] == MODES[mode]
    assert lab.people_joined() == ["Dana"]


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_hangs_a_machine_up(new_lab: NewLab, mode: str) -> None:
    lab = new_lab([Person(DANA, behaviour="machine")])
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(conversation_id, DANA, name="Dana", machine_detection=mode)
    lab.run(20)
    assert lab.outcomes(conversation_id, "Dana") == ["machine"]
    assert lab.legs_up() == ["host"]


def test_every_threshold_reaches_telnyx(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA)])
    options = {"machine_detection": "standard_beep", "machine_detection_config": THRESHOLDS}
    lab.start(HOST, **options)
    assert lab.commands("dial")[-1]["answering_machine_detection_config"] == THRESHOLDS


def test_a_longer_detection_has_a_longer_wait_for_its_verdict(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA)])
    lab.settings.detection_after_secs = 24
    config = {"total_analysis_time_millis": 25_000}
    conversation_id = lab.start()
    lab.run(5)
    lab.invite(
        *(conversation_id, DANA),
        name="Dana",
        machine_detection="premium",
        machine_detection_config=config,
    )
    lab.run(20)
    assert lab.people_joined() == []
    lab.run(10)
    (judged,) = [event for event in lab.timeline(conversation_id) if event["type"] == "leg.judged"]
    assert "reason" not in judged["data"]
    assert lab.people_joined() == ["Dana"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"machine_detection": "detect"}, "machine_detection"),
        ({"machine_detection_config": {"silence_threshold": 1}}, "machine_detection_config"),
        *(
            (
                {"machine_detection": "standard", "machine_detection_config": {name: value}},
                f"machine_detection_config.{name}",
            )
            for name, value in [
                ("total_analysis_time_millis", 31_000),
                ("prompt_end_timeout_millis", 0),
                ("silence_threshold", -1),
                ("maximum_number_of_words", True),
                ("beep_spectral_min_purity", 1.5),
                ("beep_detection_profile", "freq"),
                ("another", 1),
            ]
        ),
        (
            {
                "machine_detection": "standard",
                "machine_detection_config": {
                    "beep_min_frequency_hz": 900,
                    "beep_max_frequency_hz": 800,
                },
            },
            "machine_detection_config.beep_max_frequency_hz",
        ),
    ],
)
def test_an_unknown_mode_or_a_threshold_beyond_its_bounds_is_refused(
    new_lab: NewLab, options: dict[str, Any], field: str
) -> None:
    answer = new_lab([]).ask("POST", "/conversations", {"to": HOST, **options})
    assert answer.status == 422
    assert [detail["field"] for detail in answer.json["error"]["details"]] == [field]
