"""Telnyx at the other end of the wire, for tests of what goes over it."""

import httpx

from partyline.telnyx.client import TelnyxClient


class Wire:
    """Telnyx, as a list of what it will say, and all it was sent."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.keys: list[bool] = []
        self.key, self.fresh_key = "key-1", "key-2"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def api_key(self, fresh: bool = False) -> str:
        self.keys.append(fresh)
        return self.fresh_key if fresh else self.key

    def client(self) -> TelnyxClient:
        transport = httpx.MockTransport(self)
        return TelnyxClient(
            self.api_key,
            "http://127.0.0.1:9/v2",
            transport=transport,
            pause=self.pauses.append,
        )
