"""The simulator's webhooks have the fields of captured webhooks, and its code is independent."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from local.simulator.model import Person
from tests.support.simulator_harness import CALLER, FRIEND, US, SimulatorHarness

ROOT = Path(__file__).parents[2]
# The API description has these fields, the captures have not.
OPTIONAL = {
    "call.conversation.created": {"calling_party_type"},
    "call.conversation.ended": {"reason", "messages"},
}


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    """A webhook of each type."""
    harness = SimulatorHarness()
    caller = harness.telnyx.ring_in(CALLER, US)
    harness.command(caller, "answer")
    harness.started(caller)
    harness.telnyx.set_person(Person(FRIEND, digits="1"))
    for mode in ("detect", "premium"):
        friend = harness.dial(answering_machine_detection=mode)
        harness.clock.advance(2)
        harness.command(friend, "gather_using_speak", payload="Press 1", voice="female")
        harness.clock.advance(2)
    harness.telnyx.hang_up(caller.call_control_id)
    harness.clock.advance(10)
    # The first of a type is the caller's: the captures of call.initiated and answered are inbound.
    return {hook.type: hook.envelope for hook in reversed(harness.received)}


@pytest.mark.parametrize(
    "event_type",
    [
        "call.initiated",
        "call.answered",
        "call.hangup",
        "call.gather.ended",
        "call.machine.detection.ended",
        "call.machine.premium.detection.ended",
        "call.conversation.created",
        "call.conversation.ended",
        "call.conversation_insights.generated",
    ],
)
def test_webhooks_have_the_fields_of_captured_webhooks(
    sent: dict[str, Any], event_type: str
) -> None:
    captured = json.loads((ROOT / "events" / f"{event_type}.json").read_text(encoding="utf-8"))
    ours, theirs = sent[event_type], captured

    assert set(ours["meta"]) == set(theirs["meta"])
    assert set(ours["data"]) == set(theirs["data"])
    extra = OPTIONAL.get(event_type, set())
    assert set(ours["data"]["payload"]) | extra == set(theirs["data"]["payload"]) | extra


def test_the_simulator_imports_no_code_of_the_layer() -> None:
    imported = set()
    files = sorted((ROOT / "local" / "simulator").rglob("*.py"))
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])

    assert len(files) > 10
    assert "partyline" not in imported
    assert "nacl" in imported
