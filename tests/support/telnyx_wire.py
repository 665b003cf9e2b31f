"""A fake Telnyx for tests of the bytes that we send."""

import httpx

from partyline.telnyx.client import TelnyxClient


class Wire:
    """A fake Telnyx: a list of the next answers, and a record of the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.keys: list[bool] = []
        self.key, self.fresh_key = "key-1", "key-2"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        # A copy, because the second try after a 401 changes the headers of the same request.
        self.requests.append(
            httpx.Request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.content,
                extensions=request.extensions,
            )
        )
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
