"""The contract of the conversation store, on every engine: commit, load, list, due."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local.stack.template import Template
from partyline.domain.decide import Decision, decide
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import Event, EventType
from partyline.domain.model.inputs import NewParticipant, SendMessage, StartConversation
from partyline.domain.model.insight import Insight
from partyline.domain.model.participant import HOST_ID
from partyline.domain.model.statuses import ConversationStatus
from partyline.store import ConversationStore, DedupeRecord, keys
from partyline.store.errors import (
    AlreadyProcessedError,
    ConversationTooLargeError,
    VersionConflictError,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2036, 11, 22, 9, 0, tzinfo=UTC)
ACTIVE, ENDED = ConversationStatus.ACTIVE, ConversationStatus.ENDED


def begun(
    name: str = "c-1", at: datetime = NOW, metadata: dict[str, Any] | None = None
) -> Decision:
    """The step that starts a conversation around the live call `v3:<name>`."""
    start = StartConversation(
        id="request-1",
        conversation_id=name,
        assistant=Assistant(id="assistant-1"),
        connection_id="1494404757140276705",
        host=NewParticipant(id=HOST_ID, name="Ada", call_control_id=f"v3:{name}"),
        metadata=metadata or {},
    )
    return decide(None, start, at)


def spoken(before: Conversation, text: str = "Hello.") -> Decision:
    """The step that a message to the assistant makes."""
    message = SendMessage(id="request-2", role="system", content=text)
    return decide(before, message, NOW + timedelta(seconds=1))


def with_status(
    store: ConversationStore, name: str, status: ConversationStatus, at: datetime = NOW
) -> None:
    conversation = begun(name, at).conversation
    assert conversation is not None
    conversation.status = status
    store.commit(None, Decision(conversation))


def moved(store: ConversationStore, name: str, status: ConversationStatus) -> None:
    before = store.load(name)
    assert before is not None
    store.commit(before, Decision(before.model_copy(update={"status": status})))


def items(dynamodb: "DynamoDBClient", template: Template) -> int:
    return dynamodb.scan(TableName=template.table.name, Select="COUNT")["Count"]


def test_an_unknown_conversation_is_neither_loaded_nor_listed(store: ConversationStore) -> None:
    assert store.load("c-1") is None
    assert store.load_with_insights("c-1") is None
    assert store.timeline("c-1").items == []
    assert list(store.list_due(keys.shard("c-1"), NOW)) == []


def test_a_new_conversation_is_loaded_as_it_was_written(store: ConversationStore) -> None:
    odd = {"big": 10**30, "float": 1e308, "text": "café \U0001f600", "deep": [{"a": [None, True]}]}
    written = store.commit(None, begun(metadata=odd))
    assert written.version == 1
    assert store.load("c-1") == written
    assert written.metadata == odd


def test_each_step_adds_one_to_the_version(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    second = store.commit(first, spoken(first))
    assert second.version == 2
    assert store.load("c-1") == second
    assert [message.content for message in second.pending_messages] == ["Hello."]


def test_a_conversation_is_created_once(store: ConversationStore) -> None:
    store.commit(None, begun())
    with pytest.raises(VersionConflictError):
        store.commit(None, begun())


def test_a_step_based_on_an_old_version_is_a_version_conflict(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    second = store.commit(first, spoken(first, "The first."))
    with pytest.raises(VersionConflictError):
        store.commit(first, spoken(first, "The second."))
    assert store.load("c-1") == second


def test_a_webhook_takes_effect_once(store: ConversationStore) -> None:
    dedupe = DedupeRecord(keys.webhook("c-1", "event-1"))
    first = store.commit(None, begun(), dedupe)
    with pytest.raises(AlreadyProcessedError) as known:
        store.commit(first, spoken(first), dedupe)
    assert known.value.request_hash is None
    assert store.load("c-1") == first


def test_a_duplicate_request_reports_the_hash_of_the_first_request(
    store: ConversationStore,
) -> None:
    first = store.commit(None, begun(), DedupeRecord(keys.request("key"), "hash-1"))
    with pytest.raises(AlreadyProcessedError) as known:
        store.commit(first, spoken(first), DedupeRecord(keys.request("key"), "hash-2"))
    assert known.value.request_hash == "hash-1"
    with pytest.raises(AlreadyProcessedError) as seen:
        store.check_not_processed(DedupeRecord(keys.request("key"), "hash-2"))
    assert seen.value.request_hash == "hash-1"
    store.check_not_processed(DedupeRecord(keys.request("another key"), "hash-2"))


def test_a_duplicate_that_is_also_stale_counts_as_a_duplicate(store: ConversationStore) -> None:
    dedupe = DedupeRecord(keys.webhook("c-1", "event-1"))
    store.commit(None, begun(), dedupe)
    with pytest.raises(AlreadyProcessedError):
        store.commit(None, begun(), dedupe)


def test_a_step_is_written_completely_or_not_at_all(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    store.commit(None, begun("c-1"), dedupe)
    before = items(dynamodb, template)

    with pytest.raises(AlreadyProcessedError):  # the dedupe record is the second item
        store.commit(None, begun("c-2"), dedupe)
    clash = begun("c-3")
    key = keys.event("c-3", clash.events[-1].seq)
    dynamodb.put_item(
        TableName=template.table.name, Item={"pk": {"S": key[0]}, "sk": {"S": key[1]}}
    )
    with pytest.raises(VersionConflictError):  # an event is a later item
        store.commit(None, clash, DedupeRecord(keys.webhook("c-3", "event-3")))

    assert items(dynamodb, template) == before + 1
    assert store.load("c-2") is None
    assert store.load("c-3") is None
    assert store.table.find([keys.call("v3:c-2"), keys.call("v3:c-3")]) == {}


@pytest.mark.parametrize(
    ("longest", "too_long"),
    [
        ({"pk": "\u00e9" * 1024}, {"pk": "\u00e9" * 1024 + "x"}),
        ({"sk": "\u00e9" * 512}, {"sk": "\u00e9" * 512 + "x"}),
    ],
)
def test_a_key_has_a_size_limit(
    dynamodb: "DynamoDBClient",
    template: Template,
    longest: dict[str, str],
    too_long: dict[str, str],
) -> None:
    """2,048 bytes in a partition key, 1,024 in a sort key: ids of other systems stay below."""

    def put(key: dict[str, str]) -> None:
        keyed = {"pk": "p", "sk": "s", **key}
        item: Any = {name: {"S": text} for name, text in keyed.items()}
        write: Any = {"Put": {"TableName": template.table.name, "Item": item}}
        dynamodb.transact_write_items(TransactItems=[write])

    put(longest)
    with pytest.raises(ClientError, match="ValidationException"):
        put(too_long)


class Contended:
    """A DynamoDB client with a transaction conflict in every transaction."""

    def transact_write_items(self, TransactItems: list[Any]) -> Any:  # noqa: N803 - AWS's own name
        reasons: list[Any] = [{"Code": "None"} for _ in TransactItems[1:]]
        said: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "Cancelled"},
            "CancellationReasons": [{"Code": "TransactionConflict"}, *reasons],
        }
        raise ClientError(said, "TransactWriteItems")


@pytest.mark.parametrize("dedupe", [None, DedupeRecord(keys.webhook("c-1", "event-1"))])
def test_a_conflicting_transaction_is_a_version_conflict(
    template: Template, dedupe: DedupeRecord | None
) -> None:
    contended: Any = Contended()
    with pytest.raises(VersionConflictError):
        ConversationStore(contended, template.table.name).commit(None, begun(), dedupe)


def test_a_key_requested_twice_is_read_once_and_an_unknown_key_is_left_out(
    store: ConversationStore,
) -> None:
    store.commit(None, begun())
    wanted = [keys.state("c-1"), keys.state("c-1"), keys.state("c-2"), keys.route("+13125550100")]
    assert set(store.table.find(wanted)) == {keys.state("c-1")}
    assert store.table.find([]) == {}


class _Hesitant:
    """A DynamoDB client that returns half of the keys as unprocessed."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self.asked: list[int] = []

    def batch_get_item(self, **request: Any) -> Any:
        [(table, wanted)] = request["RequestItems"].items()
        self.asked.append(len(wanted["Keys"]))
        half = (len(wanted["Keys"]) + 1) // 2
        now, later = wanted["Keys"][:half], wanted["Keys"][half:]
        asked: Any = {table: {**wanted, "Keys": now}}
        answer = self._client.batch_get_item(RequestItems=asked)
        left = {table: {**wanted, "Keys": later}} if later else {}
        return {**answer, "UnprocessedKeys": left}


