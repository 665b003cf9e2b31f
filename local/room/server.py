"""The phone room's server: the page, its live stream, the user's actions, and the gateway.

the browser        --> PageGuard    --> page, live stream, actions, stories, /room/api
every other client --> WireObserver --> the gateway with the real handlers
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.client import ApiRefusedError, Client
from local.room import actions, observers, stories
from local.room.guard import PageGuard
from local.room.hub import Hub
from local.room.lambda_faults import LambdaFaults
from local.room.page import HEADERS, routes
from local.room.proxy import Proxy
from local.room.sampler import SAMPLE_SECS, Sampler
from local.room.stories import NotSavedError, Recorder, UnknownStoryError
from local.room.trouble import Trouble
from local.room.watch import Watch
from local.simulator.api import ACTIONS
from local.simulator.delivery import encode
from local.simulator.errors import ApiError
from local.simulator.model import Person
from local.simulator.telnyx import Simulator
from local.stack.background import Background
from local.stack.handlers import Invoke
from local.stack.queues import utc_now
from local.stack.repeated import repeated
from local.stack.webhook_fixtures import fixtures
from local.tls import tls_context

PEOPLE = (
    Person("+13125550101", "Alex", behaviour="manual"),
    Person("+13125550102", "Billie", behaviour="manual"),
    Person("+13125550103", "Casey", behaviour="manual"),
    Person("+13125550104", "Devon", behaviour="manual"),
)
"""The people of the room: their phones ring until the user answers."""

SCRIPT = (
    ("open", "We are open from nine to six, Monday to Saturday."),
    ("order", "I can see your order. It left the warehouse this morning."),
    ("price", "It is forty dollars, delivery included."),
    ("thank", "You are welcome. Is there anything else?"),
    ("bye", "Goodbye, and thank you for calling."),
    ("", "I see. Can you tell me a little more?"),
)
"""The simulated assistant's answers by keyword; the last answer is for any other text."""


_ENDING = timedelta(seconds=10)
"""How long after its last step a replayed story may take to its end."""

Look = Callable[[str], None]


