"""Any input in any state: the tables, and every pair of a state that was met and an input."""

import json
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest

from partyline.domain.decide import Decision, decide
from partyline.domain.model.conversation import Conversation, Insight
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallInitiated,
    CallRef,
    CommandResult,
    ConversationCreated,
    ConversationEnded,
    ConversationStartFailed,
    DigitsGathered,
    Input,
    InsightsGenerated,
    InviteParticipant,
    MachineVerdict,
    RemoveParticipant,
    SendMessage,
    StopConversation,
    TimerElapsed,
)
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    InsightsFound,
    NotFound,
    Refused,
    Retryable,
    Succeeded,
)
from partyline.domain.model.statuses import (
    CONVERSATION_MOVES,
    LEG_MOVES,
    PARTICIPANT_MOVES,
    ConversationStatus,
    LegStatus,
    ParticipantStatus,
)
from partyline.domain.rules.apply import APPLY
from tests.support import domain_story
from tests.support.domain_story import TELNYX_ID, call, done, guest, hold
from tests.unit.domain import test_hunts, test_life, test_trouble

TABLES = [
    (CONVERSATION_MOVES, {ConversationStatus.CONNECTING}, {"ended", "failed"}),
    (PARTICIPANT_MOVES, {ParticipantStatus.DIALING}, {"left", "failed"}),
    (LEG_MOVES, {LegStatus.DIALING}, {"ended"}),
]


@pytest.mark.parametrize(("moves", "starts", "ends"), TABLES)
def test_every_status_is_reached_and_only_the_last_ones_stay(
    moves: dict[StrEnum, frozenset[StrEnum]], starts: set[StrEnum], ends: set[str]
) -> None:
    reached = set(starts)
    for _ in moves:
        reached |= {after for each in reached for after in moves[each]}

    assert reached == set(moves) == set(type(next(iter(starts))))
    assert {each for each, after in moves.items() if not after} == ends


@pytest.mark.parametrize("moves", [CONVERSATION_MOVES, PARTICIPANT_MOVES, LEG_MOVES])
def test_only_a_waiting_participant_returns_to_an_earlier_status(
    moves: dict[Any, frozenset[Any]],
) -> None:
    returns = {ParticipantStatus.WAITING: frozenset({ParticipantStatus.DIALING})}
    assert moves is not PARTICIPANT_MOVES or all(returns[s] <= moves[s] for s in returns)
    left = {status: after - returns.get(status, frozenset()) for status, after in moves.items()}
    while left:
        last = [each for each, after in left.items() if not after & left.keys()]
        assert last, f"{set(left)} go round in a circle"
        left = {each: after for each, after in left.items() if each not in last}


def _play(module: ModuleType) -> None:
    for name, test in vars(module).items():
        if name.startswith("test_") and not hasattr(test, "pytestmark"):
            test()


@pytest.fixture(scope="module")
def states() -> Iterator[list[Any]]:
    """Every state that the stories come through, one of each kind."""
    domain_story.STATES.clear()
    for module in (test_life, test_trouble, test_hunts):
        _play(module)
    kinds = {_kind(conversation): (conversation, now) for conversation, now in domain_story.STATES}
    yield list(kinds.values())
    domain_story.STATES.clear()


def _kind(it: Conversation) -> str:
    people = [
        (p.host, p.status, p.removed, [(g.owned, g.status, g.is_finished) for g in p.legs][-2:])
        for p in it.participants
    ]
    owed = sorted({c.action for c in it.commands.values() if c.is_pending})
    return json.dumps([it.status, it.stop is None, people[:2], owed])


def test_the_stories_meet_every_status(states: list[Any]) -> None:
    met = [conversation for conversation, _ in states]

    assert {it.status for it in met} == set(ConversationStatus)
    assert {p.status for it in met for p in it.participants} == set(ParticipantStatus)
    assert {leg.status for it in met for _, leg in it.legs()} == set(LegStatus)


