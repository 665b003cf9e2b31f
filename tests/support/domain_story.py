"""Play the story of a conversation: inputs from people, Telnyx and the API, and our commands.

`check_step` checks the invariants of the domain after every input of every story.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local.replay.driver import shown_event
from partyline.domain.decide import Decision, decide
from partyline.domain.model.assistant import Assistant
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import Event
from partyline.domain.model.handover import Then
from partyline.domain.model.inputs import (
    CallAnswered,
    CallBridged,
    CallHangup,
    CallInitiated,
    CallRef,
    CallScreeningDetected,
    CommandResult,
    ConversationAnalyzed,
    ConversationCreated,
    ConversationEnded,
    ConversationStartFailed,
    DigitsGathered,
    HandOver,
    Input,
    InsightsGenerated,
    InviteParticipant,
    MachineVerdict,
    NewParticipant,
    PollCalls,
    RemoveParticipant,
    Route,
    SendMessage,
    SetAssistantMode,
    StartConversation,
    StopConversation,
    TimerElapsed,
)
from partyline.domain.model.insight import Insight
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    NotFound,
    Refused,
    Result,
    Retryable,
    Succeeded,
    TranscriptFound,
)
from partyline.domain.model.statuses import (
    CONVERSATION_MOVES,
    FINISHED,
    LEG_MOVES,
    PARTICIPANT_MOVES,
    AssistantMode,
    OnHangup,
)
from partyline.domain.model.steps import step_record
from partyline.domain.model.timeouts import END_GRACE
from partyline.domain.model.transcript import RunMessages, TranscriptMessage, TranscriptPart

T0 = datetime(2026, 7, 1, 12, tzinfo=UTC)
OURS, HOST_NUMBER = "+13125550100", "+13125550101"
FIRST, SECOND, THIRD = "+13125550110", "+13125550111", "+13125550112"
TELNYX_ID = "telnyx-conversation-1"
ASSISTANT = Assistant(id="assistant-1")

CHECKED_TWICE = 5
"""Every fifth input is decided twice, which must give the same decision, and its document is read.
"""

STATES: list[tuple[Conversation, datetime]] = []
"""Every state of every story, with its time."""


def call_ref(participant: str = "host", leg: int = 1) -> CallRef:
    """Return the ids of a leg's call as in its webhooks, with our client_state."""
    name = f"{participant}-{leg}"
    return CallRef(
        call_control_id=f"v3:{name}",
        call_leg_id=f"leg-{name}",
        call_session_id=f"session-{name}",
        participant=participant,
        leg=leg,
    )


def plan(*numbers: str, **settings: Any) -> Plan:
    """Return a plan to reach a person on these numbers."""
    return Plan(to=list(numbers or (FIRST,)), from_=OURS, **settings)


def guest(name: str = "dana", to: Plan | None = None, **settings: Any) -> NewParticipant:
    """Return a guest to invite; the id is the name in small letters."""
    own = FIRST if name == "dana" else f"+1312556{sum(map(ord, name)):04}"
    return NewParticipant(id=name, name=name.title(), plan=to or plan(own), **settings)


ENDS_CONVERSATION = {"on_hangup": OnHangup.END}
HOST = NewParticipant(id="host", plan=plan(HOST_NUMBER), on_hangup=OnHangup.END)