class Room:
    """The page of a local stack. Wrap the gateway with `wrap_gateway`, then call `open`.

    `invoke` runs the functions, `table` observes their DynamoDB client, `log` observes their log.
    """

    def __init__(self, simulator: Simulator, invoke: Invoke, functions: Iterable[str]) -> None:
        """Make a room that is not open yet. `functions` are the folders of the functions."""
        self.hub = Hub()
        self.lambda_faults = LambdaFaults(invoke, observers.CrashObserver(self.hub))
        self.invoke = observers.QueueObserver(self.lambda_faults, self.hub)
        on_write, on_change = self.lambda_faults.table_written, self._conversations_changed
        self.table = observers.TableObserver(self.hub, on_write, on_change)
        self.log = observers.LogObserver(self.hub)
        self._simulator = simulator
        self._choices = {
            "events": sorted(fixtures()),
            "actions": sorted(ACTIONS),
            "functions": sorted(functions),
        }
        self._closing = ExitStack()
        self._watch: Watch | None = None
        self._app: ASGIApp | None = None
        self._proxy: Proxy
        self._action_runner: actions.ActionRunner
        self._recorder: Recorder
        self._look: Look
        self._url: str
        self._playing = threading.Lock()
        self._step: dict[str, Any] | None = None
        for person in PEOPLE:
            simulator.world.people.setdefault(person.number, person)

    def wrap_gateway(self, gateway: ASGIApp) -> ASGIApp:
        """Return the application of the stack's port: the room at `/` and `/room`, else the API."""
        observed = observers.WireObserver(gateway, self.hub)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            room = self._app if path == "/" or path.startswith("/room/") else None
            await (room or observed)(scope, receive, send)

        return app

    def open(self, url: str, api_key: str, number: str, background: Background, look: Look) -> None:
        """Start the page. `url` is the gateway's URL, `number` is Partyline's phone number.

        `look(conversation_id)` does the work of the timers now, and asks Telnyx about the calls.
        """
        self._look, self._url = look, url
        observers.BusObserver(self.hub).attach(background)
        client = Client(url, api_key)
        self._proxy = Proxy(url, api_key, self._note_request)
        self._action_runner = actions.ActionRunner(
            self._simulator, self.lambda_faults, client.ask, observers.OwnObserver(self.hub)
        )
        self._recorder = Recorder(self._action_runner)
        self._watch = Watch(self.hub, Client(url, api_key))
        sampler = Sampler(self._simulator, self.hub, self._publish_trouble)
        hello = {"mode": "room", "api": url, "number": number, "to": "the local stack"}
        self._app = PageGuard(
            Starlette(
                routes=[
                    *routes(self.hub, {**hello, "choices": self._choices}),
                    self._proxy.route(),
                    Route("/room/act", self._handle_action, methods=["POST"]),
                    Route("/room/tool", self._handle_tool, methods=["POST"]),
                    Route("/room/resend", self._handle_resend, methods=["POST"]),
                    Route("/room/look", self._handle_look, methods=["POST"]),
                    Route("/room/trouble", self._handle_trouble, methods=["GET"]),
                    Route("/room/story", self._handle_story, methods=["POST"]),
                ]
            )
        )
        for part in (client, self._proxy, self._watch):
            self._closing.callback(part.close)
        self._closing.enter_context(repeated(SAMPLE_SECS, sampler.run))
        self._publish_stories()

    def close(self) -> None:
        """Stop the page. The gateway must still be up, because the last read goes there."""
        self.hub.close()
        self._closing.close()

    def _conversations_changed(self, conversations: Iterable[str]) -> None:
        if self._watch is not None:
            self._watch.mark_changed(conversations)

    def _note_request(self, method: str, path: str, body: Any) -> None:
        action = actions.ACTION_ADAPTER.validate_python(
            {"do": "api", "method": method, "path": path, "body": body}
        )
        self._record(action)

    def _record(self, action: actions.AnyAction) -> None:
        self._recorder.record(action)
        self._publish_stories()

    def _current_trouble(self) -> Trouble:
        return Trouble.current(self._action_runner.seed, self._simulator, self.lambda_faults)

    def _publish_trouble(self) -> None:
        self.hub.put("trouble", "trouble", self._current_trouble())

    def _publish_stories(self) -> None:
        """Put the stories' state on the hub."""
        recorder = self._recorder
        state = {
            "recording": recorder.recording,
            "steps": len(recorder.steps) if recorder.recording else 0,
            "playing": self._playing.locked(),
            "step": self._step,
            "saved": stories.list_stories(),
        }
        self.hub.put("stories", "stories", state)

    async def _handle_action(self, request: Request) -> Response:
        return await _respond(self._perform, await request.body())

    async def _handle_tool(self, request: Request) -> Response:
        return await _respond(self._use_tool, await request.json())

    def _use_tool(self, asked: dict[str, Any]) -> Any:
        """Post the request of an assistant's tool in place of the model; return the answer."""
        call, tool = asked["call"], asked["tool"]
        if call not in self._simulator.world.legs:
            raise actions.ActionRefusedError("The assistant is on no call.")
        url = f"{self._url}/tools/{tool}"
        sent = self._simulator.use_tool(call, url, asked["arguments"])
        answer = httpx.post(
            sent.url,
            content=sent.body,
            headers=sent.headers,
            timeout=10,
            trust_env=False,
            verify=tls_context(),
        )
        return answer.json()

    async def _handle_resend(self, request: Request) -> Response:
        return await _respond(self._resend, await request.json())

    def _resend(self, asked: dict[str, Any]) -> Any:
        """Deliver a webhook once more, signed now: one that was delivered, or one that was lost."""
        event_id, deliverer = str(asked["event"]), self._simulator.deliverer
        for delivery in reversed(deliverer.attempts):
            if delivery.event_id == event_id:
                return {"status": deliverer.post(delivery.url, delivery.body)}
        for event in deliverer.dropped:
            if event.id == event_id:
                url = f"{self._url}/webhooks"
                return {"status": deliverer.post(url, encode(event, 1, url))}
        raise actions.ActionRefusedError("The webhook is no longer kept.")

    async def _handle_look(self, request: Request) -> Response:
        conversation_id = str((await request.json())["conversation"])
        return await _respond(lambda _: self._look(conversation_id) or {}, None)

    async def _handle_trouble(self, _request: Request) -> Response:
        return await _respond(lambda _: self._current_trouble().model_dump(mode="json"), None)

    def _perform(self, body: bytes) -> Any:
        action = actions.ACTION_ADAPTER.validate_json(body)
        if isinstance(action, actions.ApiRequest):
            raise actions.ActionRefusedError("Send API requests to /room/api.")
        self._action_runner.perform(action, self._recorder.since)
        self._record(action)
        return {}

    async def _handle_story(self, request: Request) -> Response:
        return await _respond(self._run_story_command, await request.json())

    def _run_story_command(self, command: dict[str, Any]) -> Any:
        """Run `begin`, `drop`, `save` with a name and `about`; or `play`, `read` or `delete`."""
        match command:
            case {"do": "begin"}:
                people = list(self._simulator.world.people.values())
                self._recorder.begin(people, self._current_trouble())
            case {"do": "drop"}:
                self._recorder.recording = False
            case {"do": "save", "name": str(name), "about": str(about)}:
                self._recorder.save(name, about)
            case {"do": "read", "name": str(name)}:
                return stories.load(name).model_dump(mode="json", exclude_defaults=True)
            case {"do": "delete", "name": str(name)}:
                stories.delete(name)
            case {"do": "play", "name": str(name)}:
                story = stories.load(name)
                if not self._playing.acquire(blocking=False):
                    raise actions.ActionRefusedError("A story is playing already.")
                threading.Thread(target=self._play, args=(name, story), daemon=True).start()
            case _:
                raise actions.ActionRefusedError("A story has no such command.")
        self._publish_stories()
        return {}

    def _play(self, name: str, story: stories.Story) -> None:
        error = difference = None
        try:
            since = stories.play(
                story,
                self._action_runner,
                time.sleep,
                utc_now,
                lambda number: self._publish_step(name, number, len(story.steps)),
            )
            difference = self._difference(story, since)
        except (actions.ActionRefusedError, ApiError, ApiRefusedError, httpx.HTTPError) as failed:
            error = str(failed)
        finally:
            self._playing.release()
            self._step = None
            played = {"at": utc_now(), "name": name, "error": error, "difference": difference}
            self.hub.put("played", "played", played)
            self._publish_stories()

    def _publish_step(self, name: str, number: int, count: int) -> None:
        self._step = {"name": name, "number": number, "count": count}
        self._publish_stories()

    def _difference(self, story: stories.Story, since: datetime) -> str | None:
        """Compare a replay with its recording; the last calls may end some seconds later."""
        until = utc_now() + _ENDING
        while True:
            found = self._action_runner.conversations_since(since)
            difference = stories.difference(story, found)
            if difference is None or utc_now() > until:
                return difference
            time.sleep(0.5)


async def _respond(work: Callable[[Any], Any], body: Any) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(work, body), headers=HEADERS)
    except ValidationError as error:
        details = [
            {"field": ".".join(map(str, detail["loc"])), "message": detail["msg"]}
            for detail in error.errors(include_url=False)
        ]
        return _refusal_response("The page sent an invalid action.", details)
    except (UnknownStoryError, NotSavedError) as error:
        return _refusal_response(str(error), [{"field": "name", "message": str(error)}])
    except (actions.ActionRefusedError, ApiError, ValueError) as error:
        return _refusal_response(str(error))


def _refusal_response(message: str, details: Any = ()) -> Response:
    error = {"code": "refused", "message": message, "details": list(details)}
    return JSONResponse({"error": error}, 422, HEADERS)
