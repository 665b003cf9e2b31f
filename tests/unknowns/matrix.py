"""The matrix: every story under combinations of answers, under several conditions of the line."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from local.simulator.delivery import DeliverySettings
from local.simulator.unknowns import PLAYED
from partyline.domain.model.timeouts import MAX_CALL_SECS
from tests.faults.invariants import Ending, ending_of, violations_of
from tests.faults.lab import FaultLab
from tests.faults.points import FaultInjector, Place
from tests.faults.stories import STORIES, Story
from tests.unknowns.demo_calls import DEMO_CALLS
from tests.unknowns.more_stories import MORE_STORIES
from tests.unknowns.pairwise import Row, pairwise

PLAYS: Mapping[str, Story] = {story.name: story for story in (*STORIES, *DEMO_CALLS, *MORE_STORIES)}
ANSWERS = {name: [answer.id for answer in unknown.answers] for name, unknown in PLAYED.items()}
ASSUMED = {name: unknown.assumed for name, unknown in PLAYED.items()}
COMMANDS = frozenset(
    {"dial", "answer", "hangup", "gather_using_speak", "speak", "playback_start", "playback_stop"}
    | {f"ai_assistant_{name}" for name in ("start", "join", "stop", "add_messages")}
    | {"bridge", *(f"conference_{name}" for name in ("create", "join", "leave"))}
)


class _LosingInjector(FaultInjector):
    """Loses the response to every other request of each command."""

    def __init__(self, lab: FaultLab) -> None:
        super().__init__(lab.clock)
        self._counts: dict[str, int] = {}

    def reach(self, place: Place, operation: str) -> str | None:
        """Return the fault of a request to the outside."""
        fault = super().reach(place, operation)
        if place != "telnyx" or operation not in COMMANDS or self._observers:
            return fault
        self._counts[operation] = self._counts.get(operation, 0) + 1
        return "times out" if self._counts[operation] % 2 else fault


def _lose_responses(lab: FaultLab) -> None:
    lab.io = lab.faulty._io = lab.faulty_queue._io = _LosingInjector(lab)
    lab.new_process()


def _deliver(**settings: Any) -> Callable[[FaultLab], None]:
    def spoil(lab: FaultLab) -> None:
        lab.telnyx.deliverer.settings["*"] = DeliverySettings(**settings)

    return spoil


CONDITIONS: Mapping[str, Callable[[FaultLab], None]] = {
    "calm": lambda _lab: None,
    "lost responses": _lose_responses,
    "doubled webhooks": _deliver(delay_secs=(0.0, 1.5), duplicates=1),
    "lost webhooks": _deliver(drop=0.3),
}
"""What goes wrong on the line: the answers about repetitions matter only then."""


@dataclass(frozen=True)
class Run:
    """A story under answers (those that are not the assumed answers) and a condition."""

    story: str
    condition: str
    answers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        answers = " ".join(f"{name}={answer}" for name, answer in self.answers)
        return f"{self.story}, {self.condition}: {answers or 'the assumed answers'}"


@dataclass(frozen=True)
class Result:
    """The result of a run: violated rules, failures in the timeline, and a trace of Telnyx."""

    run: Run
    violations: tuple[str, ...]
    failures: tuple[str, ...]
    trace: str
    ending: Ending | None = None


def changes(answers: Row) -> tuple[tuple[str, str], ...]:
    """Return the answers of a combination that are not assumed."""
    return tuple(sorted(item for item in answers.items() if ASSUMED[item[0]] != item[1]))


UNREAD = ("body-version", "1")
"""The answer under which Partyline reads no webhook, so that people's keys and answers are lost."""


@cache
def combinations() -> list[Row]:
    """Return combinations of answers with every pair of answers.

    The pairs with `UNREAD` have combinations of their own, so that the other pairs are judged by
    all the rules.
    """
    name, unread = UNREAD
    rows = pairwise({**ANSWERS, name: [ASSUMED[name]]})
    most = max(len(answers) for answers in ANSWERS.values())
    return rows + [
        {**{other: answers[nth % len(answers)] for other, answers in ANSWERS.items()}, name: unread}
        for nth in range(most)
    ]


def single_runs() -> Iterator[Run]:
    """Every story under each answer, while the other answers are the assumed answers."""
    for name, answers in ANSWERS.items():
        for answer in answers:
            if answer != ASSUMED[name]:
                yield from (Run(story, "calm", ((name, answer),)) for story in PLAYS)


def paired_runs() -> Iterator[Run]:
    """Every story under all pairs of answers, in each condition."""
    for row in combinations():
        for condition in CONDITIONS:
            yield from (Run(story, condition, changes(row)) for story in PLAYS)


def play(run: Run) -> Result:
    """Run a story and collect the violated invariants."""
    random.seed(str(run))
    story = PLAYS[run.story]
    lab = story.new_lab(answers=dict(run.answers))
    lab.telnyx.reseed(int.from_bytes(sha256(str(run).encode()).digest()[:4]))
    CONDITIONS[run.condition](lab)
    try:
        story.play(lab)
        lab.settle()
        if _may_lose_calls(run) and lab.legs_up():
            lab.run(MAX_CALL_SECS)  # the calls end at the time limit that Partyline has set
    except Exception as error:  # noqa: BLE001 - any error is a finding of this run
        return Result(run, (f"{type(error).__name__}: {error}",), (), "")
    if not lab.has_conversation():
        stranded = tuple(f"up without a conversation: {name}" for name in lab.legs_up())
        return Result(run, stranded, ("there is no conversation",), _trace(lab))
    ending = ending_of(lab, story.interchangeable)
    return Result(run, tuple(violations_of(lab)), tuple(lab.unexpected), _trace(lab), ending)


def _may_lose_calls(run: Run) -> bool:
    """Whether Partyline may not know the new id of a call: no webhook and no list told the id."""
    answers = dict(run.answers)
    changed = {"ids-after-answer", "active-client-state"} <= answers.keys()
    return UNREAD in run.answers or (changed and run.condition == "lost webhooks")


def _trace(lab: FaultLab) -> str:
    """Return a digest of all that Telnyx has received and sent, without the random ids."""
    requests = [f"{e.action} {e.status} {e.body} {e.response}" for e in lab.telnyx.ledger]
    webhooks = [f"{d.attempt} {d.body.decode()}" for d in lab.telnyx.deliverer.attempts]
    return sha256("\n".join([*requests, *webhooks]).encode()).hexdigest()
