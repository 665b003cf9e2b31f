"""Once a minute: what should have moved and has not is looked at."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from partyline.domain.inputs import Tick
from partyline.store import Store, keys
from partyline.telemetry import count, logger, observed
from partyline.wiring import wiring

PER_SHARD = 25
"""How many conversations of a shard one run looks at; the rest are the next run's, oldest first."""

SPARE_MILLIS = 3000
"""With less time than this left, a run leaves what is still due to the next one."""


def sweep() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The handler of the scheduled function. Answers how many conversations it touched."""

    @observed
    def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
        store, engine, now = wiring().store, wiring().engine, wiring().clock()
        touched = 0
        for shard in keys.shards():
            for conversation_id in _due(store, shard, now):
                if context.get_remaining_time_in_millis() < SPARE_MILLIS:
                    break
                try:
                    engine.ingest(lambda it=conversation_id: store.load(it), Tick(id="sweep"))  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001 - one bad conversation stops no other
                    count("SweepFailed")
                    extra = {"conversation_id": conversation_id, "error": type(error).__name__}
                    logger.error("sweep failed", extra=extra)
                touched += 1
        count("SweepTouched", touched)
        return {"touched": touched}

    return handler


def _due(store: Store, shard: str, now: datetime) -> list[str]:
    """What is due in a shard; one that cannot be read now stops no other."""
    try:
        return store.due(shard, now, PER_SHARD)
    except (BotoCoreError, ClientError) as error:
        count("SweepFailed")
        logger.error("sweep failed", extra={"shard": shard, "error": type(error).__name__})
        return []
