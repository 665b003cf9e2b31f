"""What is wrong is said in a sentence, and what is right too."""

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
from local.simulator.faults import Fault
from local.stack.serving import serve
from tests.support.telnyx_account import (
    ASSISTANT,
    KEY,
    NOTHING_LISTENS_URL,
    PREVIOUS_URL,
    AccountSetup,
)

TEST_SEED = bytes(range(32))


@pytest.fixture
def town(town: AccountSetup) -> AccountSetup:
    """Connected, as it should be."""
    town.connect_ours("--assistant", ASSISTANT)
    return town


def application(town: AccountSetup, **changes: object) -> None:
    town.simulator.world.applications[town.connection_id].update(changes)


def test_nothing_is_wrong(town: AccountSetup) -> None:
    assert town.doctor("--assistant", ASSISTANT) == 0

    found = town.verdicts()
    assert found["wrong"] == found["untried"] == []
    assert town.output.endswith("Nothing is wrong.\n")
    assert f"The application's failover URL is {town.url}/failover." in found["ok"]
    assert "Telnyx takes the API key." in found["ok"]
    assert f"The application is active; TelnyxConnectionId is {town.connection_id}." in found["ok"]
    assert "Calls to +13125550100 come to the application." in found["ok"]
    assert "An event that a stranger has signed is refused (401)." in found["ok"]
    assert "A request that Telnyx itself has signed is taken." in found["ok"]
    assert any(re.search("10 calls out an hour", each) for each in found["note"])
    tried = [each for path, each in town.deployment.requests if path == "/tools/status"]
    assert tried == [{"call_control_id": "v3:doctor"}]


def test_it_changes_nothing(town: AccountSetup) -> None:
    asked = town.changes()
    town.doctor("--assistant", ASSISTANT)
    assert town.changes() == [*asked, "POST tool_test"]
    assert town.simulator.legs == []


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
        ({"active": False}, "is switched off"),
        ({"outbound": {}}, "no outbound voice profile, so nobody can be called"),
    ],
)
def test_an_application_that_is_not_right(
    town: AccountSetup, changes: dict[str, object], words: str
) -> None:
    application(town, **changes)

    assert town.doctor() == 1

    (wrong,) = town.verdicts()["wrong"]
    assert words in wrong
    assert town.output.endswith("1 thing is wrong.\n")


def test_a_failover_door_of_ones_own(town: AccountSetup) -> None:
    for door_url, status in (("https://queue.example/door", 0), ("http://queue.example/door", 1)):
        application(town, webhook_event_failover_url=door_url)
        assert town.doctor("--failover-url", door_url) == status, door_url
    assert town.verdicts()["wrong"] == ["The failover URL http://queue.example/door is not https."]

    application(town, webhook_event_failover_url=None)
    assert town.doctor() == 0
    assert any("has no failover URL" in each for each in town.verdicts()["note"])


def test_no_number(town: AccountSetup) -> None:
    town.simulator.world.numbers.clear()
    assert town.doctor() == 1
    assert "No number belongs to the application" in town.verdicts()["wrong"][0]


def test_no_application(town: AccountSetup) -> None:
    assert town.run("doctor", "--url", town.url) == 1
    assert "no Call Control application called partyline" in town.verdicts()["wrong"][0]
    assert town.run("doctor", "--url", town.url, "--application", "123") == 1
    assert "no Call Control application 123" in town.verdicts()["wrong"][0]


def test_a_wrong_key_is_one_finding_and_the_door_is_tried_all_the_same(town: AccountSetup) -> None:
    (town.home / "wrong").write_text("KEY-wrong-and-secret")

    assert town.run("doctor", "--url", town.url, key="wrong") == 1

    found = town.verdicts()
    assert len(found["wrong"]) == 1
    assert "does not take the API key (401" in found["wrong"][0]
    assert "The webhook URL answers, and refuses what is not signed." in found["ok"]
    assert "KEY-wrong" not in town.output


@pytest.mark.parametrize(
    ("action", "right"),
    [
        ("application_retrieve", "read Call Control applications"),
        ("number_list", "read phone numbers"),
        ("active_calls", "read calls"),
        ("conversations", "read AI conversations"),
        ("assistant_retrieve", "read AI tools and assistants"),
        ("tool_test", "change AI tools and assistants"),
    ],
)
def test_a_right_that_is_missing_is_named(town: AccountSetup, action: str, right: str) -> None:
    town.simulator.faults.add(Fault("refuse", action, status=403))

    assert town.doctor("--assistant", ASSISTANT) == 1

    (wrong,) = town.verdicts()["wrong"]
    assert f"lacks the right to {right} (403" in wrong


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "takes an event without a signature"),
        (307, "redirects (307)"),
        (404, "is --url the ApiUrl"),
        (403, "answers 403"),
        (503, "fails (503)"),
    ],
)
def test_a_door_that_is_not_ours(town: AccountSetup, status: int, words: str) -> None:
    town.deployment.answers = status
    assert town.doctor() == 1
    (wrong,) = town.verdicts()["wrong"]
    assert words in wrong


def test_a_door_that_any_signature_opens(town: AccountSetup) -> None:
    town.deployment.accepts_any_signature = True
    assert town.doctor() == 1
    (wrong,) = town.verdicts()["wrong"]
    assert wrong == "An event that a stranger has signed gets 200, not 401."