@dataclass
class Story:
    """A conversation, its clock, and all its events and commands."""

    now: datetime = T0
    conversation: Conversation | None = None
    events: list[Event] = field(default_factory=list)
    sent: list[Command] = field(default_factory=list)
    refusal: str | None = None
    inputs: int = 0
    stored: list[Insight] = field(default_factory=list)
    parts: list[TranscriptPart] = field(default_factory=list)
    changes: list[tuple[Input, datetime, Decision]] = field(default_factory=list)
    """The inputs that changed the conversation, with their time and decision."""

    def receive(self, input_: Input) -> list[str]:
        """Apply an input; returns the keys of the commands that are sent at once."""
        self.inputs += 1
        input_ = replace(input_, id=f"input-{self.inputs}")
        before = self.conversation
        decision = decide(before, input_, self.now)
        if self.inputs % CHECKED_TWICE == 0:
            again = decide(before, input_, self.now)
            assert decision == again, "the same arguments, another answer"
            _check_document(decision.conversation)
        check_step(before, self.now, decision)
        self.refusal = decision.refusal.code if decision.refusal else None
        self.conversation = decision.conversation
        self.events += decision.events
        self.stored += decision.insights
        self.parts += decision.messages
        if decision.changed and decision.conversation:
            self.changes.append((input_, self.now, decision))
        self.sent += [command.model_copy(deep=True) for command in decision.commands]
        if decision.conversation:
            _check_calls(decision.conversation)
            STATES.append((decision.conversation, self.now))
        return ["find " * command.reconcile + command.key for command in decision.commands]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps as an export has them."""
        steps = list[dict[str, Any]]()
        for input_, now, decision in self.changes:
            seq = decision.conversation.seq if decision.conversation else 0
            record = json.loads(step_record([input_], now, decision.commands, seq))
            events = [shown_event(event) for event in decision.events]
            steps.append(record | {"version": len(steps) + 1, "events": events})
        return steps

    def advance(self, secs: float) -> list[str]:
        """Let time pass, then run the sweep."""
        self.now += timedelta(seconds=secs)
        return self.receive(TimerElapsed(id=""))

    def copy(self) -> "Story":
        """Return a copy, to be continued in another way."""
        events, sent, changes = list(self.events), list(self.sent), list(self.changes)
        return replace(self, events=events, sent=sent, changes=changes)

    # The API

    def start(self, *guests: NewParticipant, to: Plan | None = None, **host: Any) -> list[str]:
        """`POST /conversations` with `to`."""
        new = NewParticipant(
            id="host", plan=to or plan(HOST_NUMBER), **{**ENDS_CONVERSATION, **host}
        )
        return self.receive(start_request(new, guests))

    def attach(self, *guests: NewParticipant, **host: Any) -> list[str]:
        """`POST /conversations` with the `call_control_id` of a live call."""
        new = NewParticipant(
            id="host", call_control_id=call_ref().call_control_id, **{**ENDS_CONVERSATION, **host}
        )
        return self.receive(start_request(new, guests))

    def invite(self, participant: NewParticipant | None = None) -> list[str]:
        return self.receive(InviteParticipant(id="", participant=participant or guest()))

    def hand_over(
        self, participant: NewParticipant | None = None, then: Then = "stay", nth: int = 1
    ) -> list[str]:
        new = participant or guest()
        request = HandOver(id="", handover_id=f"handover-{nth}", participant=new, then=then)
        return self.receive(request)

    def remove(self, participant: str) -> list[str]:
        return self.receive(RemoveParticipant(id="", participant_id=participant))

    def send_message(self, content: str) -> list[str]:
        return self.receive(SendMessage(id="", role="system", content=content))

    def set_mode(self, mode: str) -> list[str]:
        return self.receive(SetAssistantMode(id="", mode=AssistantMode(mode)))

    def stop(self, *, hang_up: bool = False) -> list[str]:
        return self.receive(StopConversation(id="", hang_up=hang_up))

    # The webhooks

    def inbound_call(self, **route: Any) -> list[str]:
        """An inbound call begins on a number of ours."""
        return self.receive(
            CallInitiated(
                id="",
                call=replace(call_ref(), participant=None, leg=None),
                conversation_id="conversation-1",
                incoming=True,
                from_=HOST_NUMBER,
                to=OURS,
                route=Route(assistant=ASSISTANT, connection_id="connection-1", **route),
            )
        )

    def call_initiated(self, participant: str = "host", leg: int = 1) -> list[str]:
        ref = call_ref(participant, leg)
        return self.receive(
            CallInitiated(id="", call=ref, conversation_id="conversation-1", incoming=False)
        )

    def answer(self, participant: str = "host", leg: int = 1) -> list[str]:
        return self.receive(CallAnswered(id="", call=call_ref(participant, leg)))

    def hang_up(
        self, participant: str = "host", leg: int = 1, cause: str = "normal_clearing", sip: str = ""
    ) -> list[str]:
        ref = call_ref(participant, leg)
        return self.receive(CallHangup(id="", call=ref, cause=cause, sip_cause=sip or None))

    def poll(self, *participants: str, missing: bool = True) -> list[str]:
        """A census lacks the first calls of these people, or no census is complete."""
        calls = tuple(str(call_ref(participant).call_leg_id) for participant in participants)
        return self.receive(PollCalls(id="", calls=calls, missing=missing))

    def bridged(self, participant: str = "host", leg: int = 1) -> list[str]:
        return self.receive(CallBridged(id="", call=call_ref(participant, leg)))

    def machine_verdict(
        self, participant: str, leg: int = 1, *, machine: bool, **fields: Any
    ) -> list[str]:
        verdict = MachineVerdict(id="", call=call_ref(participant, leg), machine=machine, **fields)
        return self.receive(verdict)

    def screening_detected(self, participant: str = "host", leg: int = 1) -> list[str]:
        call = call_ref(participant, leg)
        return self.receive(CallScreeningDetected(id="", call=call, occurred_at=self.now))

    def press(
        self,
        digits: str,
        participant: str = "dana",
        leg: int = 1,
        status: str | None = None,
        prompt: Action | None = None,
    ) -> list[str]:
        call = replace(call_ref(participant, leg), prompt=prompt)
        return self.receive(DigitsGathered(id="", call=call, digits=digits, status=status))

    def assistant_created(self, participant: str = "host") -> list[str]:
        given = ConversationCreated(
            id="", call=call_ref(participant), telnyx_conversation_id=TELNYX_ID
        )
        return self.receive(given)

    def assistant_ended(self, participant: str = "host", telnyx_id: str = TELNYX_ID) -> list[str]:
        return self.receive(
            ConversationEnded(id="", call=call_ref(participant), telnyx_conversation_id=telnyx_id)
        )

    def assistant_ended_for_no_reason(self) -> list[str]:
        """The assistant ends, and neither a hangup nor a transfer follows."""
        self.assistant_ended()
        self.call_state("look:host:1", alive=True, answered=True)
        self.advance(END_GRACE.total_seconds())
        return self.call_state("look:host:1", alive=True, answered=True)

    def start_failed(self, participant: str = "host") -> list[str]:
        call = call_ref(participant)
        return self.receive(ConversationStartFailed(id="", call=call, reason="service_error"))

    def analyzed(self, telnyx_id: str | None = TELNYX_ID, **fields: Any) -> list[str]:
        call = replace(call_ref(), participant=None, leg=None)
        analyzed = ConversationAnalyzed(
            id="", call=call, telnyx_conversation_id=telnyx_id, **fields
        )
        return self.receive(analyzed)

    def insights_generated(self, *ids: str, participant: str = "host") -> list[str]:
        insights = tuple(Insight(insight_id=id_, result="all well") for id_ in ids)
        call = call_ref(participant)
        return self.receive(InsightsGenerated(id="", call=call, insights=insights))

    # The results of commands

    def result(self, key: str, result: Result) -> list[str]:
        return self.receive(CommandResult(id="", key=key, result=result))

    def succeed(self, *keys: str) -> list[str]:
        """Telnyx carries the commands out; returns the commands that the last result brings."""
        left: list[str] = []
        for key in keys:
            left = self.result(key, success(key))
        return left

    def refuse(self, key: str, code: str = "10015", *, limit: bool = False) -> list[str]:
        return self.result(key, Refused(code=code, message="No.", limit=limit))

    def no_response(self, key: str, *, had_no_effect: bool = False) -> list[str]:
        return self.result(key, Retryable(had_no_effect=had_no_effect))

    def call_ended(self, key: str, ended: CallEnded | None = None) -> list[str]:
        return self.result(key, ended or CallEnded())

    def transcript_found(self, *texts: str, telnyx_id: str = TELNYX_ID) -> list[str]:
        """A fetch finds these messages, the assistant's first, then in turns."""
        runs = (RunMessages(telnyx_conversation_id=telnyx_id, messages=turns(*texts)),)
        return self.result("fetch_transcript", TranscriptFound(runs=runs if texts else ()))

    def not_found(self, key: str) -> list[str]:
        return self.result(key, NotFound())

    def call_state(self, key: str, *, alive: bool, answered: bool, **fields: Any) -> list[str]:
        return self.result(key, CallState(alive=alive, answered=answered, **fields))

    # The state

    @property
    def state(self) -> Conversation:
        assert self.conversation is not None
        return self.conversation

    @property
    def status(self) -> str:
        return self.state.status.value

    def participant(self, participant: str = "host") -> Participant:
        person = self.state.participant(participant)
        assert person is not None
        return person

    def leg(self, participant: str = "host", number: int = 1) -> Leg:
        leg = self.participant(participant).leg(number)
        assert leg is not None
        return leg

    @property
    def messages(self) -> list[str]:
        """All messages sent to the assistant."""
        sent = {command.key: command for command in self.sent}
        return [m.content for command in sent.values() for m in command.messages or []]

    @property
    def event_types(self) -> list[str]:
        """The types of the events, in order."""
        return [event.type.value for event in self.events]


