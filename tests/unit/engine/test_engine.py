"""The engine: load, decide, commit, execute, in this order, with a failure at each point."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError

from partyline.aws_errors import AwsError, AwsUnavailableError
from partyline.domain.decide import Decision
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import Conversation, Limits
from partyline.domain.model.error_codes import ErrorCode
from partyline.domain.model.events import EventType
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallRef,
    InviteParticipant,
    NewParticipant,
    PollCalls,
    SendMessage,
    StartConversation,
    StopConversation,
    TimerElapsed,
)
from partyline.domain.model.participant import HOST_ID
from partyline.domain.model.plan import Plan
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    Refused,
    Result,
    Retryable,
    Succeeded,
)
from partyline.domain.model.statuses import ConversationStatus
from partyline.domain.model.timeouts import START_LEASE
from partyline.domain.rules.transition import Refusal
from partyline.services import engine
from partyline.services.engine import MAX_BYTES_AFTER_REQUEST, MAX_CONFLICTS, Engine, IngestResult
from partyline.store import ConversationStore, DedupeRecord, keys
from partyline.store.errors import (
    ConversationTooLargeError,
    TooManyConflictsError,
    VersionConflictError,
)
from partyline.telemetry import Metric
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
HOST_IS_MISSING = PollCalls(id="census", calls=("v3:1",), missing=True)
ANSWERED_DEDUPE = DedupeRecord(keys.webhook("c-1", "event-1"))


class Died(BaseException):
    """The process has died."""


@dataclass
class FakeExecutor:
    """An executor that records its commands and returns the results that a test sets."""

    results: dict[Action, list[Result]] = field(default_factory=dict)
    sent: list[Command] = field(default_factory=list)
    before_execute: Callable[[Conversation, Command], None] = lambda _, __: None

    def execute(self, conversation: Conversation, command: Command) -> Result:
        self.sent.append(command.model_copy(deep=True))
        self.before_execute(conversation, command)
        queue = self.results.get(command.action)
        if queue:
            return queue.pop(0)
        return Succeeded(
            call_control_id=f"v3:{len(self.sent)}", telnyx_conversation_id="telnyx-conversation-1"
        )

    def actions(self) -> list[Action]:
        return [command.action for command in self.sent]


class Harness:
    """An engine on a real table, with an executor and pauses of the test."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.store: ConversationStore = deployment.app.store
        self.executor = FakeExecutor()
        self.pauses: list[float] = []
        self.engine = Engine(
            self.store,
            self.executor,  # type: ignore[arg-type]
            deployment.app.timers,
            deployment.clock,
            self.pauses.append,
        )

    def ingest(self, input_: Any, dedupe: DedupeRecord | None = None) -> IngestResult:
        return self.engine.ingest(lambda: self.store.load("c-1"), input_, dedupe)

    def stored(self) -> Conversation:
        conversation = self.store.load("c-1")
        assert conversation is not None
        return conversation


@pytest.fixture
def harness(deployment: Deployment) -> Harness:
    return Harness(deployment)


def test_a_command_is_stored_before_it_is_sent_and_its_result_after(harness: Harness) -> None:
    seen: list[Conversation] = []
    harness.executor.before_execute = lambda _, __: seen.append(harness.stored())
    ingested = harness.ingest(START)
    assert harness.executor.actions() == [Action.DIAL]
    [while_dialling] = seen
    assert while_dialling.commands["dial:host:1"].is_pending
    assert while_dialling.commands["dial:host:1"].sent_at == harness.deployment.clock.now
    assert ingested.conversation == harness.stored()
    assert harness.stored().host.legs[0].call_control_id == "v3:1"
    assert not ingested.pending
    assert harness.deployment.dynamodb.calls == [
        "get_item",
        "transact_write_items",
        "get_item",
        "transact_write_items",
        "get_item",
        "get_item",
    ]


def test_no_command_is_sent_when_the_step_cannot_be_stored(harness: Harness) -> None:
    error = ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems")
    harness.deployment.dynamodb.failures["transact_write_items"] = [error]
    with pytest.raises(AwsUnavailableError):
        harness.ingest(START)
    assert harness.executor.sent == []
    assert harness.store.load("c-1") is None


