"""An application is pointed at a deployment, and afterwards it is as it was."""

from pathlib import Path

import pytest

from local.simulator.faults import Fault
from tests.support.telnyx_account import KEY, NOTHING_LISTENS_URL, PREVIOUS_URL, AccountSetup


def test_an_application_is_pointed_at_the_deployment_and_put_back(town: AccountSetup) -> None:
    town.application()
    own = {
        "webhook_api_version": "1",
        "webhook_timeout_secs": None,
        "active": False,
        "tags": ["theirs"],
        "webhook_event_failover_url": "",
    }
    town.simulator.world.applications[town.connection_id].update(own)
    before = town.application()

    assert town.connect_ours() == 0

    assert town.application() == {
        **before,
        "webhook_event_url": f"{town.url}/webhooks",
        "webhook_event_failover_url": f"{town.url}/failover",
        "webhook_api_version": "2",
        "webhook_timeout_secs": 10,
        "active": True,
    }
    assert f"webhook_event_url: {PREVIOUS_URL} -> {town.url}/webhooks" in town.output
    assert "webhook_timeout_secs: not set -> 10" in town.output
    assert f"TelnyxConnectionId is {town.connection_id}" in town.output
    assert "2 calls at once" in town.output

    assert town.run("disconnect") == 0
    assert town.application() == before
    assert f"webhook_event_url: {town.url}/webhooks -> {PREVIOUS_URL}" in town.output
    assert list((town.home / "records").iterdir()) == []


def test_the_failover_door_may_be_elsewhere(town: AccountSetup) -> None:
    assert town.connect_ours("--failover-url", "https://queue.example/webhooks") == 0
    door = town.application()["webhook_event_failover_url"]
    assert door == "https://queue.example/webhooks"


def test_connecting_again_changes_nothing(town: AccountSetup) -> None:
    town.connect_ours()
    asked = town.changes()

    assert town.connect_ours() == 0

    assert town.changes() == asked == ["PATCH application_update"]
    assert "Nothing to change" in town.output


def test_what_was_at_first_survives_a_second_address(town: AccountSetup) -> None:
    before = town.application()
    town.connect_ours()
    town.connect_ours("--url", "https://second.example")
    assert town.application()["webhook_event_url"] == "https://second.example/webhooks"

    town.run("disconnect")

    assert town.application() == before


def test_what_was_at_first_survives_a_change_that_failed(town: AccountSetup) -> None:
    before = town.application()
    town.connect_ours()
    town.simulator.faults.add(Fault("refuse", "application_update", status=503))
    assert town.connect_ours("--url", "https://second.example") == 1
    assert "503" in town.output
    town.connect_ours("--url", "https://second.example")

    town.run("disconnect")

    assert town.application() == before


def test_what_somebody_changed_since_is_left_alone(town: AccountSetup) -> None:
    town.connect_ours()
    application = town.simulator.world.applications[town.connection_id]
    application["webhook_event_url"] = "https://newer.example/hook"

    assert town.run("disconnect") == 0

    assert application["webhook_event_url"] == "https://newer.example/hook"
    assert application["webhook_timeout_secs"] is None
    assert "somebody has changed it since" in town.output


def test_without_an_application_one_is_made_and_then_removed(town: AccountSetup) -> None:
    known = set(town.simulator.world.applications)

    assert town.connect() == 0
    assert town.connect() == 0

    (made,) = set(town.simulator.world.applications) - known
    assert town.application(made)["application_name"] == "partyline"
    assert town.application(made)["webhook_event_url"] == f"{town.url}/webhooks"
    assert town.application(made)["webhook_api_version"] == "2"
    assert town.changes() == ["POST application_create"]
    assert town.run("disconnect") == 0
    assert set(town.simulator.world.applications) == known


def test_an_application_with_numbers_is_not_pulled_from_under_them(town: AccountSetup) -> None:
    known = set(town.simulator.world.applications)
    town.connect()
    (made,) = set(town.simulator.world.applications) - known
    town.simulator.world.numbers["+13125550107"] = made

    assert town.run("disconnect") == 1
    assert "+13125550107 would then ring nowhere" in town.output
    assert made in town.simulator.world.applications

    town.simulator.world.numbers["+13125550107"] = None
    assert town.run("disconnect") == 0
    assert made not in town.simulator.world.applications


