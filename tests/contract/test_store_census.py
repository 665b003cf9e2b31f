"""The index of open conversations has the calls for the census, on every engine."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local.stack.template import Template
from partyline.domain.decide import Decision
from partyline.domain.model.conversation import Conversation
from partyline.store import ConversationStore
from partyline.store.census import BelievedCalls, CensusStore
from tests.support.domain_story import T0, Story, active_story, joined_story

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def census(dynamodb: "DynamoDBClient", template: Template) -> CensusStore:
    return CensusStore(dynamodb, template.table.name)


def commit(store: ConversationStore, story: Story) -> Conversation:
    before = store.load(story.state.id)
    version = before.version if before else 0
    after = story.state.model_copy(update={"version": version})
    return store.commit(before, Decision(after, changed=True))


def test_the_answered_calls_of_open_conversations_are_listed(
    store: ConversationStore, census: CensusStore
) -> None:
    story = joined_story()
    commit(store, story)
    inbound = Story()
    inbound.inbound_call()
    inbound.answer()
    inbound.state.id = "conversation-2"
    inbound.leg().call_control_id, inbound.leg().call_leg_id = "v3:inbound", None
    commit(store, inbound)
    assert sorted(census.believed_calls(), key=lambda believed: believed.conversation_id) == [
        BelievedCalls("conversation-1", "connection-1", {"leg-host-1": T0, "leg-dana-1": T0}),
        BelievedCalls("conversation-2", "connection-1", {"v3:inbound": T0}),
    ]


def test_a_call_that_has_ended_leaves_the_index(
    store: ConversationStore, census: CensusStore
) -> None:
    story = active_story()
    commit(store, story)
    story.hang_up()
    commit(store, story)
    assert list(census.believed_calls()) == []


def test_a_conversation_without_an_answered_call_is_not_listed(
    store: ConversationStore, census: CensusStore
) -> None:
    story = Story()
    story.start()
    commit(store, story)
    assert list(census.believed_calls()) == []


def test_the_time_of_the_last_complete_census_is_kept_for_each_connection(
    census: CensusStore,
) -> None:
    at = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
    assert census.complete_at("1") is None
    for later in (timedelta(), timedelta(minutes=1)):
        census.note_complete("1", at + later)
        assert census.complete_at("1") == at + later
    assert census.complete_at("2") is None
