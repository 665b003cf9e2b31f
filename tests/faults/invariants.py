"""The invariants at the end of a story with any fault."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import EventType
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import FINISHED, ConversationStatus
from partyline.domain.rules.calls import staying_calls
from partyline.domain.rules.costs import spent
from partyline.store import keys
from partyline.store.open_counts import OPEN_SHARES
from tests.faults.lab import FaultLab
from tests.support.people import NAMES

ANY_OF_GROUP = "one of them"


@dataclass(frozen=True)
class Ending:
    """How a story ended. `failed_messages` are the messages that failed by the timeline.

    Interchangeable people count as the same person.
    """

    status: str
    failure: str | None
    people: dict[str, tuple[str, str | None]]
    failed: frozenset[str]
    """People not called, joined or screened, with a reason in the timeline."""
    messages: tuple[str, ...]
    failed_messages: tuple[str, ...]
    dialled: tuple[str, ...]
    joined: tuple[str, ...]
    up: tuple[str, ...]
    insights: int
    transcripts: int
    """How many conversations at Telnyx have their words in the transcript."""
    assistants: int
    handovers: tuple[str, ...]
    """The outcome of each handover."""


def ending_of(lab: FaultLab, alike: Sequence[str] = ()) -> Ending:
    """Return how the story in a lab has ended."""
    stored = lab.stored.load_with_insights(lab.conversation_id)
    assert stored is not None
    conversation, insights = stored
    events = lab.stored.timeline(lab.conversation_id).items
    failed = {
        str(event.data["participant_id"])
        for event in events
        if event.data.get("failure") and "participant_id" in event.data
    }

    def sort(words: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(ANY_OF_GROUP if word in alike else word for word in words))

    return Ending(
        status=conversation.status,
        failure=conversation.failure.code if conversation.failure else None,
        people={_name(p): (p.status, p.outcome) for p in conversation.participants},
        failed=frozenset(_name(p) for p in conversation.participants if p.id in failed),
        messages=tuple(sorted(_messages(lab))),
        failed_messages=tuple(
            sorted(e.data["content"] for e in events if e.type == "message.failed")
        ),
        dialled=sort(lab.people_dialled()),
        joined=sort(_joined(lab)),
        up=sort(lab.legs_up()),
        insights=len(insights),
        transcripts=_whole_transcripts(lab, conversation),
        assistants=len(lab.telnyx.conversations),
        handovers=tuple(str(handover.outcome) for handover in conversation.handovers),
    )


def without_reasons(ending: Ending) -> Ending:
    """Return an ending whose messages lack the reason of a failed call, which no poll tells."""
    plain = (text.replace("number is not available", "line is busy") for text in ending.messages)
    return replace(ending, messages=tuple(sorted(plain)))


def _name(participant: Participant) -> str:
    return participant.name or participant.id


def _messages(lab: FaultLab) -> list[str]:
    messages = [message for talk in lab.telnyx.conversations for message in talk.messages]
    return [message.content for message in messages if message.role == "system"]


def _joined(lab: FaultLab) -> list[str]:
    legs = lab.telnyx.world.legs
    return [
        NAMES[legs[participant.call_control_id].person_number]
        for conversation in lab.telnyx.conversations
        for participant in conversation.participants
    ]


def violations_of(lab: FaultLab) -> list[str]:
    """Return the violated invariants that hold for every story."""
    stored = lab.stored.load(lab.conversation_id) if lab.conversation_id else None
    if stored is None:
        return ["there is no conversation"]
    wrong = [*lab.telnyx.violations, *lab.poller.backward_changes]
    staying = staying_calls(stored, lab.clock.now())  # these calls are polled until they are down
    if stored.status not in FINISHED:
        wrong.append(f"it is still {stored.status}")
    elif stored.due_at is not None and not staying:
        wrong.append(f"it is over and due all the same, at {stored.due_at}")
    if stored.status is ConversationStatus.FAILED and stored.failure is None:
        wrong.append("it failed without a reason")
    owed = [
        key
        for key, command in stored.commands.items()
        if command.is_pending and not (staying and command.action is Action.LOOK)
    ]
    if owed:
        wrong.append(f"it still owes {owed}")
    wrong += [
        f"{participant.id} is {participant.status} in a conversation that is over"
        for participant in stored.participants
        if participant.status not in ("left", "failed")
    ]
    wrong += _handovers(lab, stored) + _reports(lab) + _spending(lab)
    return wrong + _open_counts(lab) + _timeline(lab, stored.seq)


def _reports(lab: FaultLab) -> list[str]:
    """A conversation has one report."""
    events = lab.stored.timeline(lab.conversation_id).items
    count = sum(event.type == EventType.CONVERSATION_REPORT for event in events)
    return [] if count == 1 else [f"there are {count} reports"]


def _spending(lab: FaultLab) -> list[str]:
    """The counter of each day is the sum over the conversations."""
    should = Counter[date]()
    for conversation in lab.stored.list_newest(None, 50).items:
        should.update(spent(conversation))
    rows = {day: lab.stored.table.get(keys.spend(day)) for day in should}
    counted = {day: int(row["units"]["N"]) if row else 0 for day, row in rows.items()}
    return [] if counted == should else [f"the budget counts {counted}, not {dict(should)}"]


def _handovers(lab: FaultLab, stored: Conversation) -> list[str]:
    """Each handover ends once."""
    ended = Counter(
        str(event.data["handover_id"])
        for event in lab.stored.timeline(lab.conversation_id).items
        if event.type == EventType.HANDOVER_ENDED
    )
    return [
        f"{handover.id} ended {ended[handover.id]} times"
        for handover in stored.handovers
        if ended[handover.id] != 1
    ]


def _open_counts(lab: FaultLab) -> list[str]:
    """A count is right at each moment: a sweep that corrects the count is a violation too."""
    wrong, counts = [], lab.stored.open_counts
    for share in OPEN_SHARES:
        counted, open_ = counts.count(share), counts.count_in_index(share)
        row = lab.stored.table.get(keys.open_difference(share))
        if counted != open_ or (row and row["repaired"]["N"] != "0"):
            wrong.append(f"{counted} conversations of {share} are counted as open, not {open_}")
    return wrong


def _timeline(lab: FaultLab, seq: int) -> list[str]:
    wrong = []
    numbers = [event.seq for event in lab.stored.timeline(lab.conversation_id).items]
    if numbers != list(range(1, seq + 1)):
        wrong.append(f"the timeline has a gap or a double: {numbers} of {seq}")
    ours = keys.partition(lab.conversation_id)  # a changed route is an event of its own partition
    events = [key for key in lab.faulty.events if key[0] == ours]
    doubled = [key for key, count in Counter(events).items() if count > 1]
    if doubled or len(events) != len(numbers):
        wrong.append(f"the bus would not carry each event once: {doubled}")
    return wrong


def compare(ended: Ending, right: Ending) -> tuple[list[str], list[str]]:
    """Compare an ending with the faultless ending; returns violations and reported failures.

    With a fault, less may be done than without, if the timeline reports the failure; never more.
    """
    wrong = [
        f"{field} too often: {name}"
        for field in ("dialled", "joined", "up")
        for name in _extra(getattr(ended, field), getattr(right, field))
    ]
    if ended.assistants > right.assistants:
        wrong.append(f"{ended.assistants} assistants were started")
    doubled = _extra(ended.messages, tuple(set(ended.messages)))
    wrong += [f"told twice: {text}" for text in _extra(tuple(doubled), right.messages)]
    if ended.status == "failed" and right.status != "failed":
        return wrong, [f"failed: {ended.failure}"]
    honest = [
        f"{name} failed"
        for name in sorted(ended.failed - right.failed)
        if ended.people[name] != right.people.get(name)
    ]
    honest += [f"not told: {text}" for text in _extra(ended.failed_messages, right.failed_messages)]
    if ended.handovers != right.handovers:
        ends = f"handover: {' and '.join(ended.handovers) or 'none'}"
        (honest if "error" in ended.handovers else wrong).append(ends)
    if ended.status != right.status:
        wrong.append(f"it is {ended.status}, not {right.status}")
    for name in sorted(right.people.keys() | ended.people.keys()):
        is_, should = ended.people.get(name), right.people.get(name)
        if is_ != should and name not in ended.failed:
            wrong.append(f"{name} is {is_}, not {should}")
    if ended.transcripts != ended.assistants:
        wrong.append(f"{ended.transcripts} transcripts of {ended.assistants} conversations")
    if ended.insights != 2 * ended.assistants:
        wrong.append(f"{ended.insights} insights of {ended.assistants} conversations")
    if not ended.failed - right.failed:
        wrong += _less(ended, right)
    return wrong, honest


def _whole_transcripts(lab: FaultLab, conversation: Conversation) -> int:
    """Return how many conversations at Telnyx have all their words stored."""
    stored = dict[int, list[tuple[str, str | None]]]()
    for item in lab.stored.transcript(conversation.id):
        if item.message.is_spoken:
            said = (item.message.role, item.message.text)
            stored.setdefault(item.run, []).append(said)
    ids = [*conversation.previous_telnyx_ids, conversation.telnyx_conversation_id]
    runs = {telnyx_id: stored.get(run, []) for run, telnyx_id in enumerate(ids)}
    return sum(
        runs.get(talk.conversation_id)
        == [(row.role, row.content) for row in talk.messages if row.role in ("user", "assistant")]
        for talk in lab.telnyx.conversations
    )


def _less(ended: Ending, right: Ending) -> list[str]:
    """Return the missing dials, joins and messages, if no participant failed."""
    wrong = [
        f"not {field}: {name}"
        for field in ("dialled", "joined", "up")
        for name in _extra(getattr(right, field), getattr(ended, field))
        if (field, name) != ("dialled", ANY_OF_GROUP)  # the first answer ends the other calls
    ]
    wrong += [
        f"not told: {text}"
        for text in _extra(right.messages, ended.messages + ended.failed_messages)
    ]
    wrong += [
        f"told: {text}" for text in _extra(ended.messages, right.messages + right.failed_messages)
    ]
    return wrong


def _extra(these: tuple[str, ...], those: tuple[str, ...]) -> list[str]:
    return sorted((Counter(these) - Counter(those)).elements())
