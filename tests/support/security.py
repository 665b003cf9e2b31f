"""What the security tests have around the stage: secrets that change, and hands that sign."""

import base64
from collections.abc import Callable
from typing import Any

from nacl.signing import SigningKey

from local.simulator.settings import PUBLISHED_TEST_SEED
from local.stack.http_api import HttpRequest
from tests.support.lab import Lab

NO_AWS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    # Port 9 discards: whatever should reach for a real AWS fails at once.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "POWERTOOLS_METRICS_DISABLED": "true",
}

NewLab = Callable[..., Lab]


SECRET_NAMES = {"partyline-TelnyxApiKey": "telnyx", "partyline-BearerKeys": "bearer"}
"""What the template's secrets are called here."""


class Secrets:
    """Secrets Manager, as far as it is asked."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.reads: list[str] = []

    def get_secret_value(self, SecretId: str, **_: Any) -> dict[str, str]:  # noqa: N803
        name = SECRET_NAMES[SecretId]
        self.reads.append(name)
        return {"SecretString": self.values[name]}


def signed(body: bytes, timestamp: int, seed: bytes = PUBLISHED_TEST_SEED) -> dict[str, str]:
    """The headers by which Telnyx signs a body."""
    signature = SigningKey(seed).sign(b"%d|%s" % (timestamp, body)).signature
    return {
        "telnyx-timestamp": str(timestamp),
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
    }


def post(
    lab: Lab,
    body: bytes,
    headers: dict[str, str],
    path: str = "/webhooks",
    content_type: str = "application/json",
) -> int:
    """Deliver a webhook with these headers; what it was answered."""
    given = [("host", "partyline.example"), ("content-type", content_type)]
    request = HttpRequest(
        method="POST", path=path, headers=[*given, *headers.items()], body=body, scheme="https"
    )
    return lab.gateway.handle(request).status


def assert_untouched(lab: Lab) -> None:
    """Nothing is stored, and Telnyx was asked nothing."""
    assert lab.table.keys() == []
    assert lab.telnyx.ledger == []
