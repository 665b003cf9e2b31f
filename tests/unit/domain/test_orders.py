"""The webhooks of a call give the same outcome in any order, for each kind of leg.

The calls of these tests are over at Telnyx before the first webhook comes, so every command is
answered with 90018, and the webhooks alone tell how the call came out.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from partyline.domain.model.commands import Action
from partyline.domain.model.inputs import (
    CallAnswered,
    CallHangup,
    CallInitiated,
    CallInput,
    DigitsGathered,
    MachineVerdict,
)
from partyline.domain.model.results import CallEnded, NotFound, Succeeded
from tests.support.domain_story import (
    FIRST,
    SECOND,
    Story,
    active_story,
    call_ref,
    guest,
    plan,
    success,
)

SCREENING = {"say": "Press 1."}
Kind = tuple[str, dict[str, Any], list[tuple[type[CallInput], dict[str, Any]]], str, str]

INITIATED = (CallInitiated, {"conversation_id": "conversation-1", "incoming": False})
ANSWERED: Any = (CallAnswered, {})
HUNG_UP: Any = (CallHangup, {"cause": "normal_clearing"})
HUMAN: Any = (MachineVerdict, {"machine": False})
MACHINE: Any = (MachineVerdict, {"machine": True})


def pressed(digits: str, status: str = "valid") -> Any:
    return (DigitsGathered, {"digits": digits, "status": status})


def hung_up(cause: str, sip: str | None = None) -> Any:
    return (CallHangup, {"cause": cause, "sip_cause": sip})


STANDARD = {"machine_detection": "standard"}
SCREENED = {"screening": SCREENING}
BOTH = STANDARD | SCREENED

KINDS: list[Kind] = [
    # who, plan, webhooks, outcome of the leg, outcome of the participant
    ("dana", {}, [INITIATED, ANSWERED, HUNG_UP], "human", "no_answer"),
    ("dana", {}, [INITIATED, hung_up("user_busy", "486")], "busy", "busy"),
    ("dana", {}, [INITIATED, hung_up("normal_clearing", "503")], "unreachable", "unreachable"),
    ("dana", SCREENED, [INITIATED, ANSWERED, HUNG_UP], "declined", "declined"),
    ("dana", SCREENED, [INITIATED, ANSWERED, pressed("1"), HUNG_UP], "human", "no_answer"),
    (
        "dana",
        SCREENED,
        [INITIATED, ANSWERED, pressed("", "call_hangup"), HUNG_UP],
        "declined",
        "declined",
    ),
    (
        "dana",
        SCREENED,
        [INITIATED, ANSWERED, pressed("", "timeout"), HUNG_UP],
        "no_answer",
        "no_answer",
    ),
    (
        "dana",
        SCREENED,
        [INITIATED, ANSWERED, pressed("2"), pressed("3"), HUNG_UP],
        "declined",
        "declined",
    ),
    (
        "dana",
        SCREENED,
        [INITIATED, ANSWERED, pressed("2"), pressed("1"), HUNG_UP],
        "human",
        "no_answer",
    ),
    (
        "dana",
        SCREENED,
        [INITIATED, ANSWERED, pressed("2"), pressed("", "timeout"), HUNG_UP],
        "declined",
        "declined",
    ),
    ("dana", STANDARD, [INITIATED, ANSWERED, HUNG_UP], "declined", "declined"),
    ("dana", STANDARD, [INITIATED, ANSWERED, HUMAN, HUNG_UP], "human", "no_answer"),
    ("dana", STANDARD, [INITIATED, ANSWERED, MACHINE, HUNG_UP], "machine", "machine"),
    ("dana", STANDARD, [INITIATED, ANSWERED, HUMAN, MACHINE, HUNG_UP], "machine", "machine"),
    ("dana", BOTH, [INITIATED, ANSWERED, HUMAN, HUNG_UP], "declined", "declined"),
    ("dana", BOTH, [INITIATED, ANSWERED, HUMAN, pressed("1"), HUNG_UP], "human", "no_answer"),
    ("dana", BOTH, [INITIATED, ANSWERED, MACHINE, HUNG_UP], "machine", "machine"),
    ("host", {}, [INITIATED, ANSWERED, HUNG_UP], "human", "no_answer"),
    ("host", {}, [INITIATED, hung_up("timeout", "487")], "no_answer", "no_answer"),
    ("host", STANDARD, [INITIATED, ANSWERED, MACHINE, HUNG_UP], "machine", "machine"),
    ("host", STANDARD, [INITIATED, ANSWERED, HUMAN, HUNG_UP], "human", "no_answer"),
    ("caller", {}, [hung_up("originator_cancel", "487")], "cancelled", "cancelled"),
    ("caller", {}, [ANSWERED, HUNG_UP], "human", "no_answer"),
]


SHORT = [kind for kind in KINDS if kind[0] == "dana" and len(kind[2]) < 5]


def begin(who: str, numbers: Sequence[str], settings: dict[str, Any]) -> Story:
    """Return a story before the webhooks of the leg."""
    if who == "dana":
        story = active_story()
        story.invite(guest(to=plan(*numbers, **settings)))
        return story
    story = Story()
    if who == "host":
        story.start(to=plan(FIRST, **settings))
    else:
        story.inbound_call()
    return story


def answer_commands(story: Story, who: str, *, dial_first: bool) -> None:
    """Answer every command: the dial with its ids, the others with 90018."""
    while pending := [c for c in story.state.commands.values() if c.is_pending]:
        command = pending[0]
        if command.action is Action.DIAL and (command.participant_id, command.leg) == (who, 1):
            if not dial_first:
                return
            story.result(command.key, success(command.key))
        elif command.action is Action.DIAL:
            story.result(command.key, Succeeded(call_control_id="v3:other"))
        elif command.action is Action.MESSAGE:
            story.result(command.key, Succeeded())
        elif command.participant_id == who:
            story.result(command.key, CallEnded(code="90018"))
        elif command.reconcile:
            story.result(command.key, NotFound())
        else:
            story.result(command.key, Succeeded())


def endings(kind: Kind, numbers: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    who, settings, webhooks, _, _ = kind
    person = "host" if who == "caller" else who
    for nth, order in enumerate(permutations(webhooks)):
        # The answer to the dial comes first or last; of many orders, in turns.
        for dial_first in (True, False) if len(webhooks) < 4 else (nth % 2 == 0,):
            story = begin(who, numbers, settings)
            answer_commands(story, person, dial_first=dial_first)
            for type_, fields in order:
                story.receive(type_(id="", call=call_ref(person), **fields))
                answer_commands(story, person, dial_first=dial_first)
            answer_commands(story, person, dial_first=True)
            story.now += timedelta(seconds=1)
            failure = story.state.failure
            participant = story.participant(person)
            yield (
                story.leg(person).outcome,
                participant.status,
                participant.outcome,
                story.status,
                failure and failure.code,
                [leg.to for leg in participant.legs],
            )


@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind[0]}-{nth}" for nth, kind in enumerate(KINDS)])
def test_the_webhooks_of_a_call_give_the_same_outcome_in_any_order(kind: Kind) -> None:
    different = list(map(list, endings(kind, [FIRST])))

    assert [ending for ending in different if ending != different[0]] == []
    assert different[0][:3] == [kind[3], "failed", kind[4]]


@pytest.mark.parametrize("kind", SHORT)
def test_the_next_number_is_dialled_in_any_order(kind: Kind) -> None:
    different = list(endings(kind, [FIRST, SECOND]))

    assert {ending[0] for ending in different} == {kind[3]}
    assert {ending[1] for ending in different} <= {"dialing", "screening"}
    assert all(ending[5] == [FIRST, SECOND] for ending in different)


def test_the_assistant_hears_the_corrected_outcome() -> None:
    story = active_story()
    story.invite(guest(to=plan(FIRST, **SCREENED)))
    story.succeed("dial:dana:1")
    story.hang_up("dana")
    story.succeed("message:host:1:1")
    story.answer("dana")

    assert story.messages == [
        "“Dana” did not answer the call.",
        "“Dana” was reached but declined to join the conversation.",
    ]
    assert [e.data["outcome"] for e in story.events if e.type == "leg.corrected"] == ["declined"]
