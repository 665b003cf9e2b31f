"""The reference library of Standard Webhooks verifies our signatures, with each valid secret."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from local.stack.template import Template
from partyline.services.hook_signing import secret_of, shown_secret, signature_headers
from tests.support.hook_lab import HookLab, Request


@pytest.fixture
def lab(template: Template) -> HookLab:
    lab = HookLab(template)
    lab.now = datetime.now(UTC)  # the library compares the timestamp with the machine's clock
    return lab


def verified(secret: str, request: Request) -> object:
    content: object = Webhook(secret).verify(request.body, dict(request.headers))
    return content


def delivered(lab: HookLab, conversation_id: str) -> Request:
    lab.emit(conversation_id)
    lab.run()
    return lab.receiver.requests[-1]


def test_the_reference_library_verifies_a_delivery(lab: HookLab) -> None:
    secret = lab.put()
    request = delivered(lab, "c-1")
    content = verified(secret, request)
    assert isinstance(content, dict)
    assert content["data"]["conversation_id"] == "c-1"


def test_the_former_and_the_new_secret_both_verify_for_a_day(lab: HookLab) -> None:
    former = lab.put()
    made = lab.hooks.replace_secret("crm", lab.change())
    secret = str(made.secret)
    for valid in (former, secret):
        assert verified(valid, delivered(lab, f"c-{valid[-6:-2]}"))
    stored = lab.hooks.get("crm")
    assert len(stored.nonces(lab.now + timedelta(days=1))) == 1


def test_a_secret_stays_when_the_answer_with_its_successor_is_lost(lab: HookLab) -> None:
    first = lab.put()
    for _ in range(2):
        lab.hooks.replace_secret("crm", lab.change())
    assert verified(first, delivered(lab, "c-1"))


def test_a_fourth_secret_voids_the_first(lab: HookLab) -> None:
    first = lab.put()
    for _ in range(3):
        lab.hooks.replace_secret("crm", lab.change())
    with pytest.raises(WebhookVerificationError):
        verified(first, delivered(lab, "c-1"))


def test_another_hook_or_another_body_is_not_verified(lab: HookLab) -> None:
    secret = lab.put("crm", event_types=["conversation.started"])
    lab.put("other")
    request = delivered(lab, "c-1")
    with pytest.raises(WebhookVerificationError):
        verified(secret, request)
    mine = signature_headers([b"s" * 32], "msg_1", lab.now, b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(b"s" * 32)).verify(b"[]", mine)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(b"s" * 32)).verify(b"{}", mine | {"webhook-id": "msg_2"})


def test_a_secret_depends_on_the_key_the_hook_and_the_nonce() -> None:
    secrets = {
        secret_of(key, hook_id, nonce)
        for key in ("k1", "k2")
        for hook_id in ("a", "b")
        for nonce in ("1", "2")
    }
    assert len(secrets) == 8
    assert {len(secret) for secret in secrets} == {32}, "the scheme asks for 24 to 64 bytes"
