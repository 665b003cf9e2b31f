"""`connect` changes an application's settings, and `disconnect` restores the settings."""

from pathlib import Path

import pytest

from local.simulator.faults import Fault
from tests.support.telnyx_account import KEY, NOTHING_LISTENS_URL, PREVIOUS_URL, AccountSetup


def test_connect_sets_the_deployments_urls_and_disconnect_restores_the_application(
    account_setup: AccountSetup,
) -> None:
    account_setup.application()
    own = {
        "webhook_api_version": "1",
        "webhook_timeout_secs": None,
        "call_cost_in_webhooks": False,
        "active": False,
        "tags": ["theirs"],
        "webhook_event_failover_url": "",
    }
    account_setup.simulator.world.applications[account_setup.connection_id].update(own)
    before = account_setup.application()

    assert account_setup.connect_application() == 0

    assert account_setup.application() == {
        **before,
        "webhook_event_url": f"{account_setup.url}/webhooks",
        "webhook_event_failover_url": f"{account_setup.url}/failover",
        "webhook_api_version": "2",
        "webhook_timeout_secs": 10,
        "call_cost_in_webhooks": True,
        "active": True,
    }
    assert (
        f"webhook_event_url: {PREVIOUS_URL} -> {account_setup.url}/webhooks" in account_setup.output
    )
    assert "webhook_timeout_secs: not set -> 10" in account_setup.output
    assert f"TelnyxConnectionId is {account_setup.connection_id}" in account_setup.output
    assert "2 calls at once" in account_setup.output

    assert account_setup.run("disconnect") == 0
    assert account_setup.application() == before
    assert (
        f"webhook_event_url: {account_setup.url}/webhooks -> {PREVIOUS_URL}" in account_setup.output
    )
    assert list((account_setup.home / "records").iterdir()) == []


def test_another_failover_url_can_be_set(account_setup: AccountSetup) -> None:
    assert (
        account_setup.connect_application("--failover-url", "https://queue.example/webhooks") == 0
    )
    door = account_setup.application()["webhook_event_failover_url"]
    assert door == "https://queue.example/webhooks"


def test_connecting_again_changes_nothing(account_setup: AccountSetup) -> None:
    account_setup.connect_application()
    asked = account_setup.changes()

    assert account_setup.connect_application() == 0

    assert account_setup.changes() == asked == ["PATCH application_update"]
    assert "Nothing to change" in account_setup.output


def test_disconnect_restores_the_first_settings_after_a_second_url(
    account_setup: AccountSetup,
) -> None:
    before = account_setup.application()
    account_setup.connect_application()
    account_setup.connect_application("--url", "https://second.example")
    assert account_setup.application()["webhook_event_url"] == "https://second.example/webhooks"

    account_setup.run("disconnect")

    assert account_setup.application() == before


def test_disconnect_restores_the_first_settings_after_a_failed_change(
    account_setup: AccountSetup,
) -> None:
    before = account_setup.application()
    account_setup.connect_application()
    account_setup.simulator.faults.add(Fault("refuse", "application_update", status=503))
    assert account_setup.connect_application("--url", "https://second.example") == 1
    assert "503" in account_setup.output
    account_setup.connect_application("--url", "https://second.example")

    account_setup.run("disconnect")

    assert account_setup.application() == before


def test_disconnect_leaves_a_field_that_was_changed_since_connect(
    account_setup: AccountSetup,
) -> None:
    account_setup.connect_application()
    application = account_setup.simulator.world.applications[account_setup.connection_id]
    application["webhook_event_url"] = "https://newer.example/hook"

    assert account_setup.run("disconnect") == 0

    assert application["webhook_event_url"] == "https://newer.example/hook"
    assert application["webhook_timeout_secs"] is None
    assert "the field was changed since connect" in account_setup.output


def test_connect_creates_a_missing_application_and_disconnect_deletes_it(
    account_setup: AccountSetup,
) -> None:
    known = set(account_setup.simulator.world.applications)

    assert account_setup.connect() == 0
    assert account_setup.connect() == 0

    (made,) = set(account_setup.simulator.world.applications) - known
    assert account_setup.application(made)["application_name"] == "partyline"
    assert account_setup.application(made)["webhook_event_url"] == f"{account_setup.url}/webhooks"
    assert account_setup.application(made)["webhook_api_version"] == "2"
    assert account_setup.changes() == ["POST application_create"]
    assert account_setup.run("disconnect") == 0
    assert set(account_setup.simulator.world.applications) == known


def test_disconnect_does_not_delete_an_application_that_has_numbers(
    account_setup: AccountSetup,
) -> None:
    known = set(account_setup.simulator.world.applications)
    account_setup.connect()
    (made,) = set(account_setup.simulator.world.applications) - known
    account_setup.simulator.world.numbers["+13125550107"] = made

    assert account_setup.run("disconnect") == 1
    assert "+13125550107 would then ring nowhere" in account_setup.output
    assert made in account_setup.simulator.world.applications

    account_setup.simulator.world.numbers["+13125550107"] = None
    assert account_setup.run("disconnect") == 0
    assert made not in account_setup.simulator.world.applications


