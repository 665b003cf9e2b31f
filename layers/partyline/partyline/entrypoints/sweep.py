"""Once a minute: what should have moved and has not is looked at."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from partyline.bootstrap import App, with_app
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import TimerElapsed
from partyline.store import ConversationStore, keys
from partyline.telemetry import count, logger, measure_secs

PER_SHARD = 25
"""How many conversations of a shard one run looks at; the rest are the next run's, oldest first."""

SPARE_MILLIS = 3000
"""With less time than this left, a run leaves what is still due to the next one."""

PUT_OFF = timedelta(minutes=3)
"""For how long one that failed lets the others go first.

The oldest come first, so 25 that always fail would be all that a run ever gets to. Short enough
that each five minutes of the alarm on `SweepFailed` see it fail.
"""

OPEN_LONG = timedelta(hours=4, minutes=15)
"""A conversation is ended after `MaxMinutes`, four hours at most: one older than that is stuck.

The four hours count from when its assistant runs, this from its beginning: until then the host's
phone may ring for ten minutes, and the end takes its time too.
"""


def sweep() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The handler of the scheduled function. Answers how many conversations it touched."""

    def handle(app: App, _event: dict[str, Any], context: Any) -> dict[str, int]:
        store, engine, now = app.store, app.engine, app.clock()
        touched, oldest = 0, 0.0
        for conversation_id in _due(store, now):
            if context.get_remaining_time_in_millis() < SPARE_MILLIS:
                break
            try:
                ingested = engine.ingest(
                    lambda it=conversation_id: store.load(it),  # type: ignore[misc]
                    TimerElapsed(id="sweep"),
                )
                oldest = max(oldest, _owed_for(ingested.conversation, now))
            except Exception as error:  # noqa: BLE001 - one bad conversation stops no other
                count("SweepFailed")
                extra = {"conversation_id": conversation_id, "error": type(error).__name__}
                logger.error("sweep failed", extra=extra)
                _put_off(store, conversation_id, now)
            touched += 1
        count("SweepTouched", touched)
        measure_secs("OldestPendingSecs", oldest)
        _count_open_long(store, now)
        return {"touched": touched}

    return with_app(handle)


def _put_off(store: ConversationStore, conversation_id: str, now: datetime) -> None:
    try:
        store.postpone(conversation_id, now, now + PUT_OFF)
    except (BotoCoreError, ClientError) as error:
        extra = {"conversation_id": conversation_id, "error": type(error).__name__}
        logger.warning("not put off", extra=extra)


def _owed_for(conversation: Conversation | None, now: datetime) -> float:
    """For how many seconds the oldest command of a conversation is owed that is still owed."""
    commands = conversation.commands.values() if conversation else ()
    since = [each.owed_at for each in commands if each.is_pending and each.owed_at]
    return (now - min(since)).total_seconds() if since else 0.0


def _count_open_long(store: ConversationStore, now: datetime) -> None:
    """A figure for an alarm: without it the run was still a good one."""
    try:
        count("ConversationsOpenLong", store.count_open_before(now - OPEN_LONG))
    except (BotoCoreError, ClientError) as error:
        logger.warning("not counted", extra={"error": type(error).__name__})


def _due(store: ConversationStore, now: datetime) -> list[str]:
    """What is due, the shards by turns: when the time is too short for all, no shard starves."""
    turns = zip_longest(*(_due_in(store, shard, now) for shard in keys.shards()))
    return [each for turn in turns for each in turn if each]


def _due_in(store: ConversationStore, shard: str, now: datetime) -> list[str]:
    """What is due in a shard; one that cannot be read now stops no other."""
    try:
        return store.list_due(shard, now, PER_SHARD)
    except (BotoCoreError, ClientError) as error:
        count("SweepFailed")
        logger.error("sweep failed", extra={"shard": shard, "error": type(error).__name__})
        return []
