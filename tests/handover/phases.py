"""The phases of a handover, and the script that leads a call through the phases to an event."""

from collections.abc import Callable, Mapping
from typing import Any

from local.simulator.model import Person, SimulatedLeg
from local.simulator.settings import Settings
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import DEPARTED, ParticipantStatus
from tests.handover.lab import GridLab
from tests.support.people import CALLER, DANA, HOST, KIM, LEE

PHASES = (
    "asked",
    "ringing",
    "verdict",
    "brief",
    "accepted",
    "joining",
    "joined",
    "stepping back",
    "connecting",
    "away",
    "taking back",
    "rejoining",
)
BEFORE_JOIN = PHASES[:5]
AFTER_JOIN = PHASES[6:]
STEPPING = PHASES[7:]
"""The phases that a handover with `then: stay` does not have."""
CONNECTING = ("connecting", "rejoining")
"""The phases of `then: away` only: the people are connected to each other, or joined again."""

SECOND_PHONE = "+13125550115"
"""Another phone of the person, which rings at the same time in some events."""

NAME = "Dana"
BRIEF = "Refund of order 4711 zebra"
"""A brief that no other text contains."""

REPAIR_SECS = 150.0
"""The longest time until a lost `call.hangup` is noticed by a census, and a little more."""

GUESTS = {1: (), 2: (LEE,), 4: (LEE, KIM, HOST)}
"""The guests on the line before the handover, by the number of people on the line."""

STEP_SECS = 0.25

QUESTION_SECS = 45.0
"""The longest time from the answer to the question of the screening."""

QUESTION = "Press 1."


