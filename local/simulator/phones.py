"""Legs: ringing, answers, refusals, digits and hangups."""

from collections.abc import Callable

from local.simulator import payloads
from local.simulator.assistants import Assistants
from local.simulator.clock import Timer
from local.simulator.detection import MachineDetection
from local.simulator.model import (
    CALL_LIMIT_SECS,
    Behaviour,
    Gather,
    JsonObject,
    Person,
    SimulatedLeg,
    WebhookConfig,
)
from local.simulator.switchboard import Switchboard
from local.simulator.voices import SECS_PER_CHARACTER, Voices

# Refusals of the far end: hangup_cause and sip_hangup_cause (Telnyx API: call.hangup).
_BUSY_AFTER_SECS = 0.3
"""From the dial to the busy signal of a phone that is in a call."""

_REFUSALS: dict[Behaviour, tuple[str, str]] = {
    "busy": ("user_busy", "486"),
    "decline": ("call_rejected", "603"),
    "unreachable": ("not_found", "404"),
}
_AFTER_END_SECS = 0.05
"""From `call.conversation.ended` to `call.hangup`, if the end comes first."""


class Phones:
    """All legs, and the people at the other end."""

    def __init__(self, board: Switchboard, assistants: Assistants) -> None:
        self._board = board
        self._assistants = assistants
        self._detection = MachineDetection(board, self._timer)
        self.voices = Voices(board, self._timer)
        self.on_end: Callable[[SimulatedLeg], None] = lambda _leg: None
        assistants.hang_up = lambda leg: self.end(leg, "normal_clearing", "unknown", "unspecified")

    def person(self, number: str) -> Person:
        """Return the person at `number`; an unknown number has the default person."""
        return self._board.world.people.get(number, self._board.settings.default_person)

    def dial(self, body: JsonObject) -> SimulatedLeg:
        """Ring a number (Telnyx API: POST /calls); the person reacts by their settings."""
        board = self._board
        linked = board.world.legs.get(body.get("link_to", ""))
        leg = SimulatedLeg(
            call_control_id=board.ids.call_control_id(),
            call_leg_id=board.ids.leg(),
            call_session_id=linked.call_session_id if linked else board.ids.leg(),
            direction="outgoing",
            from_=body["from"],
            # Telnyx dials the digits after a comma when the call is answered.
            to=body["to"].split(",")[0],
            connection_id=body["connection_id"],
            started_at=board.now(),
            state="ringing",
            client_state=body.get("client_state"),
            dialled_with=body.get("client_state"),
            webhooks=webhook_config(body),
            assistant=body.get("assistant"),
            detection=body.get("answering_machine_detection", "disabled"),
            detection_config=body.get("answering_machine_detection_config", {}),
            time_limit_secs=body.get("time_limit_secs", CALL_LIMIT_SECS),
        )
        board.world.legs[leg.call_control_id] = leg
        board.emit(leg, "call.initiated", payloads.initiated(leg))
        board.record_heard(leg, "the phone rings")
        # Telnyx API: dial, retry_on_timeout decides the name of the same cause.
        cause = "timeout" if body.get("retry_on_timeout", True) else "no_answer"
        self._timer(
            leg, body.get("timeout_secs", 30), lambda: self.end(leg, cause, "unknown", "487")
        )
        person, connection_id = self.person(leg.to), board.world.numbers.get(leg.to)
        if connection_id is not None:
            self._ring_own_number(leg, connection_id)
        elif board.settings.busy_in_call and self._is_talking(leg):
            self._timer(leg, _BUSY_AFTER_SECS, lambda: self.refuse(leg, "busy"))
        elif person.behaviour in ("answer", "machine"):
            self._timer(leg, person.answer_after_secs, lambda: self.answer(leg))
        elif person.behaviour in _REFUSALS:
            self._timer(leg, person.answer_after_secs, lambda: self.refuse(leg, person.behaviour))
        return leg

    def _is_talking(self, leg: SimulatedLeg) -> bool:
        """Whether the person who is called has another call that is not over."""
        return any(
            other.person_number == leg.person_number and other.state in ("parked", "answered")
            for other in self._board.world.legs.values()
            if other is not leg
        )

    def _ring_own_number(self, leg: SimulatedLeg, connection_id: str) -> None:
        """Ring a number of the account: an incoming leg is the far end of the outgoing leg."""
        incoming = self.ring_in(leg.from_, leg.to, connection_id)
        incoming.far_end, leg.far_end = leg, incoming
        incoming.on_answer = lambda: self.answer(leg)

    def ring_in(self, from_: str, to: str, connection_id: str) -> SimulatedLeg:
        """Let a person call a number of ours: a parked leg that rings until the answer."""
        board = self._board
        leg = SimulatedLeg(
            call_control_id=board.ids.call_control_id(),
            call_leg_id=board.ids.leg(),
            call_session_id=board.ids.leg(),
            direction="incoming",
            from_=from_,
            to=to,
            connection_id=connection_id,
            started_at=board.now(),
            state="parked",
        )
        board.world.legs[leg.call_control_id] = leg
        board.emit(leg, "call.initiated", payloads.initiated(leg))
        board.record_heard(leg, "hears it ring")
        self._timer(leg, self.person(from_).patience_secs, lambda: self.hang_up(leg))
        return leg

    def answer(self, leg: SimulatedLeg) -> None:
        """Pick up a leg: by the person, or by the answer command for an incoming leg."""
        if leg.state not in ("ringing", "parked"):
            return
        board = self._board
        self._cancel_timers(leg)
        if leg.direction == "outgoing" and board.settings.new_ids_at_answer:
            board.change_ids(leg, leg_id=board.settings.new_ids_at_answer == "all")
        leg.state = "answered"
        leg.answered_at = board.now()
        board.emit(leg, "call.answered", payloads.answered(leg))
        board.record_heard(leg, "answered")
        person, cause = self.person(leg.person_number), board.settings.time_limit_cause
        self._timer(
            leg, leg.time_limit_secs, lambda: self.end(leg, cause, "unknown", "unspecified")
        )
        if person.hangs_up_after_secs is not None:
            self._timer(leg, person.hangs_up_after_secs, lambda: self.hang_up(leg))
        self._detection.begin(leg, person)
        self._assistants.start_on_answer(leg)
        if leg.on_answer is not None:
            leg.on_answer()

    def refuse(self, leg: SimulatedLeg, behaviour: Behaviour) -> None:
        """Let the far end refuse the call: busy, decline or unreachable."""
        cause, sip_cause = _REFUSALS[behaviour]
        if leg.state in ("ringing", "parked"):
            self.end(leg, cause, "callee", sip_cause)

    def hang_up(self, leg: SimulatedLeg) -> None:
        """Let the person on the leg hang up; before the answer, the caller cancels."""
        if leg.state == "parked":
            self.end(leg, "originator_cancel", "caller", "487")
        elif leg.state == "ringing":
            self.refuse(leg, "decline")
        else:
            source = "callee" if leg.direction == "outgoing" else "caller"
            self.end(leg, "normal_clearing", source, "unspecified")

    def hang_up_by_command(self, leg: SimulatedLeg, reason: str | None = None) -> None:
        """End the leg by a command (Telnyx API: hangup, `reason`)."""
        source = "caller" if leg.direction == "outgoing" else "callee"
        leg.sip_reason = reason
        if leg.state == "ringing":
            self.end(leg, "originator_cancel", source, "487")
        else:
            self.end(leg, "normal_clearing", source, "unspecified")

    def end(self, leg: SimulatedLeg, cause: str, source: str, sip_cause: str) -> None:
        """End the leg and inform its conversation."""
        if leg.state == "ended":
            return
        if leg.gather is not None:
            self._gathered(leg, leg.gather, "call_hangup")
        self.voices.leg_ended(leg)
        self._cancel_timers(leg)
        leg.state = "ended"
        leg.ended_at = self._board.now()
        leg.hangup_cause = cause
        settings = self._board.settings
        payload = payloads.hangup(leg, source, sip_cause, sparse=settings.sparse_webhooks)
        if settings.end_before_hangup and leg.conversation_id is not None:
            secs = settings.ended_after_secs + _AFTER_END_SECS
            self._board.later(secs, lambda: self._board.emit(leg, "call.hangup", payload))
        else:
            self._board.emit(leg, "call.hangup", payload)
        self._board.record_heard(leg, "the line is dead")
        self._report_cost(leg)
        self._assistants.leg_ended(leg)
        self.on_end(leg)
        if leg.far_end is not None:
            self.end(leg.far_end, cause, "unknown", sip_cause)

    def _report_cost(self, leg: SimulatedLeg) -> None:
        """Send the price of an answered call, if the application asks for prices."""
        application = self._board.world.applications.get(leg.connection_id, {})
        secs = self._board.settings.call_cost_after_secs
        if secs is not None and leg.answered_at and application.get("call_cost_in_webhooks"):
            payload = payloads.call_cost(leg)
            self._board.later(secs, lambda: self._board.emit(leg, "call.cost", payload))

    def gather(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Ask for digits (Telnyx API: gather_using_speak); the person's settings may press keys."""
        gather = Gather(
            minimum=body.get("minimum_digits", 1),
            maximum=body.get("maximum_digits", 128),
            terminator=body.get("terminating_digit", "#"),
            valid=body.get("valid_digits", "0123456789#*"),
        )
        leg.gather = gather
        self._board.record_heard(leg, f"voice: {body['payload']}")
        gather.deadline = self._timer(
            leg,
            len(body["payload"]) * SECS_PER_CHARACTER + body.get("timeout_millis", 60000) / 1000,
            lambda: self._gathered(leg, gather, "timeout"),
        )
        person = self.person(leg.person_number)
        if person.digits is not None:
            # The digits of a person are a whole answer, so the terminating digit follows.
            answer = person.digits + gather.terminator
            self._timer(leg, person.digits_after_secs, lambda: self.press(leg, answer))

    def press(self, leg: SimulatedLeg, digits: str) -> None:
        """Press digits as the person; without a gather, the digits have no effect."""
        gather = leg.gather
        if gather is None:
            return
        for digit in digits:
            terminates = digit == gather.terminator
            if not terminates and digit in gather.valid:
                gather.pressed += digit
            if terminates or len(gather.pressed) >= gather.maximum:
                enough = len(gather.pressed) >= gather.minimum
                self._gathered(leg, gather, "valid" if enough else "invalid")
                return

    def _gathered(self, leg: SimulatedLeg, gather: Gather, status: str) -> None:
        if leg.gather is not gather:
            return
        leg.gather = None
        if gather.deadline is not None:
            gather.deadline.cancel()
        payload = payloads.gather_ended(leg, gather.pressed, status)
        self._board.emit(leg, "call.gather.ended", payload)

    def _timer(self, leg: SimulatedLeg, delay_secs: float, fn: Callable[[], None]) -> Timer:
        timer = self._board.later(delay_secs, fn)
        leg.timers.append(timer)
        return timer

    def _cancel_timers(self, leg: SimulatedLeg) -> None:
        for timer in leg.timers:
            timer.cancel()
        leg.timers.clear()


def webhook_config(body: JsonObject) -> WebhookConfig:
    """Return the webhook fields of a dial or answer body."""
    policies = body.get("webhook_retries_policies", {})
    return WebhookConfig(
        url=body.get("webhook_url"),
        urls={
            name: [urls] if isinstance(urls, str) else list(urls)
            for name, urls in body.get("webhook_urls", {}).items()
        },
        retries_ms={name: list(policy["retries_ms"]) for name, policy in policies.items()},
    )
