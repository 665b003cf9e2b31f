"""The local stack with the phone room on its port, when the simulator plays Telnyx."""

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
        functions = {function.folder for function in self.template.functions.values()}
        self.room = Room(simulator, invoke, functions)
        self.logs.follow(self.room.log)
        dynamodb = access.dynamodb()
        self.room.table.attach(dynamodb)
        # In Lambda, connections end with the process; this process may outlive the stack.
        transport = self._closing.enter_context(httpx.HTTPTransport())
        secrets = SecretsInMemory(self.template, self._options.secrets())
        override(App(dynamodb=dynamodb, telnyx_transport=transport, secrets_client=secrets))
        return self.room.invoke

    def wrap_gateway(self, gateway: ASGIApp) -> ASGIApp:
        """Serve the room at `/` and `/room`, and the API at every other path."""
        return self.room.wrap_gateway(gateway) if self.room else gateway

    def add_parts(self, background: Background) -> None:
        """Open the room."""
        if self.room:
            self.room.open(self.url, self._options.api_key, self._options.number, background)
            self._closing.callback(self.room.close)
