"""The events' schemas, their files and the page agree with the models."""

import json

import jsonschema
import pytest

from local.docs.event_schemas import FOLDER, PAGE, data_schema, files, inlined, page, schema_of
from partyline.domain.model.events import EVENT_DATA, EventType
from partyline.domain.model.handover import HandoverOutcome
from partyline.domain.model.statuses import Direction, Outcome


def test_every_event_type_has_a_data_model() -> None:
    assert list(EVENT_DATA) == list(EventType)


def test_the_files_and_the_page_are_written_from_the_models() -> None:
    """`make schemas` writes them."""
    assert {path: path.read_text() for path in FOLDER.glob("*.json")} == files()
    assert page(PAGE.read_text()) == PAGE.read_text()


@pytest.mark.parametrize("event_type", EVENT_DATA)
def test_every_event_and_every_field_is_described(event_type: str) -> None:
    schema = data_schema(event_type)
    assert schema["description"]
    assert all(field["description"] for field in schema["properties"].values())


def test_a_field_means_the_same_in_every_event() -> None:
    fields: dict[str, object] = {}
    for event_type in EVENT_DATA:
        for name, field in data_schema(event_type)["properties"].items():
            if (event_type, name) != ("handover.ended", "outcome"):
                assert fields.setdefault(name, field) == field


def test_the_outcome_of_a_handover_is_that_of_the_call_or_of_the_handover_alone() -> None:
    outcome = data_schema("handover.ended")["properties"]["outcome"]
    assert outcome["enum"] == list(HandoverOutcome)
    assert set(Outcome) - {Outcome.HUMAN} <= set(outcome["enum"])


def test_the_values_of_a_field_are_those_of_the_domain() -> None:
    assert data_schema("leg.ended")["properties"]["outcome"]["enum"] == list(Outcome)
    started = data_schema("conversation.started")["properties"]
    assert started["direction"]["enum"] == list(Direction)


@pytest.mark.parametrize("event_type", EVENT_DATA)
def test_a_schema_is_a_json_schema(event_type: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(event_type))


def test_only_the_strict_schema_refuses_an_unknown_field() -> None:
    detail = {
        "version": 1,
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


def test_the_example_in_the_docs_fits_its_schema() -> None:
    shown = json.loads(PAGE.read_text().partition("```json\n")[2].partition("```")[0])
    jsonschema.validate(shown["detail"], schema_of(shown["detail-type"], strict=True))


def test_definitions_are_inlined_at_every_depth() -> None:
    definitions = {
        "Cost": {"type": "object", "properties": {"lines": {"items": {"$ref": "#/$defs/Line"}}}},
        "Line": {"type": "string"},
    }
    node = {"properties": {"cost": {"$ref": "#/$defs/Cost", "description": "the cost"}}}

    assert inlined(node, definitions)["properties"]["cost"] == {
        "type": "object",
        "properties": {"lines": {"items": {"type": "string"}}},
        "description": "the cost",
    }


def test_an_event_of_another_version_is_refused() -> None:
    shown = json.loads(PAGE.read_text().partition("```json\n")[2].partition("```")[0])
    with pytest.raises(jsonschema.ValidationError, match="1 was expected"):
        jsonschema.validate({**shown["detail"], "version": 2}, schema_of(shown["detail-type"]))
