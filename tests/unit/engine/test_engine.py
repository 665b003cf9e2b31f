"""Load, decide, commit, carry out: in this order, whatever fails in between."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from partyline.aws_errors import AwsUnavailableError
from partyline.domain.decide import Decision
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import HOST_ID, Assistant, Conversation, Plan
from partyline.domain.model.inputs import (
    CallAnswered,
    CallEnded,
    CallHangup,
    CallRef,
    CallState,
    InviteParticipant,
    NewParticipant,
    Refused,
    Result,
    Retryable,
    SendMessage,
    StartConversation,
    StopConversation,
    Succeeded,
    TimerElapsed,
)
from partyline.domain.model.statuses import ConversationStatus
from partyline.services import engine
from partyline.services.engine import MAX_CONFLICTS, MAX_REQUEST_BYTES, Engine, IngestResult
from partyline.store import ConversationStore, DedupeRecord, keys
from partyline.store.errors import (
    ConversationTooLargeError,
    TooManyConflictsError,
    VersionConflictError,
)
from tests.support.deployment import Deployment

START = StartConversation(
    id="request-1",
    conversation_id="c-1",
    assistant=Assistant(id="assistant-1"),
    connection_id="1494404757140276705",
    host=NewParticipant(id=HOST_ID, plan=Plan(to=["+13125550101"], from_="+13125550100")),
)
WITH_DANA = replace(START, guests=(NewParticipant(id="dana", call_control_id="v3:dana"),))
ANSWERED = CallAnswered(id="event-1", call=CallRef(call_control_id="v3:1"))
ANSWERED_DEDUPE = DedupeRecord(keys.webhook("c-1", "event-1"))


class Died(BaseException):
    """The process is gone."""


@dataclass
class Errands:
    """A dispatcher that notes what it is given, and answers as it is told."""

    results: dict[Action, list[Result]] = field(default_factory=dict)
    sent: list[Command] = field(default_factory=list)
    on_errand: Callable[[Conversation, Command], None] = lambda _, __: None

    def execute(self, conversation: Conversation, command: Command) -> Result:
        self.sent.append(command.model_copy(deep=True))
        self.on_errand(conversation, command)
        queue = self.results.get(command.action)
        if queue:
            return queue.pop(0)
        return Succeeded(
            call_control_id=f"v3:{len(self.sent)}", telnyx_conversation_id="telnyx-conversation-1"
        )

    def actions(self) -> list[Action]:
        return [each.action for each in self.sent]


class Line:
    """An engine on a real table, with a dispatcher and pauses of the test's own."""

    def __init__(self, world: Deployment) -> None:
        self.world = world
        self.store: ConversationStore = world.wiring.store
        self.errands = Errands()
        self.pauses: list[float] = []
        self.engine = Engine(
            self.store,
            self.errands,  # type: ignore[arg-type]
            world.clock,
            self.pauses.append,
        )

    def ingest(self, given: Any, dedupe: DedupeRecord | None = None) -> IngestResult:
        return self.engine.ingest(lambda: self.store.load("c-1"), given, dedupe)

    def stored(self) -> Conversation:
        found = self.store.load("c-1")
        assert found is not None
        return found


@pytest.fixture
def line(world: Deployment) -> Line:
    return Line(world)


def test_what_is_sent_is_stored_first_and_its_result_after(line: Line) -> None:
    seen: list[Conversation] = []
    line.errands.on_errand = lambda _, __: seen.append(line.stored())
    ingested = line.ingest(START)
    assert line.errands.actions() == [Action.DIAL]
    [while_dialling] = seen
    assert while_dialling.commands["dial:host:1"].is_pending
    assert while_dialling.commands["dial:host:1"].sent_at == line.world.clock.now
    assert ingested.conversation == line.stored()
    assert line.stored().host.legs[0].call_control_id == "v3:1"
    assert not ingested.pending
    assert line.world.dynamodb.calls == [
        "get_item",
        "transact_write_items",
        "get_item",
        "transact_write_items",
        "get_item",
        "get_item",
    ]


def test_nothing_is_sent_when_the_step_cannot_be_stored(line: Line) -> None:
    error = ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems")
    line.world.dynamodb.failures["transact_write_items"] = [error]
    with pytest.raises(AwsUnavailableError):
        line.ingest(START)
    assert line.errands.sent == []
    assert line.store.load("c-1") is None


