"""The webhooks of a call give the same outcome in any order, for each kind of leg.

Most calls of these tests are over at Telnyx before the first webhook comes, so every command is
answered with 90018, and the webhooks alone tell how the call came out. The other calls are up, and
the webhooks decide whether the person is joined.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
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
    CallScreeningDetected,
    DigitsGathered,
    GreetingEnded,
    MachineVerdict,
)
from partyline.domain.model.results import CallEnded, NotFound, Succeeded
from tests.support.domain_story import (
    FIRST,
    SECOND,
    T0,
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


def pressed(digits: str, status: str = "valid", of: Action | None = None) -> Any:
    """The end of a gather; our client_state names the command, if `of` is set."""
    return (DigitsGathered, {"digits": digits, "status": status, "prompt": of})


def speech(secs: float) -> Any:
    """A verdict of Telnyx at that time that a machine speaks."""
    at = T0 + timedelta(seconds=secs)
    return (MachineVerdict, {"machine": True, "by_speech": True, "occurred_at": at})


def tone(secs: float) -> Any:
    """The tone of an iPhone that screens the call, at that time."""
    return (CallScreeningDetected, {"occurred_at": T0 + timedelta(seconds=secs)})


def greeting(result: str) -> Any:
    """The end of a machine's greeting, or of a screening phone's prompt."""
    return (GreetingEnded, {"result": result, "occurred_at": T0 + timedelta(seconds=2)})


def hung_up(cause: str, sip: str | None = None) -> Any:
    return (CallHangup, {"cause": cause, "sip_cause": sip})


STANDARD = {"machine_detection": "standard"}
SCREENED = {"screening": SCREENING}
BOTH = STANDARD | SCREENED
PREMIUM = {"machine_detection": "premium"}  # with words to the person who waits for the verdict
WORDS = STANDARD | {"verdict_wait": {"secs": 6, "say": "Un moment."}}
SILENT = PREMIUM | {"verdict_wait": {"secs": 6}}
IPHONE = {"machine_detection": "premium_ios_call_screening"}
PIXEL = IPHONE | {"on_screen": {"say": "It is about an invoice."}}
JOIN = {"on_machine": "join"}
KEY = pressed("5", of=Action.HOLD)
TO_SCREEN = pressed("5", of=Action.IDENTIFY)
WORDS_END = pressed("", "timeout", Action.HOLD)
WORDS_CANCELLED = pressed("", "cancelled", Action.HOLD)
ACCEPTED = pressed("1", of=Action.SCREEN)
MISTAKE = pressed("2", of=Action.SCREEN)
SILENCE = pressed("", "timeout", Action.SCREEN)


def dana(settings: dict[str, Any], *webhooks: Any, outcome: str) -> Kind:
    """The kind of a guest's answered call; the outcome of a person who leaves is `no_answer`.

    The other webhooks prove the answer, so a long kind goes without `call.answered`.
    """
    answered = [ANSWERED] if len(webhooks) < 3 else []
    failed = "no_answer" if outcome == "human" else outcome
    return ("dana", settings, [*answered, *webhooks, HUNG_UP], outcome, failed)


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
    ("dana", {}, [INITIATED, hung_up("call_rejected", "603")], "rejected", "rejected"),
    ("dana", {}, [INITIATED, hung_up("call_rejected", "486")], "busy", "busy"),
    ("dana", {}, [INITIATED, hung_up("not_found", "404")], "unreachable", "unreachable"),
    ("dana", {}, [INITIATED, ANSWERED, hung_up("user_busy", "486")], "human", "no_answer"),
    # Words to a person who waits for the verdict
    dana(WORDS, KEY, outcome="human"),
    dana(WORDS, pressed("5"), outcome="human"),
    dana(WORDS, pressed("", of=Action.HOLD), outcome="human"),
    dana(WORDS, WORDS_END, outcome="human"),
    dana(WORDS, pressed("", "timeout"), outcome="human"),
    dana(WORDS, WORDS_CANCELLED, outcome="declined"),
    dana(WORDS, pressed("", "cancelled_amd"), MACHINE, outcome="machine"),
    dana(WORDS, pressed("", "call_hangup", Action.HOLD), outcome="declined"),
    dana(WORDS, KEY, MACHINE, outcome="machine"),
    dana(PREMIUM, WORDS_CANCELLED, HUMAN, outcome="human"),
    dana(PREMIUM, speech(1), outcome="machine"),
    dana(PREMIUM | JOIN, KEY, MACHINE, outcome="machine"),
    dana(PREMIUM | SCREENED, KEY, outcome="declined"),
    dana(PREMIUM | SCREENED, pressed("1", of=Action.HOLD), HUMAN, outcome="declined"),
    dana(PREMIUM | SCREENED, pressed("1"), outcome="human"),
    dana(PREMIUM | SCREENED, WORDS_END, ACCEPTED, outcome="human"),
    dana(PREMIUM | SCREENED, KEY, ACCEPTED, outcome="human"),
    dana(PREMIUM | SCREENED, KEY, SILENCE, outcome="no_answer"),
    dana(PREMIUM | SCREENED, KEY, MISTAKE, outcome="declined"),
    dana(PREMIUM | SCREENED, HUMAN, WORDS_CANCELLED, ACCEPTED, outcome="human"),
    dana(PREMIUM | SCREENED, HUMAN, WORDS_CANCELLED, SILENCE, outcome="no_answer"),
    dana(PREMIUM | SCREENED, pressed("", "timeout"), HUMAN, outcome="declined"),
    dana(PREMIUM | SCREENED, WORDS_END, ACCEPTED, MACHINE, outcome="machine"),
    dana(SILENT, HUMAN, outcome="human"),
    dana(SILENT | SCREENED, HUMAN, ACCEPTED, outcome="human"),
    dana(SILENT | SCREENED, HUMAN, MISTAKE, SILENCE, outcome="declined"),
    dana(BOTH, pressed("1"), outcome="human"),
    dana(BOTH, HUMAN, pressed("", "cancelled_amd"), outcome="declined"),
    # An iPhone that may screen the call
    dana(IPHONE, speech(1), outcome="machine"),
    dana(IPHONE, tone(2), outcome="screened"),
    dana(IPHONE, speech(1), tone(2), outcome="screened"),
    dana(IPHONE, speech(1), tone(2), HUMAN, outcome="human"),
    dana(IPHONE, speech(1), tone(2), speech(3), outcome="screened"),
    dana(IPHONE, speech(3), tone(2), HUMAN, outcome="screened"),
    dana(IPHONE, speech(1), HUMAN, outcome="human"),
    dana(IPHONE, speech(1), MACHINE, outcome="machine"),
    dana(IPHONE | JOIN, speech(1), tone(2), speech(3), outcome="screened"),
    dana(IPHONE | SCREENED, speech(1), tone(2), pressed("1"), outcome="human"),
    dana(IPHONE | SCREENED, tone(2), speech(3), outcome="screened"),
    dana(IPHONE, speech(1), greeting("prompt_ended"), outcome="machine"),
    dana(IPHONE, speech(1), greeting("not_sure"), outcome="machine"),
    # A screening phone without a tone, of a plan with words for such phones
    dana(PIXEL, speech(1), greeting("prompt_ended"), outcome="screened"),
    dana(PIXEL, speech(1), greeting("prompt_ended"), HUMAN, outcome="human"),
    dana(PIXEL, speech(1), greeting("prompt_ended"), TO_SCREEN, outcome="human"),
    dana(PIXEL, speech(1), greeting("beep_detected"), outcome="machine"),
    dana(PIXEL | SCREENED, speech(1), tone(2), TO_SCREEN, ACCEPTED, outcome="human"),
    ("host", PREMIUM, [ANSWERED, KEY, HUNG_UP], "human", "no_answer"),
    ("host", PREMIUM, [ANSWERED, WORDS_END, MACHINE, HUNG_UP], "machine", "machine"),
    ("host", IPHONE, [ANSWERED, speech(1), HUNG_UP], "machine", "machine"),
    ("host", IPHONE, [ANSWERED, tone(2), speech(3), HUNG_UP], "screened", "screened"),
    ("host", IPHONE, [ANSWERED, speech(1), tone(2), HUMAN, HUNG_UP], "human", "no_answer"),
]

LIVE: list[Kind] = [
    # who, plan, webhooks, outcome of the leg, status of the participant
    ("dana", BOTH, [ANSWERED, HUMAN, pressed("1")], "human", "joined"),
    ("dana", BOTH, [ANSWERED, pressed("1")], "human", "joined"),
    ("dana", WORDS, [ANSWERED, KEY], "human", "joined"),
    ("dana", WORDS, [ANSWERED, WORDS_END], "human", "joined"),
    ("dana", WORDS, [ANSWERED, WORDS_CANCELLED, HUMAN], "human", "joined"),
    ("dana", PREMIUM | SCREENED, [ANSWERED, KEY, ACCEPTED], "human", "joined"),
    ("dana", PREMIUM | SCREENED, [ANSWERED, HUMAN, WORDS_CANCELLED, ACCEPTED], "human", "joined"),
    ("dana", PREMIUM | SCREENED, [ANSWERED, WORDS_END, SILENCE], "no_answer", "failed"),
    ("dana", PREMIUM | SCREENED, [ANSWERED, HUMAN, MISTAKE, ACCEPTED], "human", "joined"),
    ("dana", IPHONE, [ANSWERED, speech(1), tone(2), speech(3)], "screened", "failed"),
    ("dana", IPHONE, [ANSWERED, speech(1), tone(2), HUMAN], "human", "joined"),
    ("dana", IPHONE | JOIN, [ANSWERED, tone(2), speech(3)], "screened", "joined"),
    ("dana", IPHONE | SCREENED, [ANSWERED, tone(2), HUMAN, pressed("1")], "human", "joined"),
    ("host", IPHONE, [ANSWERED, speech(1), tone(2), HUMAN], "human", "joined"),
]

SHORT = [
    kind
    for kind in KINDS
    if kind[0] == "dana" and len(kind[2]) < (5 if INITIATED in kind[2] else 4)
]


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


def deliver(story: Story, person: str, webhook: Any) -> None:
    type_, fields = webhook
    call = replace(call_ref(person), prompt=fields.get("prompt"))
    fields = {name: value for name, value in fields.items() if name != "prompt"}
    story.receive(type_(id="", call=call, **fields))


def endings(kind: Kind, numbers: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    who, settings, webhooks, _, _ = kind
    person = "host" if who == "caller" else who
    for nth, order in enumerate(permutations(webhooks)):
        # The answer to the dial comes first or last; of many orders, in turns.
        for dial_first in (True, False) if len(webhooks) < 4 else (nth % 2 == 0,):
            story = begin(who, numbers, settings)
            answer_commands(story, person, dial_first=dial_first)
            for webhook in order:
                deliver(story, person, webhook)
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


@pytest.mark.sampled
@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind[0]}-{nth}" for nth, kind in enumerate(KINDS)])
def test_the_webhooks_of_a_call_give_the_same_outcome_in_any_order(kind: Kind) -> None:
    different = list(map(list, endings(kind, [FIRST])))

    assert [ending for ending in different if ending != different[0]] == []
    assert different[0][:3] == [kind[3], "failed", kind[4]]


@pytest.mark.sampled
@pytest.mark.parametrize("kind", SHORT)
def test_the_next_number_is_dialled_in_any_order(kind: Kind) -> None:
    different = list(endings(kind, [FIRST, SECOND]))

    assert {ending[0] for ending in different} == {kind[3]}
    assert {ending[1] for ending in different} == {"dialing"}
    assert all(ending[5] == [FIRST, SECOND] for ending in different)


@pytest.mark.sampled
@pytest.mark.parametrize("kind", LIVE, ids=[f"live-{nth}" for nth, _ in enumerate(LIVE)])
def test_the_webhooks_of_a_live_call_join_the_same_people_in_any_order(kind: Kind) -> None:
    person, settings, webhooks, outcome, status = kind
    for order in permutations(webhooks):
        story = begin(person, [FIRST], settings)
        for webhook in (None, *order):
            if webhook:
                deliver(story, person, webhook)
            while pending := [c for c in story.state.commands.values() if c.is_pending]:
                story.result(pending[0].key, success(pending[0].key))
        assert (story.leg(person).outcome, story.participant(person).status) == (outcome, status)


@pytest.mark.sampled
@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind[0]}-{nth}" for nth, kind in enumerate(KINDS)])
def test_a_duplicate_of_a_webhook_changes_no_outcome(kind: Kind) -> None:
    """The dedupe record keeps out a duplicate of the keys, whose number counts."""
    who, settings, webhooks, outcome, failed = kind
    person = "host" if who == "caller" else who
    twice = [webhook for webhook in webhooks if webhook[0] is not DigitsGathered]
    story = begin(who, [FIRST], settings)
    for webhook in (*webhooks, *twice):
        answer_commands(story, person, dial_first=True)
        deliver(story, person, webhook)
    answer_commands(story, person, dial_first=True)
    assert (story.leg(person).outcome, story.participant(person).outcome) == (outcome, failed)


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