def test_a_crash_after_the_commit_leaves_a_command_that_is_sent_with_the_same_id(
    harness: Harness,
) -> None:
    def die(_: Conversation, __: Command) -> None:
        harness.executor.before_execute = lambda _, __: None
        raise Died

    harness.executor.before_execute = die
    with pytest.raises(Died):
        harness.ingest(START)
    harness.ingest(TimerElapsed(id="sweep"))
    assert len(harness.executor.sent) == 1, "the process that sent it may still wait for the answer"
    harness.deployment.clock.advance(7)
    harness.ingest(TimerElapsed(id="sweep"))
    first, second = harness.executor.sent
    assert first.id == second.id
    assert not second.reconcile
    assert harness.stored().host.legs[0].call_control_id == "v3:2"


def test_a_redelivered_webhook_completes_what_a_crashed_handler_began(harness: Harness) -> None:
    harness.ingest(START)

    def die(_: Conversation, __: Command) -> None:
        harness.executor.before_execute = lambda _, __: None
        raise Died

    harness.executor.before_execute = die
    with pytest.raises(Died):
        harness.ingest(ANSWERED, ANSWERED_DEDUPE)
    assert harness.stored().commands["start:host:1"].is_pending
    # The lease still holds at the first redelivery: Telnyx has to deliver once more.
    assert harness.ingest(ANSWERED, ANSWERED_DEDUPE).pending
    harness.deployment.clock.advance(START_LEASE.total_seconds() + 1)
    assert not harness.ingest(ANSWERED, ANSWERED_DEDUPE).pending
    starts = [command for command in harness.executor.sent if command.action is Action.START]
    assert len(starts) == 2
    assert len({command.id for command in starts}) == 1
    assert harness.stored().status is ConversationStatus.ACTIVE


def test_a_duplicate_input_executes_pending_commands(harness: Harness) -> None:
    harness.executor.results[Action.DIAL] = [Retryable(had_no_effect=True)]
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    first = harness.ingest(START, dedupe)
    assert (first.pending, first.duplicate) == (True, False)
    early = harness.ingest(START, dedupe)
    assert (early.pending, early.duplicate, early.stored_hash) == (True, True, "hash-1")
    harness.deployment.clock.advance(7)
    late = harness.ingest(START, dedupe)
    assert (late.pending, late.duplicate) == (False, True)
    assert harness.executor.actions() == [Action.DIAL] * 2
    assert harness.stored().host.legs[0].call_control_id == "v3:2"


def test_a_pending_command_of_another_input_does_not_make_this_input_pending(
    harness: Harness,
) -> None:
    harness.executor.results[Action.DIAL] = [Retryable(had_no_effect=True)]
    assert harness.ingest(START).pending
    said = SendMessage(id="request-2", role="system", content="Hello.")
    assert not harness.ingest(said).pending


class Contested:
    """A store in which another process commits first, a number of times."""

    def __init__(self, harness: Harness, times: int) -> None:
        self._harness = harness
        self._times = times
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._harness.store, name)

    def commit(self, before: Conversation | None, *rest: Any) -> Conversation:
        self.commits += 1
        if self.commits <= self._times:
            stored = self._harness.stored()
            self._harness.store.commit(stored, Decision(stored))
        return self._harness.store.commit(before, *rest)


def test_after_a_conflict_the_engine_decides_again_on_the_stored_state(harness: Harness) -> None:
    harness.ingest(START)
    harness.engine._store = Contested(harness, 3)  # type: ignore[assignment]
    harness.ingest(SendMessage(id="request-2", role="system", content="Hello."))
    assert [message.content for message in harness.stored().pending_messages] == ["Hello."]
    assert harness.stored().version == 2 + 3 + 1
    assert len(harness.pauses) == 3
    assert all(0 <= pause < 1 for pause in harness.pauses)


def test_too_many_conflicts_are_an_error(harness: Harness) -> None:
    harness.ingest(START)
    contested = harness.engine._store = Contested(harness, 10**6)  # type: ignore[assignment]
    with pytest.raises(TooManyConflictsError):
        harness.ingest(SendMessage(id="request-2", role="system", content="Hello."))
    assert contested.commits == MAX_CONFLICTS
    assert harness.stored().pending_messages == []