def test_who_dies_after_the_commit_leaves_a_command_that_is_sent_under_the_same_name(
    line: Line,
) -> None:
    def die(_: Conversation, __: Command) -> None:
        line.errands.on_errand = lambda _, __: None
        raise Died

    line.errands.on_errand = die
    with pytest.raises(Died):
        line.ingest(START)
    line.ingest(TimerElapsed(id="sweep"))
    assert len(line.errands.sent) == 1, "whoever sent it may still be at it"
    line.world.clock.advance(7)
    line.ingest(TimerElapsed(id="sweep"))
    first, second = line.errands.sent
    assert first.id == second.id
    assert not second.reconcile
    assert line.stored().host.legs[0].call_control_id == "v3:2"


def test_who_dies_over_a_webhook_is_made_good_when_it_comes_again(line: Line) -> None:
    line.ingest(START)

    def die(_: Conversation, __: Command) -> None:
        line.errands.on_errand = lambda _, __: None
        raise Died

    line.errands.on_errand = die
    with pytest.raises(Died):
        line.ingest(ANSWERED, ANSWERED_DEDUPE)
    assert line.stored().commands["start:host:1"].is_pending
    # Telnyx comes again at once, while the lease still holds: it has to come once more.
    assert line.ingest(ANSWERED, ANSWERED_DEDUPE).pending
    line.world.clock.advance(7)
    assert not line.ingest(ANSWERED, ANSWERED_DEDUPE).pending
    starts = [each for each in line.errands.sent if each.action is Action.START]
    assert len(starts) == 2
    assert len({each.id for each in starts}) == 1
    assert line.stored().status is ConversationStatus.ACTIVE


def test_a_doubled_input_does_what_is_still_owed(line: Line) -> None:
    line.errands.results[Action.DIAL] = [Retryable(had_no_effect=True)]
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    first = line.ingest(START, dedupe)
    assert (first.pending, first.duplicate) == (True, False)
    early = line.ingest(START, dedupe)
    assert (early.pending, early.duplicate, early.stored_hash) == (True, True, "hash-1")
    line.world.clock.advance(7)
    late = line.ingest(START, dedupe)
    assert (late.pending, late.duplicate) == (False, True)
    assert line.errands.actions() == [Action.DIAL] * 2
    assert line.stored().host.legs[0].call_control_id == "v3:2"


def test_what_somebody_else_still_owes_is_nothing_to_this_input(line: Line) -> None:
    line.errands.results[Action.DIAL] = [Retryable(had_no_effect=True)]
    assert line.ingest(START).pending
    said = SendMessage(id="request-2", role="system", content="Hello.")
    assert not line.ingest(said).pending


class Contested:
    """A store in which others are always a little quicker, for a while."""

    def __init__(self, line: Line, times: int) -> None:
        self._line = line
        self._times = times
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line.store, name)

    def commit(self, before: Conversation | None, *rest: Any) -> Conversation:
        self.commits += 1
        if self.commits <= self._times:
            stored = self._line.stored()
            self._line.store.commit(stored, Decision(stored))
        return self._line.store.commit(before, *rest)


def test_a_conflict_is_decided_again_on_what_is_there_then(line: Line) -> None:
    line.ingest(START)
    line.engine._store = Contested(line, 3)  # type: ignore[assignment]
    given = SendMessage(id="request-2", role="system", content="Hello.")
    line.ingest(given)
    assert [each.content for each in line.stored().pending_messages] == ["Hello."]
    assert line.stored().version == 2 + 3 + 1
    assert len(line.pauses) == 3
    assert all(0 <= each < 1 for each in line.pauses)


def test_after_too_many_conflicts_it_says_so(line: Line) -> None:
    line.ingest(START)
    contested = line.engine._store = Contested(line, 10**6)  # type: ignore[assignment]
    with pytest.raises(TooManyConflictsError):
        line.ingest(SendMessage(id="request-2", role="system", content="Hello."))
    assert contested.commits == MAX_CONFLICTS
    assert line.stored().pending_messages == []


def test_a_result_that_meets_a_conflict_is_not_lost(line: Line) -> None:
    def meanwhile(_: Conversation, __: Command) -> None:
        stored = line.stored()
        line.store.commit(stored, Decision(stored))

    line.errands.on_errand = meanwhile
    line.ingest(START)
    assert line.stored().host.legs[0].call_control_id == "v3:1"
    assert line.errands.actions() == [Action.DIAL]


