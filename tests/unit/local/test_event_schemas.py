"""The event schemas: files and page agree with the list and with the domain."""

import json

import jsonschema
import pytest

from local.docs.event_schemas import EVENTS, FIELDS, FOLDER, PAGE, files, page, schema_of
from partyline.domain.model.events import EventType
from partyline.domain.model.statuses import Direction, Outcome


def test_the_list_has_every_event_type_and_no_other() -> None:
    assert set(EVENTS) == set(EventType)


def test_the_files_and_the_page_agree_with_the_list() -> None:
    """`make schemas` writes both."""
    assert {path: path.read_text() for path in FOLDER.glob("*.json")} == files()
    assert page(PAGE.read_text()) == PAGE.read_text()


def test_every_described_field_is_used_by_an_event() -> None:
    used = {name for shape in EVENTS.values() for name in (*shape.always, *shape.sometimes)}
    assert used == set(FIELDS)


def test_enumerated_values_are_the_domains() -> None:
    assert set(FIELDS["outcome"][0]["enum"]) == set(Outcome)
    assert set(FIELDS["direction"][0]["enum"]) == set(Direction)


@pytest.mark.parametrize("name", EVENTS)
def test_each_schema_is_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


def test_a_new_field_does_not_break_a_consumer() -> None:
    detail = {
        "conversation_id": "c",
        "seq": 1,
        "type": "participant.alone",
        "occurred_at": "2026-11-22T09:00:00Z",
        "cause": "e1",
        "trace_id": "",
        "data": {"participant_id": "guest-1", "mood": "good"},
    }
    jsonschema.validate(detail, schema_of("participant.alone"))
    with pytest.raises(jsonschema.ValidationError, match="mood"):
        jsonschema.validate(detail, schema_of("participant.alone", strict=True))
    with pytest.raises(jsonschema.ValidationError, match="participant_id"):
        jsonschema.validate({**detail, "data": {}}, schema_of("participant.alone"))


def test_the_example_in_the_docs_is_a_valid_event() -> None:
    shown = json.loads(PAGE.read_text().partition("```json\n")[2].partition("```")[0])
    jsonschema.validate(shown["detail"], schema_of(shown["detail-type"], strict=True))
