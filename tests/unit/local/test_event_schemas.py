"""The events' schemas: the files, the page, and what they have to agree with."""

import json

import jsonschema
import pytest

from local.docs.event_schemas import EVENTS, FIELDS, FOLDER, PAGE, files, page, schema_of
from partyline.domain.model.events import EventType
from partyline.domain.model.statuses import Direction, Outcome


def test_every_event_is_described_and_no_other() -> None:
    assert set(EVENTS) == set(EventType)


def test_the_files_and_the_page_are_as_the_list_says() -> None:
    """`make schemas` writes them."""
    assert {path: path.read_text() for path in FOLDER.glob("*.json")} == files()
    assert page(PAGE.read_text()) == PAGE.read_text()


def test_no_field_is_described_that_no_event_has() -> None:
    used = {name for shape in EVENTS.values() for name in (*shape.always, *shape.sometimes)}
    assert used == set(FIELDS)


def test_the_values_are_those_of_the_domain() -> None:
    assert set(FIELDS["outcome"][0]["enum"]) == set(Outcome)
    assert set(FIELDS["direction"][0]["enum"]) == set(Direction)


@pytest.mark.parametrize("name", EVENTS)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


def test_a_consumer_is_not_broken_by_a_field_that_is_new() -> None:
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


def test_what_docs_show_is_an_event_as_it_is() -> None:
    shown = json.loads(PAGE.read_text().partition("```json\n")[2].partition("```")[0])
    jsonschema.validate(shown["detail"], schema_of(shown["detail-type"], strict=True))