def test_a_result_is_not_lost_in_a_conflict(harness: Harness) -> None:
    def meanwhile(_: Conversation, __: Command) -> None:
        stored = harness.stored()
        harness.store.commit(stored, Decision(stored))

    harness.executor.before_execute = meanwhile
    harness.ingest(START)
    assert harness.stored().host.legs[0].call_control_id == "v3:1"
    assert harness.executor.actions() == [Action.DIAL]


def test_commands_that_follow_from_results_are_executed_until_none_is_due(harness: Harness) -> None:
    harness.ingest(START)
    harness.ingest(ANSWERED, ANSWERED_DEDUPE)
    harness.executor.results[Action.DIAL] = [Refused(code="10016", message="No.")] * 9
    plan = Plan(to=[f"+131255501{n}" for n in range(50, 60)], from_="+13125550100")
    guest = NewParticipant(id="guest-1", plan=plan, tell_assistant=False)
    harness.ingest(InviteParticipant(id="request-2", participant=guest))
    assert harness.executor.actions().count(Action.DIAL) == 1 + 10
    assert [bool(leg.failure) for leg in harness.stored().participants[1].legs] == [True] * 9 + [
        False
    ]


def test_a_command_that_the_next_result_makes_obsolete_is_not_sent(harness: Harness) -> None:
    harness.executor.results[Action.START] = [Retryable(had_no_effect=True)]
    harness.ingest(WITH_DANA)
    harness.ingest(ANSWERED, ANSWERED_DEDUPE)
    harness.executor.results[Action.LOOK] = [CallState(alive=True, answered=True), CallEnded()]
    harness.deployment.clock.advance(125)
    harness.ingest(
        HOST_IS_MISSING
    )  # the assistant starts, so Dana would be joined; but her call has ended
    assert harness.executor.actions()[2:] == [
        Action.START,
        Action.LOOK,
        Action.LOOK,
        Action.MESSAGE,
    ]
    assert harness.stored().commands["join:dana:1"].status == "failed"
    seqs = [event.seq for event in harness.store.timeline("c-1").items]
    assert seqs == list(range(1, harness.stored().seq + 1)), (
        "the timeline has the events of every result"
    )


def test_a_command_that_the_next_result_removes_is_not_sent(harness: Harness) -> None:
    harness.executor.results[Action.JOIN] = [Retryable(had_no_effect=True)]
    harness.ingest(WITH_DANA)
    harness.ingest(ANSWERED, ANSWERED_DEDUPE)
    harness.executor.results[Action.LOOK] = [CallEnded(), CallEnded()]
    harness.deployment.clock.advance(125)
    harness.ingest(
        HOST_IS_MISSING
    )  # she is joined, but both calls have ended: no message can be sent
    assert harness.executor.actions()[2:] == [Action.JOIN, Action.JOIN, Action.LOOK, Action.LOOK]
    assert harness.stored().status is ConversationStatus.ENDED


def test_a_result_without_effect_does_not_discard_the_other_results(harness: Harness) -> None:
    harness.ingest(WITH_DANA)
    harness.ingest(ANSWERED, ANSWERED_DEDUPE)

    def dana_hangs_up(_: Conversation, command: Command) -> None:
        if command.participant_id == "dana":
            harness.executor.before_execute = lambda _, __: None
            harness.ingest(CallHangup(id="event-2", call=CallRef(call_control_id="v3:dana")))

    harness.executor.before_execute = dana_hangs_up
    harness.executor.results[Action.LOOK] = [CallEnded(), CallState(alive=False, answered=True)]
    harness.deployment.clock.advance(125)
    harness.ingest(HOST_IS_MISSING)
    assert not harness.stored().host.legs[0].is_up


def test_the_commands_of_all_results_are_executed(harness: Harness) -> None:
    plans = [Plan(to=[f"+131255501{n}1", f"+131255501{n}2"], from_="+13125550100") for n in (5, 6)]
    guests = tuple(NewParticipant(id=f"guest-{n}", plan=plan) for n, plan in enumerate(plans))
    no = Refused(code="10016", message="No.")
    harness.executor.results[Action.DIAL] = [Succeeded(call_control_id="v3:1"), no, no]
    harness.ingest(replace(START, guests=guests))
    assert harness.executor.actions() == [Action.DIAL] * (1 + 2 + 2)


