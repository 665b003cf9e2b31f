"""Calls that are connected to each other: bridges of two calls, and conferences."""

from local.simulator import payloads
from local.simulator.errors import ApiError
from local.simulator.model import JsonObject, SimulatedConference, SimulatedLeg
from local.simulator.phones import Phones
from local.simulator.switchboard import Switchboard, timestamp


class Connections:
    """All bridges and conferences (Telnyx API: bridge; conferences)."""

    def __init__(self, board: Switchboard, phones: Phones) -> None:
        self._board = board
        self._phones = phones
        phones.on_end = self.leg_ended

    def bridge(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Connect two answered calls, of which neither has an assistant."""
        other = self._leg(body["call_control_id"])
        self._check_free(leg, other)
        self._set_state(leg, body)
        for side in (leg, other):
            self.leave_bridge(side)
        leg.parks, other.parks = body.get("park_after_unbridge") == "self", False
        leg.bridged_to, other.bridged_to = other.call_control_id, leg.call_control_id
        for side, far in ((leg, other), (other, leg)):
            self._board.record_heard(side, f"connected with {far.person_number}")
            self._board.emit(side, "call.bridged", payloads.bridged(side))

    def create(self, body: JsonObject) -> JsonObject:
        """Make a conference with a call."""
        leg, board = self._leg(body["call_control_id"]), self._board
        self._check_free(leg)
        if any(known.name == body["name"] for known in self._open()):
            raise ApiError("10015", "A conference of this name exists", "/name")
        state = body.get("client_state")
        conference = SimulatedConference(board.ids.uuid(), body["name"], board.now(), state)
        board.world.conferences[conference.conference_id] = conference
        self._send(leg, "conference.created", conference, occurred_at=timestamp(board.now()))
        self._enter(leg, conference, body)
        return {"data": self.row(conference)}

    def join(self, subject: str, body: JsonObject) -> JsonObject:
        """Put a call into a conference."""
        leg, conference = self._leg(body["call_control_id"]), self._conference(subject)
        self._check_free(leg)
        if leg.call_control_id in conference.members:
            raise ApiError("10015", "The call is in the conference already", "/call_control_id")
        self._enter(leg, conference, body)
        return {"data": {"result": "ok"}}

    def leave(self, subject: str, body: JsonObject) -> JsonObject:
        """Take a call out of a conference; the call is parked."""
        leg, conference = self._leg(body["call_control_id"]), self._conference(subject)
        if leg.call_control_id not in conference.members:
            raise ApiError("10015", "The call is not in the conference", "/call_control_id")
        self._leave(leg, conference)
        return {"data": {"result": "ok"}}

    def row(self, conference: SimulatedConference) -> JsonObject:
        """Return a conference as Telnyx's answers show a conference."""
        return {
            "id": conference.conference_id,
            "name": conference.name,
            "record_type": "conference",
            "created_at": timestamp(conference.created_at),
            "expires_at": timestamp(conference.created_at),
            "status": "in_progress" if conference.members else "completed",
        }

    def say(self, leg: SimulatedLeg, text: str) -> bool:
        """Let a person speak to connected people. Returns False for a call without others."""
        others = self._others(leg)
        for other in others:
            self._board.record_heard(other, f"{leg.person_number}: {text}")
        return bool(others)

    def start_on(self, leg: SimulatedLeg) -> None:
        """Prepare a start of an assistant on a call. Raises ApiError if the call is not free."""
        if self._conference_of(leg) is not None:
            raise ApiError("10015", "The call is in a conference")
        if leg.bridged_to is None:
            return
        if not self._board.settings.start_on_bridged:
            raise ApiError("10015", "The call is bridged")
        self.leave_bridge(leg)

    def leave_bridge(self, leg: SimulatedLeg) -> None:
        """End the bridge of a call. The other call is parked, or hung up."""
        other = self._board.world.legs.get(leg.bridged_to or "")
        leg.bridged_to = None
        if other is None or other.bridged_to is None:
            return
        other.bridged_to = None
        parks_too = other.parks is False and self._board.settings.unbridged_call == "parked"
        if other.parks or parks_too:
            self._board.record_heard(other, "alone")
        else:
            self._phones.end(other, "normal_clearing", "caller", "unspecified")

    def leg_ended(self, leg: SimulatedLeg) -> None:
        """Take a call that is over out of its bridge or conference."""
        self.leave_bridge(leg)
        conference = self._conference_of(leg)
        if conference is not None:
            self._leave(leg, conference)

    def _others(self, leg: SimulatedLeg) -> list[SimulatedLeg]:
        legs, conference = self._board.world.legs, self._conference_of(leg)
        calls = conference.members if conference else [leg.bridged_to or ""]
        return [legs[call] for call in calls if call in legs and call != leg.call_control_id]

    def _enter(self, leg: SimulatedLeg, conference: SimulatedConference, body: JsonObject) -> None:
        self._set_state(leg, body)
        self.leave_bridge(leg)
        conference.members.append(leg.call_control_id)
        for other in self._others(leg):
            self._board.record_heard(other, f"{leg.person_number} is in the conference")
        self._board.record_heard(leg, "in the conference")
        self._send(leg, "conference.participant.joined", conference)
        if self._board.settings.conference_sends_bridged:
            self._board.emit(leg, "call.bridged", payloads.bridged(leg))

    def _leave(self, leg: SimulatedLeg, conference: SimulatedConference) -> None:
        conference.members.remove(leg.call_control_id)
        self._send(leg, "conference.participant.left", conference)
        if leg.state == "answered":
            self._board.record_heard(leg, "alone")
        if not conference.members:
            at = timestamp(self._board.now())
            self._send(leg, "conference.ended", conference, occurred_at=at, reason="all_left")

    def _send(
        self, leg: SimulatedLeg, event_type: str, conference: SimulatedConference, **more: str
    ) -> None:
        if self._board.settings.sends_conference_events:
            payload = payloads.conference(leg, conference)
            self._board.emit(leg, event_type, {**payload, **more})

    def _set_state(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Note the client_state of a command, which is in the webhooks that the command causes."""
        kept = None if self._board.settings.clears_client_state else leg.client_state
        leg.client_state = body.get("client_state", kept)

    def _check_free(self, *legs: SimulatedLeg) -> None:
        for leg in legs:
            if leg.conversation_id is not None:
                raise ApiError("10015", "An AI Assistant is in progress on the call")
            if leg.had_assistant and not self._board.settings.connects_after_stop:
                raise ApiError("10015", "The call had an AI Assistant before")

    def _leg(self, call_control_id: str) -> SimulatedLeg:
        leg = self._board.world.legs.get(call_control_id)
        if leg is None:
            raise ApiError("90015", "The call_control_id is not valid", "/call_control_id")
        if leg.state == "ended":
            raise ApiError("90018", "This call is no longer active", "/call_control_id")
        if leg.state != "answered":
            raise ApiError("90034", "This call has not been answered yet", "/call_control_id")
        return leg

    def _conference(self, subject: str) -> SimulatedConference:
        for conference in self._open():
            if subject in (conference.conference_id, conference.name):
                return conference
        raise ApiError.not_found()

    def _conference_of(self, leg: SimulatedLeg) -> SimulatedConference | None:
        calls = [known for known in self._open() if leg.call_control_id in known.members]
        return calls[0] if calls else None

    def _open(self) -> list[SimulatedConference]:
        return [known for known in self._board.world.conferences.values() if known.members]
