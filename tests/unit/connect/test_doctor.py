"""The doctor's sentence for each result of each check."""

import base64
import re
import time

import pytest
from nacl.signing import SigningKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.connect import doctor, webhook_check
from local.connect.account import Account
from local.serving import serve
from local.simulator.faults import Fault
from partyline.domain.model.assistant import OUR_TOOLS
from tests.support.telnyx_account import (
    ASSISTANT,
    KEY,
    NOTHING_LISTENS_URL,
    PREVIOUS_URL,
    AccountSetup,
)

TEST_SEED = bytes(range(32))


@pytest.fixture
def account_setup(account_setup: AccountSetup) -> AccountSetup:
    """A connected account without a fault."""
    account_setup.connect_application("--assistant", ASSISTANT)
    return account_setup


def application(account_setup: AccountSetup, **changes: object) -> None:
    account_setup.simulator.world.applications[account_setup.connection_id].update(changes)


def test_a_connected_account_has_no_fault(account_setup: AccountSetup) -> None:
    assert account_setup.doctor("--assistant", ASSISTANT) == 0

    verdicts = account_setup.verdicts()
    assert verdicts["wrong"] == verdicts["untried"] == []
    assert account_setup.output.endswith("Nothing is wrong.\n")
    assert f"The application's failover URL is {account_setup.url}/failover." in verdicts["ok"]
    assert "Telnyx takes the API key." in verdicts["ok"]
    assert (
        f"The application is active; TelnyxConnectionId is {account_setup.connection_id}."
        in verdicts["ok"]
    )
    assert "Calls to +13125550100 come to the application." in verdicts["ok"]
    assert "An event signed with an unknown key is refused (401)." in verdicts["ok"]
    assert "A request that Telnyx itself has signed is accepted." in verdicts["ok"]
    assert any("10 calls out an hour" in note for note in verdicts["note"])
    tried = [body for path, body in account_setup.deployment.requests if path == "/tools/status"]
    assert tried == [{"call_control_id": "v3:doctor"}]


def test_the_doctor_changes_nothing(account_setup: AccountSetup) -> None:
    asked = account_setup.changes()
    account_setup.doctor("--assistant", ASSISTANT)
    assert account_setup.changes() == [*asked, "POST tool_test"]
    assert account_setup.simulator.legs == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"webhook_event_url": PREVIOUS_URL}, f"webhook URL is {PREVIOUS_URL}, not http"),
        ({"webhook_event_url": ""}, "webhook URL is not set, not http"),
        (
            {"webhook_event_failover_url": "https://other.example/failover"},
            "failover URL is https://other.example/failover, not http",
        ),
        ({"webhook_api_version": "1"}, "API version 1, which Partyline answers and ignores"),
        ({"webhook_timeout_secs": None}, "webhook timeout is not set"),
        ({"webhook_timeout_secs": 2}, "webhook timeout is 2 seconds"),
        ({"call_cost_in_webhooks": False}, "Telnyx does not send the prices of calls"),
        ({"active": False}, "is switched off"),
        ({"outbound": {}}, "no outbound voice profile, so no number can be dialed"),
    ],
)
def test_each_wrong_field_of_the_application_is_a_finding(
    account_setup: AccountSetup, changes: dict[str, object], words: str
) -> None:
    application(account_setup, **changes)

    assert account_setup.doctor() == 1

    (wrong,) = account_setup.verdicts()["wrong"]
    assert words in wrong
    assert account_setup.output.endswith("1 thing is wrong.\n")


def test_another_failover_url_is_accepted_when_it_is_https(account_setup: AccountSetup) -> None:
    for failover_url, status in (
        ("https://queue.example/failover", 0),
        ("http://queue.example/failover", 1),
    ):
        application(account_setup, webhook_event_failover_url=failover_url)
        assert account_setup.doctor("--failover-url", failover_url) == status, failover_url
    assert account_setup.verdicts()["wrong"] == [
        "The failover URL http://queue.example/failover is not https."
    ]

    application(account_setup, webhook_event_failover_url=None)
    assert account_setup.doctor() == 0
    assert any("has no failover URL" in note for note in account_setup.verdicts()["note"])


def test_an_application_without_a_number_is_wrong(account_setup: AccountSetup) -> None:
    account_setup.simulator.world.numbers.clear()
    assert account_setup.doctor() == 1
    assert "No number belongs to the application" in account_setup.verdicts()["wrong"][0]


