"""Conversations that grow to every limit at once stay within a table item, and can be ended."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from partyline.domain.decide import decide
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import Conversation, Limits
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallInitiated,
    CallRef,
    CommandResult,
    ConversationEnded,
    Input,
    InsightsGenerated,
    InviteParticipant,
    NewParticipant,
    PollCalls,
    Route,
    SendMessage,
    StartConversation,
    StopConversation,
    TimerElapsed,
)
from partyline.domain.model.insight import Insight
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    InsightsFound,
    NotFound,
    Refused,
    Result,
    Retryable,
    Succeeded,
    TranscriptFound,
)
from partyline.domain.model.statuses import ConversationStatus, OnHangup
from partyline.domain.rules.compact import document_bytes
from partyline.domain.rules.phrases import DEFAULTS
from partyline.services.engine import MAX_BYTES_AFTER_REQUEST
from partyline.store.conversations import MAX_DOCUMENT_BYTES
from tests.support.domain_story import HOST_NUMBER, OURS, T0, plan

TRANSACTION_ITEMS = 100
LONGEST_ID = "v3:" + "x" * 500  # `telnyx.lenient` takes ids of 512 bytes


class Town:
    """A conversation in which every call ends as `fate` says, and the largest step so far."""

    def __init__(self, fate: Callable[[Command], Result | str]) -> None:
        self.fate = fate
        self.now = T0
        self.conversation: Conversation | None = None
        self.largest = 0
        self.dialled = set[str]()
        self.due: list[Command] = []

    @property
    def state(self) -> Conversation:
        assert self.conversation is not None
        return self.conversation

    def receive(self, input_: Input) -> bool:
        """Apply an input, as the engine does; False for a request that is refused."""
        decision = decide(self.conversation, input_, self.now)
        after = decision.conversation
        assert after is not None
        size = document_bytes(after)
        is_request = isinstance(input_, StartConversation | InviteParticipant | SendMessage)
        if decision.refusal or (is_request and size > MAX_BYTES_AFTER_REQUEST):
            return False
        assert size <= MAX_DOCUMENT_BYTES, f"the document has {size} bytes"
        assert len(decision.events) + 2 * len(decision.commands) + 3 <= TRANSACTION_ITEMS
        self.largest = max(self.largest, size)
        self.conversation = after
        self.due += [command.model_copy(deep=True) for command in decision.commands]
        return True

    def settle(self) -> None:
        """Execute the due commands; a dial that is taken rings, and is busy."""
        while self.due:
            self.now += timedelta(milliseconds=1)
            command = self.due.pop(0)
            fate = self.fate(command)
            if command.action is Action.DIAL and not command.reconcile:
                assert command.key not in self.dialled or isinstance(fate, Retryable)
                self.dialled.add(command.key)
            result = fate if not isinstance(fate, str) else success(command)
            self.receive(CommandResult(id=LONGEST_ID, key=command.key, result=result))
            if isinstance(fate, str) and command.action is Action.DIAL:
                call = call_of(command.participant_id or "", command.leg or 0)
                self.receive(CallHangup(id="h", call=call, cause=fate, sip_cause="486"))

    def elapse(self, minutes: int) -> None:
        """Let the sweep run every minute."""
        for _ in range(minutes):
            self.now += timedelta(seconds=60)
            self.receive(TimerElapsed(id="sweep"))
            self.settle()


def call_of(participant: str, leg: int) -> CallRef:
    name = f"{participant}-{leg}-"
    ids = [(prefix + name).ljust(512, "x") for prefix in ("v3:", "leg-", "session-")]
    control, leg_id, session = ids
    return CallRef(
        call_control_id=control,
        call_leg_id=leg_id,
        call_session_id=session,
        participant=participant,
        leg=leg,
    )


def success(command: Command) -> Result:
    if command.action is Action.LOOK:
        return CallState(alive=True, answered=True)
    if command.action is Action.FETCH_INSIGHTS:
        return InsightsFound(insights=())
    if command.action is Action.FETCH_TRANSCRIPT:
        return TranscriptFound(runs=())
    call = call_of(command.participant_id or "", command.leg or 0)
    return Succeeded(
        call_control_id=call.call_control_id,
        call_leg_id=call.call_leg_id,
        call_session_id=call.call_session_id,
        telnyx_conversation_id="t" * 500,
    )


def with_answered_host(town: Town, **settings: Any) -> None:
    """Start a conversation on an inbound call, as large as a route can be."""
    route = Route(
        assistant=Assistant(id="a", message_history=[{"content": "x" * settings["assistant"]}]),
        connection_id="connection-1",
        on_hangup=settings.get("on_hangup", OnHangup.END),
        phrases=dict.fromkeys(DEFAULTS, "é" * 400 + "{name}{reason}"),
        limits=Limits(participants=20, legs_at_once=20, minutes=240),
    )
    host = replace(call_of("host", 1), participant=None, leg=None)
    initiated = CallInitiated(
        id="i", call=host, conversation_id="c-1", incoming=True, from_=HOST_NUMBER, to=OURS
    )
    town.receive(replace(initiated, route=route))
    town.settle()
    town.receive(CallAnswered(id="a", call=host))
    town.settle()
    assert town.state.status is ConversationStatus.ACTIVE


def contact(nth: int, **settings: Any) -> InviteParticipant:
    """A contact with ten numbers, tried in three rounds."""
    numbers = [f"+1312556{nth:02d}{place:02d}" for place in range(10)]
    person = NewParticipant(
        id=f"guest-{nth:012d}",
        name="é" * 120 + f"{nth:02d}",
        plan=plan(*numbers, **{"max_attempts": 3, "pause_secs": 0, **settings}),
        contact=f"contact {nth}",
    )
    return InviteParticipant(id=f"r-{nth}", participant=person)


def busy(command: Command) -> Result | str:
    """Every dialled line is busy."""
    del command
    return "user_busy"


def lost(command: Command) -> Result | str:
    """Telnyx answers no dial and no message."""
    if command.action is Action.DIAL:
        return NotFound() if command.reconcile else Retryable(had_no_effect=False)
    return Retryable(had_no_effect=True) if command.action is Action.MESSAGE else "user_busy"


def mixed(seed: int) -> Callable[[Command], Result | str]:
    rng = random.Random(seed)
    refused = Refused(code="10015", message="é" * 500)

    of_dials: list[Result | str] = ["user_busy", refused, "x" * 500]
    of_messages: list[Result | str] = ["", refused, Retryable(had_no_effect=True)]

    def fate(command: Command) -> Result | str:
        if command.action is Action.DIAL:
            return NotFound() if command.reconcile else rng.choice(of_dials)
        return rng.choice(of_messages) if command.action is Action.MESSAGE else ""

    return fate


def end_by_hangup(town: Town) -> None:
    town.receive(CallHangup(id="e", call=call_of("host", 1), cause="x" * 500, sip_cause="x" * 500))


def end_by_stop(town: Town) -> None:
    assert town.receive(StopConversation(id="e", hang_up=True))


def end_by_the_assistant(town: Town) -> None:
    town.receive(ConversationEnded(id="e", call=call_of("host", 1), reason="r" * 500))


def end_by_the_sweep(town: Town) -> None:
    town.fate = lambda command: (
        CallState(alive=False, answered=True) if command.action is Action.LOOK else CallEnded()
    )
    calls = tuple(town.state.listed_calls)
    town.receive(PollCalls(id="census", calls=calls, missing=True))
    town.elapse(5)


def end_by_the_time_limit(town: Town) -> None:
    town.now += timedelta(hours=4)
    town.receive(TimerElapsed(id="sweep"))


ENDS = [end_by_hangup, end_by_stop, end_by_the_assistant, end_by_the_sweep, end_by_the_time_limit]


def fill_to_every_limit(town: Town) -> None:
    """Send as many messages as the API takes, let time pass, and analyse the conversation."""
    for nth in range(40):
        town.receive(SendMessage(id=f"m-{nth}", role="system", content="x" * 5000))
    town.elapse(8)
    insights = [Insight(insight_id=f"{nth:02d}" + "i" * 500, result="x" * 500) for nth in range(60)]
    generated = InsightsGenerated(id="g", call=call_of("guest", 1), insights=tuple(insights))
    town.receive(generated)


def copy_of(town: Town) -> Town:
    """Return a town in the same state that does not change the other."""
    copied = Town(town.fate)
    copied.now, copied.conversation = town.now, town.state.model_copy(deep=True)
    return copied


def assert_every_end_ends(town: Town) -> None:
    for end in ENDS:
        ended = copy_of(town)
        end(ended)
        ended.settle()
        ended.elapse(3)
        assert ended.state.status is ConversationStatus.ENDED, end.__name__
    assert town.largest > 150_000, "the conversation is too small to prove anything"


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("fate", "assistant", "rounds"),
    # The later rounds meet a document as large as the first left it, so one fate has them all.
    [(mixed(1), 10, 1), (busy, 90_000, 3), (lost, 90_000, 3)],
)
def test_a_conversation_at_every_limit_at_once_stays_within_an_item_and_ends(
    fate: Callable[[Command], Result | str], assistant: int, rounds: int
) -> None:
    town = Town(fate)
    with_answered_host(town, assistant=assistant)
    for nth in range(19):
        plan_ = {"strategy": "at_once", "pause_secs": 90, "max_attempts": rounds}
        town.receive(contact(nth, **plan_))
    town.settle()
    fill_to_every_limit(town)
    assert_every_end_ends(town)


@pytest.fixture(scope="module")
def hunted() -> Town:
    """A conversation that tried nineteen contacts of ten numbers in three rounds, in order."""
    town = Town(busy)
    with_answered_host(town, assistant=90_000)
    for nth in range(19):
        assert town.receive(contact(nth))
        town.settle()
    town.elapse(3)
    return town


def test_a_conversation_after_a_large_hunt_stays_within_an_item_and_ends(hunted: Town) -> None:
    town = copy_of(hunted)
    fill_to_every_limit(town)
    assert_every_end_ends(town)


def test_every_number_of_a_large_hunt_is_tried_and_every_try_is_counted(hunted: Town) -> None:
    town = hunted
    assert len(town.dialled) == 570
    assert {guest.legs_tried for guest in town.state.participants[1:]} == {30}
    assert {guest.outcome for guest in town.state.participants[1:]} == {"busy"}
    assert town.receive(SendMessage(id="m", role="system", content="x" * 20_000))


def test_a_late_webhook_of_a_call_that_left_the_document_has_no_effect(hunted: Town) -> None:
    town = hunted
    guest = next(guest for guest in town.state.participants if guest.earlier_legs)
    before = town.state
    for webhook in (CallHangup, CallAnswered):
        town.receive(webhook(id="late", call=call_of(guest.id, 1)))
    assert town.state.participants == before.participants


def test_a_small_conversation_keeps_all_its_calls() -> None:
    town = Town(busy)
    with_answered_host(town, assistant=10)
    town.receive(contact(1))
    town.settle()
    town.elapse(5)
    assert len(town.state.participants[1].legs) == 30
