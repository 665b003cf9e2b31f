"""Several processes move one conversation at once: nothing is lost, and nothing is done twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import TYPE_CHECKING

from local.template import Template
from partyline.domain import decide
from partyline.domain.conversation import HOST, Assistant
from partyline.domain.inputs import NewParticipant, SendMessage, StartConversation
from partyline.store import Conflict, Duplicate, Inbox, Store, keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
THREADS, STEPS = 8, 10

START = StartConversation(
    id="request-1",
    conversation_id="c-1",
    assistant=Assistant(id="assistant-1"),
    connection_id="1494404757140276705",
    host=NewParticipant(id=HOST, call_control_id="v3:host"),
)


def test_no_update_is_lost_when_eight_write_at_once(
    ministack: "DynamoDBClient", template: Template
) -> None:
    store = Store(ministack, template.table.name)
    store.commit(None, decide(None, START, NOW))
    together = Barrier(THREADS)

    def speak(writer: int) -> int:
        conflicts = 0
        together.wait()
        for nth in range(STEPS):
            given = SendMessage(id=f"{writer}/{nth}", role="system", content=f"{writer}/{nth}")
            while True:
                before = store.load("c-1")
                try:
                    store.commit(before, decide(before, given, NOW))
                    break
                except Conflict:
                    conflicts += 1
        return conflicts

    with ThreadPoolExecutor(THREADS) as pool:
        conflicts = sum(pool.map(speak, range(THREADS)))

    after = store.load("c-1")
    assert after is not None
    said = [each.content for each in after.untold]
    assert sorted(said) == sorted(f"{w}/{n}" for w in range(THREADS) for n in range(STEPS))
    assert after.version == 1 + THREADS * STEPS
    for writer in range(THREADS):
        own = [each for each in said if each.startswith(f"{writer}/")]
        assert own == [f"{writer}/{nth}" for nth in range(STEPS)]
    assert conflicts > 0, "the writers never met, so this showed nothing"


def test_of_eight_that_begin_the_same_conversation_one_does(
    ministack: "DynamoDBClient", template: Template
) -> None:
    store = Store(ministack, template.table.name)
    together = Barrier(THREADS)
    inbox = Inbox(keys.request("key"), "hash-1")

    def begin(writer: int) -> str:
        together.wait()
        while True:
            try:
                store.commit(None, decide(None, START, NOW), inbox)
            except Duplicate as known:
                return f"known as {known.request_hash}"
            except Conflict:
                continue
            return "begun"

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(begin, range(THREADS)))

    assert sorted(outcomes) == ["begun"] + ["known as hash-1"] * (THREADS - 1)
    assert [each.seq for each in store.timeline("c-1")] == [1, 2, 3]
