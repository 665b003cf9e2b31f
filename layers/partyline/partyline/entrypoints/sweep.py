"""The sweep: once a minute, time passes for the conversations that are due."""

from collections.abc import Callable
from datetime import datetime
from itertools import zip_longest
from typing import Any

from partyline.aws_errors import AwsError
from partyline.bootstrap import App, with_app
from partyline.domain.model import timeouts
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import TimerElapsed
from partyline.store import ConversationStore, keys
from partyline.telemetry import Metric, count, logger

PER_SHARD = 25
"""How many conversations of a shard a run processes, the oldest first; the next run goes on."""

SPARE_MILLIS = 3000  # A run stops when less time than this is left


def sweep() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The handler of the scheduled function. Its answer counts the conversations it touched.

    A conversation that fails, after an outage or a bug, is counted and postponed, and the other
    conversations go on.
    """

    def handle(app: App, _event: dict[str, Any], context: Any) -> dict[str, int]:
        store, engine, now = app.store, app.engine, app.clock()
        touched, oldest = 0, 0.0
        for conversation_id in _due(store, now):
            if context.get_remaining_time_in_millis() < SPARE_MILLIS:
                break
            try:
                ingested = engine.ingest(store.loader(conversation_id), TimerElapsed(id="sweep"))
                oldest = max(oldest, _pending_secs(ingested.conversation, now))
            except Exception as error:  # noqa: BLE001 - the other conversations go on
                count(Metric.SWEEP_FAILED)
                extra = {"conversation_id": conversation_id, "error": type(error).__name__}
                logger.error("sweep failed", extra=extra)
                _postpone(store, conversation_id, now)
            touched += 1
        count(Metric.SWEEP_TOUCHED, touched)
        count(Metric.OLDEST_PENDING, oldest)
        _count_open_long(store, now)
        return {"touched": touched}

    return with_app(handle)


def _postpone(store: ConversationStore, conversation_id: str, now: datetime) -> None:
    try:
        store.postpone(conversation_id, now, now + timeouts.POSTPONED_BY)
    except AwsError as error:
        extra = {"conversation_id": conversation_id, "error": type(error).__name__}
        logger.warning("not postponed", extra=extra)


def _pending_secs(conversation: Conversation | None, now: datetime) -> float:
    commands = conversation.commands.values() if conversation else ()
    since = [command.owed_at for command in commands if command.is_pending and command.owed_at]
    return (now - min(since)).total_seconds() if since else 0.0


def _count_open_long(store: ConversationStore, now: datetime) -> None:
    try:
        count(Metric.CONVERSATIONS_OPEN_LONG, store.count_open_before(now - timeouts.OPEN_LONG))
    except AwsError as error:
        logger.warning("not counted", extra={"error": type(error).__name__})


def _due(store: ConversationStore, now: datetime) -> list[str]:
    """The ids of due conversations, the shards in turn: a short run reaches every shard."""
    turns = zip_longest(*(_due_in(store, shard, now) for shard in keys.shards()))
    return [conversation_id for turn in turns for conversation_id in turn if conversation_id]


def _due_in(store: ConversationStore, shard: str, now: datetime) -> list[str]:
    try:
        return store.list_due(shard, now, PER_SHARD)
    except AwsError as error:
        count(Metric.SWEEP_FAILED)
        logger.error("sweep failed", extra={"shard": shard, "error": type(error).__name__})
        return []