def test_the_results_of_many_commands_are_stored_in_batches(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction takes 100 items, and the ids of a call alone make two."""
    stored = []
    commit = harness.store.commit

    def noted(before: Any, decision: Decision, *rest: Any) -> Conversation:
        stored.append(len(decision.events))
        return commit(before, decision, *rest)

    monkeypatch.setattr(harness.store, "commit", noted)
    plan = Plan(to=[f"+131255501{n}" for n in range(10, 60)], from_="+1", strategy="at_once")
    harness.executor.results[Action.DIAL] = [Refused(code="10016", message="No.")] * 50
    ingested = harness.ingest(
        replace(
            START,
            host=NewParticipant(id=HOST_ID, plan=plan),
            limits=Limits(legs_at_once=50),
        )
    )
    assert len(harness.executor.sent) == 40, "the next invocation executes the rest"
    assert ingested.pending
    assert max(stored[1:]) < 45
    harness.deployment.clock.advance(7)
    assert not harness.ingest(TimerElapsed(id="sweep")).pending
    assert len(harness.executor.sent) == 50
    assert harness.stored().status is ConversationStatus.FAILED


def test_each_command_is_sent_once_and_under_its_lease_when_telnyx_is_slow(
    harness: Harness,
) -> None:
    leased = []

    def take_time(_: Conversation, command: Command) -> None:
        leased.append(harness.deployment.clock.now < command.not_before)
        harness.deployment.clock.advance(0.7)

    harness.executor.before_execute = take_time
    plan = Plan(to=[f"+131255501{n}" for n in range(10, 22)], from_="+1", strategy="at_once")
    ingested = harness.ingest(replace(START, host=NewParticipant(id=HOST_ID, plan=plan)))
    sent = [command.key for command in harness.executor.sent]
    assert sorted(sent) == sorted(f"dial:host:{leg}" for leg in range(1, 13))
    assert all(leased), "another process may send a command whose lease has ended"
    assert not ingested.pending


def test_a_refused_request_leaves_no_dedupe_record(harness: Harness) -> None:
    harness.ingest(START)
    harness.executor.results = {}
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    guests = [NewParticipant(id=f"guest-{n}", call_control_id=f"v3:g{n}") for n in range(20)]
    outcomes = [harness.ingest(InviteParticipant(id="r", participant=guest)) for guest in guests]
    assert [outcome.refusal for outcome in outcomes[:19]] == [None] * 19
    last = InviteParticipant(id="r", participant=guests[19])
    refused = harness.ingest(last, dedupe)
    assert refused.refusal is not None
    assert refused.refusal.code == "too_many_participants"
    assert not refused.duplicate
    assert harness.store.table.find([dedupe.key]) == {}
    assert harness.ingest(last, dedupe).refusal is not None


def test_a_refused_request_that_ends_the_conversation_leaves_no_dedupe_record(
    harness: Harness,
) -> None:
    harness.ingest(START)
    harness.ingest(ANSWERED, ANSWERED_DEDUPE)
    harness.ingest(StopConversation(id="request-2", hang_up=False))
    harness.deployment.clock.advance(61)
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    guest = NewParticipant(id="guest-1", call_control_id="v3:g1")
    assert harness.ingest(InviteParticipant(id="r", participant=guest), dedupe).refusal is not None
    assert harness.stored().status is ConversationStatus.ENDED
    assert harness.store.table.find([dedupe.key]) == {}


def test_a_repeated_start_is_not_refused_for_its_size(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.ingest(START)
    monkeypatch.setattr(engine, "MAX_BYTES_AFTER_REQUEST", 10)
    harness.ingest(START, DedupeRecord(keys.request("key"), "hash-1"))


def test_requests_leave_room_for_what_then_happens(harness: Harness) -> None:
    harness.ingest(START)
    spoken = SendMessage(
        id="request-2", role="system", content="x" * (MAX_BYTES_AFTER_REQUEST - 5000)
    )
    harness.ingest(spoken)
    with pytest.raises(ConversationTooLargeError):
        harness.ingest(SendMessage(id="request-3", role="system", content="x" * 5000))
    harness.ingest(ANSWERED, ANSWERED_DEDUPE)
    assert harness.stored().status is ConversationStatus.ACTIVE


def test_an_input_without_effect_is_not_written(harness: Harness) -> None:
    assert harness.ingest(ANSWERED, ANSWERED_DEDUPE) == IngestResult(None)
    harness.ingest(START)
    before = harness.stored()
    stranger = CallAnswered(id="event-2", call=CallRef(call_control_id="v3:stranger"))
    harness.ingest(stranger, DedupeRecord(keys.webhook("c-1", "event-2")))
    harness.ingest(TimerElapsed(id="sweep"))
    assert harness.stored() == before


# A request, which is not delivered again


class Patient:
    """A request to an engine whose pauses move the clock."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._clock = harness.deployment.clock
        harness.engine._sleep = self._clock.advance

    def starts(self) -> tuple[IngestResult, float]:
        """The result of a start, and its duration in seconds."""
        began = self._clock.now
        ingested = self._harness.engine.drain(self._harness.ingest(START), START.id, began)
        return ingested, (self._clock.now - began).total_seconds()


def test_the_dial_of_a_request_is_retried_while_there_is_time(
    harness: Harness,
) -> None:
    harness.executor.results[Action.DIAL] = [Retryable(had_no_effect=False)] * 2
    ingested, secs = Patient(harness).starts()
    assert (ingested.pending, ingested.duplicate) == (False, False)
    assert ingested.conversation == harness.stored()
    assert harness.stored().host.legs[0].call_control_id == "v3:3"
    assert len({command.id for command in harness.executor.sent}) == 1
    assert secs == 1 + 2, "the back-off after each attempt"


def test_a_request_waits_for_a_limited_time(harness: Harness) -> None:
    harness.executor.results[Action.DIAL] = [Retryable(had_no_effect=False)] * 99
    ingested, secs = Patient(harness).starts()
    assert ingested.pending
    assert secs == 4
    assert len(harness.executor.sent) == 3


def test_a_slow_request_does_not_wait(harness: Harness) -> None:
    def slowly(_: Conversation, __: Command) -> None:
        harness.deployment.clock.advance(4.1)

    harness.executor.before_execute = slowly
    harness.executor.results[Action.DIAL] = [Retryable(had_no_effect=False)]
    ingested, secs = Patient(harness).starts()
    assert (ingested.pending, secs) == (True, 4.1)


def test_a_request_without_pending_commands_does_not_wait(harness: Harness) -> None:
    assert Patient(harness).starts()[1] == 0


def test_a_version_conflict_is_not_an_aws_error() -> None:
    assert not issubclass(VersionConflictError, AwsError)


def test_a_refused_start_reaches_the_caller_without_a_conversation(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Refusal(code=ErrorCode.TOO_MANY_PARTICIPANTS, message="No.")
    monkeypatch.setattr(engine, "decide", lambda *_: Decision(None, refusal=refusal))
    dedupe = DedupeRecord(keys.request("key"), "hash-1")
    assert harness.ingest(START, dedupe) == IngestResult(None, refusal=refusal)
    assert harness.store.table.find([dedupe.key]) == {}
    assert harness.executor.sent == []


def test_every_event_type_and_every_result_has_a_metric_of_its_own() -> None:
    words = {event_type: re.split(r"[._]", event_type) for event_type in EventType}
    camel = {name: "".join(map(str.capitalize, parts)) for name, parts in words.items()}
    assert camel == engine.EVENT_METRICS
    assert set(engine.RESULT_METRICS) == set(get_args(Result))
    metrics = [*engine.EVENT_METRICS.values(), *engine.RESULT_METRICS.values()]
    assert len(set(metrics)) == len(metrics)


def test_the_names_of_metrics_are_camel_case() -> None:
    assert all(re.fullmatch(r"([A-Z][a-z]+)+", metric) for metric in Metric)
