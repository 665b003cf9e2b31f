"""A tiny Telnyx: calls that ring, people who answer them, and an assistant that runs or does not.

It does what commands say and tells of it truthfully; what becomes of its answers and webhooks on
their way is the test's affair.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from partyline.domain.model.commands import Action, Command
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallInitiated,
    CallInput,
    ConversationCreated,
    ConversationEnded,
    DigitsGathered,
    MachineVerdict,
)
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    InsightsFound,
    NotFound,
    Refused,
    Result,
    Retryable,
    Succeeded,
)
from tests.support.domain_story import TELNYX_ID, call, done

DROPS_DOUBLES = timedelta(seconds=60)

Leg = tuple[str, int]


@dataclass
class Call:
    """One call as it really is."""

    up: bool = True
    answered: bool = False
    asked: bool = False
    """A digit is being waited for."""


@dataclass
class Telnyx:
    """The truth, the webhooks not delivered yet, and how often each thing was really done."""

    calls: dict[Leg, Call] = field(default_factory=dict)
    post: list[CallInput] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)
    running_on: Leg | None = None
    ever_ran: bool = False

    def carry_out(self, command: Command, now: datetime) -> Result:
        """Do what a command says, or look for it, and answer."""
        leg = (command.participant_id or "", command.leg or 0)
        if command.reconcile:
            return self._find(command, leg)
        if command.action in (Action.LOOK, Action.FETCH_INSIGHTS):
            return self._look(leg) if command.action is Action.LOOK else InsightsFound(insights=())
        if now - self.seen.get(command.id, now) < DROPS_DOUBLES and command.id in self.seen:
            return Succeeded()
        result = self._do(command, leg)
        if isinstance(result, Succeeded):
            self.seen[command.id] = now
            self.done.append(command.key)
        return result

    def _do(self, command: Command, leg: Leg) -> Result:
        if command.action is Action.DIAL:
            self.calls[leg] = Call()
            self._tell(CallInitiated, leg, conversation_id="conversation-1", incoming=False)
            return done(command.key)
        there = self.calls[leg]
        if not there.up:
            return CallEnded()
        if command.action is Action.ANSWER:
            self.answer(leg)
        elif command.action is Action.HANG_UP:
            self.hang_up(leg)
        elif not there.answered:
            return Retryable(had_no_effect=True)
        elif command.action is Action.SCREEN:
            there.asked = True
        else:
            return self._speak(command, leg)
        return done(command.key)

    def _speak(self, command: Command, leg: Leg) -> Result:
        """What has to do with the assistant."""
        if command.action is Action.START:
            if self.running_on is not None:
                return Succeeded()
            self.running_on, self.ever_ran = leg, True
            self._tell(ConversationCreated, leg, telnyx_conversation_id=TELNYX_ID)
        elif self.running_on is None:
            return Refused(code="10015", message="No assistant runs.")
        elif command.action is Action.STOP:
            self._tell(ConversationEnded, self.running_on, telnyx_conversation_id=TELNYX_ID)
            self.running_on = None
        return done(command.key)

    def _find(self, command: Command, leg: Leg) -> Result:
        if command.action is Action.DIAL:
            there = self.calls.get(leg)
            return done(command.key) if there and there.up else NotFound()
        return done(command.key) if self.ever_ran else NotFound()

    def _look(self, leg: Leg) -> Result:
        there = self.calls[leg]
        return CallState(alive=there.up, answered=there.answered)

    # What people do

    def answer(self, leg: Leg) -> None:
        there = self.calls[leg]
        if there.up and not there.answered:
            there.answered = True
            self._tell(CallAnswered, leg)

    def hang_up(self, leg: Leg, *, quietly: bool = False) -> None:
        there = self.calls[leg]
        if not there.up:
            return
        there.up = False
        if not quietly:
            self._tell(CallHangup, leg, cause="normal_clearing")
        if self.running_on == leg:
            self.running_on = None

    def press(self, leg: Leg, digits: str) -> None:
        there = self.calls[leg]
        if there.up and there.asked:
            there.asked = False
            self._tell(DigitsGathered, leg, digits=digits)

    def judge(self, leg: Leg, *, machine: bool) -> None:
        if self.calls[leg].answered:
            self._tell(MachineVerdict, leg, machine=machine)

    def _tell(self, kind: type[CallInput], leg: Leg, **what: object) -> None:
        self.post.append(kind(id="", call=call(*leg), **what))  # type: ignore[arg-type]
