"""The assistant's tools over HTTP: `POST /tools/{name}`, each with a function of its own.

Telnyx signs these requests as it signs webhooks. Each signed request is answered 200 with a
sentence that the model can say.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from partyline.bootstrap import App
from partyline.domain.model.inputs import CallRef
from partyline.entrypoints.http import Handler, Response, http_handler, json_response
from partyline.entrypoints.signed import CALL_HEADER, refuse_webhook, verified_tool_request
from partyline.ids import fingerprint
from partyline.services.assistant_tools import ToolCall, status
from partyline.services.correlation import correlate
from partyline.services.requests import CALL_CONTROL_ID
from partyline.telemetry import Metric, count

NO_CALL = "There is no call to bring anybody into."
CALL_OVER = "The call is over."

Json = dict[str, Any]
Tool = Callable[[App, ToolCall, Json], str]


def invite_tool() -> Handler:
    """Make the handler of the tool that invites a contact."""
    return _tool(lambda app, call, arguments: app.assistant_tools.invite(call, arguments))


def handover_tool() -> Handler:
    """Make the handler of the tool that hands the caller over to a contact."""
    return _tool(lambda app, call, arguments: app.assistant_tools.handover(call, arguments))


def call_back_tool() -> Handler:
    """Make the handler of the tool that books a call back."""
    return _tool(lambda app, call, arguments: app.call_backs.call_back(call, arguments))


def status_tool() -> Handler:
    """Make the handler of the tool that says who is on the line."""
    return _tool(lambda _app, call, _arguments: status(call))


def _tool(work: Tool) -> Handler:

    def receive(app: App, request: Json) -> Response:
        body = verified_tool_request(app, request)
        arguments = _arguments(body)
        refuse_webhook(arguments)
        count(Metric.TOOL_CALLED)
        call = _tool_call(app, request, arguments, body)
        if call is None:
            return json_response(200, {"message": NO_CALL})
        over = call.conversation.is_over
        message = CALL_OVER if over else work(app, call, arguments)
        return json_response(200, {"message": message})

    return http_handler(receive)


def _arguments(body: bytes) -> Json:
    """Read the model's arguments; none where the body is unusable, which has been seen."""
    try:
        arguments = from_json(body) if body.strip() else {}
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _tool_call(app: App, request: Json, arguments: Json, body: bytes) -> ToolCall | None:
    """Find the conversation of the call that the request names: in its signed body, else header.

    A tool without `preset_body_fields` may let the model give the id. So a body that names the call
    of another conversation than Telnyx's header is refused.
    """
    headers = request.get("headers") or {}
    candidates = (arguments.get("call_control_id"), headers.get(CALL_HEADER))
    named = list(dict.fromkeys(filter(_is_call_control_id, candidates)))
    found = [correlate(app.store, CallRef(call_control_id=call), None) for call in named]
    known = [correlation.conversation for correlation in found if correlation]
    conversations = [conversation for conversation in known if conversation]
    if not conversations or found[0] is None or len({c.id for c in conversations}) > 1:
        return None
    timestamp = str(headers.get("telnyx-timestamp"))
    request_id = fingerprint(timestamp, request["rawPath"], body.decode("utf-8", "replace"))
    asked_at = datetime.fromtimestamp(int(timestamp), UTC)  # signed, so a number
    return ToolCall(conversations[0], request_id, asked_at)


def _is_call_control_id(value: object) -> bool:
    """Whether a value can name a call; a variable that Telnyx did not fill, `{{...}}`, cannot."""
    return isinstance(value, str) and CALL_CONTROL_ID.fullmatch(value) is not None
