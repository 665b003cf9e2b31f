"""A small Telnyx: calls that ring, people who answer them, and an assistant that runs or does not.

It does what commands say and tells of it truthfully; what becomes of its answers and webhooks on
their way is the test's affair.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from partyline.domain.model.commands import FETCHES, TRACEABLE, Action, Command
from partyline.domain.model.inputs import (
    CallAnswered,
    CallBridged,
    CallHangup,
    CallInitiated,
    CallInput,
    CallScreeningDetected,
    ConversationAnalyzed,
    ConversationCreated,
    ConversationEnded,
    ConversationStartFailed,
    DigitsGathered,
    MachineVerdict,
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
from partyline.domain.model.transcript import RunMessages
from tests.support.domain_story import TELNYX_ID, call_ref, success, turns

DUPLICATE_WINDOW = timedelta(seconds=60)

Leg = tuple[str, int]


@dataclass
class Call:
    """A call as Telnyx knows it."""

    is_up: bool = True
    answered: bool = False
    awaits_digit: bool = False
    """A screening awaits a digit."""
    transferred: bool = False


@dataclass
class Telnyx:
    """The true state of calls, the undelivered webhooks, and the commands carried out."""

    calls: dict[Leg, Call] = field(default_factory=dict)
    undelivered: list[CallInput] = field(default_factory=list)
    carried_out: list[str] = field(default_factory=list)
    first_sent_at: dict[str, datetime] = field(default_factory=dict)
    running_on: Leg | None = None
    ever_ran: bool = False
    starts_with_answer: bool = False
    """The answer command starts the assistant too."""
    ran_on: Leg | None = None
    """The call of the newest run, which may be over."""
    new_ids_at_answer: bool = False
    looks: int = 0
    """How often the insights were fetched."""

    def execute(self, command: Command, now: datetime) -> Result:
        """Carry a command out, or look up its effect, and answer."""
        leg = (command.participant_id or "", command.leg or 0)
        if command.reconcile:
            return self._reconcile(command, leg)
        if command.action in FETCHES:
            is_insights = command.action is Action.FETCH_INSIGHTS
            return self._insights() if is_insights else self._messages()
        if command.action is Action.LOOK:
            return self._call_state(leg)
        if (
            now - self.first_sent_at.get(command.id, now) < DUPLICATE_WINDOW
            and command.id in self.first_sent_at
        ):
            return Succeeded()
        result = self._carry_out(command, leg)
        if isinstance(result, Succeeded):
            self.first_sent_at[command.id] = now
            self.carried_out.append(command.key)
        return result

    def _carry_out(self, command: Command, leg: Leg) -> Result:
        if command.action is Action.DIAL:
            self.calls[leg] = Call()
            self._queue_webhook(
                CallInitiated, leg, conversation_id="conversation-1", incoming=False
            )
            return success(command.key)
        call = self.calls[leg]
        if not call.is_up:
            return CallEnded()
        if command.action is Action.ANSWER:
            self.answer(leg)
            if self.starts_with_answer:
                self._start(leg)
        elif command.action is Action.HANG_UP:
            self.hang_up(leg)
        elif not call.answered:
            return Retryable(had_no_effect=True)
        elif command.action is Action.SCREEN:
            call.awaits_digit = True
        else:
            return self._assistant_action(command, leg)
        return success(command.key)

    def _assistant_action(self, command: Command, leg: Leg) -> Result:
        """Carry out an action of the assistant."""
        if command.action is Action.START:
            if self.running_on is not None:
                return Succeeded()
            self._start(leg)
        elif self.running_on is None:
            return Refused(code="10015", message="No assistant runs.")
        elif command.action is Action.STOP:
            self._queue_webhook(
                ConversationEnded, self.running_on, telnyx_conversation_id=TELNYX_ID
            )
            self.running_on = None
        return success(command.key)

    def _start(self, leg: Leg) -> None:
        self.running_on, self.ran_on, self.ever_ran = leg, leg, True
        self._queue_webhook(ConversationCreated, leg, telnyx_conversation_id=TELNYX_ID)

    def _insights(self) -> Result:
        """Return an insight, and at the second look all."""
        self.looks += 1
        insight = Insight(insight_id=f"i-{self.looks}", result=self.looks)
        found = (insight,) if self.ever_ran else ()
        return InsightsFound(insights=found, complete=self.ever_ran and self.looks > 1)

    def _messages(self) -> Result:
        """Return the messages of the conversation."""
        messages = RunMessages(telnyx_conversation_id=TELNYX_ID, messages=turns("Hello", "Hi"))
        return TranscriptFound(runs=(messages,) if self.ever_ran else ())

    def _reconcile(self, command: Command, leg: Leg) -> Result:
        if command.action is Action.DIAL:
            call = self.calls.get(leg)
            return success(command.key) if call and call.is_up else NotFound()
        if command.action in TRACEABLE:
            return Succeeded() if command.key in self.carried_out else NotFound()
        return success(command.key) if self.ever_ran else NotFound()

    def _call_state(self, leg: Leg) -> Result:
        call = self.calls[leg]
        transferred = call.is_up and call.transferred
        return CallState(alive=call.is_up, answered=call.answered, transferred=transferred)

    # The assistant

    def end_assistant(self, how: str) -> None:
        """End the running assistant: by a transfer, by itself, or because the start failed."""
        leg = self.running_on
        if leg is None:
            return
        self.running_on = None
        if how == "start fails":
            self._queue_webhook(ConversationStartFailed, leg)
            return
        self._queue_webhook(ConversationEnded, leg, telnyx_conversation_id=TELNYX_ID)
        if how == "transfers":
            self.calls[leg].transferred = True
            self._queue_webhook(CallBridged, leg)

    def analyze(self) -> None:
        """Send the analysis of the newest run, if that run is over."""
        if self.ran_on and self.running_on is None:
            self._queue_webhook(ConversationAnalyzed, self.ran_on, telnyx_conversation_id=TELNYX_ID)

    # The people

    def answer(self, leg: Leg) -> None:
        call = self.calls[leg]
        if call.is_up and not call.answered:
            call.answered = True
            self._queue_webhook(CallAnswered, leg)

    def hang_up(self, leg: Leg, *, quietly: bool = False) -> None:
        call = self.calls[leg]
        if not call.is_up:
            return
        call.is_up = False
        if not quietly:
            self._queue_webhook(CallHangup, leg, cause="normal_clearing")
        if self.running_on == leg:
            self.running_on = None

    def press(self, leg: Leg, digits: str) -> None:
        call = self.calls[leg]
        if call.is_up and call.awaits_digit:
            call.awaits_digit = False
            self._queue_webhook(DigitsGathered, leg, digits=digits)

    def give_verdict(self, leg: Leg, *, machine: bool) -> None:
        if self.calls[leg].answered:
            self._queue_webhook(MachineVerdict, leg, machine=machine, by_speech=machine)

    def screen_call(self, leg: Leg) -> None:
        """The phone screens the call."""
        if self.calls[leg].answered:
            self._queue_webhook(CallScreeningDetected, leg)

    def _queue_webhook(self, kind: type[CallInput], leg: Leg, **fields: object) -> None:
        call = call_ref(*leg)
        if self.new_ids_at_answer and self.calls[leg].answered:
            call = replace(call, call_control_id=f"{call.call_control_id}-new")
        self.undelivered.append(kind(id="", call=call, **fields))  # type: ignore[arg-type]
