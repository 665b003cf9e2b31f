"""The list of unknown facts: complete entries, and settings that the simulator has."""

from dataclasses import fields

import pytest

from local.simulator.settings import Settings
from local.simulator.unknowns import ASSUMED, GROUPS, PLAYED, UNKNOWNS, Unknown, settings_of


@pytest.mark.parametrize("unknown", UNKNOWNS.values(), ids=lambda unknown: unknown.id)
def test_an_unknown_is_a_whole_entry(unknown: Unknown) -> None:
    ids = [answer.id for answer in unknown.answers]
    assert len(ids) >= 2
    assert len(set(ids)) == len(ids)
    assert unknown.assumed in ids
    assert unknown.question.endswith("?")
    assert unknown.sources
    sentences = [
        unknown.evidence,
        *(text for a in unknown.answers for text in (a.meaning, a.effect)),
    ]
    assert all(sentence.endswith(".") for sentence in sentences)


def test_each_id_is_used_once() -> None:
    assert len(UNKNOWNS) == sum(len(group) for group in GROUPS.values())


def test_every_unknown_about_telnyx_is_played() -> None:
    not_played = [unknown for unknown in UNKNOWNS.values() if unknown.id not in PLAYED]
    assert not_played == list(GROUPS["Deployment on AWS"])


@pytest.mark.parametrize("unknown", PLAYED.values(), ids=lambda unknown: unknown.id)
def test_the_answers_of_an_unknown_have_different_settings(unknown: Unknown) -> None:
    settings = [Settings.answering({unknown.id: answer.id}) for answer in unknown.answers]
    assert all(a != b for a in settings for b in settings if a is not b)


def test_a_setting_belongs_to_a_single_unknown() -> None:
    names = [
        name
        for unknown in PLAYED.values()
        for name in {name for answer in unknown.answers for name in answer.settings}
    ]
    assert len(names) == len(set(names))


def test_the_defaults_of_the_simulator_are_the_assumed_answers() -> None:
    defaults = {field.name: getattr(Settings(), field.name) for field in fields(Settings)}
    assert ASSUMED.items() <= defaults.items()
    assert Settings.answering({name: unknown.assumed for name, unknown in PLAYED.items()}) == (
        Settings()
    )


def test_an_answer_or_an_unknown_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="sometimes is no answer to join-path"):
        settings_of({"join-path": "sometimes"})
    with pytest.raises(ValueError, match="the-weather is not in the list"):
        settings_of({"the-weather": "fair"})