def _inputs(it: Conversation) -> Iterator[Input]:
    yield TimerElapsed(id="again")
    yield InviteParticipant(id="again", participant=guest("zoe"))
    yield SendMessage(id="again", role="system", content="hello")
    yield StopConversation(id="again")
    yield StopConversation(id="again", hang_up=True)
    for participant in it.participants:
        yield RemoveParticipant(id="again", participant_id=participant.id)
    for participant, leg in it.legs()[:2]:
        yield from _webhooks(call(participant.id, leg.number))
    yield from _webhooks(CallRef())
    settled = [key for key, command in it.commands.items() if not command.is_pending]
    pending = [key for key, command in it.commands.items() if command.is_pending]
    for key in ["join:nobody:1", *settled[-1:], *pending]:
        for result in (
            done(key),
            Succeeded(),
            CallEnded(),
            Refused(code="10015", message="No."),
            Retryable(had_no_effect=True),
            Retryable(had_no_effect=False),
            NotFound(),
            CallState(alive=True, answered=True),
            CallState(alive=True, answered=False),
            CallState(alive=False, answered=True),
            CallState(alive=False, answered=False),
            InsightsFound(insights=(Insight(insight_id="summary", result={}),)),
        ):
            yield CommandResult(id="again", key=key, result=result)


def _webhooks(ref: CallRef) -> Iterator[Input]:
    yield CallInitiated(id="again", call=ref, conversation_id="conversation-1", incoming=False)
    yield CallAnswered(id="again", call=ref)
    yield CallHangup(id="again", call=ref, cause="user_busy")
    yield CallHangup(id="again", call=ref)
    yield MachineVerdict(id="again", call=ref, machine=True)
    yield MachineVerdict(id="again", call=ref, machine=False)
    yield DigitsGathered(id="again", call=ref, digits="1")
    yield DigitsGathered(id="again", call=ref, digits="")
    yield ConversationCreated(id="again", call=ref, telnyx_conversation_id=TELNYX_ID)
    yield ConversationStartFailed(id="again", call=ref)
    yield ConversationEnded(id="again", call=ref, telnyx_conversation_id=TELNYX_ID)
    yield InsightsGenerated(id="again", call=ref, insights=(Insight(insight_id="s", result=1),))


def test_every_kind_of_input_is_among_those_tried(states: list[Any]) -> None:
    tried = {type(each) for each in _inputs(states[-1][0])}

    assert tried | {type(domain_story.start())} == set(APPLY)


@pytest.mark.parametrize("late", [0, 500])
def test_any_input_in_any_state_gives_an_answer(states: list[Any], late: int) -> None:
    for conversation, then in states[late > 0 :: 2]:
        now = then + timedelta(seconds=late)
        ready = decide(
            conversation, TimerElapsed(id="late"), now
        ).conversation  # what was due is done
        assert ready is not None
        before = ready.model_copy(deep=True)
        for given in _inputs(ready):
            decision = decide(ready, given, now)
            hold(ready, now, decision)
            if _comes(given, decision):
                _twice(decision.conversation, given, now)
        assert ready == before, "the argument is left as it was"


ONLY_OF: dict[type, str | tuple[str, ...]] = {
    CallState: "look",
    InsightsFound: "fetch_insights",
    NotFound: ("dial", "start"),
}
"""What only a command that looks can bring."""


def _comes(given: Input, after: Decision) -> bool:
    """Whether it could come again. A message is another one each time, and so is a new sending."""
    if isinstance(given, CommandResult):
        if given.key in [each.key for each in after.commands]:
            return False
        return given.key.startswith(ONLY_OF.get(type(given.result), ""))
    return not isinstance(given, SendMessage)


def _twice(conversation: Conversation | None, given: Input, now: Any) -> None:
    """The same input at once again owes nothing new and is no other event."""
    again = decide(conversation, given, now)
    assert not again.commands, f"{given} again owes something new"
    assert not again.events, f"{given} again is another event"
