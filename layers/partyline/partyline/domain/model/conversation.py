"""The stored conversation: one document with its participants, their legs and the commands.

A step of a conversation is a single write of its document.
"""

from datetime import datetime
from typing import Any

from pydantic import Field

from partyline.domain.model import statuses
from partyline.domain.model.absence import Absence, Conference
from partyline.domain.model.assistant import Assistant, AssistantStart
from partyline.domain.model.commands import Action, Command, Message
from partyline.domain.model.costs import OmittedLegs, RunCost
from partyline.domain.model.handover import Handover
from partyline.domain.model.insight import StoredInsight
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.stored import Failure, Stored
from partyline.domain.model.transcript import Transcript

UNKNOWN_CONVERSATION_ID = "unknown"
"""Stands for the id of a Telnyx conversation that ended before we learned the id."""

WITHHELD = "withheld"


class Limits(Stored):
    """The bounds of a conversation."""

    participants: int = 20
    """Participants over its whole life, the host included; more would not fit into a table item."""
    legs_at_once: int = 20
    minutes: int | None = None
    reserved_per_call: int | None = None
    """What a dial takes from the day's budget until its price is known, in units of the budget.

    None: the deployment has no budget.
    """


class Stop(Stored):
    """A stop: requested, or caused by a departure or the time limit."""

    hang_up: bool
    by_request: bool


