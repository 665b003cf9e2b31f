"""The account's phone numbers (Telnyx API: /phone_numbers)."""

from local.simulator.errors import ApiError
from local.simulator.model import JsonObject
from local.simulator.queries import paged
from local.simulator.switchboard import Switchboard


class Numbers:
    """Numbers, each of an application or of none; a number's id is its place in the list."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def page(self, query: dict[str, str]) -> JsonObject:
        """Return a page; `filter[connection_id]` and `filter[phone_number]` filter the numbers."""
        wanted = query.get("filter[connection_id]")
        digits = query.get("filter[phone_number]", "").lstrip("+")
        rows = [
            row
            for row in self._rows()
            if wanted in (None, row["connection_id"]) and digits in row["phone_number"]
        ]
        return paged(rows, query)

    def update(self, number_id: str, body: JsonObject) -> JsonObject:
        """Assign a number to the application of `connection_id`, or to none for an empty text."""
        row = next((row for row in self._rows() if row["id"] == number_id), None)
        if row is None:
            raise ApiError.not_found()
        connection_id = body.get("connection_id", row["connection_id"]) or None
        if connection_id and connection_id not in self._board.world.applications:
            raise ApiError("10015", "The connection does not exist", "/connection_id")
        self._board.world.numbers[row["phone_number"]] = connection_id
        return {**row, "connection_id": connection_id}

    def _rows(self) -> list[JsonObject]:
        return [
            {
                "id": str(place),
                "record_type": "phone_number",
                "phone_number": number,
                "status": "active",
                "connection_id": connection_id,
            }
            for place, (number, connection_id) in enumerate(self._board.world.numbers.items(), 1)
        ]
