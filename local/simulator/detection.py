"""Machine detection on an answered leg (Telnyx API: dial, answering_machine_detection)."""

from collections.abc import Callable
from functools import partial

from local.simulator import payloads
from local.simulator.model import Person, SimulatedLeg
from local.simulator.switchboard import Switchboard

_SCREENING = "premium_ios_call_screening_detection"

_WORDS_SECS = 30.0
"""How long `detect_words` listens for a beep (Telnyx docs, answering machine detection)."""

Later = Callable[[SimulatedLeg, float, Callable[[], None]], object]
"""Runs a function after some seconds, unless the leg ends before."""


class MachineDetection:
    """Sends the verdicts about the people who answer."""

    def __init__(self, board: Switchboard, later: Later) -> None:
        self._board = board
        self._later = later

    def begin(self, leg: SimulatedLeg, person: Person) -> None:
        """Start the detection that the dial asked for.

        A phone that screens calls counts as a machine. With the mode for such phones a second
        verdict follows the tone of an iPhone, about the person (Telnyx API: dial).
        """
        settings = self._board.settings
        if leg.detection == "disabled":
            return
        if leg.detection.startswith("premium"):
            payload = payloads.detection_started(leg)
            self._board.emit(leg, "call.machine.premium.detection.started", payload)
        verdict_secs = settings.detection_after_secs
        result = "machine" if person.screens_calls else _result(leg, person)
        greeting_secs = self._await_greeting(leg, person, result)
        beep_first = greeting_secs is not None and greeting_secs < verdict_secs
        if not (beep_first and leg.detection.startswith("premium")):
            for verdict in range(1, settings.detection_times + 1):
                self._later(leg, verdict * verdict_secs, lambda: self._send_verdict(leg, result))
        if leg.detection == _SCREENING and person.screens_calls:
            self._screen(leg, person, verdict_secs + settings.screening_after_secs)

    def _screen(self, leg: SimulatedLeg, person: Person, prompt_secs: float) -> None:
        """Let the phone ask for the reason of the call, and the person take the call or not."""
        settings, second = self._board.settings, _result(leg, person)
        if person.screens_calls == "iphone":
            self._later(leg, prompt_secs, lambda: self._send_screening(leg))
        else:
            self._later(leg, prompt_secs, lambda: self._send_greeting_end(leg, "prompt_ended"))
            if not settings.second_verdict_without_tone:
                return
        second_secs = prompt_secs + settings.screened_verdict_after_secs
        self._later(leg, second_secs, lambda: self._send_verdict(leg, second))

    def _await_greeting(self, leg: SimulatedLeg, person: Person, result: str) -> float | None:
        """Report the end of a machine's greeting by the mode. Returns when, None for never."""
        if person.screens_calls or result != "machine":
            return None
        settings, verdict_secs = self._board.settings, self._board.settings.detection_after_secs
        secs, beep_secs = person.greeting_secs, person.greeting_secs if person.beeps else None
        ends: list[tuple[float | None, str | None]] = [(beep_secs, "beep_detected")]
        match leg.detection:
            case "detect":
                ends = []
            case "detect_words":
                ends += [(verdict_secs + _WORDS_SECS, settings.endless_greeting)]
            case "greeting_end":
                millis = leg.detection_config.get("greeting_total_analysis_time_millis", 5000)
                ends += [(secs, "ended"), (verdict_secs + millis / 1000, settings.endless_greeting)]
            case "premium":
                ends += [(secs, settings.greeting_without_beep)]
            case "premium_ios_call_screening_detection":
                ends += [(verdict_secs + settings.screening_after_secs, "prompt_ended")]
        known = [(at, end) for at, end in ends if at is not None and end is not None]
        known.sort(key=lambda end: end[0])
        # A greeting ends once, but a beep may follow the end of a prompt.
        several = leg.detection == _SCREENING and settings.beep_after_prompt
        for at, end in known if several else known[:1]:
            self._later(leg, at, partial(self._send_greeting_end, leg, end))
        return known[0][0] if known else None

    def _send_verdict(self, leg: SimulatedLeg, result: str) -> None:
        premium = leg.detection.startswith("premium")
        sparse = premium and self._board.settings.sparse_webhooks
        event_type = f"call.machine{'.premium' if premium else ''}.detection.ended"
        self._board.emit(leg, event_type, payloads.detection(leg, result, sparse=sparse))

    def _send_screening(self, leg: SimulatedLeg) -> None:
        sparse = self._board.settings.sparse_webhooks
        payload = payloads.detection(leg, "screening", sparse=sparse)
        self._board.emit(leg, "call.machine.premium.call_screening.detected", payload)

    def _send_greeting_end(self, leg: SimulatedLeg, result: str) -> None:
        premium = leg.detection.startswith("premium")
        event_type = f"call.machine{'.premium' if premium else ''}.greeting.ended"
        self._board.emit(leg, event_type, payloads.detection(leg, result, sparse=False))


def _result(leg: SimulatedLeg, person: Person) -> str:
    human = "human_residence" if leg.detection.startswith("premium") else "human"
    machine = person.behaviour == "machine"
    return person.machine_result or ("machine" if machine else human)