def test_a_missing_application_is_wrong(account_setup: AccountSetup) -> None:
    assert account_setup.run("doctor", "--url", account_setup.url) == 1
    assert "no Call Control application called partyline" in account_setup.verdicts()["wrong"][0]
    assert account_setup.run("doctor", "--url", account_setup.url, "--application", "123") == 1
    assert "no Call Control application 123" in account_setup.verdicts()["wrong"][0]


def test_a_wrong_key_is_one_finding_and_the_webhook_url_is_still_checked(
    account_setup: AccountSetup,
) -> None:
    (account_setup.home / "wrong").write_text("KEY-wrong-and-secret")

    assert account_setup.run("doctor", "--url", account_setup.url, key="wrong") == 1

    verdicts = account_setup.verdicts()
    assert len(verdicts["wrong"]) == 1
    assert "does not take the API key (401" in verdicts["wrong"][0]
    assert "The webhook URL answers, and refuses an unsigned event." in verdicts["ok"]
    assert "KEY-wrong" not in account_setup.output


@pytest.mark.parametrize(
    ("action", "right"),
    [
        ("application_retrieve", "read Call Control applications"),
        ("number_list", "read phone numbers"),
        ("active_calls", "read calls"),
        ("call_events", "read call events"),
        ("conversations", "read AI conversations"),
        ("assistant_retrieve", "read AI tools and assistants"),
        ("tool_test", "change AI tools and assistants"),
    ],
)
def test_a_missing_right_is_named(account_setup: AccountSetup, action: str, right: str) -> None:
    account_setup.simulator.faults.add(Fault("refuse", action, status=403))

    assert account_setup.doctor("--assistant", ASSISTANT) == 1

    (wrong,) = account_setup.verdicts()["wrong"]
    assert f"lacks the right to {right} (403" in wrong


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "accepts an event without a signature"),
        (307, "redirects (307)"),
        (404, "is --url the ApiUrl"),
        (403, "answers 403"),
        (503, "fails (503)"),
    ],
)
def test_a_webhook_url_that_is_not_partylines_is_wrong(
    account_setup: AccountSetup, status: int, words: str
) -> None:
    account_setup.deployment.answers = status
    assert account_setup.doctor() == 1
    (wrong,) = account_setup.verdicts()["wrong"]
    assert words in wrong


def test_a_deployment_that_accepts_any_signature_is_wrong(account_setup: AccountSetup) -> None:
    account_setup.deployment.accepts_any_signature = True
    assert account_setup.doctor() == 1
    (wrong,) = account_setup.verdicts()["wrong"]
    assert wrong == "An event signed with an unknown key gets 200, not 401."


def test_only_a_deployment_on_this_machine_may_trust_the_published_key(
    account_setup: AccountSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_check, "is_loopback", lambda url: False)
    assert account_setup.doctor() == 1
    plain, published = account_setup.verdicts()["wrong"]
    assert "is not https" in plain
    assert "trusts the simulator's published key" in published


def test_a_webhook_url_without_an_answer_is_wrong(account_setup: AccountSetup) -> None:
    assert account_setup.doctor("--url", NOTHING_LISTENS_URL) == 1
    assert (
        f"No server answers at {NOTHING_LISTENS_URL}/webhooks"
        in account_setup.verdicts()["wrong"][-1]
    )


def test_an_unreachable_telnyx_is_wrong(account_setup: AccountSetup) -> None:
    assert account_setup.doctor("--telnyx-api-base-url", NOTHING_LISTENS_URL) == 1
    first, second = account_setup.verdicts()["wrong"]
    assert "does not answer" in first
    assert "could not be compared" in second


def test_another_accounts_public_key_is_wrong(account_setup: AccountSetup) -> None:
    account_setup.deployment.trusted = [public_key(TEST_SEED)]

    assert account_setup.doctor("--assistant", ASSISTANT) == 1

    (wrong,) = account_setup.verdicts()["wrong"]
    assert "TelnyxPublicKeys is not the public key of this account" in wrong


