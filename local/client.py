"""The API as an application uses it: for the demo, the command line and the tests."""

from typing import Any

import httpx

Json = dict[str, Any]


class ApiRefusedError(Exception):
    """The API answered no; the text has its status, code and message."""


class Client:
    """Asks one deployment, local or not, with a bearer key."""

    def __init__(self, url: str, api_key: str, timeout_secs: float = 60.0) -> None:
        """Connect at the first request; `url` has no trailing slash."""
        self._http = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {api_key}"},
            timeout=timeout_secs,
            trust_env=False,
        )

    def ask(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """Ask, and return what was answered. Raises ApiRefusedError for anything but a success."""
        response = self._http.request(method, path, json=body, headers=headers)
        try:
            answer: Json = response.json()
        except ValueError:
            answer = {}
        if response.is_error:
            error = answer.get("error", {})
            said = error.get("message") or answer.get("message") or response.reason_phrase
            details = "".join(f"\n  {each['field']}: {each['message']}"
                              for each in error.get("details", []))  # fmt: skip
            raise ApiRefusedError(f"{response.status_code} {error.get('code', '')} {said}{details}")
        return answer

    def conversation(self, conversation_id: str) -> Json:
        """One conversation."""
        return self.ask("GET", f"/conversations/{conversation_id}")

    def timeline(self, conversation_id: str) -> list[Json]:
        """The events of one conversation."""
        events: list[Json] = self.ask("GET", f"/conversations/{conversation_id}/timeline")["events"]
        return events

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()
