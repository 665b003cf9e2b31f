"""The deployment's webhook URL, tried from here with right and wrong signatures."""

import base64
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
from nacl.signing import SigningKey

from local.connect.account import http_client, is_loopback
from local.connect.findings import Finding, ok, wrong
from local.simulator.settings import PUBLISHED_TEST_SEED
from local.webhook_fixtures import Signer

# Nothing waits for an event of this type, so that one that gets in does nothing.
_TYPE = "partyline.doctor"


def check(url: str, signing_seed: bytes | None) -> Iterator[Finding]:
    """Knock without a signature, as a stranger, and, with the deployment's own test key, as Telnyx.

    `url` is the webhook URL; `signing_seed` the 32 bytes of a key whose public half the deployment
    knows, None when there is none.
    """
    if url.startswith("https://"):
        yield ok("The webhook URL is https.")
    elif is_loopback(url):
        yield ok("The webhook URL is on this machine.")
    else:
        yield wrong(f"{url} is not https: callers' numbers and words would travel in the open.")
    with http_client(url) as http:
        knock = Probe(http, url)
        try:
            unsigned = knock(None)
        except httpx.HTTPError as error:
            yield wrong(
                f"Nothing answers at {url} from here ({type(error).__name__}): is it deployed, and "
                "is the URL right?"
            )
            return
        if unsigned.status_code != 401:
            yield wrong(_unexpected_answer(url, unsigned))
            return
        yield ok("The webhook URL answers, and refuses what is not signed.")
        yield from _keys(knock, url, signing_seed)


class Probe:
    """Posts an event that means nothing, signed with a key or not at all."""

    def __init__(self, http: httpx.Client, url: str) -> None:
        """Post to `url`."""
        self._http, self._url = http, url

    def __call__(self, seed: bytes | None) -> httpx.Response:
        """Raises httpx.HTTPError when nobody answers. Redirects are answers."""
        event = {
            "record_type": "event",
            "event_type": _TYPE,
            "id": str(uuid.uuid4()),
            "occurred_at": datetime.now(UTC).isoformat(),
            "payload": {},
        }
        body = json.dumps({"data": event}).encode()
        signed = Signer(seed).headers(body) if seed else {}
        headers = {"content-type": "application/json", **signed}
        return self._http.post(self._url, content=body, headers=headers)


def _keys(knock: Probe, url: str, signing_seed: bytes | None) -> Iterator[Finding]:
    try:
        stranger = knock(bytes(SigningKey.generate()))
        published = knock(PUBLISHED_TEST_SEED)
        own = knock(signing_seed) if signing_seed else None
    except httpx.HTTPError as error:
        yield wrong(f"{url} answered once and then no more ({type(error).__name__}).")
        return
    if stranger.status_code == 401:
        yield ok("An event that a stranger has signed is refused (401).")
    else:
        yield wrong(f"An event that a stranger has signed gets {stranger.status_code}, not 401.")
    if not published.is_success:
        yield ok("The simulator's published key opens nothing here.")
    elif is_loopback(url):
        yield ok("An event signed with the simulator's key is taken, as on a laptop it should be.")
    else:
        yield wrong(
            "The deployment trusts the simulator's published key, with which anybody can forge a "
            "webhook: take it out of TelnyxPublicKeys and deploy."
        )
    if own is not None and own.is_success:
        yield ok("An event signed with your test key is taken.")
    elif own is not None:
        public = base64.b64encode(bytes(SigningKey(signing_seed or b"").verify_key)).decode()
        yield wrong(
            f"An event signed with your test key gets {own.status_code} ({own.text[:120]}): its "
            f"public half, {public}, belongs into TelnyxPublicKeys."
        )


def _unexpected_answer(url: str, answer: httpx.Response) -> str:
    status = answer.status_code
    if answer.is_redirect:
        return (
            f"{url} redirects ({status}), which Telnyx may take for a failure: give the last URL."
        )
    if answer.is_success:
        return f"{url} takes an event without a signature ({status}): that is no Partyline."
    if answer.is_server_error:
        return f"{url} fails ({status}): the function's log names what is missing, as a secret."
    return f"{url} answers {status} where 401 was due: is --url the ApiUrl of the stack's outputs?"
