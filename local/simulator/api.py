"""The simulated part of the Telnyx API v2: routes, operations and their handlers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from local.simulator.applications import Applications
from local.simulator.assistants import Assistants
from local.simulator.connections import Connections
from local.simulator.errors import ApiError
from local.simulator.history import History
from local.simulator.model import Behaviour, JsonObject, SimulatedLeg
from local.simulator.numbers import Numbers
from local.simulator.phones import Phones, webhook_config
from local.simulator.profiles import Profiles
from local.simulator.queries import Queries
from local.simulator.switchboard import Switchboard
from local.simulator.toolbox import Toolbox, ToolRequest

_CALL_CONTROL_ID = re.compile(r"v3:[A-Za-z0-9_-]{6,128}")
_NEED_AN_ANSWERED_CALL = (
    *("speak", "playback_start", "playback_stop", "gather_using_speak", "ai_assistant_start"),
    *("ai_assistant_join", "ai_assistant_add_messages", "bridge"),
)
CONFERENCING = frozenset({"conference_create", "conference_join", "conference_leave"})
"""The actions on a conference, whose bodies name a call."""


@dataclass(frozen=True)
class Operation:
    """A request for an `action` on a `subject` (the id in the path)."""

    action: str
    subject: str
    body: JsonObject
    query: dict[str, str]


_SEGMENT = "([^/]+)"
_ROUTES: list[tuple[str, re.Pattern[str], str]] = [
    (method, re.compile(pattern.replace("{}", _SEGMENT)), action)
    for method, pattern, action in (
        ("POST", "/calls", "dial"),
        ("GET", "/calls/{}", "retrieve"),
        ("POST", "/calls/{}/actions/answer", "answer"),
        ("POST", "/calls/{}/actions/hangup", "hangup"),
        ("POST", "/calls/{}/actions/reject", "reject"),
        ("POST", "/calls/{}/actions/bridge", "bridge"),
        ("POST", "/conferences", "conference_create"),
        ("POST", "/conferences/{}/actions/join", "conference_join"),
        ("POST", "/conferences/{}/actions/leave", "conference_leave"),
        ("POST", "/calls/{}/actions/speak", "speak"),
        ("POST", "/calls/{}/actions/playback_start", "playback_start"),
        ("POST", "/calls/{}/actions/playback_stop", "playback_stop"),
        ("POST", "/calls/{}/actions/gather_using_speak", "gather_using_speak"),
        ("POST", "/calls/{}/actions/ai_assistant_start", "ai_assistant_start"),
        ("POST", "/calls/{}/actions/ai_assistant_join", "ai_assistant_join"),
        ("POST", "/calls/{}/actions/ai_assistant_stop", "ai_assistant_stop"),
        ("POST", "/calls/{}/actions/ai_assistant_add_messages", "ai_assistant_add_messages"),
        ("PUT", "/calls/{}/actions/client_state_update", "client_state_update"),
        ("GET", "/connections/{}/active_calls", "active_calls"),
        ("GET", "/call_events", "call_events"),
        ("GET", "/webhook_deliveries", "webhook_deliveries"),
        ("GET", "/ai/conversations", "conversations"),
        ("GET", "/ai/conversations/{}", "conversation"),
        ("DELETE", "/ai/conversations/{}", "conversation_delete"),
        ("GET", "/ai/conversations/{}/messages", "messages"),
        ("GET", "/ai/conversations/{}/conversations-insights", "insights"),
        ("GET", "/ai/assistants", "assistant_list"),
        ("GET", "/ai/assistants/{}", "assistant_retrieve"),
        ("POST", "/ai/assistants/{}", "assistant_update"),
        ("PUT", "/ai/assistants/{}/tools/{}", "tool_attach"),
        ("DELETE", "/ai/assistants/{}/tools/{}", "tool_detach"),
        ("POST", "/ai/assistants/{}/tools/{}/test", "tool_test"),
        ("GET", "/ai/tools", "tool_list"),
        ("POST", "/ai/tools", "tool_create"),
        ("GET", "/ai/tools/{}", "tool_retrieve"),
        ("PATCH", "/ai/tools/{}", "tool_update"),
        ("DELETE", "/ai/tools/{}", "tool_delete"),
        ("GET", "/phone_numbers", "number_list"),
        ("PATCH", "/phone_numbers/{}", "number_update"),
        ("GET", "/outbound_voice_profiles", "profile_list"),
        ("POST", "/outbound_voice_profiles", "profile_create"),
        ("DELETE", "/outbound_voice_profiles/{}", "profile_delete"),
        ("GET", "/call_control_applications", "application_list"),
        ("POST", "/call_control_applications", "application_create"),
        ("GET", "/call_control_applications/{}", "application_retrieve"),
        ("PATCH", "/call_control_applications/{}", "application_update"),
        ("DELETE", "/call_control_applications/{}", "application_delete"),
    )
]
ACTIONS = frozenset(action for _, _, action in _ROUTES)
"""The names of all actions."""
WITHOUT_BODY = frozenset({"conversation_delete"})
"""The actions whose answer has no body (Telnyx API: DELETE /ai/conversations/{id})."""
CREATES = frozenset({"application_create"})
"""The actions whose answer has the status 201 (Telnyx API: POST /call_control_applications)."""


def route(method: str, path: str) -> tuple[str, str] | None:
    """Return the action and the encoded id of a request's path, or None for an unknown path.

    A slash separates several ids.
    """
    for known_method, pattern, action in _ROUTES:
        match = pattern.fullmatch(path)
        if match and known_method == method:
            return action, "/".join(match.groups())
    return None


class Api:
    """Executes operations; raises ApiError if Telnyx would refuse the operation."""

    def __init__(
        self, board: Switchboard, phones: Phones, assistants: Assistants, history: History
    ) -> None:
        self._board = board
        self._phones = phones
        self._assistants = assistants
        self._queries = Queries(board)
        self._history = history
        self.applications = Applications(board)
        self.toolbox = Toolbox(board)
        self.connections = Connections(board, phones)
        assistants.check_free = self.connections.start_on
        self.numbers = Numbers(board)
        self.profiles = Profiles(board)
        self._dialled: set[str | None] = set()  # the client_state of each dial
        self._commands: dict[str, Callable[[SimulatedLeg, JsonObject], JsonObject | None]] = {
            "answer": self._answer,
            "hangup": self._hangup,
            "reject": self._reject,
            "bridge": self.connections.bridge,
            "speak": phones.voices.speak,
            "playback_start": phones.voices.play,
            "playback_stop": phones.voices.stop,
            "gather_using_speak": phones.gather,
            "ai_assistant_start": assistants.start,
            "ai_assistant_join": assistants.join,
            "ai_assistant_stop": lambda leg, _: assistants.stop(leg),
            "ai_assistant_add_messages": assistants.add_messages,
            "client_state_update": lambda _leg, _body: None,
        }

    def is_command(self, action: str) -> bool:
        """Return whether `action` is a command on a call."""
        return action in self._commands

    def perform(self, operation: Operation) -> JsonObject:
        """Execute an operation and return the response's JSON body."""
        action, subject, query = operation.action, operation.subject, operation.query
        if action == "dial":
            return {"data": self._dial(operation.body)}
        if action in self._commands:
            return {"data": self._command(operation)}
        answers: dict[str, Callable[[], JsonObject]] = {
            "conference_create": lambda: self.connections.create(operation.body),
            "conference_join": lambda: self.connections.join(subject, operation.body),
            "conference_leave": lambda: self.connections.leave(subject, operation.body),
            "retrieve": lambda: self._queries.call(self.leg(subject)),
            "active_calls": lambda: self._queries.active_calls(subject, query),
            "call_events": lambda: self._history.call_events(query),
            "webhook_deliveries": lambda: self._history.webhook_deliveries(query),
            "conversations": lambda: self._queries.conversations(query),
            "conversation": lambda: self._queries.conversation(subject),
            "conversation_delete": lambda: self._queries.delete_conversation(subject),
            "messages": lambda: self._queries.messages(subject, query),
            "insights": lambda: self._queries.insights(subject),
            "assistant_retrieve": lambda: self.toolbox.assistant(self._existing_assistant(subject)),
            "assistant_list": self.toolbox.assistants,
            "assistant_update": lambda: self.toolbox.update_assistant(
                self._existing_assistant(subject), operation.body
            ),
            "tool_attach": lambda: self.toolbox.attach(*self._tool_of(subject)),
            "tool_detach": lambda: self.toolbox.detach(*self._tool_of(subject)),
            "tool_list": lambda: self.toolbox.page(query),
            "tool_create": lambda: self.toolbox.create(operation.body),
            "tool_retrieve": lambda: self.toolbox.get(subject),
            "tool_update": lambda: self.toolbox.update(subject, operation.body),
            "tool_delete": lambda: self.toolbox.delete(subject),
            "number_list": lambda: self.numbers.page(query),
            "number_update": lambda: {"data": self.numbers.update(subject, operation.body)},
            "profile_list": lambda: self.profiles.page(query),
            "profile_create": lambda: {"data": self.profiles.create(operation.body)},
            "profile_delete": lambda: {"data": self.profiles.delete(subject)},
            "application_list": lambda: self.applications.page(query),
            "application_create": lambda: {"data": self.applications.create(operation.body)},
            "application_retrieve": lambda: {"data": self.applications.get(subject)},
            "application_update": lambda: {
                "data": self.applications.update(subject, operation.body)
            },
            "application_delete": lambda: {"data": self.applications.delete(subject)},
        }
        return answers[action]()

    def tool_test(self, operation: Operation) -> ToolRequest:
        """Return the request that a tested tool would post."""
        return self.toolbox.test_request(*self._tool_of(operation.subject), operation.body)

    def _tool_of(self, subject: str) -> tuple[str, str]:
        assistant_id, _, tool_id = subject.partition("/")
        return self._existing_assistant(assistant_id), tool_id

    def _existing_assistant(self, assistant_id: str) -> str:
        if not self._assistants.exists(assistant_id):
            raise ApiError.not_found()
        return assistant_id

    def leg(self, call_control_id: str) -> SimulatedLeg:
        """Return the leg of a path: malformed ids are 90015, unknown ids 404."""
        if not _CALL_CONTROL_ID.fullmatch(call_control_id):
            raise ApiError(
                "90015", "The call_control_id provided was not valid", "/call_control_id"
            )
        leg = self._board.world.legs.get(call_control_id)
        if leg is None:
            raise ApiError.not_found()
        return leg

    def _command(self, operation: Operation) -> JsonObject:
        leg = self.leg(operation.subject)
        if leg.state == "ended":
            unknown = self._board.settings.ended_call_add_messages == 404
            if unknown and operation.action == "ai_assistant_add_messages":
                raise ApiError.not_found()
            raise ApiError("90018", "This call is no longer active and can't receive commands")
        if operation.action in _NEED_AN_ANSWERED_CALL and leg.state != "answered":
            raise ApiError("90034", "This call has not been answered yet")
        reply = self._commands[operation.action](leg, operation.body)
        leg.client_state = self._state_after(leg, operation.body)
        return {"result": "ok", **(reply or {})}

    def _state_after(self, leg: SimulatedLeg, body: JsonObject) -> str | None:
        """Return the client_state of a leg after a command."""
        kept = None if self._board.settings.clears_client_state else leg.client_state
        state: str | None = body.get("client_state", kept)
        return state

    def _dial(self, body: JsonObject) -> JsonObject:
        board = self._board
        self.applications.check_usable(body["connection_id"])
        state = body.get("client_state")
        if state and state in self._dialled:
            board.record_violation(f"dialled twice for client_state {state}")
        self._dialled.add(state)
        leg = self._phones.dial(body)
        reply = {
            "record_type": "call",
            "call_control_id": leg.call_control_id,
            "call_leg_id": leg.call_leg_id,
            "call_session_id": leg.call_session_id,
            # Telnyx API: always false in the answer to a dial.
            "is_alive": False,
        }
        if state is not None:
            reply["client_state"] = state
        return reply

    def _answer(self, leg: SimulatedLeg, body: JsonObject) -> None:
        if leg.direction == "outgoing":
            raise ApiError("90102", "An outbound call cannot be answered")
        if leg.state == "answered":
            raise ApiError("10015", "The call has already been answered")
        config = webhook_config(body)
        leg.webhooks.url = config.url or leg.webhooks.url
        leg.webhooks.urls.update(config.urls)
        leg.webhooks.retries_ms.update(config.retries_ms)
        leg.assistant = body.get("assistant")
        # The new client_state is in the webhooks that the command causes.
        leg.client_state = self._state_after(leg, body)
        if leg.assistant is None:
            self._phones.answer(leg)
        else:  # Telnyx prepares the assistant first, and responds before the call is answered
            warm_up_secs = self._board.settings.warm_up_secs
            self._board.later(warm_up_secs, lambda: self._phones.answer(leg))

    def _hangup(self, leg: SimulatedLeg, body: JsonObject) -> None:
        leg.client_state = self._state_after(leg, body)
        self._phones.hang_up_by_command(leg, body.get("reason"))

    def _reject(self, leg: SimulatedLeg, body: JsonObject) -> None:
        if leg.state != "parked":
            raise ApiError("10015", "Only a ringing inbound call can be rejected")
        behaviours: dict[str, Behaviour] = {"USER_BUSY": "busy", "NOT_FOUND": "unreachable"}
        self._phones.refuse(leg, behaviours.get(body["cause"], "decline"))
