"""`down` restores the Telnyx account and deletes the stack, all but the table."""

import pytest

from local.simulator.faults import Fault
from local.up.down import CallsAreUpError
from tests.support.up_setup import NUMBER, UpSetup


def tables(setup: UpSetup) -> list[str]:
    names: list[str] = setup.client("dynamodb").list_tables()["TableNames"]
    return names


def test_down_leaves_the_table_and_says_so(setup: UpSetup) -> None:
    before = setup.account_state()
    setup.up()
    [table] = tables(setup)

    setup.down()

    assert setup.account_state() == before
    assert setup.stack() is None
    assert tables(setup) == [table]
    assert any(f"The table {table} stays" in line for line in setup.lines)
    assert setup.client("secretsmanager").list_secrets()["SecretList"] == []
    assert setup.around.operator_key.read() == ""
    assert setup.around.earlier.read() == {}
    assert list((setup.home / "project").iterdir()) == []


def test_down_restores_an_application_and_a_number_of_the_user(setup: UpSetup) -> None:
    own = setup.simulator.settings.connection_id
    other = setup.simulator._api.applications.create(
        {"application_name": "Other", "webhook_event_url": "https://other.example"}
    )
    setup.simulator.world.numbers[NUMBER] = other["id"]
    before = setup.account_state()
    setup.up(application_id=own)
    setup.down()
    assert setup.account_state() == before


def test_up_works_again_after_down(setup: UpSetup) -> None:
    setup.up()
    setup.down()
    assert setup.up()
    assert setup.keys_state()[1] == [("ops", True)]


def test_down_without_a_deployment_changes_nothing(setup: UpSetup) -> None:
    setup.down()
    assert setup.changes() == []
    assert setup.asked == []


def test_down_restores_telnyx_also_after_a_deployment_that_never_came(setup: UpSetup) -> None:
    before = setup.account_state()
    setup.deployer.failure = "build"
    assert setup.fails(setup.up)
    setup.down()
    assert setup.account_state() == before


def test_down_waits_for_calls_that_are_up(setup: UpSetup) -> None:
    setup.up()
    application_id = setup.stack().parameters["TelnyxConnectionId"]
    call_in(setup, application_id)
    with pytest.raises(CallsAreUpError, match="calls are up"):
        setup.down()
    assert setup.stack() is not None
    setup.down(with_calls=True)
    assert setup.stack() is None


def call_in(setup: UpSetup, application_id: str) -> None:
    """Let a person call the application's number."""
    setup.simulator.ring_in("+13125550120", NUMBER, application_id)


@pytest.mark.parametrize("answer", ["refused", "ignored"])
def test_an_application_whose_number_telnyx_keeps_is_switched_off(
    setup: UpSetup, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No documentation says how a number loses its application, so any answer has to do."""
    setup.up()
    numbers = setup.simulator._api.numbers
    if answer == "refused":
        fault = Fault("refuse", "number_update", status=422)
        monkeypatch.setattr(
            setup.simulator.faults,
            "next_fault",
            lambda action: fault if action == "number_update" else None,
        )
    else:
        monkeypatch.setattr(numbers, "update", lambda _id, _body: {})
    setup.down()
    state = setup.account_state()
    [ours] = [row for row in state["applications"] if row[0] == "partyline-dev"]
    assert ours[1] is False
    assert state["inline"] == {}
    assert state["attached"] == {}
    assert setup.stack() is None
    assert any("stays, switched off" in line for line in setup.lines)
