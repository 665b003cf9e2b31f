"""The phone room's server: the page, what is live, what a person does, and the gateway behind it.

the browser --> Guarded --> page, live stream, acts, stories, /room/api
everybody   --> WireTap --> the gateway with the real handlers
"""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
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
from local.room import stories
from local.room.actions import ACT, ActionRunner, AnyAct, NobodyThereError
from local.room.actions import Request as Asked
from local.room.background_observers import BusTap, QueueTap
from local.room.guard import Guarded
from local.room.hub import Hub
from local.room.lambda_faults import LambdaFaults
from local.room.observers import LogTap, TableTap, WireTap
from local.room.page import HEADERS, routes
from local.room.proxy import Proxy
from local.room.sampler import Sampler
from local.room.stories import NotSavedError, Recorder, UnknownStoryError
from local.room.trouble import Trouble
from local.room.watch import Watch
from local.simulator.api import ACTIONS
from local.simulator.errors import ApiError
from local.simulator.model import Person
from local.simulator.telnyx import Simulator
from local.stack.background import Background
from local.stack.handlers import Invoke
from local.webhook_fixtures import fixtures

PEOPLE = (
    Person("+13125550101", "Alex", behaviour="manual"),
    Person("+13125550102", "Billie", behaviour="manual"),
    Person("+13125550103", "Casey", behaviour="manual"),
    Person("+13125550104", "Devon", behaviour="manual"),
)
"""Who is in the room: they ring until somebody picks up."""

SCRIPT = (
    ("open", "We are open from nine to six, Monday to Saturday."),
    ("order", "I can see your order. It left the warehouse this morning."),
    ("price", "It is forty dollars, delivery included."),
    ("thank", "You are welcome. Is there anything else?"),
    ("bye", "Goodbye, and thank you for calling."),
    ("", "I see. Can you tell me a little more?"),
)
"""What the simulated assistant answers; the last line is for everything else."""