class Stage:
    """A call on which a handover is played up to a phase, at which an event strikes."""

    def __init__(
        self,
        phase: str,
        then: str,
        people: int,
        strike: Callable[["Stage"], str | None],
        *,
        plan: Mapping[str, Any],
        person: Person,
        settings: Mapping[str, Any],
        ring_secs: float,
    ) -> None:
        """Set up the stage.

        Args:
            phase: The phase in which the event strikes.
            then: The part of the assistant after the join.
            people: The number of people on the line before the handover.
            strike: Makes the event happen. Returns a fault for the request to Telnyx during which
                the event strikes, or None.
            plan: Changes of the plan.
            person: The person to be reached.
            settings: Changes of the simulator's settings.
            ring_secs: How long the person's phone rings before the person answers.
        """
        self.phase, self.then, self.people = phase, then, people
        self._strike = strike
        self.plan = {
            "to": DANA,
            "name": NAME,
            "ring_timeout_secs": 20,
            "deadline_secs": 60,
            "machine_detection": "standard",
            "brief": BRIEF,
            "screening": {"say": f"{{brief}}. {QUESTION}", "timeout_secs": 10},
            "then": then,
            **plan,
        }
        numbers = self.plan["to"] if isinstance(self.plan["to"], list) else [self.plan["to"]]
        self.numbers: list[str] = numbers
        self.person = person
        phones = [person, Person(SECOND_PHONE, behaviour="manual")]
        simulator = {"accepts_conversation_keys": True, "detection_after_secs": 4.0, **settings}
        self.lab = GridLab(phones, Settings(**simulator))
        self.ring_secs = ring_secs
        self.struck = 0
        self.is_at_command = False
        """The event strikes during a request to Telnyx."""
        self.is_quiet = False
        """The person is still from the event on."""
        self.second_answers = False
        """The second phone does the same as the first."""
        self.over_by_request = False
        """The people's calls stay up after the end of the conversation."""
        self.left_up: list[str] = []
        """Whose calls stayed up after the caller's hangup."""

    # The script

    def play(self) -> None:
        """Play the handover and the event, until all calls are over."""
        self._begin()
        self._strike_at("asked", "dial")
        self._strike_at("joining", "ai_assistant_join")
        if self.then == "away":
            self._strike_at("stepping back", "ai_assistant_stop")
            self._strike_at("connecting", "bridge", "conference_create")
        elif self.then == "silent":
            self._strike_at("stepping back", "ai_assistant_add_messages")
        self.asked_at = self.lab.clock.now()
        self.lab.request("POST", "/handover", self.plan)
        self.lab.run(self.ring_secs)
        self._reach("ringing")
        self._each(lambda leg: leg.state == "ringing", self._pick_up)
        self.lab.run(1)
        self._reach("verdict")
        self.wait(lambda: any(map(is_asked, self.legs)) or self._is_settled(), QUESTION_SECS)
        self._reach("brief")
        self._each(is_asked, self._accept)
        self._reach("accepted")
        self.wait(self._is_settled_or_accepts_again, QUESTION_SECS)
        self._reach("joined")
        self.wait(self._mode_holds, 60)
        self.lab.run(3)
        self._reach("away")
        self._take_back()
        self.lab.run(15)
        self.wait(self._is_clean, REPAIR_SECS)
        self.before_end = self.state()
        self._end()

    def _begin(self) -> None:
        """Let the caller call, and join the guests."""
        self.lab.ring_in(CALLER)
        assert self.lab.wait_until_active()
        guests = GUESTS[self.people]
        for nth, number in enumerate(guests):
            self.lab.request("POST", "/participants", {"to": number, "name": f"Guest {nth}"})
        joined = {f"Guest {nth}" for nth in range(len(guests))}
        assert self.wait(lambda: joined <= self._joined(), 20), "the guests were not joined"

    def _joined(self) -> set[str]:
        people = self.state().participants
        return {p.name or "" for p in people if p.status is ParticipantStatus.JOINED}

    def _strike_at(self, phase: str, *operations: str) -> None:
        if phase == self.phase:
            self.lab.io.watch("telnyx", operations, self._struck_at_command)

    def _struck_at_command(self) -> str | None:
        self.struck += 1
        self.is_at_command = True
        try:
            return self._strike(self)
        except Exception as error:
            self.lab.unexpected.append(f"the event failed: {error!r}")
            raise

    def _reach(self, phase: str) -> None:
        if phase == self.phase:
            self.struck += 1
            self._strike(self)

    def _take_back(self) -> None:
        if self.phase not in ("taking back", "rejoining"):
            return
        operation = "ai_assistant_start" if self.then == "away" else "ai_assistant_add_messages"
        self._strike_at("taking back", operation)
        self._strike_at("rejoining", "ai_assistant_join")
        self.lab.request("POST", "/assistant", {"mode": "speaking"})
        self.wait(lambda: self.state().mode == "speaking", 60)
        self.lab.run(3)

    def _end(self) -> None:
        """Let the caller hang up, and after some time the people who are still on the line."""
        caller, *others = self.lab.telnyx.legs
        self.lab.hang_up_leg(caller)
        if not self.over_by_request:
            self.wait(lambda: not self.lab.legs_up(), REPAIR_SECS)
        self.left_up = [] if self.over_by_request else self.lab.legs_up()
        for leg in others:
            self.lab.hang_up_leg(leg)
        self.lab.settle()

    # What the person does

    def _each(self, condition: Callable[[SimulatedLeg], bool], act: Any) -> None:
        if self.is_quiet:
            return
        chosen = self.legs if self.second_answers else self.legs[:1]
        for leg in [leg for leg in chosen if condition(leg)]:
            act(leg)

    def _pick_up(self, leg: SimulatedLeg) -> None:
        self.lab.telnyx.answer(leg.call_control_id)

    def _accept(self, leg: SimulatedLeg) -> None:
        self.lab.telnyx.press(leg.call_control_id, "1")

    # Observations

    @property
    def legs(self) -> list[SimulatedLeg]:
        """The calls to the person, oldest first."""
        return self.lab.legs_of(*self.numbers)

    @property
    def leg(self) -> SimulatedLeg:
        """The first call to the person."""
        return self.legs[0]

    def state(self) -> Conversation:
        """Return the stored conversation."""
        stored = self.lab.stored.load(self.lab.conversation_id)
        assert stored is not None
        return stored

    def participant(self) -> Participant | None:
        """Return the person to be reached as a participant."""
        return next((p for p in self.state().participants if p.name == NAME), None)

    def wait(self, true: Callable[[], bool], secs: float) -> bool:
        """Let time pass in small steps until a condition is true; returns whether it is."""
        deadline = self.lab.clock.now().timestamp() + secs
        while not true() and self.lab.clock.now().timestamp() < deadline:
            self.lab.run(STEP_SECS)
        return true()

    def _is_settled(self) -> bool:
        person = self.participant()
        return person is None or person.status in {*DEPARTED, ParticipantStatus.JOINED}

    def _is_settled_or_accepts_again(self) -> bool:
        """Let the person accept whenever the person is asked; returns whether the join is over."""
        self._each(is_asked, self._accept)
        return self._is_settled()

    def _mode_holds(self) -> bool:
        person = self.participant()
        state = self.state()
        gone = state.is_over or person is None or person.status is not ParticipantStatus.JOINED
        return gone or self.then in ("stay", state.mode)

    def _is_clean(self) -> bool:
        """Whether only the calls of people in the conversation are up."""
        state = self.state()
        if state.is_over:
            return self.over_by_request or not self.lab.legs_up()
        present = {
            number
            for person in state.participants
            if person.status not in DEPARTED
            for number in person.numbers
        }
        person = self.participant()
        reaching = person is not None and not self._is_settled()
        up = {leg.person_number for leg in self.lab.telnyx.legs if leg.state != "ended"}
        return up <= present and not reaching


def is_asked(leg: SimulatedLeg) -> bool:
    """Whether the person on a call hears, or has just heard, the question of the screening."""
    spoken = [notice for _, notice in leg.heard if notice.startswith("voice: ")]
    return leg.gather is not None and bool(spoken) and spoken[-1].endswith(QUESTION)
