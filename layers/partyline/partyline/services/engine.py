"""The engine: loads a conversation, decides, commits, and executes commands until none is due.

A command leaves after two round trips to the table: a read and a transaction. The lease in that
transaction keeps every other process from sending the same command. When this process dies, the
next process that handles the conversation (a redelivery, another webhook, the sweep) sends it.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from partyline.domain.decide import Decision, decide
from partyline.domain.model import inputs, results, timeouts
from partyline.domain.model.commands import FETCHES, Action, Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import EventType
from partyline.domain.model.steps import step_record
from partyline.domain.rules.transition import Refusal
from partyline.services.command_executor import CommandExecutor
from partyline.services.content import Content
from partyline.services.report import with_insights
from partyline.services.timers import Timers
from partyline.store import ConversationStore, DedupeRecord, QuotaCharge, errors
from partyline.store.conversations import MAX_DOCUMENT_BYTES, Load
from partyline.telemetry import Metric, count, log_safe, logger

if TYPE_CHECKING:
    from partyline.services.budget import Budget

MAX_CONFLICTS = 10
"""How often a step is decided again because another process changed the conversation."""

MAX_COMMANDS = 40  # how many commands an invocation executes; the next invocation executes the rest

MAX_RESULTS = 10
"""How many results a step has: a transaction has 100 items, and a result adds several."""

MAX_BYTES_AFTER_REQUEST = 230_000
"""Size limit of the document after a request; the rest of an item is for later steps."""

REQUESTS = (
    inputs.StartConversation,
    inputs.InviteParticipant,
    inputs.HandOver,
    inputs.NoteCallBack,
    inputs.SendMessage,
)
"""The inputs to which that limit applies."""

DIALS = (inputs.StartConversation, inputs.InviteParticipant, inputs.HandOver)
"""The inputs that are refused when the budget of the day has no room for their dials."""

CONFLICT_PAUSE_SECS = 0.02

DRAIN_PAUSE_SECS = 0.5  # between two looks at the pending commands of a request

LOGGED = ("participant_id", "leg", "command_id", "action", "outcome")
"""Event data that is logged: ids and words of our own, never a name, number or message."""

LOGGED_IF_SAFE = ("hangup_cause", "reason")
"""Event data that Telnyx may have sent; logged when `log_safe` allows it."""

EVENT_METRICS = {event_type: Metric[event_type.name] for event_type in EventType}
"""The metric of each event type, by the name of its member; a type without a metric fails here."""

RESULT_METRICS = {
    results.Succeeded: Metric.COMMAND_SUCCEEDED,
    results.Refused: Metric.COMMAND_REFUSED,
    results.FormRefused: Metric.COMMAND_FORM_REFUSED,
    results.Retryable: Metric.COMMAND_RETRYABLE,
    results.CallEnded: Metric.COMMAND_CALL_ENDED,
    results.CallUnknown: Metric.COMMAND_CALL_UNKNOWN,
    results.NotFound: Metric.COMMAND_NOT_FOUND,
    results.CallState: Metric.COMMAND_CALL_STATE,
    results.InsightsFound: Metric.COMMAND_INSIGHTS_FOUND,
    results.TranscriptFound: Metric.COMMAND_TRANSCRIPT_FOUND,
}


@dataclass(frozen=True)
class IngestResult:
    """The effect of an input.

    `conversation` is None when there is none: the input starts none, or its start was refused.
    `pending`: a command of this input could not be carried out yet, so the input should come again.
    `stored_hash` is the hash of the first request with the same key, when this is a `duplicate`.
    """

    conversation: Conversation | None
    refusal: Refusal | None = None
    duplicate: bool = False
    stored_hash: str | None = None
    pending: bool = False


class Engine:
    """Moves conversations. An engine serves a process and keeps no state between inputs."""

    def __init__(
        self,
        store: ConversationStore,
        executor: CommandExecutor,
        timers: Timers,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        *,
        keeps_inputs: bool = True,
        content: Content | None = None,
        budget: "Budget | None" = None,
    ) -> None:
        self._store = store
        self._keeps_inputs = keeps_inputs
        self._content = content or Content(None)
        self._budget = budget
        self._timers = timers
        self._executor = executor
        self._clock = clock
        self._sleep = sleep

    def ingest(
        self,
        load: Load,
        input_: inputs.Input,
        dedupe: DedupeRecord | None = None,
        charges: Sequence[QuotaCharge] = (),
    ) -> IngestResult:
        """Process an input: decide, commit, and execute the commands that follow.

        `load` reads the conversation, and is called again after a conflict. `dedupe` makes the
        input take effect once: a duplicate only executes pending commands. `charges` are the
        quotas that the input uses. Raises a TooManyConflictsError after `MAX_CONFLICTS` conflicts,
        an AwsError, and the errors of the store's `commit`.
        """
        input_ = self._content.input(input_)
        first: errors.AlreadyProcessedError | None = None
        try:
            decision = self._step(load, [input_], dedupe, charges)
        except errors.AlreadyProcessedError as error:
            first = error
            decision = self._step(load, [inputs.TimerElapsed(id=input_.id)])
        conversation = self._execute(decision, input_.id)
        return IngestResult(
            conversation=conversation,
            refusal=decision.refusal,
            duplicate=first is not None,
            stored_hash=first.request_hash if first else None,
            pending=_is_pending(conversation, None if first else input_.id),
        )

    def drain(self, ingested: IngestResult, cause: str, came_at: datetime) -> IngestResult:
        """Execute the pending commands of a request, or wait for the process that holds the lease.

        Telnyx delivers a webhook again, but not a request, and the next sweep may be too
        late for a dial. A command that Telnyx does not take in time stays `pending`. `cause` is the
        id of the request, `came_at` its time.
        """
        conversation, pending = ingested.conversation, ingested.pending
        while conversation and pending and self._clock() < came_at + timeouts.DRAIN_TIME:
            self._sleep(DRAIN_PAUSE_SECS)
            load, passed = self._store.loader(conversation.id), inputs.TimerElapsed(id=cause)
            conversation = self._execute(self._step(load, [passed]), cause)
            pending = _is_pending(conversation, None)
        return replace(ingested, conversation=conversation, pending=pending)

    def _step(
        self,
        load: Load,
        new_inputs: Sequence[inputs.Input],
        dedupe: DedupeRecord | None = None,
        charges: Sequence[QuotaCharge] = (),
    ) -> Decision:
        """Decide on inputs, in their order, and commit the outcome as a single step."""
        for attempt in range(MAX_CONFLICTS):
            before, now = load(), self._clock()
            decision = self._decide(before, new_inputs, now)
            if decision.refusal and dedupe:  # a duplicate of an accepted request is not refused
                self._store.check_not_processed(dedupe)
            # A refused request leaves no record, so that its key may be used again.
            dedupe_record, quotas = (None, ()) if decision.refusal else (dedupe, charges)
            is_keyed_request = dedupe_record is not None and dedupe_record.request_hash is not None
            if decision.conversation is None or not (decision.changed or is_keyed_request):
                return decision
            is_request = decision.changed and isinstance(new_inputs[0], REQUESTS)
            max_bytes = MAX_BYTES_AFTER_REQUEST if is_request else MAX_DOCUMENT_BYTES
            decision = with_insights(self._store, decision)
            record = self._record(new_inputs, now, decision)
            dials = isinstance(new_inputs[0], DIALS)
            quotas = (*quotas, *self._budget_charges(before, decision, is_limited=dials))
            try:
                stored = self._store.commit(
                    before, decision, dedupe_record, max_bytes, quotas, record
                )
            except errors.VersionConflictError:
                pause_secs = CONFLICT_PAUSE_SECS * attempt
                self._sleep(pause_secs * random.uniform(0.5, 1.5))  # noqa: S311
                continue
            _report(stored, decision)
            return replace(decision, conversation=stored)
        raise errors.TooManyConflictsError

    def _budget_charges(
        self, before: Conversation | None, decision: Decision, *, is_limited: bool
    ) -> Sequence[QuotaCharge]:
        if self._budget is None or decision.conversation is None:
            return ()
        return self._budget.charges(before, decision.conversation, is_limited=is_limited)

    def _record(self, new_inputs: Sequence[inputs.Input], now: datetime, decision: Decision) -> str:
        if not self._keeps_inputs or decision.conversation is None:
            return ""
        return step_record(new_inputs, now, decision.commands, decision.conversation.seq)

    def _decide(
        self, before: Conversation | None, new_inputs: Sequence[inputs.Input], now: datetime
    ) -> Decision:
        whole = Decision(before)
        for input_ in new_inputs:
            decision = decide(whole.conversation, input_, now)
            whole = Decision(
                conversation=decision.conversation,
                events=[*whole.events, *decision.events],
                insights=[*whole.insights, *decision.insights],
                messages=[*whole.messages, *decision.messages],
                commands=[*whole.commands, *decision.commands],
                changed=whole.changed or decision.changed,
                set_for=before.awaited_at if before else None,
                refusal=decision.refusal,  # a request is always the only input
            )
        return whole

    def _execute(self, decision: Decision, cause: str) -> Conversation | None:
        """Execute commands, and those that follow from their results, until none is due.

        Then start the timer of the conversation, if its moment has changed.
        """
        conversation, due, set_for = (
            decision.conversation,
            list(decision.commands),
            decision.set_for,
        )
        executed = 0
        while conversation is not None and due and executed < MAX_COMMANDS:
            size = _batch_size(due)
            batch, due = due[:size], due[size:]
            executed += size
            applied: list[inputs.Input] = list(self._results(conversation, batch, cause))
            # Commands whose lease ended before they were sent are claimed again by the next step.
            applied = applied or [inputs.TimerElapsed(id=cause)]
            decision = self._step(self._store.loader(conversation.id, conversation), applied)
            conversation, due = decision.conversation, [*due, *decision.commands]
        if conversation and conversation.awaited_at not in (None, set_for):
            self._timers.start(conversation.id, conversation.awaited_at)
        return conversation

    def _results(
        self, conversation: Conversation, commands: Sequence[Command], cause: str
    ) -> Iterator[inputs.Input]:
        limited = dict[Action, results.Retryable]()  # the actions that Telnyx takes no more of now
        for claimed in commands:
            command = conversation.commands.get(claimed.key)
            if command is None or not command.is_pending:
                continue  # obsolete after a later input of the same step
            if command.claimed_at != claimed.claimed_at or self._clock() >= command.not_before:
                continue  # claimed again since, or free for every other process
            began = time.perf_counter()  # not the clock, which may be virtual
            limit = limited.get(command.action)
            result = limit or self._executor.execute(conversation, command)
            if isinstance(result, results.Retryable) and result.is_limit:
                limited[command.action] = result
            took_ms = round((time.perf_counter() - began) * 1000, 1)
            metric = RESULT_METRICS[type(result)]
            logger.info(
                "command",
                extra={
                    "conversation_id": conversation.id,
                    "participant_id": command.participant_id,
                    "leg": command.leg,
                    "command_id": command.id,
                    "action": f"find {command.action}" if command.reconcile else command.action,
                    "attempt": command.attempts,
                    "result": metric.removeprefix("Command"),
                    "code": log_safe(getattr(result, "code", None)),
                    "took_ms": took_ms,
                    "cause": cause,
                },
            )
            count(metric)
            count(Metric.COMMAND_LATENCY, took_ms)
            outcome = inputs.CommandResult(id=cause, key=command.key, result=result)
            yield self._content.input(outcome)


def _batch_size(due: Sequence[Command]) -> int:
    """Return how many of the commands are executed before their results are stored as a step.

    A fetch is executed alone: its result may fill a transaction.
    """
    if due[0].action in FETCHES:
        return 1
    fetch = next((nth for nth, command in enumerate(due) if command.action in FETCHES), len(due))
    return min(fetch, MAX_RESULTS)


def _is_pending(conversation: Conversation | None, cause: str | None) -> bool:
    """Whether a command of the input `cause` is pending; with None, whether any command is.

    For a duplicate, any pending command counts: its first handler may have crashed.
    """
    commands = conversation.commands.values() if conversation else []
    return any(command.is_pending and cause in (None, command.cause) for command in commands)


def _report(conversation: Conversation, decision: Decision) -> None:
    for event in decision.events:
        data = {name: event.data[name] for name in LOGGED if name in event.data}
        data |= {name: log_safe(event.data[name]) for name in LOGGED_IF_SAFE if name in event.data}
        ids = {"conversation_id": conversation.id, "seq": event.seq, "cause": event.cause}
        logger.info(event.type, extra=ids | data)
        count(EVENT_METRICS[event.type])
