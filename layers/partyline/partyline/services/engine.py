"""The one way data flows: load, decide, commit, carry out, until nothing is owed.

Two round trips to the table before a command leaves: one read, one transaction. The lease that the
transaction stores lets nobody else send the same command meanwhile; if this process dies, whoever
touches the conversation next (a redelivery, another webhook, the sweep) carries it out.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from partyline.domain.decide import Decision, decide
from partyline.domain.model.commands import Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import (
    CommandResult,
    Input,
    InviteParticipant,
    SendMessage,
    StartConversation,
    TimerElapsed,
)
from partyline.domain.rules.transition import Refusal
from partyline.services.command_executor import CommandExecutor
from partyline.store import MAX_DOCUMENT_BYTES, ConversationStore, DedupeRecord, QuotaCharge
from partyline.store.errors import (
    AlreadyProcessedError,
    TooManyConflictsError,
    VersionConflictError,
)
from partyline.telemetry import count, log_safe, logger, measure_millis

MAX_CONFLICTS = 10
"""How often a step is decided anew because somebody else moved the conversation meanwhile."""

MAX_COMMANDS = 40
"""How many commands one invocation carries out; what is owed beyond them is the next one's."""

MAX_RESULTS = 10
"""How many results make one step: a transaction takes 100 items, and a result makes several."""

MAX_REQUEST_BYTES = 250_000
"""What requests may bring a conversation to. The rest of an item is for what then happens in it."""

REQUESTS = (StartConversation, InviteParticipant, SendMessage)
"""The inputs that a conversation may be too large for."""

PAUSE_SECS = 0.02

DRAIN_TIME, DRAIN_PAUSE_SECS = timedelta(seconds=4), 0.5
"""How long after a request came what it owes is still tried: a Lambda's 10 s, less a last try's."""

LOGGED = ("participant_id", "leg", "command_id", "action", "outcome")
"""What of an event goes into the log: ids and words of ours, never a name, number or message."""

LOGGED_IF_SAFE = ("hangup_cause", "reason")
"""What goes there as well if it is a word: it may be Telnyx's."""

Load = Callable[[], Conversation | None]


@dataclass(frozen=True)
class IngestResult:
    """What became of an input.

    `conversation` is None when there is none and the input begins none. `pending`: something that
    this input owes could not be done yet, so the input should come again. `known_hash` is what an
    earlier request with the same key hashed to, when this one is a `duplicate`.
    """

    conversation: Conversation | None
    refusal: Refusal | None = None
    duplicate: bool = False
    stored_hash: str | None = None
    pending: bool = False


