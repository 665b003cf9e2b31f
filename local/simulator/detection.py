"""Machine detection on an answered leg (Telnyx API: dial, answering_machine_detection)."""

from collections.abc import Callable

from local.simulator import payloads
from local.simulator.model import Person, SimulatedLeg
from local.simulator.switchboard import Switchboard

_SCREENING = "premium_ios_call_screening_detection"

Later = Callable[[SimulatedLeg, float, Callable[[], None]], object]
"""Runs a function after some seconds, unless the leg ends before."""


class MachineDetection:
    """Sends the verdicts about the people who answer."""

    def __init__(self, board: Switchboard, later: Later) -> None:
        self._board = board
        self._later = later

    def begin(self, leg: SimulatedLeg, person: Person) -> None:
        """Start the detection that the dial asked for.

        An iPhone that screens calls counts as a machine. With the mode for such phones a second
        verdict follows the screening, about the person (Telnyx API: dial).
        """
        settings = self._board.settings
        if leg.detection == "disabled":
            return
        if leg.detection.startswith("premium"):
            payload = payloads.detection_started(leg)
            self._board.emit(leg, "call.machine.premium.detection.started", payload)
        verdict_secs = settings.detection_after_secs
        result = "machine" if person.screens_calls else _result(leg, person)
        for verdict in range(1, settings.detection_times + 1):
            self._later(leg, verdict * verdict_secs, lambda: self._send_verdict(leg, result))
        if leg.detection != _SCREENING or result != "machine":
            return
        prompt_secs = verdict_secs + settings.screening_after_secs
        if person.screens_calls:
            self._later(leg, prompt_secs, lambda: self._send_screening(leg))
            second_secs = prompt_secs + settings.screened_verdict_after_secs
            second = _result(leg, person)
            self._later(leg, second_secs, lambda: self._send_verdict(leg, second))
        else:
            self._later(leg, prompt_secs, lambda: self._send_prompt_end(leg))

    def _send_verdict(self, leg: SimulatedLeg, result: str) -> None:
        premium = leg.detection.startswith("premium")
        sparse = premium and self._board.settings.sparse_webhooks
        event_type = f"call.machine{'.premium' if premium else ''}.detection.ended"
        self._board.emit(leg, event_type, payloads.detection(leg, result, sparse=sparse))

    def _send_screening(self, leg: SimulatedLeg) -> None:
        sparse = self._board.settings.sparse_webhooks
        payload = payloads.detection(leg, "screening", sparse=sparse)
        self._board.emit(leg, "call.machine.premium.call_screening.detected", payload)

    def _send_prompt_end(self, leg: SimulatedLeg) -> None:
        payload = payloads.detection(leg, "prompt_ended", sparse=False)
        self._board.emit(leg, "call.machine.premium.greeting.ended", payload)


def _result(leg: SimulatedLeg, person: Person) -> str:
    human = "human_residence" if leg.detection.startswith("premium") else "human"
    machine = person.behaviour == "machine"
    return person.machine_result or ("machine" if machine else human)
