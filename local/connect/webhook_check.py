"""Checks the deployment's webhook URL with right and wrong signatures."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
from nacl.signing import SigningKey

from local.connect import findings
from local.connect.account import http_client
from local.connect.findings import Finding, ok, wrong
from local.loopback import is_loopback
from local.simulator.settings import PUBLISHED_TEST_SEED
from local.simulator.signing import Signer

# No function handles events of this type, so an accepted event has no effect.
_TYPE = "partyline.doctor"


def check(url: str, signing_seed: bytes | None) -> Iterator[Finding]:
    """Send an event unsigned, signed with an unknown key, and signed with known test keys.

    `url` is the webhook URL. `signing_seed` has the 32 bytes of a test key whose public key the
    deployment knows, or is None.
    """
    yield findings.check(
        url.startswith("https://") or is_loopback(url),
        f"The webhook URL is {'https' if url.startswith('https://') else 'on this machine'}.",
        f"{url} is not https: callers' numbers and words would travel unencrypted.",
    )
    with http_client(url) as http:
        try:
            unsigned = _post(http, url, None)
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
        yield from _keys(http, url, signing_seed)


def _post(http: httpx.Client, url: str, seed: bytes | None) -> httpx.Response:
    """Post an event without effect, signed with the key of `seed` or unsigned.

    Redirects are answers. Raises httpx.HTTPError when no answer comes.
    """
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
    return http.post(url, content=body, headers=headers)


def _keys(http: httpx.Client, url: str, signing_seed: bytes | None) -> Iterator[Finding]:
    try:
        unknown = _post(http, url, bytes(SigningKey.generate()))
        published = _post(http, url, PUBLISHED_TEST_SEED)
        own = _post(http, url, signing_seed) if signing_seed else None
    except httpx.HTTPError as error:
        yield wrong(f"{url} stopped answering ({type(error).__name__}).")
        return
    yield findings.check(
        unknown.status_code == 401,
        "An event signed with an unknown key is refused (401).",
        f"An event signed with an unknown key gets {unknown.status_code}, not 401.",
    )
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
    if own is not None and signing_seed:
        yield findings.check(
            own.is_success,
            "An event signed with your test key is accepted.",
            f"An event signed with your test key gets {own.status_code} ({own.text[:120]}): its "
            f"public half, {Signer(signing_seed).public_key}, belongs into TelnyxPublicKeys.",
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
