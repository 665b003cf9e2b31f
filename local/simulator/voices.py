"""Sentences and audio files on a leg (Telnyx API: speak, playback_start and playback_stop)."""

from collections.abc import Callable
from dataclasses import replace

from local.simulator import payloads
from local.simulator.clock import Timer
from local.simulator.errors import ApiError
from local.simulator.model import JsonObject, SimulatedLeg, Utterance
from local.simulator.switchboard import Switchboard

SECS_PER_CHARACTER = 0.05
"""How long a voice needs for a character of a sentence."""

_AUDIO_SECS = 5.0
"""The length of every audio file."""

_STOPPED_AFTER_SECS = 0.05
"""From a command that stops a voice to the webhook of the end."""

Later = Callable[[SimulatedLeg, float, Callable[[], None]], Timer]
"""Runs a function after some seconds, unless the leg ends before."""


class Voices:
    """The queue of sentences and audio files of each leg; the first plays."""

    def __init__(self, board: Switchboard, later: Later) -> None:
        self._board = board
        self._later = later

    def speak(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Say a text on the leg, after all that waits to be played."""
        text = body["payload"]
        secs = len(text) * SECS_PER_CHARACTER * _times(body)
        self._add(leg, body, Utterance("speak", text, secs))

    def play(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Play an audio file on the leg, after all that waits to be played."""
        url = body.get("audio_url") or body.get("media_name", "")
        missing = url in self._board.settings.missing_audio
        utterance = Utterance(
            "playback",
            url,
            0.0 if missing else _AUDIO_SECS * _times(body),
            status="file_not_found" if missing else "completed",
        )
        self._add(leg, body, utterance)

    def stop(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Stop what plays; `all` also drops what waits (Telnyx API: playback_stop, stop)."""
        if body.get("stop", "all") == "all":
            del leg.voices[1:]
        if not leg.voices:
            return
        self._board.record_heard(leg, "the voice stops")
        stopped = replace(leg.voices[0], status=self._stopped_status(leg.voices[0]))
        self._begin_next(leg)
        self._later(leg, _STOPPED_AFTER_SECS, lambda: self._report_end(leg, stopped))

    def leg_ended(self, leg: SimulatedLeg) -> None:
        """End what plays, before the webhook of the hangup."""
        if leg.voices:
            self._report_end(leg, replace(leg.voices[0], status="call_hangup"))
        leg.voices.clear()

    def _add(self, leg: SimulatedLeg, body: JsonObject, utterance: Utterance) -> None:
        refuses = self._board.settings.refuses_voice_with_assistant
        if refuses and leg.conversation_id is not None:
            raise ApiError("10015", "An assistant is on the call")
        # The new client_state is in the webhooks that the command causes.
        kept = None if self._board.settings.clears_client_state else leg.client_state
        leg.client_state = body.get("client_state", kept)
        utterance = replace(utterance, client_state=leg.client_state)
        if body.get("stop"):
            self.stop(leg, body)
        leg.voices.append(utterance)
        if leg.voices[0] is utterance:
            self._begin(leg, utterance)

    def _begin(self, leg: SimulatedLeg, utterance: Utterance) -> None:
        payload = self._payload(leg, utterance)
        self._board.emit(leg, f"call.{utterance.kind}.started", payload)
        if utterance.status != "file_not_found":
            heard = "voice" if utterance.kind == "speak" else "audio"
            self._board.record_heard(leg, f"{heard}: {utterance.content}")
        if utterance.secs != float("inf"):
            self._later(leg, utterance.secs, lambda: self._end(leg, utterance))

    def _end(self, leg: SimulatedLeg, utterance: Utterance) -> None:
        if leg.voices and leg.voices[0] is utterance:
            self._report_end(leg, utterance)
            self._begin_next(leg)

    def _begin_next(self, leg: SimulatedLeg) -> None:
        del leg.voices[0]
        if leg.voices:
            self._begin(leg, leg.voices[0])

    def _report_end(self, leg: SimulatedLeg, utterance: Utterance) -> None:
        payload = {**self._payload(leg, utterance), "status": utterance.status}
        self._board.emit(leg, f"call.{utterance.kind}.ended", payload)

    def _payload(self, leg: SimulatedLeg, utterance: Utterance) -> JsonObject:
        payload = payloads.voice(leg, None if utterance.kind == "speak" else utterance.content)
        if self._board.settings.voice_state == "own":
            payload["client_state"] = utterance.client_state
        return payload

    def _stopped_status(self, utterance: Utterance) -> str:
        speech = self._board.settings.stopped_speech_status
        return speech if utterance.kind == "speak" else "cancelled"


def _times(body: JsonObject) -> float:
    loop = body.get("loop", 1)
    return float("inf") if loop == "infinity" else int(loop)
