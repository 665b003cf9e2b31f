"""A client of the API, for the demo, the command line and the tests."""

from typing import Any
from urllib.parse import quote

import httpx

Json = dict[str, Any]


class ApiRefusedError(Exception):
    """The API refused a request. The text has the status, the code and the message.

    Attributes:
        status: the HTTP status; 0 without a response.
        code: the error's code; empty when the gateway answered.
        sentence: the message, and a line for each field that is wrong.
    """

    def __init__(self, sentence: str, status: int = 0, code: str = "") -> None:
        super().__init__(f"{status} {code} {sentence}" if status else sentence)
        self.sentence, self.status, self.code = sentence, status, code


class Client:
    """Sends requests to a local or deployed stack with a bearer key."""

    def __init__(self, url: str, api_key: str, timeout_secs: float = 60.0) -> None:
        """Connect at the first request; `url` has no trailing slash."""
        self._http = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {api_key}"},
            timeout=timeout_secs,
            trust_env=False,
        )

    def ask(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """Send a request and return the answer. Raises ApiRefusedError for an error status."""
        response = self._send(method, path, body, **headers)
        try:
            answer: Json = response.json()
        except ValueError:
            answer = {}
        return answer

    def _send(
        self, method: str, path: str, body: Json | None = None, **headers: str
    ) -> httpx.Response:
        response = self._http.request(method, path, json=body, headers=headers)
        if response.is_error:
            try:
                answer: Json = response.json()
            except ValueError:
                answer = {}
            error = answer.get("error", {})
            message = error.get("message") or answer.get("message") or response.reason_phrase
            fields = [detail for detail in error.get("details", []) if "field" in detail]
            details = "".join(f"\n  {field['field']}: {field['message']}" for field in fields)
            code = error.get("code", "")
            raise ApiRefusedError(f"{message}{details}", response.status_code, code)
        return response

    def conversation(self, conversation_id: str) -> Json:
        """Return a conversation."""
        return self.ask("GET", f"/conversations/{conversation_id}")

    def timeline(self, conversation_id: str) -> list[Json]:
        """Return all events of a conversation, page by page."""
        return self._all_pages(f"/conversations/{conversation_id}/timeline", "events")

    def transcript(self, conversation_id: str) -> list[Json]:
        """Return all messages of a conversation's transcript, page by page."""
        return self._all_pages(f"/conversations/{conversation_id}/transcript", "messages")

    def transcript_text(self, conversation_id: str) -> str:
        """Return the transcript of a conversation as text."""
        return self._send("GET", f"/conversations/{conversation_id}/transcript?format=text").text

    def steps(self, conversation_id: str) -> list[Json]:
        """Return the inputs of all steps of a conversation, page by page."""
        return self._all_pages(f"/conversations/{conversation_id}/export", "steps")

    def _all_pages(self, path: str, field: str) -> list[Json]:
        rows: list[Json] = []
        query = ""
        while True:
            page = self.ask("GET", path + query)
            rows += page[field]
            if page["next_cursor"] is None:
                return rows
            query = f"?cursor={quote(page['next_cursor'], safe='')}"

    def cancel_all(self, key_id: str) -> list[Json]:
        """Cancel every scheduled start of a bearer key, page by page; return those starts."""
        path = f"/conversations?key_id={quote(key_id, safe='')}"
        cancelled: list[Json] = []
        page = self.ask("DELETE", path)
        while True:
            cancelled += page["cancelled"]
            if page["next_cursor"] is None:
                return cancelled
            page = self.ask("DELETE", f"{path}&cursor={quote(page['next_cursor'], safe='')}")

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
