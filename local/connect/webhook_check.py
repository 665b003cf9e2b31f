"""Checks the deployment's webhook URL with right and wrong signatures."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
from nacl.signing import SigningKey

from local.connect.account import http_client, is_loopback
from local.connect.findings import Finding, ok, wrong
from local.simulator.settings import PUBLISHED_TEST_SEED
from local.simulator.signing import Signer

# No function handles events of this type, so an accepted event has no effect.
_TYPE = "partyline.doctor"


def check(url: str, signing_seed: bytes | None) -> Iterator[Finding]:
    """Send an event unsigned, signed with an unknown key, and signed with known test keys.

    `url` is the webhook URL. `signing_seed` has the 32 bytes of a test key whose public key the
    deployment knows, or is None.
    """
    if url.startswith("https://"):
        yield ok("The webhook URL is https.")
    elif is_loopback(url):
        yield ok("The webhook URL is on this machine.")
    else:
        yield wrong(f"{url} is not https: callers' numbers and words would travel unencrypted.")
    with http_client(url) as http:
        probe = Probe(http, url)
        try:
            unsigned = probe(None)
        except httpx.HTTPError as error:
            yield wrong(
                f"No server answers at {url} from here ({type(error).__name__}): is the stack "
                "deployed, and is the URL right?"
            )
            return
        if unsigned.status_code != 401:
            yield wrong(_unexpected_answer(url, unsigned))
            return
        yield ok("The webhook URL answers, and refuses an unsigned event.")
        yield from _keys(probe, url, signing_seed)


class Probe:
    """Posts an event without effect, signed with a key or unsigned."""

    def __init__(self, http: httpx.Client, url: str) -> None:
        """Keep the URL."""
        self._http, self._url = http, url

    def __call__(self, seed: bytes | None) -> httpx.Response:
        """Post the event. Redirects are answers. Raises httpx.HTTPError when no answer comes."""
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


def _keys(probe: Probe, url: str, signing_seed: bytes | None) -> Iterator[Finding]:
    try:
        unknown = probe(bytes(SigningKey.generate()))
        published = probe(PUBLISHED_TEST_SEED)
        own = probe(signing_seed) if signing_seed else None
    except httpx.HTTPError as error:
        yield wrong(f"{url} stopped answering ({type(error).__name__}).")
        return
    if unknown.status_code == 401:
        yield ok("An event signed with an unknown key is refused (401).")
    else:
        yield wrong(f"An event signed with an unknown key gets {unknown.status_code}, not 401.")
    if not published.is_success:
        yield ok("An event signed with the simulator's published key is refused.")
    elif is_loopback(url):
        yield ok(
            "An event signed with the simulator's key is accepted, as it should be on a laptop."
        )
    else:
        yield wrong(
            "The deployment trusts the simulator's published key, with which any sender can forge "
            "a webhook: take the key out of TelnyxPublicKeys and deploy."
        )
    if own is not None and own.is_success:
        yield ok("An event signed with your test key is accepted.")
    elif own is not None and signing_seed:
        yield wrong(
            f"An event signed with your test key gets {own.status_code} ({own.text[:120]}): its "
            f"public half, {Signer(signing_seed).public_key}, belongs into TelnyxPublicKeys."
        )


def _unexpected_answer(url: str, answer: httpx.Response) -> str:
    status = answer.status_code
    if answer.is_redirect:
        return (
            f"{url} redirects ({status}), which Telnyx may treat as a failure: name the last URL."
        )
    if answer.is_success:
        return f"{url} accepts an event without a signature ({status}): this is not Partyline."
    if answer.is_server_error:
        return (
            f"{url} fails ({status}): the function's log names the cause, such as a missing secret."
        )
    return f"{url} answers {status}, not 401: is --url the ApiUrl of the stack's outputs?"
