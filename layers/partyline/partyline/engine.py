"""The one way data flows: load, decide, commit, carry out, until nothing is owed.

Two round trips to the table before a command leaves: one read, one transaction. The lease that the
transaction stores lets nobody else send the same command meanwhile; if this process dies, whoever
touches the conversation next (a redelivery, another webhook, the sweep) carries it out.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from partyline.domain import Decision, Refusal, decide
from partyline.domain.commands import Command
from partyline.domain.conversation import Conversation
from partyline.domain.inputs import CommandResult, Input, Tick, Unsettled
from partyline.store import Conflict, Duplicate, Inbox, Store
from partyline.telemetry import count, logger

if TYPE_CHECKING:
    from partyline.dispatch import Dispatcher

MAX_CONFLICTS = 10
"""How often a step is decided anew because somebody else moved the conversation meanwhile."""

MAX_ROUNDS = 8
"""How often the results of commands may bring up more commands within one invocation."""

PAUSE_SECS = 0.02

LOGGED = ("participant_id", "leg", "command_id", "action", "outcome", "hangup_cause", "reason")
"""What of an event goes into the log: ids and words of ours, never a name, number or message."""

Load = Callable[[], Conversation | None]


class Busy(Exception):  # noqa: N818 - an outcome to act on
    """Too many others moved the conversation at the same time. Nothing was lost: ask again."""


@dataclass(frozen=True)
class Ingested:
    """What became of an input.

    `conversation` is None when there is none and the input begins none. `pending`: something that
    this input owes could not be done yet, so the input should come again. `known_hash` is what an
    earlier request with the same key hashed to, when this one is a `duplicate`.
    """

    conversation: Conversation | None
    refusal: Refusal | None = None
    duplicate: bool = False
    known_hash: str | None = None
    pending: bool = False


class Engine:
    """Moves conversations. One engine serves a process; it keeps nothing between inputs."""

    def __init__(
        self,
        store: Store,
        dispatcher: "Dispatcher",
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take what it works with."""
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._sleep = sleep

    def ingest(self, load: Load, given: Input, inbox: Inbox | None = None) -> Ingested:
        """Take an input in: decide what follows, store it, and do what is owed.

        `load` brings the conversation that it is about. `inbox` makes sure it is taken in once; of
        a doubled one only what is still owed is done. Raises Busy, the store's TooLarge, and
        whatever the table's client raises.
        """
        known: Duplicate | None = None
        try:
            decision = self._step(load, [given], inbox)
        except Duplicate as duplicate:
            known = duplicate
            decision = self._step(load, [Tick(id=given.id)], None)
        conversation, unsettled = self._carry_out(decision, given.id)
        # Of a doubled input nothing may be left to somebody who may have died over it.
        left = known is not None and conversation is not None and conversation.owes
        return Ingested(
            conversation=conversation,
            refusal=decision.refusal,
            duplicate=known is not None,
            known_hash=known.request_hash if known else None,
            pending=unsettled or left,
        )

    def _step(self, load: Load, inputs: Sequence[Input], inbox: Inbox | None) -> Decision:
        """Decide upon inputs, one after the other, and store what comes of them as one step."""
        for attempt in range(MAX_CONFLICTS):
            before = load()
            decision = self._decide(before, inputs)
            mark = None if decision.refusal else inbox
            must = mark is not None and mark.request_hash is not None
            if decision.conversation is None or not (decision.changed or must):
                return decision
            try:
                stored = self._store.commit(before, decision, mark)
            except Conflict:
                self._sleep(PAUSE_SECS * attempt * random.uniform(0.5, 1.5))  # noqa: S311
                continue
            _report(stored, decision)
            return replace(decision, conversation=stored)
        raise Busy

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
                refusal=whole.refusal or one.refusal,
            )
        return whole

    def _carry_out(self, decision: Decision, cause: str) -> tuple[Conversation | None, bool]:
        """Carry commands out until none is due; say whether one of them could not be settled."""
        unsettled = False
        for _ in range(MAX_ROUNDS):
            conversation = decision.conversation
            if conversation is None or not decision.commands:
                break
            results = list(self._results(conversation, decision.commands, cause))
            unsettled = unsettled or any(isinstance(each.result, Unsettled) for each in results)
            decision = self._step(self._held(conversation), results, None)
        return decision.conversation, unsettled

    def _results(
        self, conversation: Conversation, commands: Sequence[Command], cause: str
    ) -> Iterator[CommandResult]:
        for claimed in commands:
            command = conversation.commands.get(claimed.key)
            if command is None or not command.pending:
                continue  # a later input of the same step made it pointless
            result = self._dispatcher.carry_out(conversation, command)
            logger.info(
                "command",
                extra={
                    "conversation_id": conversation.id,
                    "participant_id": command.participant_id,
                    "leg": command.leg,
                    "command_id": command.id,
                    "action": "find " * command.find + command.action,
                    "attempt": command.attempts,
                    "result": type(result).__name__,
                    "code": getattr(result, "code", None),
                    "cause": cause,
                },
            )
            count(f"command.{type(result).__name__.lower()}")
            yield CommandResult(id=cause, key=command.key, result=result)

    def _held(self, conversation: Conversation) -> Load:
        """The conversation that we hold, at first; the stored one, once ours was found stale."""
        held = [conversation]
        return lambda: held.pop() if held else self._store.load(conversation.id)


def _report(conversation: Conversation, decision: Decision) -> None:
    for event in decision.events:
        known = {name: event.data[name] for name in LOGGED if name in event.data}
        extra = {"conversation_id": conversation.id, "seq": event.seq, "cause": event.cause}
        logger.info(event.type, extra=extra | known)
        count(event.type)
