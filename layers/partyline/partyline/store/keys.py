"""The keys of all rows in the table.

| row | pk | sk |
|---|---|---|
| state | `CONVERSATION#<id>` | `STATE` |
| schedule | `CONVERSATION#<id>` | `SCHEDULE` |
| event | `CONVERSATION#<id>` | `EVENT#<seq>` |
| record of a step, in pieces | `CONVERSATION#<id>` | `STEP#<version>#<piece>` |
| insight, in pieces | `CONVERSATION#<id>` | `INSIGHT#<run>#<insight id>#<piece>` |
| messages of a transcript | `CONVERSATION#<id>` | `TRANSCRIPT#<run>#<generation>#<position>` |
| dedupe record of a webhook | `CONVERSATION#<id>` | `DEDUPE#<telnyx event id>` |
| dedupe record of a request | `REQUEST#<hash of the key id and the Idempotency-Key>` | `REQUEST` |
| pointer | `CALL#<call_control_id>`, `LEG#<call_leg_id>`, `AI#<Telnyx's id>` | `POINTER` |
| route | `ROUTE#<dialled number>`, `ROUTE#default` | `ROUTE` |
| do-not-call entry | `DNC#<number>` | `DNC` |
| event of a route or do-not-call entry | as the changed row | `EVENT#<time>#<request id>` |
| dials of a bearer key, or of a number's tool, in a minute | `DIALS#<key id>#<minute>` | `DIALS` |
| open bookings of a bearer key | `BOOKINGS#<key id>` | `BOOKINGS` |
| dials of a conversation's tool | `CONVERSATION#<id>` | `TOOL_DIALS` |
| number of open conversations of a share | `OPEN#<share>` | `SHARD#<number>`, `DIFFERENCE` |
| what a day's calls cost, and what is reserved for calls | `SPEND#<date>` | `SPEND` |
| the emergency stop of all dials | `DIALING` | `OFF` |
| the last complete census of a connection | `CENSUS#<connection id>` | `CENSUS` |
| conversation or booking of a person | `PERSON#<keyed hash of a number>` | `<created_at>#<id>` |
| erasure, with its receipt | `ERASURE#<erasure id>` | `ERASURE` |
| event of an erasure | `ERASURE#<erasure id>` | `EVENT#<conversation id>`, `EVENT#person` |
| hook | `HOOKS` | `HOOK#<id>` |
| event of a hook | `HOOKS` | `EVENT#<time>#<request id or webhook-id>` |
| delivery of an event to a hook | `HOOK#<id>` | `DELIVERY#<time of the event>#<webhook-id>` |
"""

from datetime import UTC, date, datetime
from zlib import crc32

Key = tuple[str, str]  # A partition key and a sort key

BY_STATUS = "by_status"
BY_DUE = "by_due"
BY_OPEN = "by_open"
BY_CALLER = "by_caller"

DEFAULT_ROUTE = "default"  # takes the place of a number in the key of the default route
SHARDS = 16
"""The number of partitions of the index `by_due`; the sweep reads all of them each minute.

A partition takes 1,000 writes a second (DynamoDB), and each new timer is a write.
"""

OPEN_SHARDS = 32
"""The number of rows of a counter of open conversations.

A share of 10,000 calls of five minutes opens and closes 67 conversations a second: two a row. Two
transactions of 10 ms on a row then conflict in 4% of the cases; a conflict costs another attempt.
"""

FIRST_SHARD, LAST_SHARD = "SHARD#00", "SHARD#~"
"""Between these two sort keys lie the rows of a counter."""

DIALING_OFF: Key = ("DIALING", "OFF")
"""The row that exists while dials are switched off."""

SPEND = "SPEND"

FIRST_INSIGHT, STATE = "INSIGHT#", "STATE"
"""Between these two sort keys lie a conversation's insights, its schedule and its state."""

FIRST_KEY, LAST_KEY = "!", "~"
"""Between these two sort keys lie all rows of a partition."""

DEDUPE = "DEDUPE#"
"""The sort keys of the dedupe records of webhooks begin so."""

ERASURES = "DUE#ERASURES"
"""The partition of the index `by_due` with the erasures that are not done."""

HOOKS, FIRST_HOOK, LAST_HOOK = "HOOKS", "HOOK#", "HOOK#~"
"""The partition of the hooks, and the two sort keys between which the hooks lie."""

FIRST_DELIVERY, LAST_DELIVERY = "DELIVERY#", "DELIVERY#~"
"""Between these two sort keys lie the deliveries to a hook."""

FIRST_EVENT, LAST_EVENT = "EVENT#", "EVENT#~"
"""Between these two sort keys lie the events of a partition."""

LAST_STEP = "STEP#~"
"""The sort key after those of all records of steps."""

FIRST_MESSAGE, LAST_MESSAGE = "TRANSCRIPT#", "TRANSCRIPT#~"
"""Between these two sort keys lie the messages of a conversation's transcript."""


def partition(conversation_id: str) -> str:
    """The partition of a conversation's rows."""
    return f"CONVERSATION#{conversation_id}"


def state(conversation_id: str) -> Key:
    """The conversation's document."""
    return partition(conversation_id), STATE


def event(conversation_id: str, seq: int) -> Key:
    """An event; its number is padded, so that keys sort as numbers do."""
    return partition(conversation_id), f"EVENT#{seq:06d}"


def step(conversation_id: str, version: int, piece: int) -> Key:
    """A piece of the record of a step; `version` is the conversation's after the step."""
    return partition(conversation_id), f"STEP#{version:06d}#{piece:03d}"


