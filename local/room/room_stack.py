"""The local stack with the phone room on its port, when the simulator plays Telnyx."""

from datetime import timedelta
from typing import Any

import httpx
from starlette.types import ASGIApp

from local.room.server import SCRIPT, Room
from local.stack.background import Background
from local.stack.embedded_aws import Access, SecretsInMemory
from local.stack.handlers import Invoke
from local.stack.local_stack import LocalStack


class RoomStack(LocalStack):
    """A local stack with a room; `room` is None with a Telnyx other than the simulator."""

    has_page = True
    room: Room | None = None
    _app: Any = None

    def wrap_functions(self, invoke: Invoke, access: Access) -> Invoke:
        """Let the room observe the functions, their log and their table."""
        # The layer is on the path only while a stack is up.
        from partyline.bootstrap import App, override  # noqa: PLC0415

        if self.simulator is None:
            return invoke
        simulator = self.simulator.simulator
        simulator.settings.script = SCRIPT
        # Without this, the simulator refuses the first dial once; the room has a switch for that.
        simulator.settings.accepts_conversation_keys = True
        simulator.settings.busy_in_call = True
        functions = {function.folder for function in self.template.functions.values()}
        self.room = Room(simulator, invoke, functions)
        self.logs.follow(self.room.log)
        dynamodb = access.dynamodb()
        self.room.table.attach(dynamodb)
        # In Lambda, connections end with the process; this process may outlive the stack.
        transport = self._closing.enter_context(httpx.HTTPTransport())
        secrets = SecretsInMemory(self.template, self._options.secrets())
        self._app = App(dynamodb=dynamodb, telnyx_transport=transport, secrets_client=secrets)
        override(self._app)
        return self.room.invoke

    def wrap_gateway(self, gateway: ASGIApp) -> ASGIApp:
        """Serve the room at `/` and `/room`, and the API at every other path."""
        return self.room.wrap_gateway(gateway) if self.room else gateway

    def look(self, conversation_id: str) -> None:
        """Run the sweep and the census now, and poll the answered calls of a conversation."""
        from partyline.services.timers import TimerMessage  # noqa: PLC0415

        self.sweep()
        conversation = self._app.store.load(conversation_id)
        if conversation is not None and (calls := tuple(conversation.listed_calls)):
            message = TimerMessage(conversation_id, calls=calls)
            self._app.timers.hand_out([message], timedelta())

    def add_parts(self, background: Background) -> None:
        """Open the room."""
        if self.room:
            options = self._options
            self.room.open(self.url, options.api_key, options.number, background, self.look)
            self._closing.callback(self.room.close)