def test_unprocessed_keys_are_requested_again(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    names = [f"c-{number}" for number in range(5)]
    for name in names:
        store.commit(None, begun(name))
    hesitant = _Hesitant(dynamodb)
    found = ConversationStore(hesitant, template.table.name).table.find(
        [keys.state(name) for name in [*names, "c-9"]]
    )
    assert set(found) == {keys.state(name) for name in names}
    assert hesitant.asked == [6, 3, 1]


def test_a_conversation_is_read_with_its_own_insights(
    store: ConversationStore,
) -> None:
    insights = [
        Insight(insight_id="i-2", result={"sentiment": "positive", "score": 0.5}),
        Insight(insight_id="i-1", result="They asked about café hours."),
    ]
    first = store.commit(None, begun(), DedupeRecord(keys.webhook("c-1", "event-1")))
    second = store.commit(first, replace(spoken(first), insights=insights))
    store.commit(None, replace(begun("c-2"), insights=[Insight(insight_id="i-3", result="No.")]))
    assert store.load_with_insights("c-1") == (
        second,
        sorted(insights, key=lambda insight: str(insight.insight_id)),
    )


LARGE: list[Any] = ["a\u00e9\u0001" * 150_000, {"text": "\U0001f600" * 200_000}, "", None]


@pytest.mark.parametrize("result", [*LARGE, 4711000000000000, 10**60, -(10**40), 1e22, "\0"])
def test_an_insight_of_any_size_is_stored_as_it_came(store: ConversationStore, result: Any) -> None:
    """A table holds 38 digits of a number, and 400 KB an item."""
    large = Insight(insight_id="i#1", result=result)
    small = Insight(insight_id="i#1", run=1, result="x" * 50_000)
    store.commit(None, replace(begun(), insights=[large, small]))
    found = store.load_with_insights("c-1")
    assert found is not None
    assert found[1] == [large, small]


def test_a_newer_result_replaces_a_longer_one_of_the_same_run(store: ConversationStore) -> None:
    results = ["x" * 300_000, "y" * 100_000, "z"]
    insights = [Insight(insight_id="i-1", result=result) for result in results]
    first = store.commit(None, replace(begun(), insights=insights[:1]))
    store.commit(first, replace(spoken(first), insights=insights[1:]))
    found = store.load_with_insights("c-1")
    assert found is not None
    assert found[1] == insights[2:]


def test_fifty_insights_fit_into_one_step(store: ConversationStore) -> None:
    insights = [Insight(insight_id=f"i-{n:02d}", result="\u0001" * 6_000) for n in range(50)]
    store.commit(None, replace(begun(), insights=insights))
    found = store.load_with_insights("c-1")
    assert found is not None
    assert found[1] == insights
    assert len(json.dumps([insight.result for insight in found[1]])) < 6 * 10**6


def test_a_document_that_is_too_large_is_refused_and_nothing_is_written(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    first = store.commit(None, begun(metadata={"text": "é" * 150_000}))
    before = items(dynamodb, template)
    with pytest.raises(ConversationTooLargeError):
        store.commit(first, spoken(first, "x" * 100_000))
    with pytest.raises(ConversationTooLargeError):
        store.commit(first, spoken(first), max_bytes=300_000)
    assert items(dynamodb, template) == before
    store.commit(first, spoken(first, "x" * 80_000))


def test_a_timeline_is_in_order_beyond_one_query_page(store: ConversationStore) -> None:
    conversation = store.commit(None, begun())
    for _ in range(5):  # more than the 1 MB of a page
        events = [
            Event(
                seq=conversation.seq + nth,
                type=EventType.MESSAGE_SENT,
                occurred_at=NOW,
                cause="request-2",
                data={"content": "x" * 20_000},
            )
            for nth in range(1, 13)
        ]
        after = conversation.model_copy(update={"seq": conversation.seq + len(events)})
        conversation = store.commit(conversation, Decision(after, events))
    assert [event.seq for event in store.timeline("c-1").items] == list(
        range(1, conversation.seq + 1)
    )


def pages(
    store: ConversationStore, status: ConversationStatus | None, limit: int
) -> list[list[str]]:
    found, cursor = [], None
    while True:
        page = store.list_newest(status, limit, cursor)
        found.append([conversation.id for conversation in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_conversations_are_listed_newest_first(store: ConversationStore) -> None:
    for nth, status in enumerate([ACTIVE, ENDED, ACTIVE, ConversationStatus.FAILED, ENDED]):
        with_status(store, f"c-{nth}", status, NOW + timedelta(minutes=nth))
    assert pages(store, None, 10) == [["c-4", "c-3", "c-2", "c-1", "c-0"]]
    assert pages(store, None, 2) == [["c-4", "c-3"], ["c-2", "c-1"], ["c-0"]]
    assert pages(store, ENDED, 1) == [["c-4"], ["c-1"]]
    assert pages(store, ACTIVE, 2) == [["c-2", "c-0"]]
    assert pages(store, ConversationStatus.STOPPING, 2) == [[]]


def test_conversations_that_began_at_the_same_time_are_all_listed(store: ConversationStore) -> None:
    names = {f"c-{nth}" for nth in range(7)}
    for name in names:
        with_status(store, name, ACTIVE)
    listed = [name for page in pages(store, ACTIVE, 2) for name in page]
    assert sorted(listed) == sorted(names)


def test_pages_have_no_gap_and_no_duplicate_while_statuses_change(
    store: ConversationStore,
) -> None:
    names = [f"c-{nth}" for nth in range(8)]
    for nth, name in enumerate(names):
        with_status(store, name, ACTIVE, NOW + timedelta(minutes=nth))
    seen, cursor = [], None
    for move in ("c-1", "c-6", "c-3", "c-0"):
        page = store.list_newest(None, 2, cursor)
        seen += [conversation.id for conversation in page.items]
        cursor = page.next_cursor
        moved(store, move, ENDED)
        with_status(store, f"{move}-new", ACTIVE, NOW + timedelta(hours=1))
    assert seen == list(reversed(names))
    assert cursor is None


class _Moving:
    """A DynamoDB client under which a conversation changes its status between two queries."""

    def __init__(self, client: "DynamoDBClient", store: ConversationStore) -> None:
        self._client = client
        self._store = store
        self._queries = 0

    def query(self, **request: Any) -> Any:
        answer = self._client.query(**request)
        self._queries += 1
        if self._queries == 1:
            moved(self._store, "c-1", ACTIVE)
        return answer

    def batch_get_item(self, **request: Any) -> Any:
        return self._client.batch_get_item(**request)


def test_a_conversation_whose_status_changes_during_a_list_is_listed_once(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    with_status(store, "c-1", ConversationStatus.CONNECTING)
    moving = ConversationStore(_Moving(dynamodb, store), template.table.name)
    assert [item.id for item in moving.list_newest(None, 5).items] == ["c-1"]


def test_a_conversation_is_not_listed_under_its_old_status(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    with_status(store, "c-1", ConversationStatus.CONNECTING)
    moving = ConversationStore(_Moving(dynamodb, store), template.table.name)
    assert moving.list_newest(ConversationStatus.CONNECTING, 5).items == []
    assert [item.id for item in store.list_newest(ACTIVE, 5).items] == ["c-1"]


def test_a_cursor_is_valid_for_its_own_list_only(store: ConversationStore) -> None:
    for nth in range(3):
        with_status(store, f"c-{nth}", ACTIVE, NOW + timedelta(minutes=nth))
    cursor = store.list_newest(ACTIVE, 1).next_cursor
    assert cursor is not None
    assert store.list_newest(ACTIVE, 1, cursor).items[0].id == "c-1"
    for status in (None, ENDED):
        with pytest.raises(ValueError, match="cursor"):
            store.list_newest(status, 1, cursor)
    for bad in ("x", "é", "====", cursor[:8], cursor + "A", "\0", "YWN0aXZlfA==", "\ud800"):
        with pytest.raises(ValueError, match="cursor"):
            store.list_newest(ACTIVE, 1, bad)


def test_due_conversations_are_listed_in_their_shard_the_oldest_first(
    store: ConversationStore,
) -> None:
    names = [f"c-{nth}" for nth in range(12)]
    for nth, name in enumerate(names):
        conversation = begun(name).conversation
        assert conversation is not None
        conversation.due_at = NOW + timedelta(seconds=60 - nth) if nth else None
        store.commit(None, Decision(conversation))
    later = NOW + timedelta(seconds=55)
    found = {shard: list(store.list_due(shard, later)) for shard in keys.shards()}
    due = names[5:]
    assert sorted(name for listed in found.values() for name in listed) == sorted(due)
    for shard, listed in found.items():
        assert listed == [name for name in reversed(due) if keys.shard(name) == shard]
        assert list(store.list_due(shard, NOW)) == []


def test_a_conversation_that_is_no_longer_due_is_not_listed(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    assert list(store.list_due(keys.shard("c-1"), NOW + timedelta(days=1))) == ["c-1"]
    store.commit(first, Decision(first.model_copy(update={"due_at": None})))
    assert list(store.list_due(keys.shard("c-1"), NOW + timedelta(days=1))) == []


def test_a_postponed_conversation_is_due_later_and_otherwise_unchanged(
    store: ConversationStore,
) -> None:
    first = store.commit(None, begun())
    shard, later = keys.shard("c-1"), NOW + timedelta(hours=1)
    store.postpone("c-1", later, later + timedelta(minutes=3))
    assert list(store.list_due(shard, later + timedelta(minutes=2))) == []
    assert list(store.list_due(shard, later + timedelta(minutes=4))) == ["c-1"]
    assert store.load("c-1") == first
    store.commit(first, spoken(first))


def test_a_conversation_that_is_not_due_is_not_postponed(store: ConversationStore) -> None:
    first = store.commit(None, begun())
    assert first.due_at is not None
    store.postpone("c-1", first.due_at - timedelta(seconds=1), NOW + timedelta(days=1))
    assert list(store.list_due(keys.shard("c-1"), first.due_at)) == ["c-1"]
    store.commit(first, Decision(first.model_copy(update={"due_at": None})))
    store.postpone("c-1", NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    store.postpone("c-2", NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    assert list(store.list_due(keys.shard("c-1"), NOW + timedelta(days=1))) == []


class _Overtaken:
    """A DynamoDB client under which a conversation changes before a put."""

    def __init__(self, client: "DynamoDBClient", move: Callable[[], None]) -> None:
        self._client = client
        self._move = move

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **request: Any) -> Any:
        self._move()
        return self._client.put_item(**request)


def test_a_conversation_that_changes_meanwhile_is_not_postponed(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    store.commit(None, begun())
    overtaken: Any = _Overtaken(dynamodb, lambda: moved(store, "c-1", ENDED))
    later = NOW + timedelta(hours=1)
    ConversationStore(overtaken, template.table.name).postpone(
        "c-1", later, later + timedelta(minutes=3)
    )
    found = store.load("c-1")
    assert found is not None
    assert found.status is ENDED
    assert list(store.list_due(keys.shard("c-1"), later)) == ["c-1"]


def test_dedupe_records_expire_and_conversations_do_not(
    store: ConversationStore, dynamodb: "DynamoDBClient", template: Template
) -> None:
    store.commit(None, begun(), DedupeRecord(keys.webhook("c-1", "event-1")))
    rows = dynamodb.scan(TableName=template.table.name)["Items"]
    expiring = {row["sk"]["S"]: row["expires_at"]["N"] for row in rows if "expires_at" in row}
    week = timedelta(days=7).total_seconds()
    assert expiring == {"DEDUPE#event-1": str(int(NOW.timestamp() + week))}


def test_a_decision_without_a_conversation_cannot_be_committed(store: ConversationStore) -> None:
    with pytest.raises(ValueError, match="no conversation"):
        store.commit(None, Decision(None))
