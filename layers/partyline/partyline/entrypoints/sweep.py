"""The sweep: once a minute, hands the conversations that are due to the timers' queue.

A timer has a message of its own in that queue (see `services.timers`). The sweep follows for the
timers whose messages were lost, and for those without a message.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from typing import Any

from partyline.aws_errors import AwsError
from partyline.bootstrap import App, with_app
from partyline.domain.model import timeouts
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import Input
from partyline.services.engine import IngestResult
from partyline.services.queue_batch import MAX_BATCH
from partyline.services.timers import TimerMessage
from partyline.store import ConversationStore, keys
from partyline.store.open_counts import OPEN_SHARES
from partyline.store.table import TransactionCancelledError
from partyline.telemetry import Metric, count, count_if_any, logger

SPARE_MILLIS = 3000  # A run stops when less time than this is left


def sweep() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The handler of the scheduled function. Its answer counts the due conversations.

    The run itself processes the conversations that the queue does not take, as many as fit in its
    time; the next run goes on.
    """

    def handle(app: App, _event: dict[str, Any], context: Any) -> dict[str, int]:
        due = map(TimerMessage, _due(app.store, app.clock()))
        touched = hand_out(app, due, "sweep", time_left(context))
        count_if_any(Metric.SWEEP_TOUCHED, touched)
        # Beside 1 for each shard that failed: the alarm rings when no value comes.
        count(Metric.SWEEP_FAILED, 0)
        _count_open_long(app.store, app.clock())
        _repair_counts(app.store)
        _count_dialing_off(app)
        return {"touched": touched}

    return with_app(handle)


def time_left(context: Any) -> Callable[[], bool]:
    """Return the function that tells whether a run has time for more work."""
    return lambda: bool(context.get_remaining_time_in_millis() >= SPARE_MILLIS)


def hand_out(
    app: App,
    messages: Iterator[TimerMessage],
    cause: str,
    has_time: Callable[[], bool],
    delay: timedelta = timedelta(),
) -> int:
    """Hand messages to the timers' queue, while `has_time`; returns the number of messages.

    The run itself does the work of the messages that the queue does not take.
    """
    touched, queue_works = 0, True
    while has_time() and (batch := list(islice(messages, MAX_BATCH))):
        left = app.timers.hand_out(batch, delay) if queue_works else batch
        queue_works = not left  # a queue that is away would take time from the conversations
        touched += len(batch) - len(left)
        for message in left:
            if has_time():
                pass_time(app, message.conversation_id, message.input(cause))
                touched += 1
    return touched


def pass_time(app: App, conversation_id: str, input_: Input) -> IngestResult | None:
    """Let time pass for a conversation, or poll its calls.

    A conversation that fails, after an outage or a bug, is counted, logged and postponed. Returns
    None then.
    """
    now = app.clock()
    try:
        load = app.store.loader(conversation_id)
        ingested = app.engine.ingest(load, input_)
    except Exception as error:  # noqa: BLE001 - the other conversations go on
        count(Metric.TIMER_FAILED)
        extra = {"conversation_id": conversation_id, "error": type(error).__name__}
        logger.error("timer failed", extra=extra)
        _postpone(app.store, conversation_id, now)
        return None
    count(Metric.OLDEST_PENDING, _pending_secs(ingested.conversation, now))
    return ingested


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
    long_ago = keys.moment(now - timeouts.OPEN_LONG)
    try:
        open_long = [store.open_counts.count_in_index(share, long_ago) for share in OPEN_SHARES]
        count_if_any(Metric.CONVERSATIONS_OPEN_LONG, sum(open_long))
    except AwsError as error:
        logger.warning("not counted", extra={"error": type(error).__name__})


def _repair_counts(store: ConversationStore) -> None:
    try:
        repaired = store.open_counts.repair()
    except (AwsError, TransactionCancelledError) as error:
        logger.warning("not counted", extra={"error": type(error).__name__})
        return
    if repaired:
        count(Metric.OPEN_COUNT_REPAIRED, repaired)
        logger.warning("count of open conversations repaired")


def _count_dialing_off(app: App) -> None:
    try:
        off = app.dialing.is_off()
    except AwsError as error:
        logger.warning("not counted", extra={"error": type(error).__name__})
        return
    if off:
        count(Metric.DIALING_OFF)
        logger.warning("all dials are off")


def _due(store: ConversationStore, now: datetime) -> Iterator[str]:
    """The ids of due conversations, the shards in turn: a short run reaches every shard."""
    for turn in zip_longest(*(_due_in(store, shard, now) for shard in keys.shards())):
        yield from filter(None, turn)


def _due_in(store: ConversationStore, shard: str, now: datetime) -> Iterator[str]:
    try:
        yield from store.list_due(shard, now)
    except AwsError as error:
        count(Metric.SWEEP_FAILED)
        logger.error("sweep failed", extra={"shard": shard, "error": type(error).__name__})
