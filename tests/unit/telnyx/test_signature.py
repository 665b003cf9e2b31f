"""Only a request with a valid and fresh signature of Telnyx is accepted."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from partyline.telnyx.signature import PublicKeys, SignatureError, raw_body, verify

# Test key 1 of RFC 8032: published, so safe to commit. The `cryptography` package made this
# signature, and not the library that verifies signatures.
PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
KEYS = PublicKeys.parse(PUBLIC_KEY)
NOW = 1782907200
BODY = (
    '{"data":{"event_type":"call.answered","id":"0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",'
    '"occurred_at":"2026-07-01T12:00:00.000000Z","payload":{"call_control_id":"v3:abc-DEF_123",'
    '"client_state":null,"from":"+13125550101","to":"+13125550102"},"record_type":"event"},'
    '"meta":{"attempt":1,"delivered_to":"https://example.com/café"}}'
).encode()
SIGNATURE = (
    "sjuYr3Br6DjkgCXlcUA4pwRY7WAX0NDkiUnSPc/in3Pszd8eDkftSu76VYLYaed700rGjoi8/mv3AxAINYj1DQ=="
)
HEADERS = {"telnyx-signature-ed25519": SIGNATURE, "telnyx-timestamp": str(NOW)}


def signed(body: bytes, timestamp: str, seed: bytes = SEED) -> dict[str, str]:
    signature = SigningKey(seed).sign(timestamp.encode() + b"|" + body).signature
    return {
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "telnyx-timestamp": timestamp,
    }


def reason(body: bytes, headers: Any, keys: PublicKeys = KEYS, now: float = NOW) -> str:
    with pytest.raises(SignatureError) as caught:
        verify(body, headers, keys, now)
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


def test_the_known_signature_is_accepted() -> None:
    verify(BODY, HEADERS, KEYS, NOW)


def test_header_names_may_have_any_case() -> None:
    verify(BODY, {name.title(): value for name, value in HEADERS.items()}, KEYS, NOW)


@pytest.mark.parametrize("late", [-300, 0, 300])
def test_a_difference_of_up_to_five_minutes_is_accepted(late: int) -> None:
    verify(BODY, HEADERS, KEYS, NOW + late)


@pytest.mark.parametrize("late", [-301, -300.5, 300.5, 301, 10**9])
def test_a_difference_of_more_than_five_minutes_is_stale(late: float) -> None:
    assert reason(BODY, HEADERS, now=NOW + late) == "stale"


def test_each_of_two_trusted_keys_is_accepted() -> None:
    other = base64.b64encode(bytes(SigningKey(bytes(32)).verify_key)).decode()
    both = PublicKeys.parse(f"{other}, {PUBLIC_KEY}")

    verify(BODY, HEADERS, both, NOW)
    verify(BODY, signed(BODY, str(NOW), bytes(32)), both, NOW)
    assert reason(BODY, HEADERS, PublicKeys.parse(other)) == "mismatch"


def test_without_a_key_every_request_is_refused() -> None:
    assert reason(BODY, HEADERS, PublicKeys.parse(" ")) == "no_keys"


@pytest.mark.parametrize(
    "text", ["x", PUBLIC_KEY[:-4], PUBLIC_KEY + ",", f",{PUBLIC_KEY}", "é", PUBLIC_KEY * 2]
)
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is 32 bytes in base64"):
        PublicKeys.parse(text)


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("telnyx-signature-ed25519", None, "missing_signature"),
        ("telnyx-signature-ed25519", "", "missing_signature"),
        ("telnyx-signature-ed25519", "!", "malformed_signature"),
        ("telnyx-signature-ed25519", "é", "malformed_signature"),
        ("telnyx-signature-ed25519", SIGNATURE + "\n", "malformed_signature"),
        ("telnyx-signature-ed25519", f" {SIGNATURE}", "malformed_signature"),
        ("telnyx-signature-ed25519", SIGNATURE[:-4], "malformed_signature"),
        ("telnyx-signature-ed25519", "AAAA" + SIGNATURE, "malformed_signature"),
        ("telnyx-signature-ed25519", "A" * 86 + "==", "mismatch"),
        ("telnyx-timestamp", None, "missing_timestamp"),
        ("telnyx-timestamp", "", "missing_timestamp"),
        ("telnyx-timestamp", "now", "malformed_timestamp"),
        ("telnyx-timestamp", f"+{NOW}", "malformed_timestamp"),
        ("telnyx-timestamp", f"-{NOW}", "malformed_timestamp"),
        ("telnyx-timestamp", f" {NOW}", "malformed_timestamp"),
        ("telnyx-timestamp", f"{NOW}\n", "malformed_timestamp"),
        ("telnyx-timestamp", f"{NOW}.0", "malformed_timestamp"),
        ("telnyx-timestamp", "1_782907200", "malformed_timestamp"),
        ("telnyx-timestamp", "١٧٨٢٩٠٧٢٠٠", "malformed_timestamp"),
        ("telnyx-timestamp", "0" * 13, "malformed_timestamp"),
        ("telnyx-timestamp", "9" * 5000, "malformed_timestamp"),
        ("telnyx-timestamp", "1", "stale"),
        ("telnyx-timestamp", str(NOW + 1), "mismatch"),
        ("telnyx-timestamp", f"0{NOW}", "mismatch"),
    ],
)
def test_each_refusal_has_its_reason(header: str, value: str | None, expected: str) -> None:
    assert reason(BODY, {**HEADERS, header: value}) == expected


def test_a_request_without_headers_is_refused() -> None:
    assert reason(BODY, {}) == "missing_signature"


def test_a_reformatted_body_is_refused() -> None:
    assert reason(BODY.replace(b":", b": ", 1), HEADERS) == "mismatch"


@given(body=st.binary(max_size=300), late=st.integers(-300, 300))
def test_every_correctly_signed_body_is_accepted(body: bytes, late: int) -> None:
    verify(body, signed(body, str(NOW)), KEYS, NOW + late)


@given(data=st.data())
def test_every_changed_byte_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(BODY) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != BODY[at]))

    assert reason(BODY[:at] + bytes([other]) + BODY[at + 1 :], HEADERS) == "mismatch"


@given(data=st.data())
def test_every_changed_signature_is_refused(data: st.DataObject) -> None:
    raw = base64.b64decode(SIGNATURE)
    at = data.draw(st.integers(0, 63))
    bit = data.draw(st.integers(0, 7))
    changed = raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]
    headers = {**HEADERS, "telnyx-signature-ed25519": base64.b64encode(changed).decode()}

    assert reason(BODY, headers) == "mismatch"


@given(
    body=st.binary(max_size=50),
    headers=st.dictionaries(
        st.sampled_from([*HEADERS, "Telnyx-Timestamp", "x"]), st.one_of(st.none(), st.text())
    ),
    now=st.integers(0, 2**40),
)
def test_random_input_raises_only_signature_errors(
    body: bytes, headers: dict[str, Any], now: int
) -> None:
    reason(body, headers, now=now)


def test_the_raw_body_is_read_from_an_api_gateway_event() -> None:
    assert raw_body({"body": "café"}) == "café".encode()
    assert raw_body({"body": "Y2Fmw6k=", "isBase64Encoded": True}) == "café".encode()
    assert raw_body({"body": "Y2Fmw6k=", "isBase64Encoded": False}) == b"Y2Fmw6k="
    assert raw_body({"body": None, "isBase64Encoded": True}) == b""
    assert raw_body({}) == b""


@pytest.mark.parametrize(
    "event",
    [
        {"body": "Y2F mw6k=", "isBase64Encoded": True},
        {"body": "Y2Fm\n", "isBase64Encoded": True},
        {"body": "Y2Fmw6k", "isBase64Encoded": True},
        {"body": "é", "isBase64Encoded": True},
        {"body": 7, "isBase64Encoded": True},
        {"body": {"data": {}}},
        {"body": "\ud800"},
    ],
    ids=str,
)
def test_a_body_that_telnyx_cannot_have_sent_is_malformed(event: dict[str, Any]) -> None:
    with pytest.raises(SignatureError) as caught:
        raw_body(event)

    assert caught.value.reason == "malformed_body"
