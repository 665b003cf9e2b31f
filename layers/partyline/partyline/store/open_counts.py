"""The number of open conversations, in counters that a request reads at once.

The transaction that opens or closes a conversation also counts, so a process that dies never leaves
a wrong count. A counter has shards: simultaneous transactions on the same row conflict. The index
`by_open` has the same conversations. The sweep counts that index and corrects a counter that
differs for two runs, after an operator has deleted rows for example.
"""

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.statuses import Direction
from partyline.store import keys
from partyline.store.table import Row, Table, put_of

OPEN_INBOUND, OPEN_API = "inbound", "api"
"""The attribute `open` of an open conversation: not finished, or with calls of ours that are up.

Inbound calls and starts by the API have counters, and partitions in the index `by_open`, of their
own.
"""

ZERO = {"N": "0"}
OPEN_SHARES = (OPEN_API, OPEN_INBOUND)


def share_of(conversation: Conversation | None) -> str | None:
    """The share of the open conversations that a conversation counts to; None when not open."""
    if conversation is None or not conversation.is_open:
        return None
    return OPEN_INBOUND if conversation.direction is Direction.INBOUND else OPEN_API


def projected_call_time(conversation: Conversation) -> Row:
    """The attribute with the time of the host's newest call, or of the next round of calls.

    The plan of a host may take days. The attribute stands only where that time is not the beginning
    of the conversation.
    """
    host = conversation.host
    newest = host.legs[-1].created_at if host.plan and host.legs else conversation.created_at
    called_at = max(newest, host.next_round_at or newest)
    return (
        {"called_at": {"S": keys.moment(called_at)}} if called_at > conversation.created_at else {}
    )


def count_updates(before: Conversation | None, after: Conversation) -> list[Row]:
    """The updates of counters that belong into the transaction of a step; mostly none."""
    old, new = share_of(before), share_of(after)
    if old == new:
        return []
    changes = [(old, -1), (new, 1)]
    shard = keys.open_shard(after.id)
    return [addition(share, shard, units) for share, units in changes if share]


class OpenCounts:
    """The counters in the table. Every method may raise an `AwsError`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def count(self, share: str) -> int:
        """The number of open conversations of a share: a consistent read of 4 KB."""
        rows = self._table.partition(keys.open_count(share), keys.FIRST_SHARD, keys.LAST_SHARD)
        return sum(int(row["units"]["N"]) for row in rows)

    def count_of_caller(self, caller: str, most: int) -> int:
        """The number of open inbound conversations of a caller, up to `most`.

        The index is updated a moment after the table.
        """
        values = {":caller": {"S": caller}}
        return self._table.count(keys.BY_CALLER, "caller = :caller", values, most)

    def count_in_index(self, share: str, before: str | None = None) -> int:
        """The number of open conversations of a share.

        With a moment `before`, a conversation that began or called its host later does not count.
        The request reads the whole share of the index, or the part that began before.
        """
        names, values = {"#open": "open"}, {":open": {"S": share}}
        if before is None:
            return self._table.count(
                keys.BY_OPEN, "#open = :open", values, ExpressionAttributeNames=names
            )
        condition = "#open = :open AND listed_at < :before"
        values |= {":before": {"S": before}}
        rows = self._table.index(keys.BY_OPEN, condition, values, ExpressionAttributeNames=names)
        return sum((row.get("called_at") or row["listed_at"])["S"] < before for row in rows)

    def repair(self) -> int:
        """Correct the counters by what the index has had for two runs; return the corrections.

        The index is behind the table by a moment, so a difference of a single run may be no error.
        """
        return sum(abs(self._repair(share)) for share in OPEN_SHARES)

    def _repair(self, share: str) -> int:
        key = keys.open_difference(share)
        row = self._table.get(key) or {}
        earlier, repaired = (int(row.get(name, ZERO)["N"]) for name in ("units", "repaired"))
        difference = self.count_in_index(share) - self.count(share)
        lasting = min(earlier, difference, key=abs) if earlier * difference > 0 else 0
        if difference != earlier or lasting:
            repaired += abs(lasting)
            left = {"units": {"N": str(difference - lasting)}, "repaired": {"N": str(repaired)}}
            put = put_of(key, left)
            correction = [addition(share, keys.FIRST_SHARD, lasting)] if lasting else []
            self._table.write([{"Put": put}, *correction])
        return lasting


def addition(share: str, shard: str, units: int) -> Row:
    """The update that adds units to a row of a share's counter, for a transaction."""
    return {
        "Update": {
            "Key": {"pk": {"S": keys.open_count(share)}, "sk": {"S": shard}},
            "UpdateExpression": "ADD units :units",
            "ExpressionAttributeValues": {":units": {"N": str(units)}},
        }
    }
