"""Signatures: ten thousand forged webhooks are refused, genuine webhooks are accepted."""

import base64
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from nacl.signing import SigningKey

from local.simulator.settings import PUBLISHED_TEST_SEED as SEED
from local.stack.webhook_fixtures import body_of, fixtures
from partyline.telnyx.signature import PublicKeys, SignatureError, raw_body, verify
from tests.support.lab import NewLab
from tests.support.security import assert_untouched, post, signed

SIGNATURE, TIMESTAMP = "telnyx-signature-ed25519", "telnyx-timestamp"
KEY = base64.b64encode(bytes(SigningKey(SEED).verify_key)).decode()
KEYS = PublicKeys.parse(KEY)
NOW = 1_782_907_200
ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of Ed25519's group (RFC 8032). A signature's second half must be smaller."""

BODIES = [body_of(event_type)[1] for event_type in sorted(fixtures())] + [
    '{"data":{"event_type":"call.answered","payload":{"from":"José 🦜 Ünïcödé"}}}'.encode(),
    b"",
    b"\xff\xfe\x00 not text",
    b"x" * 250_000,
]


@dataclass(frozen=True)
class Received:
    """A received webhook: body, headers, and the time of arrival in seconds."""

    body: bytes
    headers: dict[str, Any]
    now: float


def accepted(sent: Received, keys: PublicKeys = KEYS) -> bool:
    try:
        verify(sent.body, sent.headers, keys, sent.now)
    except SignatureError:
        return False
    return True


def genuine(body: bytes, timestamp: int = NOW, seed: bytes = SEED) -> Received:
    return Received(body, signed(body, timestamp, seed), timestamp)


def with_header(sent: Received, name: str, value: Any) -> Received:
    return replace(sent, headers={**sent.headers, name: value})


# Each function makes a forgery from a genuine webhook with the random numbers of `r`.


def another_body(sent: Received, r: random.Random) -> Received:
    body = bytearray(sent.body or b"\0")
    match r.randrange(5):
        case 0:
            body[r.randrange(len(body))] ^= 1 << r.randrange(8)
        case 1:
            body.insert(r.randrange(len(body) + 1), r.randrange(256))
        case 2:
            del body[r.randrange(len(body))]
        case 3:
            body += r.choice([b" ", b"\n", b"\0", b"{}"])
        case _:
            body[:0] = r.choice([b" ", b"|", b"\xef\xbb\xbf", b"0"])
    return replace(sent, body=bytes(body) if bytes(body) != sent.body else b"another")


def another_signature(sent: Received, r: random.Random) -> Received:
    raw = bytearray(base64.b64decode(sent.headers[SIGNATURE]))
    match r.randrange(6):
        case 0:
            raw[r.randrange(64)] ^= 1 << r.randrange(8)
        case 1:
            raw = bytearray(r.randbytes(64))
        case 2:
            raw = raw[32:] + raw[:32]
        case 3:
            raw = raw[: r.randrange(64)]
        case 4:
            raw += r.randbytes(r.randrange(1, 65))
        case _:  # equal to the original for a check without the bound of ORDER
            raw[32:] = (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
    return with_header(sent, SIGNATURE, base64.b64encode(bytes(raw)).decode())


def another_writing(sent: Received, r: random.Random) -> Received:
    text = sent.headers[SIGNATURE]
    raw = base64.b64decode(text)
    written = [
        raw.hex(),
        base64.urlsafe_b64encode(b"\xff" * 64).decode(),
        text.rstrip("="),
        text + "=",
        text + "\n",
        " " + text,
        text[:40] + "\n" + text[40:],
        text + text,
        text + "," + text,
        "v1," + text,
        "ed25519=" + text,
        text.swapcase(),
        "\0" + text,
        "é" + text,
        raw.decode("latin-1"),
        base64.b64encode(text.encode()).decode(),
    ]
    return with_header(sent, SIGNATURE, r.choice(written))


def another_time(sent: Received, r: random.Random) -> Received:
    stamp = sent.headers[TIMESTAMP]
    written = [
        str(int(stamp) + r.choice([-1, 1]) * r.randrange(1, 300)),
        stamp + r.choice([" ", "\n", ".0", "e0", "_0", "\0", "L"]),
        r.choice([" ", "+", "-", "0", "\t"]) + stamp,
        "".join(chr(0x0660 + int(digit)) for digit in stamp),
        "".join(chr(0xFF10 + int(digit)) for digit in stamp),
        f"{stamp[:1]}_{stamp[1:]}",
        hex(int(stamp)),
        str(int(stamp) * 1000),
        "9" * r.randrange(13, 5000),
        "nan",
        "inf",
        "",
    ]
    return with_header(sent, TIMESTAMP, r.choice(written))


def another_key(sent: Received, r: random.Random) -> Received:
    seed = r.choice([r.randbytes(32), bytes(32), bytes(reversed(SEED)), SEED[:31] + b"\0"])
    return genuine(sent.body, int(sent.now), seed)


def without_a_header(sent: Received, r: random.Random) -> Received:
    gone = r.choice([SIGNATURE, TIMESTAMP, SIGNATURE.replace("-", "_"), "both"])
    if gone == "both":
        return replace(sent, headers={})
    if gone in sent.headers:
        return with_header(sent, gone, r.choice([None, "", 7, b"bytes", [sent.headers[gone]]]))
    stamp = sent.headers[TIMESTAMP]
    return replace(sent, headers={gone: sent.headers[SIGNATURE], TIMESTAMP: stamp})


def of_another_webhook(sent: Received, r: random.Random) -> Received:
    other = genuine(sent.body + b" ", int(sent.now) - r.randrange(300))
    return replace(sent, headers=other.headers)


def shifted_bar(sent: Received, r: random.Random) -> Received:
    """The signed text is `1782907200|...`; this webhook splits the text at another place."""
    stamp = sent.headers[TIMESTAMP]
    cut = r.randrange(1, len(stamp))
    shifted = with_header(sent, TIMESTAMP, stamp[:cut])
    return replace(shifted, body=stamp[cut:].encode() + b"|" + sent.body)


def too_late(sent: Received, r: random.Random) -> Received:
    then = int(sent.now) - 300 - r.choice([1, 2, 60, 86_400, 10**9])
    return replace(sent, headers=signed(sent.body, then))


def too_early(sent: Received, r: random.Random) -> Received:
    then = int(sent.now) + 300 + r.choice([1, 2, 60, 86_400, 10**9])
    return replace(sent, headers=signed(sent.body, then))


FORGERIES: list[Callable[[Received, random.Random], Received]] = [
    another_body,
    another_signature,
    another_writing,
    another_time,
    another_key,
    without_a_header,
    of_another_webhook,
    shifted_bar,
    too_late,
    too_early,
]


def forged(times: int) -> Iterator[tuple[str, int, Received]]:
    """`times` forgeries of each kind: kind, number, webhook. The number reproduces a forgery."""
    small = [body for body in BODIES if len(body) < 10_000]
    for nth in range(times):
        body = small[nth % len(small)] if nth % 50 else BODIES[nth // 50 % len(BODIES)]
        for forge in FORGERIES:
            yield forge.__name__, nth, forge(genuine(body), random.Random(nth))


def test_none_of_ten_thousand_forgeries_is_accepted() -> None:
    tried, accepted_forgeries = 0, []
    for kind, nth, sent in forged(1_000):
        tried += 1
        if accepted(sent):
            accepted_forgeries.append((kind, nth))
    assert accepted_forgeries == []
    assert tried == 10_000


def test_every_genuine_webhook_is_accepted() -> None:
    r = random.Random(1)
    for nth in range(1_000):
        body = BODIES[nth % len(BODIES)] if nth % 20 == 0 else r.randbytes(r.randrange(400))
        sent = genuine(body, NOW)
        late = replace(sent, now=NOW + r.uniform(-300, 300))
        cased = {name.title(): value for name, value in sent.headers.items()}
        assert accepted(late), nth
        assert accepted(replace(late, headers=cased)), nth


def test_a_signature_is_valid_for_five_minutes() -> None:
    sent = genuine(BODIES[0])
    ages = (-300.5, -300, 0, 300, 300.5)
    assert [accepted(replace(sent, now=NOW + age)) for age in ages] == [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_the_raw_body_is_the_bytes_that_telnyx_sent(body: bytes) -> None:
    for encoded in (False, True):
        try:
            text = base64.b64encode(body).decode() if encoded else body.decode()
        except UnicodeDecodeError:
            continue
        event = {"body": text, "isBase64Encoded": encoded}
        assert accepted(genuine(raw_body(event)))
        assert raw_body(event) == body


def test_the_public_key_can_be_replaced_without_losing_a_webhook() -> None:
    old, new = genuine(BODIES[0]), genuine(BODIES[0], seed=bytes(32))
    new_key = base64.b64encode(bytes(SigningKey(bytes(32)).verify_key)).decode()
    steps = [KEY, f"{KEY},{new_key}", f"{new_key}, {KEY}", new_key, ""]
    verdicts = [
        [accepted(webhook, PublicKeys.parse(keys)) for webhook in (old, new)] for keys in steps
    ]
    assert verdicts == [[True, False], [True, True], [True, True], [False, True], [False, False]]


# The same through the gateway


SIGNED_PATHS = ("/webhooks", "/webhooks/call.initiated", "/webhooks/any.thing", "/tools/invite")


def test_a_forgery_changes_nothing_at_any_signed_url(new_lab: NewLab) -> None:
    lab = new_lab()
    now = int(lab.clock.now().timestamp())
    _, body = body_of("call.initiated")
    for nth in range(25):
        for forge in FORGERIES:
            sent = forge(genuine(body, now), random.Random(nth))
            headers = {n: v for n, v in sent.headers.items() if isinstance(v, str)}
            assert post(lab, sent.body, headers, SIGNED_PATHS[nth % len(SIGNED_PATHS)]) == 401, (
                forge.__name__
            )
    assert_untouched(lab)


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
def test_a_genuine_call_is_answered_and_its_replay_changes_nothing(
    new_lab: NewLab, content_type: str
) -> None:
    """API Gateway passes a binary body on as base64; Telnyx signed the decoded bytes."""
    lab = new_lab()
    _, body = body_of("call.initiated", ["payload.caller_id_name=José 🦜"])
    headers = signed(body, int(lab.clock.now().timestamp()))
    lab.transport.refuse("answer", 422, "90018", "Call has already ended")
    assert post(lab, body, headers, content_type=content_type) == 200
    stored, requests = lab.table.keys(), len(lab.telnyx.ledger)
    assert len(lab.conversations()) == 1
    for _ in range(3):
        assert post(lab, body, headers, content_type=content_type) == 200
        lab.clock.advance(1)
    assert (lab.table.keys(), len(lab.telnyx.ledger)) == (stored, requests)
    lab.clock.advance(300)
    assert post(lab, body, headers, content_type=content_type) == 401