def test_a_name_of_several_applications_is_refused(account_setup: AccountSetup) -> None:
    account_setup.run("connect", "--url", account_setup.url, "--name", "Partyline")
    assert account_setup.application()["webhook_event_url"] == f"{account_setup.url}/webhooks"
    again = account_setup.simulator.outside_call("+13125550101", "+13125550100").connection_id
    account_setup.simulator.world.applications[again]["application_name"] = "Partyline"

    assert account_setup.run("connect", "--url", account_setup.url, "--name", "Partyline") == 1

    assert again in account_setup.output
    assert account_setup.connection_id in account_setup.output


def test_disconnect_needs_the_id_when_two_applications_are_connected(
    account_setup: AccountSetup,
) -> None:
    account_setup.connect()
    account_setup.connect_application()

    assert account_setup.run("disconnect") == 1
    assert account_setup.connection_id in account_setup.output
    assert account_setup.run("disconnect", "--application", account_setup.connection_id) == 0
    assert account_setup.application()["webhook_event_url"] == PREVIOUS_URL


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--application", "123"), 1, "no Call Control application 123"),
        (("--url", "http://api.example.com"), 0, "http://api.example.com/webhooks"),
        (("--url", "https://api.example.com/webhooks"), 0, "-> https://api.example.com/webhooks\n"),
    ],
)
def test_urls_and_ids_that_are_accepted_or_refused(
    account_setup: AccountSetup, options: tuple[str, ...], status: int, words: str
) -> None:
    ours = () if "--application" in options else ("--application", account_setup.connection_id)
    assert account_setup.connect(*ours, *options) == status
    assert words in account_setup.output


def test_telnyx_is_given_no_url_without_https(account_setup: AccountSetup) -> None:
    elsewhere = ("--telnyx-api-base-url", "https://telnyx.invalid/v2")
    assert account_setup.connect_application("--url", "http://api.example.com", *elsewhere) == 2
    assert "not https" in account_setup.output
    assert account_setup.simulator.ledger == []


@pytest.mark.parametrize(
    "url", ["ftp://api.example.com", "api.example.com", "https://a b", "https://"]
)
def test_a_text_that_is_not_a_url_is_refused(account_setup: AccountSetup, url: str) -> None:
    assert account_setup.connect_application("--url", url) == 2
    assert "is no URL such as" in account_setup.output


def test_the_error_names_a_missing_right(account_setup: AccountSetup) -> None:
    account_setup.simulator.faults.add(Fault("refuse", "application_update", status=403))
    before = account_setup.application()

    assert account_setup.connect_application() == 1

    assert "lacks the right to change Call Control applications (403, 10010" in account_setup.output
    assert account_setup.application() == before


def test_a_wrong_key_is_reported_and_never_printed(account_setup: AccountSetup) -> None:
    (account_setup.home / "wrong").write_text("KEY-wrong-and-secret")

    assert account_setup.run("connect", "--url", account_setup.url, key="wrong") == 1

    assert "does not take the API key (401" in account_setup.output
    assert "KEY-wrong" not in account_setup.output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no API key"),
        (b"two words", "cannot be an API key"),
        (b'{"api_key": 3}', "holds no API key"),
        (b"{secret", "begins as JSON"),
        (b"\xff\xfe", "cannot be read"),
        ("ключ".encode(), "cannot be an API key"),
    ],
)
def test_a_file_without_a_key_is_refused(
    account_setup: AccountSetup, content: bytes, words: str
) -> None:
    (account_setup.home / "odd").write_bytes(content)

    assert account_setup.run("connect", "--url", account_setup.url, key="odd") == 2

    assert words in account_setup.output
    assert "secret" not in account_setup.output
    assert account_setup.simulator.ledger == []


def test_the_key_comes_from_the_secrets_file_or_the_environment(
    account_setup: AccountSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    (account_setup.home / "secret.json").write_text(f'{{"api_key": "{KEY}"}}')
    assert account_setup.run("connect", "--url", account_setup.url, key="secret.json") == 0

    monkeypatch.delenv("TELNYX_API_KEY", raising=False)
    assert account_setup.run("connect", "--url", account_setup.url, key=None) == 2
    monkeypatch.setenv("TELNYX_API_KEY", KEY)
    assert account_setup.run("connect", "--url", account_setup.url, key=None) == 0


def test_disconnect_without_a_record_changes_no_application(account_setup: AccountSetup) -> None:
    assert account_setup.run("disconnect") == 1
    assert "no such record" in account_setup.output
    assert account_setup.run("disconnect", "--application", "../../etc/passwd") == 1
    assert "is not the id" in account_setup.output
    assert account_setup.changes() == []


def test_a_damaged_record_stops_the_command(account_setup: AccountSetup) -> None:
    account_setup.connect_application()
    record = next(Path(account_setup.home / "records").iterdir())
    record.write_text("{}")

    assert account_setup.connect_application() == 1
    assert f"{record.name} is damaged" in account_setup.output
    assert account_setup.run("disconnect") == 1


def test_disconnect_succeeds_for_an_application_that_was_deleted(
    account_setup: AccountSetup,
) -> None:
    account_setup.connect_application()
    del account_setup.simulator.world.applications[account_setup.connection_id]

    assert account_setup.run("disconnect") == 0
    assert "no longer exists" in account_setup.output


def test_an_unreachable_telnyx_is_an_error_of_one_sentence(account_setup: AccountSetup) -> None:
    assert account_setup.connect_application("--telnyx-api-base-url", NOTHING_LISTENS_URL) == 1
    assert "does not answer" in account_setup.output
