"""What a census of live calls needs: the calls that conversations believe up, and its own success.

A census reads no document: the index of open conversations has the calls of each conversation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from partyline.domain.model.conversation import Conversation
from partyline.store import keys
from partyline.store.open_counts import OPEN_SHARES
from partyline.store.table import Row, Table, put_of


@dataclass(frozen=True)
class BelievedCalls:
    """The calls that a conversation believes up on a connection, with the time of each answer."""

    conversation_id: str
    connection_id: str
    calls: dict[str, datetime]


class CensusStore:
    """The table's part in a census. Every method may raise an `AwsError`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def believed_calls(self) -> Iterator[BelievedCalls]:
        """The calls of each open conversation. The index is updated a moment after the table."""
        for share in OPEN_SHARES:
            names, values = {"#open": "open"}, {":open": {"S": share}}
            for row in self._table.index(
                keys.BY_OPEN, "#open = :open", values, ExpressionAttributeNames=names
            ):
                if "calls" in row:
                    yield BelievedCalls(
                        row["pk"]["S"].partition("#")[2],
                        row["connection"]["S"],
                        {name: _time(at["N"]) for name, at in row["calls"]["M"].items()},
                    )

    def complete_at(self, connection_id: str) -> datetime | None:
        """When a census of a connection was complete for the last time; None for never."""
        row = self._table.get(keys.census(connection_id))
        return datetime.fromisoformat(row["complete_at"]["S"]) if row else None

    def note_complete(self, connection_id: str, at: datetime) -> None:
        """Note the time of a complete census."""
        attributes = {"complete_at": {"S": keys.moment(at)}}
        self._table.put(put_of(keys.census(connection_id), attributes))


def projected_calls(conversation: Conversation) -> Row:
    """The attributes that the index of open conversations holds for the census."""
    calls = conversation.listed_calls
    if not calls:
        return {}
    times = {name: {"N": str(int(at.timestamp()))} for name, at in calls.items()}
    return {"connection": {"S": conversation.connection_id}, "calls": {"M": times}}


def _time(epoch_secs: str) -> datetime:
    return datetime.fromtimestamp(int(epoch_secs), UTC)