def turns(*texts: str) -> tuple[TranscriptMessage, ...]:
    """Return messages of the assistant and a person, who take turns; the assistant begins."""
    return tuple(
        TranscriptMessage(role="user" if nth % 2 else "assistant", text=text)
        for nth, text in enumerate(texts)
    )


def start_request(
    host: NewParticipant = HOST, guests: tuple[NewParticipant, ...] = ()
) -> StartConversation:
    """Return `POST /conversations` as an input."""
    return StartConversation(
        id="",
        conversation_id="conversation-1",
        assistant=ASSISTANT,
        connection_id="connection-1",
        host=host,
        guests=guests,
    )


def success(key: str) -> Succeeded:
    """Return Telnyx's answer after carrying out the command with this key."""
    action, *whose = key.removeprefix("find ").split(":")
    if action == "dial":
        ref = call_ref(whose[0], int(whose[1]))
        return Succeeded(
            call_control_id=ref.call_control_id,
            call_leg_id=ref.call_leg_id,
            call_session_id=ref.call_session_id,
        )
    return Succeeded(telnyx_conversation_id=TELNYX_ID if action in ("start", "join") else None)


def active_story(**host: Any) -> Story:
    """Return a story in which the host speaks with the assistant."""
    story = Story()
    story.start(**host)
    story.succeed("dial:host:1")
    story.answer()
    story.succeed("start:host:1")
    return story


