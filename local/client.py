"""A client of the API, for the demo, the command line and the tests."""

from typing import Any

import httpx

Json = dict[str, Any]


class ApiRefusedError(Exception):
    """The API refused a request. The text has the status, the code and the message."""


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
        response = self._http.request(method, path, json=body, headers=headers)
        try:
            answer: Json = response.json()
        except ValueError:
            answer = {}
        if response.is_error:
            error = answer.get("error", {})
            message = error.get("message") or answer.get("message") or response.reason_phrase
            details = "".join(f"\n  {detail['field']}: {detail['message']}"
                              for detail in error.get("details", []))  # fmt: skip
            raise ApiRefusedError(
                f"{response.status_code} {error.get('code', '')} {message}{details}"
            )
        return answer

    def conversation(self, conversation_id: str) -> Json:
        """Return a conversation."""
        return self.ask("GET", f"/conversations/{conversation_id}")

    def timeline(self, conversation_id: str) -> list[Json]:
        """Return the events of a conversation."""
        events: list[Json] = self.ask("GET", f"/conversations/{conversation_id}/timeline")["events"]
        return events

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
