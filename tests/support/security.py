"""Signed webhooks for the security tests."""

import base64

from nacl.signing import SigningKey

from local.simulator.settings import PUBLISHED_TEST_SEED
from local.stack.http_api import HttpRequest
from tests.support.lab import Lab


def signed(body: bytes, timestamp: int, seed: bytes = PUBLISHED_TEST_SEED) -> dict[str, str]:
    """The headers of Telnyx's signature for a body."""
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
    """Deliver a webhook with these headers. Returns the status of the answer."""
    defaults = [("host", "partyline.example"), ("content-type", content_type)]
    request = HttpRequest(
        method="POST", path=path, headers=[*defaults, *headers.items()], body=body, scheme="https"
    )
    return lab.gateway.handle(request).status


def assert_untouched(lab: Lab) -> None:
    """Check that the table is empty and that Telnyx got no request."""
    assert lab.table.keys() == []
    assert lab.telnyx.ledger == []