def test_results_bring_up_commands_until_nothing_is_owed(line: Line) -> None:
    line.ingest(START)
    line.ingest(ANSWERED, ANSWERED_DEDUPE)
    line.errands.results[Action.DIAL] = [Refused(code="10016", message="No.")] * 9
    plan = Plan(to=[f"+131255501{n}" for n in range(50, 60)], from_="+13125550100")
    guest = NewParticipant(id="guest-1", plan=plan, tell_assistant=False)
    line.ingest(InviteParticipant(id="request-2", participant=guest))
    assert line.errands.actions().count(Action.DIAL) == 1 + 10
    assert [bool(leg.failure) for leg in line.stored().participants[1].legs] == [True] * 9 + [False]


def test_what_one_result_brings_up_and_the_next_makes_pointless_is_not_sent(line: Line) -> None:
    line.errands.results[Action.START] = [Retryable(had_no_effect=True)]
    line.ingest(WITH_DANA)
    line.ingest(ANSWERED, ANSWERED_DEDUPE)
    line.errands.results[Action.LOOK] = [CallState(alive=True, answered=True), CallEnded()]
    line.world.clock.advance(125)
    line.ingest(
        TimerElapsed(id="sweep")
    )  # it starts now, so Dana is to be joined; but she is not there
    assert line.errands.actions()[2:] == [Action.START, Action.LOOK, Action.LOOK, Action.MESSAGE]
    assert line.stored().commands["join:dana:1"].status == "failed"
    seqs = [each.seq for each in line.store.timeline("c-1").events]
    assert seqs == list(range(1, line.stored().seq + 1)), "what every result brought about is told"


def test_nor_is_what_the_next_one_has_forgotten(line: Line) -> None:
    line.errands.results[Action.JOIN] = [Retryable(had_no_effect=True)]
    line.ingest(WITH_DANA)
    line.ingest(ANSWERED, ANSWERED_DEDUPE)
    line.errands.results[Action.LOOK] = [CallEnded(), CallEnded()]
    line.world.clock.advance(125)
    line.ingest(TimerElapsed(id="sweep"))  # she is joined, which nobody can be told: all have gone
    assert line.errands.actions()[2:] == [Action.JOIN, Action.JOIN, Action.LOOK, Action.LOOK]
    assert line.stored().status is ConversationStatus.ENDED


def test_a_result_that_moves_nothing_takes_no_other_with_it(line: Line) -> None:
    line.ingest(WITH_DANA)
    line.ingest(ANSWERED, ANSWERED_DEDUPE)

    def dana_hangs_up(_: Conversation, command: Command) -> None:
        if command.participant_id == "dana":
            line.errands.on_errand = lambda _, __: None
            line.ingest(CallHangup(id="event-2", call=CallRef(call_control_id="v3:dana")))

    line.errands.on_errand = dana_hangs_up
    line.errands.results[Action.LOOK] = [CallEnded(), CallState(alive=False, answered=True)]
    line.world.clock.advance(125)
    line.ingest(TimerElapsed(id="sweep"))
    assert not line.stored().host.legs[0].is_up


def test_what_each_of_several_results_brings_up_is_done(line: Line) -> None:
    plans = [Plan(to=[f"+131255501{n}1", f"+131255501{n}2"], from_="+13125550100") for n in (5, 6)]
    guests = tuple(NewParticipant(id=f"guest-{n}", plan=each) for n, each in enumerate(plans))
    no = Refused(code="10016", message="No.")
    line.errands.results[Action.DIAL] = [Succeeded(call_control_id="v3:1"), no, no]
    line.ingest(replace(START, guests=guests))
    assert line.errands.actions() == [Action.DIAL] * (1 + 2 + 2)