def test_the_published_key_opens_nothing_but_a_laptop(
    town: AccountSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_check, "is_loopback", lambda url: False)
    assert town.doctor() == 1
    plain, published = town.verdicts()["wrong"]
    assert "is not https" in plain
    assert "trusts the simulator's published key" in published


def test_nobody_at_the_door(town: AccountSetup) -> None:
    assert town.doctor("--url", NOTHING_LISTENS_URL) == 1
    assert f"Nothing answers at {NOTHING_LISTENS_URL}/webhooks" in town.verdicts()["wrong"][-1]


def test_no_telnyx(town: AccountSetup) -> None:
    assert town.doctor("--telnyx-api-base-url", NOTHING_LISTENS_URL) == 1
    first, second = town.verdicts()["wrong"]
    assert "does not answer" in first
    assert "could not be compared" in second


def test_a_deployment_with_another_accounts_public_key(town: AccountSetup) -> None:
    town.deployment.trusted = [public_key(TEST_SEED)]

    assert town.doctor("--assistant", ASSISTANT) == 1

    (wrong,) = town.verdicts()["wrong"]
    assert "TelnyxPublicKeys is not the public key of this account" in wrong


def test_what_was_not_tried_is_not_called_right(town: AccountSetup) -> None:
    town.deployment.trusted = [public_key(TEST_SEED)]

    assert town.doctor() == 0

    (untried,) = town.verdicts()["untried"]
    assert "TelnyxPublicKeys may be wrong" in untried
    assert "--assistant" in untried
    assert "--signing-key" in untried
    assert town.output.endswith("Nothing wrong was found; not tried: a signed round trip.\n")


def test_a_tool_that_telnyx_cannot_be_asked_to_try(town: AccountSetup) -> None:
    for tool in town.simulator.world.tools.values():
        tool["display_name"] = "Somebody's own"

    assert town.doctor("--assistant", ASSISTANT) == 0

    (untried,) = town.verdicts()["untried"]
    assert "status of assistant-1 is none" in untried
    assert town.output.endswith("not tried: a request that Telnyx itself has signed.\n")


def test_a_tool_that_gets_no_answer(town: AccountSetup) -> None:
    (tool,) = [each for each in town.simulator.world.tools.values() if "status" in str(each)]
    assert tool["display_name"] == f"Partyline status ({town.connection_id})"
    town.deployment.trusted = []
    town.simulator.deliverer._post = lambda url, body, headers: None

    assert town.doctor("--assistant", ASSISTANT) == 1

    assert "gets no answer" in town.verdicts()["wrong"][0]


def test_an_assistant_without_the_tools(town: AccountSetup) -> None:
    assert town.doctor("--assistant", "assistant-2") == 1
    assert ["lacks the tool" in each for each in town.verdicts()["wrong"]] == [True, True]


def test_tools_that_go_elsewhere_or_do_not_name_the_call(town: AccountSetup) -> None:
    invite, status = town.simulator.world.tools.values()
    invite["tool_definition"] = {**invite["tool_definition"], "url": PREVIOUS_URL}
    status["tool_definition"] = {**status["tool_definition"], "preset_body_fields": None}

    assert town.doctor("--assistant", ASSISTANT) == 1

    first, second = town.verdicts()["wrong"]
    assert f"goes to {PREVIOUS_URL}" in first
    assert "does not say which call it is for" in second


def test_a_test_key_of_ones_own(town: AccountSetup) -> None:
    seed = town.home / "seed"
    seed.write_text(base64.b64encode(TEST_SEED).decode())

    assert town.doctor("--signing-key", str(seed)) == 1
    (wrong,) = town.verdicts()["wrong"]
    assert public_key(TEST_SEED) in wrong
    assert seed.read_text() not in town.output

    town.deployment.trusted.append(public_key(TEST_SEED))
    assert town.doctor("--signing-key", str(seed)) == 0
    assert "An event signed with your test key is taken." in town.verdicts()["ok"]
    # Telnyx's own key may still be another one.
    assert town.output.endswith("not tried: a request that Telnyx itself has signed.\n")

    seed.write_text("short")
    assert town.doctor("--signing-key", str(seed)) == 2


def test_a_clock_that_is_wrong(town: AccountSetup) -> None:
    account = Account(town.telnyx_url, KEY, clock=lambda: time.time() - 9000)
    patient = doctor.Context(town.url, "partyline", town.connection_id)

    (wrong,) = [each for each in doctor.examine(account, patient) if each.verdict == "wrong"]

    account.close()
    assert re.search(r"This clock is \d{4} seconds behind Telnyx's", wrong.sentence)


@pytest.mark.parametrize(
    "said", [Response("<html>"), Response(), JSONResponse({}), JSONResponse([])]
)
def test_somebody_else_at_telnyxs_address(town: AccountSetup, said: Response) -> None:
    async def answer(_: Request) -> Response:
        return said

    stranger = serve(Starlette(routes=[Route("/{path:path}", answer)]))
    status = town.doctor("--telnyx-api-base-url", stranger.url)
    stranger.stop()

    assert status == 1
    assert "does not answer as Telnyx does" in town.verdicts()["wrong"][0]


def public_key(seed: bytes) -> str:
    return base64.b64encode(bytes(SigningKey(seed).verify_key)).decode()
