"""The account's outbound voice profiles (Telnyx API: /outbound_voice_profiles)."""

from local.simulator.errors import ApiError
from local.simulator.model import JsonObject
from local.simulator.queries import paged
from local.simulator.switchboard import Switchboard, timestamp


class Profiles:
    """Outbound voice profiles by id."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def create(self, body: JsonObject, profile_id: str | None = None) -> JsonObject:
        """Create a profile. Telnyx's default for `whitelisted_destinations` is US and CA."""
        board = self._board
        new_id = profile_id or str(int(board.ids.uuid()[:8], 16) + 1_000_000_000_000_000_000)
        profile = {
            "record_type": "outbound_voice_profile",
            "enabled": True,
            "whitelisted_destinations": ["US", "CA"],
            "created_at": timestamp(board.now()),
            **body,
            "id": new_id,
        }
        board.world.profiles[new_id] = profile
        return profile

    def page(self, query: dict[str, str]) -> JsonObject:
        """Return a page, oldest first."""
        return paged(list(self._board.world.profiles.values()), query)

    def delete(self, profile_id: str) -> JsonObject:
        """Remove a profile and return the removed profile."""
        profile = self._board.world.profiles.pop(profile_id, None)
        if profile is None:
            raise ApiError.not_found()
        return profile
