"""The census: compares the calls that we believe up with Telnyx's list of active calls.

Only a call that the list lacks is polled by itself, so a healthy call costs no poll, no read and no
write. A census that is not complete proves nothing. While no census of a connection is complete,
its calls are polled by themselves, in rounds that grow (`CENSUS_ROUNDS`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from partyline.domain.model import timeouts
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.services.timers import TimerMessage
from partyline.store.census import BelievedCalls, CensusStore
from partyline.telemetry import log_safe, logger
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.errors import NoResponseError, RefusedError, TelnyxError

HasTime = Callable[[], bool]


@dataclass
class CensusResult:
    """A census: the calls compared, the calls missing, and the connections where it failed.

    `messages` tell the conversations which calls to poll.
    """

    compared: int = 0
    missing: int = 0
    failed: int = 0
    messages: list[TimerMessage] = field(default_factory=list)


class Census:
    """Takes the census of the live calls of every connection."""

    def __init__(
        self, store: CensusStore, telnyx: Callable[[], CallControl], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._telnyx = telnyx
        self._clock = clock

    def take(self, has_time: HasTime) -> CensusResult:
        """Take a census, while `has_time`. Raises an AwsError if the table cannot be read.

        The believed calls are read before the list. So each of them was answered before the list
        was read, and `LISTED_AFTER` allows for a list that is late.
        """
        now, result = self._clock(), CensusResult()
        by_connection: dict[str, list[BelievedCalls]] = {}
        for believed in self._store.believed_calls():
            by_connection.setdefault(believed.connection_id, []).append(believed)
        for connection_id, conversations in by_connection.items():
            try:
                listed = self._listed(connection_id, has_time)
                _compare(result, conversations, listed, now - timeouts.LISTED_AFTER)
            except (TelnyxError, SecretMissingError, SecretUnreadableError) as error:
                # The text of a refusal is Telnyx's, any other text is ours.
                reason = log_safe(error.code) if isinstance(error, RefusedError) else str(error)
                extra = {"error": type(error).__name__, "reason": reason}
                logger.warning("census failed", extra=extra)
                result.failed += 1
                result.messages += self._polls_in_turn(connection_id, conversations, now)
            else:
                self._store.note_complete(connection_id, now)
        return result

    def _listed(self, connection_id: str, has_time: HasTime) -> set[str]:
        """Return the ids of a connection's active calls. Raises a TelnyxError without all pages."""
        listed: set[str] = set()
        for page in self._telnyx().active_call_pages(connection_id):
            for call in page:
                ids = {name for name in (call.call_control_id, call.call_leg_id) if name}
                if not ids:
                    raise NoResponseError("a call of the list has no id")
                listed |= ids
            if not has_time():
                raise NoResponseError("no time is left for the list")
        return listed

    def _polls_in_turn(
        self, connection_id: str, conversations: Iterable[BelievedCalls], now: datetime
    ) -> list[TimerMessage]:
        """Return the polls of this minute, when no census has been complete for long."""
        complete_at = self._store.complete_at(connection_id)
        if complete_at is None:  # the patience begins with the first census
            self._store.note_complete(connection_id, now)
            return []
        turn = turn_of_minute(now - complete_at)
        return [
            TimerMessage(believed.conversation_id, calls=tuple(believed.calls))
            for believed in conversations
            if turn and crc32(believed.conversation_id.encode()) % turn[1] == turn[0]
        ]


def turn_of_minute(failing: timedelta) -> tuple[int, int] | None:
    """Return the minute of the present round, and the round's minutes; None within the patience.

    Each conversation has a minute in each round, so the polls of a round are spread evenly.
    """
    minute = round((failing - timeouts.CENSUS_PATIENCE) / timedelta(minutes=1))
    if minute < 0:
        return None
    for length in timeouts.CENSUS_ROUNDS:
        if minute < length:
            return minute, length
        minute -= length
    return minute % length, length


def _compare(
    result: CensusResult, conversations: Iterable[BelievedCalls], listed: set[str], before: datetime
) -> None:
    """Add the calls that were answered `before`, and those of them that are not `listed`.

    Raises a NoResponseError if too many calls are missing for a list of all calls.
    """
    compared, messages = 0, []
    for believed in conversations:
        calls = [name for name, answered_at in believed.calls.items() if answered_at <= before]
        missing = tuple(name for name in calls if name not in listed)
        compared += len(calls)
        if missing:
            messages.append(TimerMessage(believed.conversation_id, calls=missing, missing=True))
    count = sum(len(message.calls) for message in messages)
    if count > max(timeouts.CENSUS_DOUBT_CALLS, compared * timeouts.CENSUS_DOUBT):
        raise NoResponseError("the list lacks too many calls")
    result.compared += compared
    result.missing += count
    result.messages += messages
