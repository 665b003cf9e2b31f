"""A simulated Telnyx with a virtual clock, which records the delivered webhooks."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from local.simulator.clock import VirtualClock
from local.simulator.model import Person, SimulatedLeg
from local.simulator.settings import Settings
from local.simulator.telnyx import Reply, Simulator

US = "+13125550100"
CALLER = "+13125550101"
FRIEND = "+13125550102"
HOOK = "https://partyline.example/webhooks"
ASSISTANT = {"id": "assistant-1"}


@dataclass
class Received:
    """A delivered webhook."""

    url: str
    raw: bytes
    headers: dict[str, str]

    @property
    def envelope(self) -> Any:
        return json.loads(self.raw)

    @property
    def type(self) -> str:
        return str(self.envelope["data"]["event_type"])

    @property
    def payload(self) -> Any:
        return self.envelope["data"]["payload"]


@dataclass
class Story:
    """A simulator and its webhooks; `answers` are our statuses for webhooks, afterwards 200."""

    settings: Settings = field(default_factory=lambda: Settings(webhook_url=HOOK))
    seed: int = 0
    received: list[Received] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.telnyx = Simulator(self.clock, self.settings, self._post, seed=self.seed)

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        self.received.append(Received(url, body, headers))
        return self.answers.pop(0) if self.answers else 200

    def request(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> tuple[int, Any]:
        reply = self.reply(method, path, body, key=key)
        return reply.status, json.loads(reply.body)

    def reply(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Reply:
        raw = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {key or self.settings.api_key}"}
        return self.telnyx.handle(method, "/v2" + path, headers, raw)

    def command(self, leg: SimulatedLeg, action: str, **body: Any) -> tuple[int, Any]:
        method = "PUT" if action == "client_state_update" else "POST"
        path = f"/calls/{quote(leg.call_control_id, safe='')}/actions/{action}"
        return self.request(method, path, body)

    def dial(self, to: str = FRIEND, **more: Any) -> SimulatedLeg:
        body = {"connection_id": self.settings.connection_id, "to": to, "from": US, **more}
        status, answer = self.request("POST", "/calls", body)
        assert status == 200, answer
        return self.telnyx.world.legs[answer["data"]["call_control_id"]]

    def answered(self, number: str = FRIEND) -> SimulatedLeg:
        self.telnyx.set_person(Person(number, answer_after_secs=1.0))
        leg = self.dial(number)
        self.clock.advance(1.0)
        assert leg.state == "answered"
        return leg

    def started(self, leg: SimulatedLeg) -> str:
        status, answer = self.command(leg, "ai_assistant_start", assistant=ASSISTANT)
        assert status == 200, answer
        self.clock.advance(1.0)
        return str(answer["data"]["conversation_id"])

    def joined(self, leg: SimulatedLeg, conversation: str, **participant: Any) -> tuple[int, Any]:
        guest = {"id": leg.call_control_id, "role": "user", **participant}
        return self.command(
            leg, "ai_assistant_join", conversation_id=conversation, participant=guest
        )

    def hooks(self, event_type: str) -> list[Received]:
        return [hook for hook in self.received if hook.type == event_type]

    @property
    def types(self) -> list[str]:
        return [hook.type for hook in self.received]


def code(answer: Any) -> tuple[str, str | None]:
    """Return the code and the pointer of the first error of a refusal."""
    error = answer["errors"][0]
    return error["code"], error.get("source", {}).get("pointer")
