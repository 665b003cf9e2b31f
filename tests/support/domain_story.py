"""Plays the story of a conversation: what people, Telnyx and the API do, and which commands leave.

Every step is held to what is always true (`hold`), so that each story tests it along the way.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from partyline.domain.decide import Decision, decide
from partyline.domain.model.commands import Command
from partyline.domain.model.conversation import (
    Assistant,
    Conversation,
    Insight,
    Leg,
    Participant,
    Plan,
)
from partyline.domain.model.events import Event
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallInitiated,
    CallRef,
    CommandResult,
    ConversationCreated,
    ConversationEnded,
    DigitsGathered,
    Input,
    InsightsGenerated,
    InviteParticipant,
    MachineVerdict,
    NewParticipant,
    RemoveParticipant,
    Route,
    SendMessage,
    StartConversation,
    StopConversation,
    TimerElapsed,
)
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    NotFound,
    Refused,
    Result,
    Retryable,
    Succeeded,
)
from partyline.domain.model.statuses import (
    CONVERSATION_MOVES,
    LEG_MOVES,
    PARTICIPANT_MOVES,
    OnHangup,
)

T0 = datetime(2026, 7, 1, 12, tzinfo=UTC)
OURS, HOST_NUMBER = "+13125550100", "+13125550101"
FIRST, SECOND, THIRD = "+13125550110", "+13125550111", "+13125550112"
TELNYX_ID = "telnyx-conversation-1"
ASSISTANT = Assistant(id="assistant-1")

STATES: list[tuple[Conversation, datetime]] = []
"""Every state that a story has come through, with its time."""


def call(participant: str = "host", leg: int = 1) -> CallRef:
    """The call of a leg as its webhooks name it, with our client_state on it."""
    name = f"{participant}-{leg}"
    return CallRef(
        call_control_id=f"v3:{name}",
        call_leg_id=f"leg-{name}",
        call_session_id=f"session-{name}",
        participant=participant,
        leg=leg,
    )


def plan(*numbers: str, **settings: Any) -> Plan:
    """A plan to reach somebody on those numbers."""
    return Plan(to=list(numbers or (FIRST,)), from_=OURS, **settings)


def guest(name: str = "dana", to: Plan | None = None, **settings: Any) -> NewParticipant:
    """Somebody to invite; the id is the name in small letters."""
    return NewParticipant(id=name, name=name.title(), plan=to or plan(), **settings)


ENDS = {"on_hangup": OnHangup.END}
HOST = NewParticipant(id="host", plan=plan(HOST_NUMBER), on_hangup=OnHangup.END)


@dataclass
class Story:
    """A conversation, its clock, and all that has come of it."""

    now: datetime = T0
    conversation: Conversation | None = None
    events: list[Event] = field(default_factory=list)
    sent: list[Command] = field(default_factory=list)
    refusal: str | None = None
    inputs: int = 0

    def plays(self, given: Input) -> list[str]:
        """Let something happen; answers the keys of the commands that leave at once."""
        self.inputs += 1
        given = replace(given, id=f"input-{self.inputs}")
        before = self.conversation
        decision = decide(before, given, self.now)
        assert decision == decide(before, given, self.now), "the same arguments, another answer"
        hold(before, self.now, decision)
        self.refusal = decision.refusal.code if decision.refusal else None
        self.conversation = decision.conversation
        self.events += decision.events
        self.sent += [each.model_copy(deep=True) for each in decision.commands]
        if decision.conversation:
            _hold_of_calls(decision.conversation)
            STATES.append((decision.conversation, self.now))
        return ["find " * each.reconcile + each.key for each in decision.commands]

    def later(self, secs: float) -> list[str]:
        """Time passes, and then the sweep comes by."""
        self.now += timedelta(seconds=secs)
        return self.plays(TimerElapsed(id=""))

    def branch(self) -> "Story":
        """The same story so far, to be told on in another way."""
        return replace(self, events=list(self.events), sent=list(self.sent))

    # The API

    def dials(self, *guests: NewParticipant, to: Plan | None = None, **host: Any) -> list[str]:
        """`POST /conversations` with `to`."""
        new = NewParticipant(id="host", plan=to or plan(HOST_NUMBER), **{**ENDS, **host})
        return self.plays(start(new, guests))

    def attaches(self, *guests: NewParticipant, **host: Any) -> list[str]:
        """`POST /conversations` with the `call_control_id` of a live call."""
        given = {**ENDS, **host}
        new = NewParticipant(id="host", call_control_id=call().call_control_id, **given)
        return self.plays(start(new, guests))

    def invites(self, participant: NewParticipant | None = None) -> list[str]:
        return self.plays(InviteParticipant(id="", participant=participant or guest()))

    def removes(self, participant: str) -> list[str]:
        return self.plays(RemoveParticipant(id="", participant_id=participant))

    def says(self, content: str) -> list[str]:
        return self.plays(SendMessage(id="", role="system", content=content))

    def stops(self, *, hang_up: bool = False) -> list[str]:
        return self.plays(StopConversation(id="", hang_up=hang_up))

    # The webhooks

    def rings_us(self, **route: Any) -> list[str]:
        """An inbound call begins on a number of ours."""
        return self.plays(
            CallInitiated(
                id="",
                call=replace(call(), participant=None, leg=None),
                conversation_id="conversation-1",
                incoming=True,
                from_=HOST_NUMBER,
                to=OURS,
                route=Route(assistant=ASSISTANT, connection_id="connection-1", **route),
            )
        )

    def rings(self, participant: str = "host", leg: int = 1) -> list[str]:
        ref = call(participant, leg)
        return self.plays(
            CallInitiated(id="", call=ref, conversation_id="conversation-1", incoming=False)
        )

    def answers(self, participant: str = "host", leg: int = 1) -> list[str]:
        return self.plays(CallAnswered(id="", call=call(participant, leg)))

    def hangs_up(
        self, participant: str = "host", leg: int = 1, cause: str = "normal_clearing", sip: str = ""
    ) -> list[str]:
        ref = call(participant, leg)
        return self.plays(CallHangup(id="", call=ref, cause=cause, sip_cause=sip or None))

    def is_judged(self, participant: str, leg: int = 1, *, machine: bool) -> list[str]:
        return self.plays(MachineVerdict(id="", call=call(participant, leg), machine=machine))

    def presses(
        self, digits: str, participant: str = "dana", leg: int = 1, status: str | None = None
    ) -> list[str]:
        return self.plays(
            DigitsGathered(id="", call=call(participant, leg), digits=digits, status=status)
        )

    def assistant_begins(self, participant: str = "host") -> list[str]:
        given = ConversationCreated(id="", call=call(participant), telnyx_conversation_id=TELNYX_ID)
        return self.plays(given)

    def assistant_ends(self, participant: str = "host", telnyx_id: str = TELNYX_ID) -> list[str]:
        return self.plays(
            ConversationEnded(id="", call=call(participant), telnyx_conversation_id=telnyx_id)
        )

    def insights_come(self, *ids: str) -> list[str]:
        found = tuple(Insight(insight_id=each, result="all well") for each in ids)
        return self.plays(InsightsGenerated(id="", call=call(), insights=found))

    # What Telnyx answers to a command

    def result(self, key: str, result: Result) -> list[str]:
        return self.plays(CommandResult(id="", key=key, result=result))

    def does(self, *keys: str) -> list[str]:
        """Telnyx does what the commands say, with the ids it would name; the last one's effects."""
        left: list[str] = []
        for key in keys:
            left = self.result(key, done(key))
        return left

    def refuses(self, key: str, code: str = "10015", *, limit: bool = False) -> list[str]:
        return self.result(key, Refused(code=code, message="No.", limit=limit))

    def is_silent(self, key: str, *, sure: bool = False) -> list[str]:
        return self.result(key, Retryable(had_no_effect=sure))

    def finds_gone(self, key: str, gone: CallEnded | None = None) -> list[str]:
        return self.result(key, gone or CallEnded())

    def finds_nothing(self, key: str) -> list[str]:
        return self.result(key, NotFound())

    def looks(self, key: str, *, alive: bool, answered: bool) -> list[str]:
        return self.result(key, CallState(alive=alive, answered=answered))

    # Where it stands

    @property
    def it(self) -> Conversation:
        assert self.conversation is not None
        return self.conversation

    @property
    def status(self) -> str:
        return self.it.status.value

    def who(self, participant: str = "host") -> Participant:
        found = self.it.participant(participant)
        assert found is not None
        return found

    def leg(self, participant: str = "host", number: int = 1) -> Leg:
        found = self.who(participant).leg(number)
        assert found is not None
        return found

    @property
    def told(self) -> list[str]:
        """All that left for the assistant, message by message."""
        sent = {each.key: each for each in self.sent}
        return [m.content for each in sent.values() for m in each.messages or []]

    @property
    def happened(self) -> list[str]:
        """The types of the events, in order."""
        return [each.type.value for each in self.events]


