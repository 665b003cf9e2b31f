"""Call Control applications (Telnyx API: /call_control_applications)."""

from local.simulator.errors import ApiError
from local.simulator.model import JsonObject
from local.simulator.queries import paged
from local.simulator.switchboard import Switchboard, timestamp

# The defaults of a new application, with the old webhook version.
_DEFAULTS: JsonObject = {
    "record_type": "call_control_application",
    "active": True,
    "anchorsite_override": "Latency",
    "call_cost_in_webhooks": False,
    "dtmf_type": "RFC 2833",
    "first_command_timeout": False,
    "first_command_timeout_secs": 30,
    "inbound": {},
    "outbound": {},
    "redact_dtmf_debug_logging": False,
    "tags": [],
    "webhook_api_version": "1",
    "webhook_event_failover_url": "",
    "webhook_timeout_secs": None,
}


class Applications:
    """Applications; an application's id is the connection_id of its calls."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def create(self, body: JsonObject, application_id: str | None = None) -> JsonObject:
        """Create an application."""
        board = self._board
        new_id = application_id or str(int(board.ids.uuid()[:8], 16) + 2_000_000_000_000_000_000)
        now = timestamp(board.now())
        application = {**_DEFAULTS, **body, "id": new_id, "created_at": now, "updated_at": now}
        board.world.applications[new_id] = application
        return application

    def get(self, application_id: str) -> JsonObject:
        """Return an application, or 404."""
        application = self._board.world.applications.get(application_id)
        if application is None:
            raise ApiError.not_found()
        return application

    def update(self, application_id: str, body: JsonObject) -> JsonObject:
        """Change the fields that `body` names."""
        application = self.get(application_id)
        application.update(body, updated_at=timestamp(self._board.now()))
        return application

    def delete(self, application_id: str) -> JsonObject:
        """Remove an application and return the removed application."""
        application = self.get(application_id)
        del self._board.world.applications[application_id]
        return application

    def page(self, query: dict[str, str]) -> JsonObject:
        """Return a page, newest last; `filter[application_name][contains]` filters by name."""
        wanted = query.get("filter[application_name][contains]", "").lower()
        matching = [
            application
            for application in self._board.world.applications.values()
            if wanted in application["application_name"].lower()
        ]
        return paged(matching, query)

    def check_usable(self, connection_id: str) -> None:
        """Refuse a dial on an application that is missing, inactive, or without a webhook URL."""
        application = self._board.world.applications.get(connection_id, {})
        if not application.get("active") or not application.get("webhook_event_url"):
            raise ApiError("10015", "connection_id is not a usable connection", "/connection_id")
