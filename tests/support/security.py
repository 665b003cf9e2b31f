"""What the security tests have around the stage: secrets that change, and hands that sign."""

import base64

from nacl.signing import SigningKey

from local.simulator.settings import PUBLISHED_TEST_SEED
from local.stack.http_api import HttpRequest
from tests.support.lab import Lab


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
