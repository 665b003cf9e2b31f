"""The API's authorizer: admits a bearer key whose SHA-256 is in the secret.

The function behind the route checks the key's rights: API Gateway caches the answer for a key,
whichever route the request was for.
"""

import os
from collections.abc import Callable
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.services.bearer_keys import BearerKeys
from partyline.telemetry import Metric, count


def authorizer() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The handler of an HTTP API's Lambda authorizer, payload 2.0, simple responses."""

    def handle(app: App, event: dict[str, Any], _context: Any) -> dict[str, Any]:
        headers = event.get("headers") or {}
        scheme, _, text = str(headers.get("authorization") or "").partition(" ")
        keys = BearerKeys(app.bearer_keys, app.clock)
        is_bearer = scheme.lower() == "bearer" and os.environ.get("API_AUTHORIZATION") != "iam"
        key = keys.find(text.strip()) if is_bearer else None
        if key is None:
            count(Metric.KEY_REFUSED)
            return {"isAuthorized": False}
        rights = " ".join(sorted(key.rights))
        return {"isAuthorized": True, "context": {"key_id": key.id, "may": rights}}

    return with_app(handle)