def start(
    host: NewParticipant = HOST, guests: tuple[NewParticipant, ...] = ()
) -> StartConversation:
    """`POST /conversations` as an input."""
    return StartConversation(
        id="",
        conversation_id="conversation-1",
        assistant=ASSISTANT,
        connection_id="connection-1",
        host=host,
        guests=guests,
    )


def done(key: str) -> Succeeded:
    """What Telnyx answers when it has done what the command with this key says."""
    action, *whose = key.removeprefix("find ").split(":")
    if action == "dial":
        ref = call(whose[0], int(whose[1]))
        return Succeeded(
            call_control_id=ref.call_control_id,
            call_leg_id=ref.call_leg_id,
            call_session_id=ref.call_session_id,
        )
    return Succeeded(telnyx_conversation_id=TELNYX_ID if action in ("start", "join") else None)


def on_the_phone(**host: Any) -> Story:
    """The host was dialled and speaks with the assistant."""
    story = Story()
    story.dials(**host)
    story.does("dial:host:1")
    story.answers()
    story.does("start:host:1")
    return story


def with_guest(name: str = "dana", **settings: Any) -> Story:
    """The host, the assistant, and a guest who has joined them (told as the first message)."""
    story = on_the_phone(**settings.pop("host", {}))
    story.invites(guest(name, **settings))
    story.does(f"dial:{name}:1")
    story.answers(name)
    story.does(f"join:{name}:1", "message:host:1:1")
    return story


