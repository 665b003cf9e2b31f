"""Transfers by a tool of the assistant: the assistant leaves and the call goes on."""

from local.simulator import payloads
from local.simulator.assistants import Assistants
from local.simulator.model import SimulatedLeg
from local.simulator.phones import Phones
from local.simulator.switchboard import Switchboard

_SECOND_EVENT_SECS = 0.1


class Transfers:
    """Transfers and fallbacks, which an assistant's stored configuration can cause at any time."""

    def __init__(self, board: Switchboard, phones: Phones, assistants: Assistants) -> None:
        self._board = board
        self._phones = phones
        self._assistants = assistants

    def transfer(self, leg: SimulatedLeg, to: str) -> SimulatedLeg:
        """Dial `to`, and connect the person on `leg` with `to` after the answer.

        The new leg belongs to the same session and application, and has no client_state. If the
        person at `to` does not answer, the assistant stays.

        Raises:
            ApiError: No assistant is on the call.
        """
        self._assistants.check_running(leg)
        ours = leg.to if leg.direction == "incoming" else leg.from_
        body = {"connection_id": leg.connection_id, "from": ours, "to": to}
        target = self._phones.dial({**body, "link_to": leg.call_control_id})
        if self._board.settings.transfer_order == "ended_at_once":
            self._assistants.end_by_transfer(leg)
        target.on_answer = lambda: self._connect(leg, target)
        return target

    def _connect(self, leg: SimulatedLeg, target: SimulatedLeg) -> None:
        board, bridged_secs = self._board, 0.0
        if leg.state != "answered":
            return
        leg.bridged_to, target.bridged_to = target.call_control_id, leg.call_control_id
        for side, other in ((leg, target), (target, leg)):
            board.record_heard(side, f"connected with {other.person_number}")
        if leg.conversation_id is not None:
            self._assistants.end_by_transfer(leg)
            if board.settings.transfer_order == "ended_first":
                bridged_secs = board.settings.ended_after_secs + _SECOND_EVENT_SECS
        board.later(bridged_secs, lambda: self._send_bridged(leg, target))

    def _send_bridged(self, *legs: SimulatedLeg) -> None:
        for leg in legs:
            self._board.emit(leg, "call.bridged", payloads.bridged(leg))
