"""The simulator's books, read over and over: people, legs, transcripts, commands, lost webhooks."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from local.room.hub import Hub
from local.room.observers import parse_body
from local.simulator.model import LedgerEntry, SimulatedConversation, SimulatedLeg
from local.simulator.telnyx import Simulator

EVERY_SECS = 0.06

Json = dict[str, Any]


class Sampler:
    """Tells the hub what is new in the simulator, from a thread of its own."""

    def __init__(self, simulator: Simulator, hub: Hub, also: Callable[[], None]) -> None:
        """Start reading; `also` is called each time, for what else may be new."""
        self._simulator = simulator
        self._hub = hub
        self._after_sample = also
        self._closed = threading.Event()
        self._told_legs: set[str] = set()
        self._told_commands = 0
        self._told_lost = 0
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading, and wait until the thread is done."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(EVERY_SECS):
            for kind, key, value in self.sample():
                self._hub.put(kind, key, value)
            self._after_sample()

    def sample(self) -> list[tuple[str, str, Json]]:
        """All that may be new, read at one moment."""
        simulator = self._simulator
        found: list[tuple[str, str, Json]] = []
        with simulator.lock:
            found += [("person", key, asdict(each)) for key, each in simulator.world.people.items()]
            for leg in simulator.legs:
                if leg.call_control_id in self._told_legs:
                    continue
                found.append(("leg", leg.call_control_id, leg_view(leg)))
                # What is over does not change any more.
                if leg.state == "ended" and leg.conversation_id is None:
                    self._told_legs.add(leg.call_control_id)
            new = simulator.ledger[self._told_commands :]
            for number, entry in enumerate(new, self._told_commands + 1):
                found.append(("command", f"c{number:06d}", command_view(entry)))
            self._told_commands += len(new)
            # After the commands: by them the page knows what nobody said.
            found += [
                ("assistant", each.conversation_id, assistant_view(each))
                for each in simulator.conversations
            ]
            lost = simulator.deliverer.dropped[self._told_lost :]
            for number, event in enumerate(lost, self._told_lost + 1):
                fact = {"at": event.data["occurred_at"], "body": {"data": event.data}}
                found.append(("lost", f"x{number:06d}", fact))
            self._told_lost += len(lost)
            wrong = {"violations": list(simulator.violations)}
            found.append(("violations", "violations", wrong))
        return found


def leg_view(leg: SimulatedLeg) -> Json:
    """A leg as the person on it has it in hand."""
    return {
        "call_control_id": leg.call_control_id,
        "number": leg.person_number,
        "direction": leg.direction,
        "from": leg.from_,
        "to": leg.to,
        "state": leg.state,
        "started_at": leg.started_at,
        "answered_at": leg.answered_at,
        "ended_at": leg.ended_at,
        "hangup_cause": leg.hangup_cause,
        "heard": [{"at": at, "what": what} for at, what in leg.heard],
        "asked_for_digits": leg.gather is not None,
        "with_assistant": leg.conversation_id is not None,
    }


def assistant_view(conversation: SimulatedConversation) -> Json:
    """An assistant's conversation with its transcript."""
    return {
        "status": conversation.status,
        "assistant_id": conversation.assistant_id,
        "starting_call": conversation.starting_call,
        "started_at": conversation.started_at,
        "ended_at": conversation.ended_at,
        "messages": [asdict(each) for each in conversation.messages],
    }


def command_view(entry: LedgerEntry) -> Json:
    """A request to Telnyx as it came and was answered."""
    return {
        "at": entry.at,
        "action": entry.action,
        "method": entry.method,
        "path": entry.path,
        "body": entry.body,
        "status": entry.status,
        "answer": _answer(entry.response),
        "call_control_id": entry.call_control_id,
        "command_id": entry.command_id,
        "duplicate": entry.duplicate,
        "lost": entry.lost,
        "unknown_fields": entry.unknown_fields,
    }


def _answer(response: Any) -> Any:
    if isinstance(response, bytes):
        return parse_body(response)
    return json.loads(json.dumps(response, default=str))
