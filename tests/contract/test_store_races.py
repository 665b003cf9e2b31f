"""Several processes change a conversation at once: no update is lost or repeated."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import TYPE_CHECKING, Any

from local.stack.memory_table import MemoryTable
from local.stack.template import Template
from partyline.domain.decide import decide
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.inputs import NewParticipant, SendMessage, StartConversation
from partyline.domain.model.participant import HOST_ID
from partyline.store import ConversationStore, DedupeRecord, keys
from partyline.store.directory import Directory
from partyline.store.errors import AlreadyProcessedError, VersionConflictError
from partyline.store.scheduled import ScheduledConversations

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2036, 11, 22, 9, 0, tzinfo=UTC)
THREADS, STEPS = 8, 10

START = StartConversation(
    id="request-1",
    conversation_id="c-1",
    assistant=Assistant(id="assistant-1"),
    connection_id="1494404757140276705",
    host=NewParticipant(id=HOST_ID, call_control_id="v3:host"),
)


class Noted(MemoryTable):
    """A table that records whether each read was consistent."""

    def __init__(self, create: Mapping[str, Any]) -> None:
        super().__init__(create)
        self.reads: list[bool] = []

    def get_item(self, **request: Any) -> Any:
        self.reads.append(request.get("ConsistentRead", False))
        return super().get_item(**request)

    def query(self, **request: Any) -> Any:
        self.reads.append(request.get("ConsistentRead", False))
        return super().query(**request)

    def batch_get_item(self, **request: Any) -> Any:
        self.reads += [
            table.get("ConsistentRead", False) for table in request["RequestItems"].values()
        ]
        return super().batch_get_item(**request)


def test_every_read_is_consistent(template: Template) -> None:
    """The engines here never return an older row, as DynamoDB may for other reads."""
    table: Any = Noted(template.table.create)
    name = template.table.name
    store, directory = ConversationStore(table, name), Directory(table, name)
    store.commit(None, decide(None, START, NOW))
    store.load("c-1")
    store.load_with_insights("c-1")
    store.timeline("c-1")
    store.check_not_processed(DedupeRecord(keys.webhook("c-1", "event-1")))
    directory.route("+13125550100")
    directory.route_for("+13125550100")
    directory.do_not_call("+13125550101")
    store.look_up_call("c-1", "v3:host", "leg-1", "+13125550100")
    ScheduledConversations(table, name).get("c-1")
    assert table.reads == [True] * 9


def test_no_update_is_lost_when_eight_threads_write_at_once(
    ministack: "DynamoDBClient", template: Template
) -> None:
    store = ConversationStore(ministack, template.table.name)
    store.commit(None, decide(None, START, NOW))
    together = Barrier(THREADS)

    def speak(writer: int) -> int:
        conflicts = 0
        together.wait()
        for nth in range(STEPS):
            message = SendMessage(id=f"{writer}/{nth}", role="system", content=f"{writer}/{nth}")
            while True:
                before = store.load("c-1")
                try:
                    store.commit(before, decide(before, message, NOW))
                    break
                except VersionConflictError:
                    conflicts += 1
        return conflicts

    with ThreadPoolExecutor(THREADS) as pool:
        conflicts = sum(pool.map(speak, range(THREADS)))

    after = store.load("c-1")
    assert after is not None
    said = [message.content for message in after.pending_messages]
    assert sorted(said) == sorted(f"{w}/{n}" for w in range(THREADS) for n in range(STEPS))
    assert after.version == 1 + THREADS * STEPS
    for writer in range(THREADS):
        own = [text for text in said if text.startswith(f"{writer}/")]
        assert own == [f"{writer}/{nth}" for nth in range(STEPS)]
    assert conflicts > 0, "no two writers conflicted, so the test proves nothing"


def test_of_eight_threads_that_create_a_conversation_one_succeeds(
    ministack: "DynamoDBClient", template: Template
) -> None:
    store = ConversationStore(ministack, template.table.name)
    together = Barrier(THREADS)
    dedupe = DedupeRecord(keys.request("key"), "hash-1")

    def begin(writer: int) -> str:
        together.wait()
        while True:
            try:
                store.commit(None, decide(None, START, NOW), dedupe)
            except AlreadyProcessedError as known:
                return f"known as {known.request_hash}"
            except VersionConflictError:
                continue
            return "begun"

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(begin, range(THREADS)))

    assert sorted(outcomes) == ["begun"] + ["known as hash-1"] * (THREADS - 1)
    assert [event.seq for event in store.timeline("c-1").items] == [1, 2, 3]