class Room:
    """The page of one local stack. Make it, put it in front of the gateway with `front`, `open` it.

    `invoke` is to run the functions, `table` listens on their DynamoDB client, `log` takes their
    log's lines.
    """

    def __init__(self, simulator: Simulator, invoke: Invoke, functions: Iterable[str]) -> None:
        """Prepare; nothing runs yet. `invoke` runs the functions, which have these folders."""
        self.hub = Hub()
        self.perils = LambdaFaults(invoke)
        self.invoke = QueueTap(self.perils, self.hub)
        self.table = TableTap(self.hub, self.perils.wrote, self._moved)
        self.log = LogTap(self.hub)
        self._simulator = simulator
        self._choices = {
            "events": sorted(fixtures()),
            "actions": sorted(ACTIONS),
            "functions": sorted(functions),
        }
        self._closing: list[Callable[[], None]] = []
        self._watch: Watch | None = None
        self._app: ASGIApp | None = None
        self._proxy: Proxy
        self._performer: ActionRunner
        self._recorder: Recorder
        self._playing = threading.Lock()
        for person in PEOPLE:
            simulator.world.people.setdefault(person.number, person)

    def front(self, gateway: ASGIApp) -> ASGIApp:
        """The application of the stack's port: the room at `/` and `/room`, the API elsewhere."""
        tapped = WireTap(gateway, self.hub)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            ours = self._app if path == "/" or path.startswith("/room/") else None
            await (ours or tapped)(scope, receive, send)

        return app

    def open(self, url: str, api_key: str, number: str, behind: Background) -> None:
        """Begin to show what happens; `url` is the gateway's, `number` what people call."""
        BusTap(self.hub).attach(behind)
        client = Client(url, api_key)
        self._proxy = Proxy(url, api_key, self._asked)
        self._performer = ActionRunner(self._simulator, self.perils, client.ask)
        self._recorder = Recorder(self._performer)
        self._watch = Watch(self.hub, Client(url, api_key))
        sampler = Sampler(self._simulator, self.hub, self._tell_trouble)
        hello = {
            "mode": "room",
            "api": url,
            "number": number,
            "to": "the local stack",
            "choices": self._choices,
        }
        self._app = Guarded(
            Starlette(
                routes=[
                    *routes(self.hub, hello),
                    self._proxy.route(),
                    Route("/room/act", self._act, methods=["POST"]),
                    Route("/room/trouble", self._trouble, methods=["GET"]),
                    Route("/room/story", self._story, methods=["POST"]),
                ]
            )
        )
        self._closing = [
            sampler.close,
            self._watch.close,
            self._proxy.close,
            client.close,
        ]
        self._tell()

    def close(self) -> None:
        """Stop; the gateway must still be up, since the last reading goes there."""
        self.hub.close()
        for close in self._closing:
            close()

    def _moved(self, conversations: Iterable[str]) -> None:
        if self._watch is not None:
            self._watch.moved(conversations)

    def _asked(self, method: str, path: str, body: Any) -> None:
        act = ACT.validate_python({"do": "api", "method": method, "path": path, "body": body})
        self._note(act)

    def _note(self, act: AnyAct) -> None:
        self._recorder.note(act)
        self._tell()

    def _in_force(self) -> Trouble:
        return Trouble.in_force(self._performer.seed, self._simulator, self.perils)

    def _tell_trouble(self) -> None:
        self.hub.put("trouble", "trouble", self._in_force())

    def _tell(self) -> None:
        """Tell the windows about the stories."""
        recorder = self._recorder
        state = {
            "recording": recorder.on,
            "steps": len(recorder.steps) if recorder.on else 0,
            "playing": self._playing.locked(),
            "saved": stories.listed(),
        }
        self.hub.put("stories", "stories", state)

    async def _act(self, request: Request) -> Response:
        return await _answered(self._do, await request.body())

    async def _trouble(self, _request: Request) -> Response:
        return await _answered(lambda _: self._in_force().model_dump(mode="json"), None)

    def _do(self, given: bytes) -> Any:
        act = ACT.validate_json(given)
        if isinstance(act, Asked):
            raise NobodyThereError("Requests go to /room/api.")
        self._performer.perform(act, self._recorder.since)
        self._note(act)
        return {}

    async def _story(self, request: Request) -> Response:
        return await _answered(self._tale, await request.json())

    def _tale(self, given: dict[str, Any]) -> Any:
        """POST {"do": "begin"}, {"do": "save", name, about} or {"do": "play", name}."""
        match given:
            case {"do": "begin"}:
                people = list(self._simulator.world.people.values())
                self._recorder.begin(people, self._in_force())
            case {"do": "drop"}:
                self._recorder.on = False
            case {"do": "save", "name": str(name), "about": str(about)}:
                self._recorder.save(name, about)
            case {"do": "play", "name": str(name)}:
                story = stories.load(name)
                if not self._playing.acquire(blocking=False):
                    raise NobodyThereError("A story is playing already.")
                threading.Thread(target=self._play, args=(story,), daemon=True).start()
            case _:
                raise NobodyThereError("That is nothing to be done with a story.")
        self._tell()
        return {}

    def _play(self, story: stories.Story) -> None:
        over = threading.Event()
        error = None
        try:
            stories.play(
                story,
                self._performer,
                lambda secs: bool(over.wait(secs)),
                lambda: datetime.now(UTC),
            )
        except (NobodyThereError, ApiError, ApiRefusedError, httpx.HTTPError) as failed:
            error = str(failed)
        finally:
            self._playing.release()
            self.hub.put("played", "played", {"at": datetime.now(UTC), "error": error})
            self._tell()


async def _answered(work: Callable[[Any], Any], given: Any) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(work, given), headers=HEADERS)
    except ValidationError as error:
        details = [
            {"field": ".".join(map(str, each["loc"])), "message": each["msg"]}
            for each in error.errors(include_url=False)
        ]
        return _refused("The page sent something that can't be done.", details)
    except (UnknownStoryError, NotSavedError) as error:
        return _refused(str(error), [{"field": "name", "message": str(error)}])
    except (NobodyThereError, ApiError, ValueError) as error:
        return _refused(str(error))


def _refused(message: str, details: Any = ()) -> Response:
    error = {"code": "refused", "message": message, "details": list(details)}
    return JSONResponse({"error": error}, 422, HEADERS)