def test_an_untried_check_is_not_reported_as_right(account_setup: AccountSetup) -> None:
    account_setup.deployment.trusted = [public_key(TEST_SEED)]

    assert account_setup.doctor() == 0

    (untried,) = account_setup.verdicts()["untried"]
    assert "TelnyxPublicKeys may be wrong" in untried
    assert "--assistant" in untried
    assert "--signing-key" in untried
    assert account_setup.output.endswith(
        "Nothing wrong was found; not tried: a signed round trip.\n"
    )


def test_a_tool_outside_the_library_is_untried(account_setup: AccountSetup) -> None:
    for tool in account_setup.simulator.world.tools.values():
        tool["display_name"] = "The user's own"

    assert account_setup.doctor("--assistant", ASSISTANT) == 0

    (untried,) = account_setup.verdicts()["untried"]
    assert "status of assistant-1 is not in the library" in untried
    assert account_setup.output.endswith("not tried: a request that Telnyx itself has signed.\n")


def test_a_tool_without_an_answer_is_wrong(account_setup: AccountSetup) -> None:
    (tool,) = [
        tool for tool in account_setup.simulator.world.tools.values() if "status" in str(tool)
    ]
    assert tool["display_name"] == f"Partyline status ({account_setup.connection_id})"
    account_setup.deployment.trusted = []
    account_setup.simulator.deliverer._post = lambda url, body, headers: None

    assert account_setup.doctor("--assistant", ASSISTANT) == 1

    assert "gets no answer" in account_setup.verdicts()["wrong"][0]


def test_an_assistant_without_the_tools_is_wrong(account_setup: AccountSetup) -> None:
    assert account_setup.doctor("--assistant", "assistant-2") == 1
    wrong = account_setup.verdicts()["wrong"]
    assert ["lacks the tool" in sentence for sentence in wrong] == [True] * len(OUR_TOOLS)


def test_a_tool_with_another_url_or_without_the_call_is_wrong(account_setup: AccountSetup) -> None:
    invite, *_, status, _skip_turn = account_setup.simulator.world.tools.values()
    invite["tool_definition"] = {**invite["tool_definition"], "url": PREVIOUS_URL}
    status["tool_definition"] = {**status["tool_definition"], "preset_body_fields": None}

    assert account_setup.doctor("--assistant", ASSISTANT) == 1

    first, second = account_setup.verdicts()["wrong"]
    assert f"goes to {PREVIOUS_URL}" in first
    assert "does not say which call it is for" in second


def test_an_own_test_key_is_checked(account_setup: AccountSetup) -> None:
    seed = account_setup.home / "seed"
    seed.write_text(base64.b64encode(TEST_SEED).decode())

    assert account_setup.doctor("--signing-key", str(seed)) == 1
    (wrong,) = account_setup.verdicts()["wrong"]
    assert public_key(TEST_SEED) in wrong
    assert seed.read_text() not in account_setup.output

    account_setup.deployment.trusted.append(public_key(TEST_SEED))
    assert account_setup.doctor("--signing-key", str(seed)) == 0
    assert "An event signed with your test key is accepted." in account_setup.verdicts()["ok"]
    # Telnyx's own key may still be another one.
    assert account_setup.output.endswith("not tried: a request that Telnyx itself has signed.\n")

    seed.write_text("short")
    assert account_setup.doctor("--signing-key", str(seed)) == 2


def test_a_wrong_clock_is_wrong(account_setup: AccountSetup) -> None:
    account = Account(account_setup.telnyx_url, KEY, clock=lambda: time.time() - 9000)
    context = doctor.Context(account_setup.url, "partyline", account_setup.connection_id)

    (wrong,) = [
        finding for finding in doctor.examine(account, context) if finding.verdict == "wrong"
    ]

    account.close()
    assert re.search(r"This clock is \d{4} seconds behind Telnyx's", wrong.sentence)


@pytest.mark.parametrize(
    "said", [Response("<html>"), Response(), JSONResponse({}), JSONResponse([])]
)
def test_a_url_that_is_not_telnyx_is_reported(account_setup: AccountSetup, said: Response) -> None:
    async def answer(_: Request) -> Response:
        return said

    stranger = serve(Starlette(routes=[Route("/{path:path}", answer)]))
    status = account_setup.doctor("--telnyx-api-base-url", stranger.url)
    stranger.stop()

    assert status == 1
    assert "does not answer as Telnyx does" in account_setup.verdicts()["wrong"][0]


def public_key(seed: bytes) -> str:
    return base64.b64encode(bytes(SigningKey(seed).verify_key)).decode()
