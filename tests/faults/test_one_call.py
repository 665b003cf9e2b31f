"""A live call that is given to two conversations at the same time has one assistant."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import pytest

from local.simulator.model import SimulatedLeg
from partyline.store import ConversationStore
from tests.faults.lab import FaultLab
from tests.support.interleaving import Interleaving
from tests.support.lab import Answer
from tests.support.people import CALLER, DANA, HOST, KIM, LEE, OUR_NUMBER

ORDERS = 12

Requests = list[tuple[str, dict[str, Any]]]


def two_invitations(lab: FaultLab, call: dict[str, str]) -> Requests:
    conversation_ids = [begun(lab, HOST), begun(lab, LEE)]
    return [
        (f"/conversations/{conversation_id}/participants", call)
        for conversation_id in conversation_ids
    ]


def an_invitation_and_a_start(lab: FaultLab, call: dict[str, str]) -> Requests:
    invitation = f"/conversations/{begun(lab, HOST)}/participants"
    return [(invitation, call), ("/conversations", call)]


def two_starts_with_the_call_as_a_guest(_lab: FaultLab, call: dict[str, str]) -> Requests:
    return [("/conversations", {"to": to, "participants": [call]}) for to in (DANA, KIM)]


def two_starts_on_the_call(_lab: FaultLab, call: dict[str, str]) -> Requests:
    return [("/conversations", call), ("/conversations", {**call, "name": "Other"})]


def begun(lab: FaultLab, to: str) -> str:
    lab.start_conversation(to=to)
    assert lab.wait_until_active()
    return lab.conversation_id


@pytest.mark.parametrize(
    "requests",
    [
        two_invitations,
        an_invitation_and_a_start,
        two_starts_with_the_call_as_a_guest,
        two_starts_on_the_call,
    ],
)
def test_of_two_requests_for_one_call_at_once_one_is_refused(
    requests: Callable[[FaultLab, dict[str, str]], Requests], monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicts: list[object] = []
    resolve = ConversationStore._without_held

    def noted(store: ConversationStore, *pointers: Any) -> Any:
        conflicts.append(pointers)
        return resolve(store, *pointers)

    monkeypatch.setattr(ConversationStore, "_without_held", noted)
    for seed in range(ORDERS):
        lab = FaultLab()
        leg = lab.telnyx.outside_call(CALLER, OUR_NUMBER)
        answers = at_once(lab, requests(lab, {"call_control_id": leg.call_control_id}), seed)
        taken, refused = sorted(answers, key=lambda answer: answer.status)
        assert taken.status in (201, 202), seed
        assert (refused.status, refused.json["error"]["code"]) == (409, "call_in_use"), seed
        lab.run(60)
        assert assistants_on(lab, leg) == 1, seed
        assert lab.telnyx.violations == [], seed
    assert conflicts, "the requests never met, so the test proves nothing"


def at_once(lab: FaultLab, requests: Requests, seed: int) -> Sequence[Answer]:
    """Make requests at the same time, in an order that the seed decides."""
    turns = Interleaving(Random(seed))
    lab.io.take_turns = turns.take_turns
    # Time stands still: a timer that fell due would run in one of the threads.
    sleep, lab.app.engine._sleep = lab.app.engine._sleep, lambda _secs: None
    works = [
        partial(lab.ask, "POST", path, body, idempotency_key=f"key-{nth}")
        for nth, (path, body) in enumerate(requests)
    ]
    answers: Sequence[Answer] = turns.run(works)
    lab.app.engine._sleep = sleep
    lab.io.take_turns = lambda: None
    return answers


def assistants_on(lab: FaultLab, leg: SimulatedLeg) -> int:
    """How many conversations of Telnyx have the call, begun on it or joined by it."""
    return sum(
        leg.call_control_id
        in (talk.starting_call, *(person.call_control_id for person in talk.participants))
        for talk in lab.telnyx.conversations
    )
