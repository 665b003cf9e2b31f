"""Any input in any state: the tables, and every pair of a state that was met and an input."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from partyline.domain.decide import Decision, decide
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.costs import LegCost
from partyline.domain.model.inputs import (
    CallAnswered,
    CallBridged,
    CallCost,
    CallHangup,
    CallInitiated,
    CallRef,
    CallScreeningDetected,
    CommandResult,
    ConferenceJoined,
    ConferenceLeft,
    ConversationAnalyzed,
    ConversationCreated,
    ConversationEnded,
    ConversationStartFailed,
    DigitsGathered,
    GreetingEnded,
    HandOver,
    Input,
    InsightsGenerated,
    InviteParticipant,
    MachineVerdict,
    NewParticipant,
    NoteCallBack,
    PollCalls,
    RemoveParticipant,
    SendMessage,
    SetAssistantMode,
    StopConversation,
    TimerElapsed,
    TranscriptUpdated,
    VoiceEnded,
)
from partyline.domain.model.insight import Insight
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    CallUnknown,
    InsightsFound,
    NotFound,
    Refused,
    Retryable,
    Succeeded,
    TranscriptFound,
)
from partyline.domain.model.statuses import (
    CONVERSATION_MOVES,
    HANDOVER_MOVES,
    LEG_MOVES,
    NOT_JOINED_YET,
    PARTICIPANT_MOVES,
    AssistantMode,
    ConversationStatus,
    HandoverStatus,
    LegStatus,
    ParticipantStatus,
)
from partyline.domain.model.transcript import RunMessages
from partyline.domain.rules.apply import APPLY
from tests.support import domain_story
from tests.support.domain_story import T0, TELNYX_ID, call_ref, check_step, guest, success, turns
from tests.support.sampling import sampled
from tests.unit.domain import test_hunts, test_life, test_trouble

TABLES = [
    (CONVERSATION_MOVES, {ConversationStatus.CONNECTING}, {"ended", "failed"}),
    (PARTICIPANT_MOVES, {ParticipantStatus.DIALING}, {"left", "failed"}),
    (LEG_MOVES, {LegStatus.DIALING}, {"ended"}),
    (HANDOVER_MOVES, {HandoverStatus.REACHING}, {"ended"}),
]


@pytest.mark.parametrize(("moves", "starts", "ends"), TABLES)
def test_every_status_is_reachable_and_only_final_statuses_have_no_moves(
    moves: dict[StrEnum, frozenset[StrEnum]], starts: set[StrEnum], ends: set[str]
) -> None:
    reached = set(starts)
    for _ in moves:
        reached |= {after for status in reached for after in moves[status]}

    assert reached == set(moves) == set(type(next(iter(starts))))
    assert {status for status, after in moves.items() if not after} == ends


@pytest.mark.parametrize(
    "moves", [CONVERSATION_MOVES, PARTICIPANT_MOVES, LEG_MOVES, HANDOVER_MOVES]
)
def test_only_a_participant_before_the_join_returns_to_an_earlier_status(
    moves: dict[Any, frozenset[Any]],
) -> None:
    early = {ParticipantStatus.SCREENING, *NOT_JOINED_YET}
    returns = dict.fromkeys(early, frozenset({ParticipantStatus.DIALING}))
    assert moves is not PARTICIPANT_MOVES or all(returns[s] <= moves[s] for s in returns)
    left = {status: after - returns.get(status, frozenset()) for status, after in moves.items()}
    while left:
        last = [status for status, after in left.items() if not after & left.keys()]
        assert last, f"{set(left)} go round in a circle"
        left = {status: after for status, after in left.items() if status not in last}


def _run_tests(module: ModuleType) -> None:
    for name, test in vars(module).items():
        if name.startswith("test_") and not hasattr(test, "pytestmark"):
            test()


@pytest.fixture(scope="module")
def states() -> Iterator[list[Any]]:
    """Collect the states of all stories, a state of each kind."""
    domain_story.STATES.clear()
    for module in (test_life, test_trouble, test_hunts):
        _run_tests(module)
    kinds = {_kind(conversation): (conversation, now) for conversation, now in domain_story.STATES}
    yield list(kinds.values())
    domain_story.STATES.clear()


def _kind(conversation: Conversation) -> str:
    people = [
        (p.host, p.status, p.removed, [(g.owned, g.status, g.is_finished) for g in p.legs][-2:])
        for p in conversation.participants
    ]
    owed = sorted({c.action for c in conversation.commands.values() if c.is_pending})
    return json.dumps([conversation.status, conversation.stop is None, people[:2], owed])


def test_the_stories_meet_every_status(states: list[Any]) -> None:
    met = [conversation for conversation, _ in states]

    assert {state.status for state in met} == set(ConversationStatus)
    assert {p.status for state in met for p in state.participants} == set(ParticipantStatus)
    assert {leg.status for state in met for _, leg in state.legs()} == set(LegStatus)


def test_a_copy_of_a_state_is_equal_and_shares_nothing_that_can_change(states: list[Any]) -> None:
    for conversation, _ in states:
        copied = conversation.model_copy(deep=True)
        assert copied == conversation
        assert copied.model_fields_set == conversation.model_fields_set
        parts = [{id(part) for part in _parts(each)} for each in (copied, conversation)]
        assert parts[0].isdisjoint(parts[1])


def _parts(value: Any) -> Iterator[Any]:
    """Yield what can change within a value: its models, lists and dicts."""
    if not isinstance(value, str | int | float | datetime | None):
        yield value
        inner = vars(value) if isinstance(value, BaseModel) else value
        for part in inner.values() if isinstance(inner, dict) else inner:
            yield from _parts(part)


def _inputs(conversation: Conversation) -> Iterator[Input]:
    yield TimerElapsed(id="again")
    for missing in (True, False):
        yield PollCalls(id="again", calls=tuple(conversation.listed_calls), missing=missing)
    yield InviteParticipant(id="again", participant=guest("zoe"))
    yield HandOver(id="again", handover_id="h", participant=guest("zoe"), then="silent")
    yield HandOver(id="again", handover_id="i", participant=NewParticipant(id="dana"))
    yield NoteCallBack(id="again", booked_id="c-2", start_at=T0)
    yield SendMessage(id="again", role="system", content="hello")
    yield from (SetAssistantMode(id="again", mode=mode) for mode in AssistantMode)
    yield StopConversation(id="again")
    yield StopConversation(id="again", hang_up=True)
    for participant in conversation.participants:
        yield RemoveParticipant(id="again", participant_id=participant.id)
    for participant, leg in conversation.legs()[:2]:
        yield from _webhooks(call_ref(participant.id, leg.number))
    yield from _webhooks(CallRef())
    settled = [key for key, command in conversation.commands.items() if not command.is_pending]
    pending = [key for key, command in conversation.commands.items() if command.is_pending]
    for key in ["join:nobody:1", *settled[-1:], *pending]:
        for result in (
            success(key),
            Succeeded(),
            CallEnded(),
            CallUnknown(),
            Refused(code="10015", message="No."),
            Retryable(had_no_effect=True),
            Retryable(had_no_effect=False),
            NotFound(),
            CallState(alive=True, answered=True),
            CallState(alive=True, answered=False),
            CallState(alive=True, answered=True, transferred=True),
            CallState(alive=False, answered=True),
            CallState(alive=False, answered=False),
            CallState(alive=False, answered=False, ended=True),
            InsightsFound(insights=(Insight(insight_id="summary", result={}),)),
            TranscriptFound(
                runs=(RunMessages(telnyx_conversation_id=TELNYX_ID, messages=turns("Hello")),)
            ),
        ):
            yield CommandResult(id="again", key=key, result=result)


def _webhooks(ref: CallRef) -> Iterator[Input]:
    yield CallInitiated(id="again", call=ref, conversation_id="conversation-1", incoming=False)
    yield CallAnswered(id="again", call=ref)
    yield CallHangup(id="again", call=ref, cause="user_busy")
    yield CallHangup(id="again", call=ref)
    yield MachineVerdict(id="again", call=ref, machine=True)
    yield MachineVerdict(id="again", call=ref, machine=False)
    yield MachineVerdict(id="again", call=ref, machine=True, by_speech=True)
    for result in ("beep_detected", "ended", "prompt_ended", "not_sure"):
        yield GreetingEnded(id="again", call=ref, result=result)
    yield CallBridged(id="again", call=ref)
    yield ConferenceJoined(id="again", call=ref)
    yield ConferenceLeft(id="again", call=ref)
    yield CallScreeningDetected(id="again", call=ref)
    yield DigitsGathered(id="again", call=ref, digits="1")
    yield DigitsGathered(id="again", call=ref, digits="")
    for prompt in (None, Action.WAIT_WORDS, Action.GOODBYE):
        yield VoiceEnded(id="again", call=replace(ref, prompt=prompt), status="completed")
    yield ConversationCreated(id="again", call=ref, telnyx_conversation_id=TELNYX_ID)
    yield ConversationStartFailed(id="again", call=ref)
    yield ConversationEnded(id="again", call=ref, telnyx_conversation_id=TELNYX_ID)
    said = turns("Hello", "Hi")
    yield ConversationEnded(id="again", call=ref, telnyx_conversation_id=TELNYX_ID, messages=said)
    yield TranscriptUpdated(id="again", call=ref, source="history", messages=said)
    yield TranscriptUpdated(id="again", call=ref, source="added", messages=said)
    yield ConversationAnalyzed(id="again", call=ref, telnyx_conversation_id=TELNYX_ID)
    yield CallCost(id="again", call=ref, cost=LegCost(total="0.01", currency="USD"))
    yield InsightsGenerated(id="again", call=ref, insights=(Insight(insight_id="s", result=1),))


def test_every_kind_of_input_is_among_those_tried(states: list[Any]) -> None:
    tried = {type(input_) for input_ in _inputs(states[-1][0])}

    assert tried | {type(domain_story.start_request())} == set(APPLY)


@pytest.mark.parametrize("late", [0, 500])
def test_any_input_in_any_state_gives_an_answer(states: list[Any], late: int) -> None:
    for conversation, then in sampled(states[late > 0 :: 2]):
        now = then + timedelta(seconds=late)
        ready = decide(
            conversation, TimerElapsed(id="late"), now
        ).conversation  # due timers have fired
        assert ready is not None
        before = ready.model_copy(deep=True)
        for input_ in _inputs(ready):
            decision = decide(ready, input_, now)
            check_step(ready, now, decision)
            if _may_repeat(input_, decision):
                _check_repeated(decision.conversation, input_, now)
        assert ready == before, "the argument is left as it was"


ONLY_FOR: dict[type, str | tuple[str, ...]] = {
    CallState: "look",
    InsightsFound: "fetch_insights",
    TranscriptFound: "fetch_transcript",
    NotFound: ("dial", "start"),
}
"""The actions that alone have these results."""


def _may_repeat(input_: Input, after: Decision) -> bool:
    """Whether the input may come again.

    A repeated message, call back, analysis or sending is a new input.
    """
    if isinstance(input_, CommandResult):
        if input_.key in [command.key for command in after.commands]:
            return False
        return input_.key.startswith(ONLY_FOR.get(type(input_.result), ""))
    return not isinstance(input_, SendMessage | NoteCallBack | ConversationAnalyzed)


def _check_repeated(conversation: Conversation | None, input_: Input, now: Any) -> None:
    """Check that a repeated input adds no command and no event."""
    again = decide(conversation, input_, now)
    assert not again.commands, f"{input_} again owes a new command"
    assert not again.events, f"{input_} again adds an event"
