"""Judge a cell: one outcome, no silence, no call left up, no second dial, no leaked brief."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from partyline.domain.model.events import EventType
from tests.faults.invariants import violations_of
from tests.handover.cells import Cell
from tests.handover.phases import BRIEF, Stage


@dataclass(frozen=True)
class Result:
    """The result of a cell: the outcomes of the handover, and the violated rules."""

    cell: Cell
    outcomes: tuple[str, ...]
    violations: Sequence[str]
    longest_silence_secs: float = 0.0


def judge(cell: Cell) -> Result:
    """Play a cell, and return the violated rules."""
    random.seed(str(cell))  # the pauses after conflicts are random
    stage = cell.stage()
    try:
        stage.play()
    except Exception as error:  # noqa: BLE001 - any error is a finding of this cell
        return Result(cell, (), [f"{type(error).__name__}: {error}"])
    outcomes = tuple(outcomes_of(stage))
    longest = max(stage.lab.meter.longest.values(), default=0.0)
    return Result(cell, outcomes, [*_violations(cell, stage, outcomes)], longest)


def outcomes_of(stage: Stage) -> Iterator[str]:
    """Return the outcome of each end of a handover."""
    for event in stage.lab.stored.timeline(stage.lab.conversation_id).items:
        if event.type == EventType.HANDOVER_ENDED:
            yield str(event.data["outcome"])


def _violations(cell: Cell, stage: Stage, outcomes: tuple[str, ...]) -> Iterator[str]:
    if stage.struck != 1:
        yield f"the event struck {stage.struck} times"
    yield from stage.lab.unexpected
    yield from (f"a request was refused: {code}" for code in stage.lab.refused)
    yield from violations_of(stage.lab)
    if len(outcomes) != 1 or not cell.outcomes >= set(outcomes):
        found, right = " and ".join(outcomes), " or ".join(sorted(cell.outcomes))
        yield f"the outcome is {found or 'missing'}, not {right}"
    yield from _mode(cell, stage)
    yield from _silences(stage, cell.row.silence_secs)
    yield from _calls(stage)
    yield from _leaks(stage)


def _mode(cell: Cell, stage: Stage) -> Iterator[str]:
    """Report a mode that does not hold while the person is on the line, unless an event says so."""
    state, person = stage.before_end, stage.participant()
    if state.is_over or person is None or person.id not in [p.id for p, _ in state.present]:
        return
    events = stage.lab.stored.timeline(stage.lab.conversation_id).items
    if any(event.type == EventType.ASSISTANT_MODE_FAILED for event in events):
        return
    came_back = cell.then == "stay" or cell.phase in ("taking back", "rejoining")
    wanted = "speaking" if came_back else cell.then
    if (state.mode, state.wanted_mode) != (wanted, wanted):
        yield f"the assistant is {state.mode} and asked to be {state.wanted_mode}, not {wanted}"


def _silences(stage: Stage, longest_secs: float) -> Iterator[str]:
    for number, secs in stage.lab.meter.longest.items():
        if secs > longest_secs:
            yield f"{secs:.0f} s of silence for {number[-4:]}"


def _calls(stage: Stage) -> Iterator[str]:
    dialled = Counter(leg.to for leg in stage.lab.telnyx.legs if leg.direction == "outgoing")
    yield from (f"{to[-4:]} was dialled {n} times" for to, n in dialled.items() if n > 1)
    yield from (f"the call of {name} was left up" for name in stage.left_up)
    joined = Counter(
        participant.call_control_id
        for conversation in stage.lab.telnyx.conversations
        for participant in conversation.participants
        if stage.then != "away"
    )
    yield from (f"joined {n} times" for n in joined.values() if n > 1)


def _leaks(stage: Stage) -> Iterator[str]:
    """Report the places in which the brief stands, and in which the brief must not stand."""
    lab = stage.lab
    own = {leg.call_control_id for leg in stage.legs}
    for entry in lab.telnyx.ledger:
        if entry.call_control_id not in own and BRIEF in json.dumps(entry.body or {}):
            yield f"the brief is in a request for {entry.action}"
    for leg in lab.telnyx.legs:
        if leg.call_control_id not in own and any(BRIEF in notice for _, notice in leg.heard):
            yield f"{leg.person_number[-4:]} heard the brief"
    if any(BRIEF in message.content for c in lab.telnyx.conversations for message in c.messages):
        yield "the assistant knows the brief"
    for event in lab.stored.timeline(lab.conversation_id).items:
        if BRIEF in json.dumps(event.data):
            yield f"the brief is in the event {event.type}"