class Engine:
    """Moves conversations. One engine serves a process; it keeps nothing between inputs."""

    def __init__(
        self,
        store: ConversationStore,
        dispatcher: CommandExecutor,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take what it works with."""
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._sleep = sleep

    def ingest(
        self,
        load: Load,
        given: Input,
        dedupe: DedupeRecord | None = None,
        charge: QuotaCharge | None = None,
    ) -> IngestResult:
        """Take an input in: decide what follows, store it, and do what is owed.

        `load` brings the conversation that it is about. `inbox` makes sure it is taken in once; of
        a doubled one only what is still owed is done. `charge` is taken with the step that takes
        the input in, and with no other. Raises Busy, the store's TooLarge and Exhausted, and
        whatever the table's client raises.
        """
        known: AlreadyProcessedError | None = None
        try:
            decision = self._step(load, [given], dedupe, charge)
        except AlreadyProcessedError as duplicate:
            known = duplicate
            decision = self._step(load, [TimerElapsed(id=given.id)], None)
        conversation = self._execute(decision, given.id)
        return IngestResult(
            conversation=conversation,
            refusal=decision.refusal,
            duplicate=known is not None,
            stored_hash=known.request_hash if known else None,
            pending=_still_pending(conversation, None if known else given.id),
        )

    def drain(self, ingested: IngestResult, cause: str, came_at: datetime) -> IngestResult:
        """Do what is still owed when something was taken in, or wait for whoever took that over.

        For a request, which nobody delivers again as Telnyx does a webhook: by the next sweep it
        may be too late to dial. Leases tell whether somebody is at it, or has died over it. What
        Telnyx will not do now stays `pending`.
        """
        conversation, pending = ingested.conversation, ingested.pending
        while conversation and pending and self._clock() < came_at + DRAIN_TIME:
            self._sleep(DRAIN_PAUSE_SECS)
            stored = partial(self._store.load, conversation.id)
            decision = self._step(stored, [TimerElapsed(id=cause)], None)
            conversation = self._execute(decision, cause)
            pending = _still_pending(conversation, None)
        return replace(ingested, conversation=conversation, pending=pending)

    def _step(
        self,
        load: Load,
        inputs: Sequence[Input],
        dedupe: DedupeRecord | None,
        charge: QuotaCharge | None = None,
    ) -> Decision:
        """Decide upon inputs, one after the other, and store what comes of them as one step."""
        for attempt in range(MAX_CONFLICTS):
            before = load()
            decision = self._decide(before, inputs)
            mark, due = dedupe, None if decision.refusal else charge
            must = mark is not None and mark.request_hash is not None
            if decision.refusal and mark:
                # What was done once is not refused the second time, and a refusal leaves no mark.
                self._store.check_not_processed(mark)
                mark, must = None, False
            if decision.conversation is None or not (decision.changed or must):
                return decision
            asked = decision.changed and isinstance(inputs[0], REQUESTS)
            max_bytes = MAX_REQUEST_BYTES if asked else MAX_DOCUMENT_BYTES
            try:
                stored = self._store.commit(before, decision, mark, max_bytes, due)
            except VersionConflictError:
                self._sleep(PAUSE_SECS * attempt * random.uniform(0.5, 1.5))  # noqa: S311
                continue
            _report(stored, decision)
            return replace(decision, conversation=stored)
        raise TooManyConflictsError

    def _decide(self, before: Conversation | None, inputs: Sequence[Input]) -> Decision:
        now = self._clock()
        whole = Decision(before)
        for given in inputs:
            one = decide(whole.conversation, given, now)
            whole = Decision(
                conversation=one.conversation,
                events=[*whole.events, *one.events],
                insights=[*whole.insights, *one.insights],
                commands=[*whole.commands, *one.commands],
                changed=whole.changed or one.changed,
                refusal=one.refusal,  # a request is always the only input
            )
        return whole

    def _execute(self, decision: Decision, cause: str) -> Conversation | None:
        """Carry commands out, and those that their results bring up, until none is due."""
        conversation, due = decision.conversation, list(decision.commands)
        carried_out = 0
        while conversation is not None and due and carried_out < MAX_COMMANDS:
            now, due = due[:MAX_RESULTS], due[MAX_RESULTS:]
            carried_out += len(now)
            results = list(self._results(conversation, now, cause))
            decision = self._step(self._cached_first(conversation), results, None)
            conversation, due = decision.conversation, [*due, *decision.commands]
        return conversation

    def _results(
        self, conversation: Conversation, commands: Sequence[Command], cause: str
    ) -> Iterator[CommandResult]:
        for claimed in commands:
            command = conversation.commands.get(claimed.key)
            if command is None or not command.is_pending:
                continue  # a later input of the same step made it pointless
            began = time.perf_counter()  # not the clock, which may be a story's
            result = self._dispatcher.execute(conversation, command)
            took_ms = round((time.perf_counter() - began) * 1000, 1)
            logger.info(
                "command",
                extra={
                    "conversation_id": conversation.id,
                    "participant_id": command.participant_id,
                    "leg": command.leg,
                    "command_id": command.id,
                    "action": "find " * command.reconcile + command.action,
                    "attempt": command.attempts,
                    "result": type(result).__name__,
                    "code": log_safe(getattr(result, "code", None)),
                    "took_ms": took_ms,
                    "cause": cause,
                },
            )
            count(f"command.{type(result).__name__.lower()}")
            measure_millis("CommandLatency", took_ms)
            yield CommandResult(id=cause, key=command.key, result=result)

    def _cached_first(self, conversation: Conversation) -> Load:
        """The conversation that we hold, at first; the stored one, once ours was found stale."""
        held = [conversation]
        return lambda: held.pop() if held else self._store.load(conversation.id)


def _still_pending(conversation: Conversation | None, cause: str | None) -> bool:
    """Whether a command is still owed that `cause` brought about; any at all if that is None.

    Of a doubled input nothing may be left to somebody who may have died over it.
    """
    commands = conversation.commands.values() if conversation else []
    return any(each.is_pending and cause in (None, each.cause) for each in commands)


def _report(conversation: Conversation, decision: Decision) -> None:
    for event in decision.events:
        known = {name: event.data[name] for name in LOGGED if name in event.data}
        known |= {name: log_safe(event.data[name]) for name in LOGGED_IF_SAFE if name in event.data}
        extra = {"conversation_id": conversation.id, "seq": event.seq, "cause": event.cause}
        logger.info(event.type, extra=extra | known)
        count(event.type)