def hold(before: Conversation | None, now: datetime, decision: Decision) -> None:
    """What is true of every step, whatever it is."""
    after = decision.conversation
    if after is None:
        return
    seq = before.seq if before else 0
    numbers = [each.seq for each in decision.events]
    assert numbers == list(range(seq + 1, after.seq + 1)), "events are numbered without gaps"
    assert after.due_at is None or after.due_at > now, "what is due is done"
    for command in decision.commands:
        assert after.commands[command.key].not_before > now, "what leaves is leased"
    if before:
        hold_moves(before, after)


def _hold_of_calls(conversation: Conversation) -> None:
    """A call that is up is one that we can hang up, or whose dial we still owe an end to."""
    owed = {c.leg for c in conversation.commands.values() if c.is_pending and c.action == "dial"}
    for _, leg in conversation.legs():
        assert leg.call_control_id or not leg.is_up or leg.number in owed


def hold_moves(before: Conversation, after: Conversation) -> None:
    """No status moved against the tables, and nothing was forgotten."""
    _reachable(CONVERSATION_MOVES, before.status, after.status)
    for was, now in zip(before.participants, after.participants, strict=False):
        assert was.id == now.id
        _reachable(PARTICIPANT_MOVES, was.status, now.status)
        ended = was.active_leg and not now.legs[was.active_leg.number - 1].is_up
        assert ended or was.accepted_leg in (None, now.accepted_leg), "kept while the call is up"
        for old, new in zip(was.legs, now.legs, strict=False):
            assert old.number == new.number
            _reachable(LEG_MOVES, old.status, new.status)
            unverified = not old.owned and new.failure  # accepted before Telnyx was asked
            kept = unverified or old.outcome in (None, new.outcome)
            assert kept or new.number != now.accepted_leg
            assert old.call_control_id in (None, new.call_control_id)


def _reachable(moves: dict[Any, frozenset[Any]], start: Any, goal: Any) -> None:
    seen, edge = {start}, {start}
    while edge:
        edge = {after for each in edge for after in moves[each]} - seen
        seen |= edge
    assert goal in seen, f"{start} never becomes {goal}"
