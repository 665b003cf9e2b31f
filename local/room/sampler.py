"""Reads the simulator's state and puts its changes on the hub."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from local.room.hub import Hub
from local.simulator.model import LedgerEntry, SimulatedConversation, SimulatedLeg
from local.simulator.telnyx import Simulator

SAMPLE_SECS = 0.06

Json = dict[str, Any]


class Sampler:
    """Puts the simulator's changes on the hub at each `run`, then calls `after_sample`."""

    def __init__(self, simulator: Simulator, hub: Hub, after_sample: Callable[[], None]) -> None:
        self._simulator = simulator
        self._hub = hub
        self._after_sample = after_sample
        self._finished_legs: set[str] = set()
        self._sent_commands = 0
        self._sent_lost = 0

    def run(self) -> None:
        """Put a sample on the hub."""
        for kind, key, value in self.sample():
            self._hub.put(kind, key, value)
        self._after_sample()

    def sample(self) -> list[tuple[str, str, Json]]:
        """Return everything that may have changed, read in the same instant."""
        simulator = self._simulator
        facts: list[tuple[str, str, Json]] = []
        with simulator.lock:
            facts += [
                ("person", key, asdict(person)) for key, person in simulator.world.people.items()
            ]
            for leg in simulator.legs:
                if leg.call_control_id in self._finished_legs:
                    continue
                facts.append(("leg", leg.call_control_id, leg_view(leg)))
                # A leg that has ended does not change any more.
                if leg.state == "ended" and leg.conversation_id is None:
                    self._finished_legs.add(leg.call_control_id)
            new = simulator.ledger[self._sent_commands :]
            for number, entry in enumerate(new, self._sent_commands + 1):
                facts.append(("command", f"c{number:06d}", command_view(entry)))
            self._sent_commands += len(new)
            # After the commands, by which the page recognises messages that no person said.
            facts += [
                ("assistant", talk.conversation_id, assistant_view(talk))
                for talk in simulator.conversations
            ]
            lost = simulator.deliverer.dropped[self._sent_lost :]
            for number, event in enumerate(lost, self._sent_lost + 1):
                fact = {"at": event.data["occurred_at"], "body": {"data": event.data}}
                facts.append(("lost", f"x{number:06d}", fact))
            self._sent_lost += len(lost)
            wrong = {"violations": list(simulator.violations)}
            facts.append(("violations", "violations", wrong))
        return facts


def leg_view(leg: SimulatedLeg) -> Json:
    """Return a leg as its phone shows it."""
    return {
        **_fields(leg, "call_control_id", "direction", "to", "state", "hangup_cause"),
        **_fields(leg, "started_at", "answered_at", "ended_at"),
        "number": leg.person_number,
        "from": leg.from_,
        "heard": [{"at": at, "what": text} for at, text in leg.heard],
        "asked_for_digits": leg.gather is not None,
        "with_assistant": leg.conversation_id is not None,
    }


def assistant_view(conversation: SimulatedConversation) -> Json:
    """Return an assistant's conversation with its transcript."""
    names = ("status", "assistant_id", "starting_call", "started_at", "ended_at")
    messages = [asdict(message) for message in conversation.messages]
    return {**_fields(conversation, *names), "messages": messages}


def command_view(entry: LedgerEntry) -> Json:
    """Return a request to Telnyx with its answer."""
    return {
        **_fields(entry, "at", "action", "method", "path", "body", "status", "call_control_id"),
        **_fields(entry, "command_id", "duplicate", "lost", "fault", "unknown_fields"),
        "answer": entry.response,
    }


def _fields(source: object, *names: str) -> Json:
    return {name: getattr(source, name) for name in names}