def joined_story(name: str = "dana", **settings: Any) -> Story:
    """Return a story with the host, the assistant and a joined guest, announced as message 1."""
    story = active_story(**settings.pop("host", {}))
    story.invite(guest(name, **settings))
    story.succeed(f"dial:{name}:1")
    story.answer(name)
    story.succeed(f"join:{name}:1", "message:host:1:1")
    return story


def check_step(before: Conversation | None, now: datetime, decision: Decision) -> None:
    """Check the invariants of every step."""
    after = decision.conversation
    if after is None:
        return
    seq = before.seq if before else 0
    numbers = [event.seq for event in decision.events]
    assert numbers == list(range(seq + 1, after.seq + 1)), "events are numbered without gaps"
    assert after.due_at is None or after.due_at > now, "no timer is overdue"
    for command in decision.commands:
        assert after.commands[command.key].not_before > now, "a sent command is leased"
        leg = after.target_of(command)[1]
        assert command.reconcile or not (leg and leg.transferred), (
            f"{command.key}: a transferred call is left alone"
        )
    _check_report(before, decision)
    if before:
        check_moves(before, after)


def _check_report(before: Conversation | None, decision: Decision) -> None:
    """Check that a report is added once, to a conversation that is over."""
    after = decision.conversation
    assert after is not None
    known = before.report_seq if before else None
    added = [event.seq for event in decision.events if event.type == "conversation.report"]
    assert known is None or after.report_seq == known, "a report stays"
    assert added == ([] if after.report_seq in (None, known) else [after.report_seq])
    assert not added or after.status in FINISHED, "a report of a conversation that goes on"


def _check_document(conversation: Conversation | None) -> None:
    """Check that the document of a conversation reads as the same conversation."""
    if conversation:
        document = conversation.model_dump_json(exclude_defaults=True)
        assert Conversation.model_validate_json(document) == conversation


def _check_calls(conversation: Conversation) -> None:
    """Check that every call that is up can be hung up, or that its dial is still pending."""
    owed = {c.leg for c in conversation.commands.values() if c.is_pending and c.action == "dial"}
    for _, leg in conversation.legs():
        assert leg.call_control_id or not leg.is_up or leg.number in owed


def check_moves(before: Conversation, after: Conversation) -> None:
    """Check that no status moved against the tables, and that no leg or id was lost."""
    _check_reachable(CONVERSATION_MOVES, before.status, after.status)
    for was, now in zip(before.participants, after.participants, strict=False):
        assert was.id == now.id
        _check_reachable(PARTICIPANT_MOVES, was.status, now.status)
        active = was.active_leg and now.leg(was.active_leg.number)
        ended = was.active_leg and not (active and active.is_up)
        dropped = ended or (active and active.outcome == "machine")
        assert dropped or was.accepted_leg in (None, now.accepted_leg), "kept while the call is up"
        assert now.legs_tried >= was.legs_tried
        for old in was.legs:
            new = now.leg(old.number)
            if new is None:
                assert old.number != now.accepted_leg, "an accepted call stays"
                continue
            _check_reachable(LEG_MOVES, old.status, new.status)
            unverified = not old.owned and new.failure  # accepted before Telnyx was asked
            corrected = new.is_inferred and not now.joined_at
            kept = unverified or corrected or old.outcome in (None, new.outcome)
            assert kept or new.number != now.accepted_leg
            assert old.call_control_id is None or new.has_id(old.call_control_id)


def _check_reachable(moves: dict[Any, frozenset[Any]], start: Any, goal: Any) -> None:
    seen, edge = {start}, {start}
    while edge:
        edge = {after for status in edge for after in moves[status]} - seen
        seen |= edge
    assert goal in seen, f"{start} never becomes {goal}"