class Conversation(Stored):
    """An AI-assistant conversation with all its participants."""

    id: str
    version: int = 0
    direction: statuses.Direction
    status: statuses.ConversationStatus = statuses.ConversationStatus.CONNECTING
    assistant: Assistant
    mode: statuses.AssistantMode = statuses.AssistantMode.SPEAKING
    """The mode that holds."""
    wanted_mode: statuses.AssistantMode = statuses.AssistantMode.SPEAKING
    """The mode that was asked for; `mode` follows, or this mode goes back."""
    absence: Absence | None = None
    """The assistant is leaving, is away, or is being taken back."""
    absences: int = 0  # how often the assistant was to leave
    conference: Conference | None = None
    connections: int = 0
    """The number of the newest command that connects people, or starts an assistant's return."""
    telnyx_conversation_id: str | None = None
    participants: list[Participant] = Field(default_factory=list)
    handovers: list[Handover] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    failure: Failure | None = None
    created_at: datetime
    updated_at: datetime
    active_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None  # the word of the first event about the end
    report_seq: int | None = None  # the number of the event `conversation.report`

    connection_id: str
    base_url: str | None = None  # the base URL of our webhooks, for the legs still to be dialled
    limits: Limits = Field(default_factory=Limits)
    route: str | None = None  # the dialled number of ours; its route holds the contacts
    start: AssistantStart = "after_answer"
    assistant_lookup_at: datetime | None = None
    """When to look for the assistant that the answer starts, if no webhook has come by then."""
    phrases: dict[str, str] = Field(default_factory=dict)
    """The conversation's own messages to the assistant (see `rules.phrases`)."""

    seq: int = 0  # the number of the newest event
    commands: dict[str, Command] = Field(default_factory=dict)
    limited_until: dict[Action, datetime] = Field(default_factory=dict)
    """Until when Telnyx takes no command of an action, by the limit of its rate."""
    pending_messages: list[Message] = Field(default_factory=list)
    message_batches: int = 0
    messages_sent: int = 0
    stop: Stop | None = None
    stop_deadline: datetime | None = None
    """When a stopping conversation counts as ended without a webhook."""
    telnyx_ended_at: datetime | None = None
    """When the assistant's conversation ended at Telnyx; ours may go on."""
    telnyx_ended_reason: str | None = None
    """Telnyx's text, or a word of ours: `transferred`, `start_failed`."""
    insights_received_at: datetime | None = None
    """When insights came. Telnyx makes insights of ended conversations only."""
    previous_telnyx_ids: list[str] = Field(default_factory=list)
    """Telnyx conversations that ended and were followed by another start of the assistant."""
    returns: int = 0
    """How many of those starts were returns from an absence."""
    insights: dict[str, StoredInsight] = Field(default_factory=dict)
    """By run and insight id, as `0/insight-1`."""
    insights_poll_at: datetime | None = None
    insight_polls: int = 0
    run_costs: dict[int, RunCost] = Field(default_factory=dict)  # by run of the assistant
    omitted_legs: OmittedLegs | None = None
    transcript: Transcript = Field(default_factory=Transcript)
    due_at: datetime | None = None
    """When time should pass for the conversation at the latest; `None` while no timer runs."""
    awaited_at: datetime | None = None
    """The earliest timer for which a person waits; a message of the timers' queue fires it."""

    @property
    def host(self) -> Participant:
        """The first participant: the caller, or the person we dialled first."""
        return self.participants[0]

    @property
    def is_over(self) -> bool:
        """Whether the conversation admits no more participants."""
        return self.status in statuses.NOT_ADMITTING

    @property
    def has_pending_commands(self) -> bool:
        """Whether a command is pending."""
        return any(command.is_pending for command in self.commands.values())

    @property
    def start_command(self) -> Command | None:
        """The newest start of the assistant, if any."""
        starts = [c for c in self.commands.values() if c.action is Action.START]
        return starts[-1] if starts else None

    @property
    def started_on(self) -> tuple[Participant, Leg] | None:
        """The call that the assistant runs or ran on: the host's, or a guest's after a restart."""
        start = self.start_command
        person, leg = self.target_of(start) if start else (None, None)
        person = person or self.host
        leg = leg or person.active_leg or (person.legs[-1] if person.legs else None)
        return (person, leg) if leg else None

    @property
    def is_assistant_speaking(self) -> bool:
        """Whether the assistant may speak unasked, now and as far as is wanted."""
        modes = {self.mode, self.wanted_mode}
        return modes == {statuses.AssistantMode.SPEAKING}

    @property
    def restarts(self) -> int:
        """Number of further starts of the assistant: forced restarts, and returns."""
        return len(self.previous_telnyx_ids)

    @property
    def forced_restarts(self) -> int:
        """Number of restarts because Telnyx ended the assistant."""
        return self.restarts - self.returns

    @property
    def is_assistant_gone(self) -> bool:
        """Whether the assistant has left the people to each other, and no return has begun."""
        absence = self.absence
        return absence is not None and absence.stopped_at is not None and not absence.tried

    @property
    def stops_of_run(self) -> list[Command]:
        """The stops of the assistant since its newest start."""
        stops = list[Command]()
        for command in self.commands.values():
            if command.action is Action.START:
                stops.clear()
            elif command.action is Action.STOP:
                stops.append(command)
        return stops

    @property
    def transcript_is_final(self) -> bool:
        """Whether no message will come any more: each run is complete, or was given up."""
        commands = self.commands.values()
        fetches = any(c.action is Action.FETCH_TRANSCRIPT and c.is_pending for c in commands)
        over = self.status in statuses.FINISHED
        return over and self.transcript.poll_at is None and not fetches

    @property
    def has_every_message(self) -> bool:
        """Whether all messages of every run have come. A start that failed made no run."""
        starts = [c for c in self.commands.values() if c.action is Action.START]
        for number, telnyx_id in enumerate(
            [*self.previous_telnyx_ids, self.telnyx_conversation_id]
        ):
            run = self.transcript.runs.get(number)
            unnamed = telnyx_id in (None, UNKNOWN_CONVERSATION_ID)
            failed = number < len(starts) and starts[number].status == "failed"
            # The assistant of a start without an id may run: the search for the id was given up.
            never_ran = unnamed and failed and not (number == 0 and self.active_at)
            if not never_ran and (run is None or not run.final):
                return False
        return True

    @property
    def transcript_is_complete(self) -> bool:
        """Whether every message of every run is stored: no bound has left out a message."""
        return self.has_every_message and not any(run.cut for run in self.transcript.runs.values())

    @property
    def is_restarting(self) -> bool:
        """Whether the assistant is being restarted."""
        return self.restarts > 0 and self.telnyx_conversation_id is None

    @property
    def awaits_answers_assistant(self) -> bool:
        """Whether the answer starts the assistant, and the assistant's id may still come."""
        answer = next((c for c in self.commands.values() if c.action is Action.ANSWER), None)
        return (
            self.start == "with_answer"
            and self.telnyx_conversation_id is None
            and self.start_command is None
            and self.status not in statuses.FINISHED
            and answer is not None
            and answer.status != "failed"
            and answer.sent_at is not None
        )

    def is_connected(self, participant: Participant) -> bool:
        """Whether a person is connected to another person without the assistant."""
        members = self.conference.members if self.conference else []
        bridge = self.absence.bridge if self.absence and self.absence.is_bridged else []
        together = members if len(members) > 1 else bridge
        return participant.id in together

    @property
    def open_handover(self) -> Handover | None:
        """The handover that has no outcome yet; there is one at a time."""
        return next((h for h in self.handovers if h.outcome is None), None)

    def handover(self, handover_id: str) -> Handover | None:
        """Return the handover of that id, if there is one."""
        return next((h for h in self.handovers if h.id == handover_id), None)

    @property
    def present(self) -> list[tuple[Participant, Leg]]:
        """The people who are joined, with their calls."""
        pairs = [(person, person.active_leg) for person in self.participants if not person.removed]
        return [
            (person, leg)
            for person, leg in pairs
            if leg and leg.is_up and leg.call_control_id and not leg.transferred
            if person.status is statuses.ParticipantStatus.JOINED
        ]

    def participant(self, participant_id: str | None) -> Participant | None:
        """Return the participant of that id, if there is one."""
        return next((p for p in self.participants if p.id == participant_id), None)

    def target_of(self, command: Command) -> tuple[Participant | None, Leg | None]:
        """Return the participant and the leg that a command is for."""
        participant = self.participant(command.participant_id)
        return participant, participant.leg(command.leg) if participant else None

    def legs(self) -> list[tuple[Participant, Leg]]:
        """Return every leg with its participant."""
        return [(participant, leg) for participant in self.participants for leg in participant.legs]

    @property
    def owned_calls(self) -> list[tuple[Participant, Leg]]:
        """The calls that we dialled or answered and that are up: they cost us money."""
        return [(person, leg) for person, leg in self.legs() if leg.owned and leg.is_up]

    @property
    def listed_calls(self) -> dict[str, datetime]:
        """The calls that the census looks for, with the time of each answer.

        The name of a call is its shortest id, because the index of open conversations holds it.
        """
        return {
            leg.call_leg_id or leg.call_control_id or "": leg.answered_at or leg.created_at
            for _, leg in self.legs()
            if leg.is_listed
        }

    @property
    def is_open(self) -> bool:
        """Whether the conversation counts towards `MaxConversations`.

        A conversation that has ended counts until its last call of ours is down.
        """
        return self.status not in statuses.FINISHED or bool(self.owned_calls)

    @property
    def caller(self) -> str:
        """The caller of an inbound conversation, as `caller_of` writes a number."""
        return caller_of(self.host.legs[0].from_ if self.host.legs else None)

    def assistant_leg(self) -> tuple[Participant, Leg] | None:
        """Return the leg that reaches the assistant: the host's, or a joined guest's."""
        for participant in self.participants:
            leg = participant.active_leg
            reachable = (participant.host or participant.joined_at) and not participant.removed
            if reachable and leg and leg.is_up and not leg.transferred:
                return participant, leg
        return None


def caller_of(number: str | None) -> str:
    """Return the caller that a number stands for; all withheld numbers stand for a single caller.

    Telnyx writes a word, such as `anonymous`, for a withheld number.
    """
    is_shown = number and ("@" in number or any(map(str.isdigit, number)))
    return number.lower() if number and is_shown else WITHHELD