def test_very_many_commands_are_stored_a_few_at_a_time(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction takes 100 items, and the ids of a call alone make two."""
    stored = []
    commit = line.store.commit

    def noted(before: Any, decision: Decision, *rest: Any) -> Conversation:
        stored.append(len(decision.events))
        return commit(before, decision, *rest)

    monkeypatch.setattr(line.store, "commit", noted)
    plan = Plan(to=[f"+131255501{n}" for n in range(10, 60)], from_="+1", strategy="at_once")
    line.errands.results[Action.DIAL] = [Refused(code="10016", message="No.")] * 50
    ingested = line.ingest(
        StartConversation(**{**vars(START), "host": NewParticipant(id=HOST_ID, plan=plan)})
    )
    assert len(line.errands.sent) == 40, "what is left is the next one's"
    assert ingested.pending
    assert max(stored[1:]) < 45
    line.world.clock.advance(7)
    assert not line.ingest(TimerElapsed(id="sweep")).pending
    assert len(line.errands.sent) == 50
    assert line.stored().status is ConversationStatus.FAILED


def test_a_request_that_is_refused_leaves_no_mark(line: Line) -> None:
    line.ingest(START)
    line.errands.results = {}
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    guests = [NewParticipant(id=f"guest-{n}", call_control_id=f"v3:g{n}") for n in range(20)]
    outcomes = [line.ingest(InviteParticipant(id="r", participant=each)) for each in guests]
    assert [each.refusal for each in outcomes[:19]] == [None] * 19
    last = InviteParticipant(id="r", participant=guests[19])
    refused = line.ingest(last, dedupe)
    assert refused.refusal is not None
    assert refused.refusal.code == "too_many_participants"
    assert not refused.duplicate
    assert line.store.table.find([dedupe.key]) == {}
    assert line.ingest(last, dedupe).refusal is not None


def test_nor_does_one_by_which_time_catches_up(line: Line) -> None:
    line.ingest(START)
    line.ingest(ANSWERED, ANSWERED_DEDUPE)
    line.ingest(StopConversation(id="request-2", hang_up=False))
    line.world.clock.advance(61)
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    guest = NewParticipant(id="guest-1", call_control_id="v3:g1")
    assert line.ingest(InviteParticipant(id="r", participant=guest), dedupe).refusal is not None
    assert line.stored().status is ConversationStatus.ENDED
    assert line.store.table.find([dedupe.key]) == {}


def test_what_asks_for_nothing_new_needs_no_room(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.ingest(START)
    monkeypatch.setattr(engine, "MAX_REQUEST_BYTES", 10)
    line.ingest(START, DedupeRecord(keys.request("key"), "hash-1"))


def test_requests_leave_room_for_what_then_happens(line: Line) -> None:
    line.ingest(START)
    spoken = SendMessage(id="request-2", role="system", content="x" * (MAX_REQUEST_BYTES - 5000))
    line.ingest(spoken)
    with pytest.raises(ConversationTooLargeError):
        line.ingest(SendMessage(id="request-3", role="system", content="x" * 5000))
    line.ingest(ANSWERED, ANSWERED_DEDUPE)
    assert line.stored().status is ConversationStatus.ACTIVE


def test_what_moves_nothing_is_not_written(line: Line) -> None:
    assert line.ingest(ANSWERED, ANSWERED_DEDUPE) == IngestResult(None)
    line.ingest(START)
    before = line.stored()
    stranger = CallAnswered(id="event-2", call=CallRef(call_control_id="v3:stranger"))
    line.ingest(stranger, DedupeRecord(keys.webhook("c-1", "event-2")))
    line.ingest(TimerElapsed(id="sweep"))
    assert line.stored() == before


# A request, which nobody delivers again


class Patient:
    """A request at an engine whose pauses take their time."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._clock = line.world.clock
        line.engine._sleep = self._clock.advance

    def starts(self) -> tuple[IngestResult, float]:
        """What became of it, and after how many seconds."""
        began = self._clock.now
        ingested = self._line.engine.drain(self._line.ingest(START), START.id, began)
        return ingested, (self._clock.now - began).total_seconds()


def test_a_request_whose_dial_telnyx_could_not_take_is_tried_again_while_there_is_time(
    line: Line,
) -> None:
    line.errands.results[Action.DIAL] = [Retryable(had_no_effect=False)] * 2
    ingested, secs = Patient(line).starts()
    assert (ingested.pending, ingested.duplicate) == (False, False)
    assert ingested.conversation == line.stored()
    assert line.stored().host.legs[0].call_control_id == "v3:3"
    assert len({each.id for each in line.errands.sent}) == 1
    assert secs == 1 + 2, "as long as it is to be left alone after each time"


def test_a_request_does_not_wait_for_ever(line: Line) -> None:
    line.errands.results[Action.DIAL] = [Retryable(had_no_effect=False)] * 99
    ingested, secs = Patient(line).starts()
    assert ingested.pending
    assert secs == 4
    assert len(line.errands.sent) == 3


def test_a_request_that_took_its_time_already_waits_no_longer(line: Line) -> None:
    def slowly(_: Conversation, __: Command) -> None:
        line.world.clock.advance(4.1)

    line.errands.on_errand = slowly
    line.errands.results[Action.DIAL] = [Retryable(had_no_effect=False)]
    ingested, secs = Patient(line).starts()
    assert (ingested.pending, secs) == (True, 4.1)


def test_a_request_that_owes_nothing_waits_for_nothing(line: Line) -> None:
    assert Patient(line).starts()[1] == 0


def test_a_conflict_is_no_error_of_the_callers() -> None:
    assert not issubclass(VersionConflictError, ClientError)