def test_a_name_means_one_application_or_is_refused(town: AccountSetup) -> None:
    town.run("connect", "--url", town.url, "--name", "Partyline")
    assert town.application()["webhook_event_url"] == f"{town.url}/webhooks"
    again = town.simulator.outside_call("+13125550101", "+13125550100").connection_id
    town.simulator.world.applications[again]["application_name"] = "Partyline"

    assert town.run("connect", "--url", town.url, "--name", "Partyline") == 1

    assert again in town.output
    assert town.connection_id in town.output


def test_two_connected_applications_are_told_apart(town: AccountSetup) -> None:
    town.connect()
    town.connect_ours()

    assert town.run("disconnect") == 1
    assert town.connection_id in town.output
    assert town.run("disconnect", "--application", town.connection_id) == 0
    assert town.application()["webhook_event_url"] == PREVIOUS_URL


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--application", "123"), 1, "no Call Control application 123"),
        (("--url", "http://api.example.com"), 0, "http://api.example.com/webhooks"),
        (("--url", "https://api.example.com/webhooks"), 0, "-> https://api.example.com/webhooks\n"),
    ],
)
def test_addresses_and_ids(
    town: AccountSetup, options: tuple[str, ...], status: int, words: str
) -> None:
    ours = () if "--application" in options else ("--application", town.connection_id)
    assert town.connect(*ours, *options) == status
    assert words in town.output


def test_the_real_telnyx_is_given_no_address_without_https(town: AccountSetup) -> None:
    elsewhere = ("--telnyx-api-base-url", "https://telnyx.invalid/v2")
    assert town.connect_ours("--url", "http://api.example.com", *elsewhere) == 2
    assert "not https" in town.output
    assert town.simulator.ledger == []


@pytest.mark.parametrize(
    "url", ["ftp://api.example.com", "api.example.com", "https://a b", "https://"]
)
def test_what_is_no_address_is_refused(town: AccountSetup, url: str) -> None:
    assert town.connect_ours("--url", url) == 2
    assert "is no URL such as" in town.output


def test_a_right_that_is_missing_is_named(town: AccountSetup) -> None:
    town.simulator.faults.add(Fault("refuse", "application_update", status=403))
    before = town.application()

    assert town.connect_ours() == 1

    assert "lacks the right to change Call Control applications (403, 10010" in town.output
    assert town.application() == before


def test_a_wrong_key_is_told_and_never_shown(town: AccountSetup) -> None:
    (town.home / "wrong").write_text("KEY-wrong-and-secret")

    assert town.run("connect", "--url", town.url, key="wrong") == 1

    assert "does not take the API key (401" in town.output
    assert "KEY-wrong" not in town.output


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
def test_a_file_without_a_key_is_refused(town: AccountSetup, content: bytes, words: str) -> None:
    (town.home / "odd").write_bytes(content)

    assert town.run("connect", "--url", town.url, key="odd") == 2

    assert words in town.output
    assert "secret" not in town.output
    assert town.simulator.ledger == []


def test_the_key_comes_from_the_secrets_file_or_the_environment(
    town: AccountSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    (town.home / "secret.json").write_text(f'{{"api_key": "{KEY}"}}')
    assert town.run("connect", "--url", town.url, key="secret.json") == 0

    monkeypatch.delenv("TELNYX_API_KEY", raising=False)
    assert town.run("connect", "--url", town.url, key=None) == 2
    monkeypatch.setenv("TELNYX_API_KEY", KEY)
    assert town.run("connect", "--url", town.url, key=None) == 0


def test_without_a_record_nothing_is_touched(town: AccountSetup) -> None:
    assert town.run("disconnect") == 1
    assert "no such record" in town.output
    assert town.run("disconnect", "--application", "../../etc/passwd") == 1
    assert "is not the id" in town.output
    assert town.changes() == []


def test_a_damaged_record_stops_it(town: AccountSetup) -> None:
    town.connect_ours()
    record = next(Path(town.home / "records").iterdir())
    record.write_text("{}")

    assert town.connect_ours() == 1
    assert f"{record.name} is damaged" in town.output
    assert town.run("disconnect") == 1


def test_an_application_that_is_gone_is_no_trouble(town: AccountSetup) -> None:
    town.connect_ours()
    del town.simulator.world.applications[town.connection_id]

    assert town.run("disconnect") == 0
    assert "gone already" in town.output


def test_no_telnyx_no_stack_trace(town: AccountSetup) -> None:
    assert town.connect_ours("--telnyx-api-base-url", NOTHING_LISTENS_URL) == 1
    assert "does not answer" in town.output
