"""What has to be so at the end of a story, whatever went wrong on its way."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from partyline.domain.model.conversation import Participant
from partyline.domain.model.statuses import FINISHED, ConversationStatus
from tests.faults.lab import FaultLab
from tests.support.people import NAMES

ONE_OF_THEM = "one of them"


@dataclass(frozen=True)
class End:
    """How a story ended. `untold` is what the assistant was to be told, and the timeline says so.

    Of those who are `alike` no difference is made.
    """

    status: str
    failure: str | None
    people: dict[str, tuple[str, str | None]]
    failed: frozenset[str]
    """Who could not be called, joined or asked, with Telnyx's or our reason in the timeline."""
    told: tuple[str, ...]
    untold: tuple[str, ...]
    dialled: tuple[str, ...]
    joined: tuple[str, ...]
    up: tuple[str, ...]
    insights: int
    assistants: int


def end_of(lab: FaultLab, alike: Sequence[str] = ()) -> End:
    """How the story on a stage has ended."""
    found = lab.stored.load_with_insights(lab.here)
    assert found is not None
    conversation, insights = found
    events = lab.stored.timeline(lab.here).events
    failed = {
        str(each.data["participant_id"])
        for each in events
        if each.data.get("failure") and "participant_id" in each.data
    }

    def sort(words: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(ONE_OF_THEM if word in alike else word for word in words))

    return End(
        status=conversation.status,
        failure=conversation.failure.code if conversation.failure else None,
        people={_name(each): (each.status, each.outcome) for each in conversation.participants},
        failed=frozenset(_name(each) for each in conversation.participants if each.id in failed),
        told=tuple(sorted(_told(lab))),
        untold=tuple(sorted(e.data["content"] for e in events if e.type == "message.failed")),
        dialled=sort(lab.people_dialled()),
        joined=sort(_joined(lab)),
        up=sort(lab.legs_up()),
        insights=len(insights),
        assistants=len(lab.telnyx.conversations),
    )


def _name(participant: Participant) -> str:
    return participant.name or participant.id


def _told(lab: FaultLab) -> list[str]:
    messages = [each for talk in lab.telnyx.conversations for each in talk.messages]
    return [each.content for each in messages if each.role == "system"]


def _joined(lab: FaultLab) -> list[str]:
    legs = lab.telnyx.world.legs
    return [
        NAMES[legs[each.call_control_id].person_number]
        for conversation in lab.telnyx.conversations
        for each in conversation.participants
    ]


def broken(lab: FaultLab) -> list[str]:
    """What must never be so, in any story: the invariants that need no other story beside it."""
    found = lab.stored.load(lab.here) if lab.here else None
    if found is None:
        return ["there is no conversation"]
    wrong = [*lab.telnyx.violations, *lab.poller.backward_changes]
    if found.status not in FINISHED:
        wrong.append(f"it is still {found.status}")
    elif found.due_at is not None:
        wrong.append(f"it is over and due all the same, at {found.due_at}")
    if found.status is ConversationStatus.FAILED and found.failure is None:
        wrong.append("it failed without a reason")
    owed = [key for key, each in found.commands.items() if each.is_pending]
    if owed:
        wrong.append(f"it still owes {owed}")
    wrong += [
        f"{each.id} is {each.status} in a conversation that is over"
        for each in found.participants
        if each.status not in ("left", "failed")
    ]
    return wrong + _timeline(lab, found.seq)


def _timeline(lab: FaultLab, seq: int) -> list[str]:
    wrong = []
    numbers = [each.seq for each in lab.stored.timeline(lab.here).events]
    if numbers != list(range(1, seq + 1)):
        wrong.append(f"the timeline has a gap or a double: {numbers} of {seq}")
    doubled = [key for key, count in Counter(lab.faulty.events).items() if count > 1]
    if doubled or len(lab.faulty.events) != len(numbers):
        wrong.append(f"the bus would not carry each event once: {doubled}")
    return wrong


def compared(ended: End, right: End) -> tuple[list[str], list[str]]:
    """What is wrong about an end beside the faultless one, and what failed honestly.

    Less may have been done than without the fault where the timeline says what failed; never more.
    """
    wrong = [
        f"{field} too often: {each}"
        for field in ("dialled", "joined", "up")
        for each in _more(getattr(ended, field), getattr(right, field))
    ]
    if ended.assistants > right.assistants:
        wrong.append(f"{ended.assistants} assistants were started")
    doubled = _more(ended.told, tuple(set(ended.told)))
    wrong += [f"told twice: {each}" for each in _more(tuple(doubled), right.told)]
    if ended.status == "failed" and right.status != "failed":
        return wrong, [f"failed: {ended.failure}"]
    honest = [
        f"{name} failed"
        for name in sorted(ended.failed - right.failed)
        if ended.people[name] != right.people.get(name)
    ]
    honest += [f"not told: {each}" for each in _more(ended.untold, right.untold)]
    if ended.status != right.status:
        wrong.append(f"it is {ended.status}, not {right.status}")
    for name in sorted(right.people.keys() | ended.people.keys()):
        is_, should = ended.people.get(name), right.people.get(name)
        if is_ != should and name not in ended.failed:
            wrong.append(f"{name} is {is_}, not {should}")
    if ended.insights != 2 * ended.assistants:
        wrong.append(f"{ended.insights} insights of {ended.assistants} conversations")
    if not ended.failed - right.failed:
        wrong += _less(ended, right)
    return wrong, honest


def _less(ended: End, right: End) -> list[str]:
    """What should have been done, and was not, though nobody failed."""
    wrong = [
        f"not {field}: {each}"
        for field in ("dialled", "joined", "up")
        for each in _more(getattr(right, field), getattr(ended, field))
        if (field, each) != ("dialled", ONE_OF_THEM)  # once one was there, no other is called
    ]
    wrong += [f"not told: {each}" for each in _more(right.told, ended.told + ended.untold)]
    wrong += [f"told: {each}" for each in _more(ended.told, right.told + right.untold)]
    return wrong


def _more(these: tuple[str, ...], those: tuple[str, ...]) -> list[str]:
    return sorted((Counter(these) - Counter(those)).elements())