def schedule(conversation_id: str) -> Key:
    """The schedule of a conversation that starts later."""
    return partition(conversation_id), "SCHEDULE"


def insight(conversation_id: str, run: int, insight_id: str, piece: int) -> Key:
    """A piece of an insight; the pieces of an insight sort in their order."""
    return partition(conversation_id), f"{FIRST_INSIGHT}{run}#{insight_id}#{piece:03d}"


def transcript(conversation_id: str, run: int, generation: int, first: int) -> Key:
    """Messages of a run from a position on; the keys sort in the order in which the rows apply."""
    return partition(conversation_id), f"{FIRST_MESSAGE}{run:03d}#{generation:05d}#{first:05d}"


def webhook(conversation_id: str, event_id: str) -> Key:
    """The dedupe record of a webhook."""
    return partition(conversation_id), f"{DEDUPE}{event_id}"


def request(fingerprint: str) -> Key:
    """The dedupe record of a request with an Idempotency-Key."""
    return f"REQUEST#{fingerprint}", "REQUEST"


def call(call_control_id: str) -> Key:
    """The pointer from a call to its conversation, and the lock of the call."""
    return f"CALL#{call_control_id}", "POINTER"


def leg(call_leg_id: str) -> Key:
    """The pointer from a leg to its conversation, for webhooks without a call_control_id."""
    return f"LEG#{call_leg_id}", "POINTER"


def telnyx_conversation(telnyx_conversation_id: str) -> Key:
    """The pointer from a run of the assistant to its conversation, for an analysis of the run."""
    return f"AI#{telnyx_conversation_id}", "POINTER"


def route(number: str) -> Key:
    """The route of a dialled number."""
    return f"ROUTE#{number}", "ROUTE"


def do_not_call(number: str) -> Key:
    """A number's entry on the do-not-call list."""
    return f"DNC#{number}", "DNC"


def change_event(changed: Key, at: datetime, cause: str) -> Key:
    """The event of a change to a route, a do-not-call entry or a hook: beside the changed row."""
    return changed[0], f"EVENT#{moment(at)}#{cause}"


def dials(key_id: str, minute: datetime) -> Key:
    """The counter of the dials that a bearer key requests in a minute."""
    return f"DIALS#{key_id}#{minute.astimezone(UTC):%Y-%m-%dT%H:%M}", "DIALS"


def bookings(key_id: str) -> Key:
    """The key of the counter of a bearer key's open bookings."""
    return f"BOOKINGS#{key_id}", "BOOKINGS"


def tool_dials(conversation_id: str) -> Key:
    """The counter of the dials that the assistant's tool requests in a conversation."""
    return partition(conversation_id), "TOOL_DIALS"


def spend(day: date) -> Key:
    """The counter of what the calls of a day cost."""
    return f"{SPEND}#{day.isoformat()}", SPEND


def census(connection_id: str) -> Key:
    """The last complete census of a connection's calls."""
    return f"CENSUS#{connection_id}", "CENSUS"


def person(hashed: str, place: str) -> Key:
    """The entry of the index of people that leads from a person to a conversation or booking."""
    return f"PERSON#{hashed}", place


def erasure(erasure_id: str) -> Key:
    """An erasure: its work while it runs, its receipt afterwards."""
    return f"ERASURE#{erasure_id}", "ERASURE"


def erasure_event(erasure_id: str, subject: str) -> Key:
    """The event of an erasure: `subject` is the id of the erased conversation, or `person`."""
    return erasure(erasure_id)[0], f"EVENT#{subject}"


def hook(hook_id: str) -> Key:
    """A hook. All hooks share a partition, so that a single query finds them for an event."""
    return HOOKS, f"{FIRST_HOOK}{hook_id}"


def deliveries(hook_id: str) -> str:
    """The partition of the deliveries to a hook."""
    return f"HOOK#{hook_id}"


def delivery(hook_id: str, occurred_at: datetime, event_id: str) -> Key:
    """The delivery of an event to a hook."""
    return deliveries(hook_id), f"{delivery_moment(occurred_at)}#{event_id}"


def delivery_moment(at: datetime) -> str:
    """The beginning of the sort keys of deliveries of a moment."""
    return f"DELIVERY#{moment(at)}"


def open_count(share: str) -> str:
    """The partition of the counter of open conversations of a share."""
    return f"OPEN#{share}"


def open_shard(conversation_id: str) -> str:
    """The sort key of the counter's row in which a conversation counts."""
    return f"SHARD#{crc32(conversation_id.encode()) % OPEN_SHARDS:02d}"


def open_difference(share: str) -> Key:
    """The difference between index and counter that the last sweep saw, and all corrections."""
    return open_count(share), "DIFFERENCE"


def shard(conversation_id: str) -> str:
    """The partition of the index `by_due` that a conversation is in."""
    return f"DUE#{crc32(conversation_id.encode()) % SHARDS}"


def shards() -> list[str]:
    """All partitions of the index `by_due`."""
    return [f"DUE#{number}" for number in range(SHARDS)]


def moment(at: datetime) -> str:
    """A time as a sort key: UTC, always with microseconds, so that text sorts as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def booking(key_id: str) -> str:
    """The partition of the index `by_open` with the open bookings of a bearer key."""
    return f"BOOKING#{key_id}"


def listed_at(created_at: datetime, conversation_id: str) -> str:
    """The place of a conversation among those of its status."""
    return f"{moment(created_at)}#{conversation_id}"
