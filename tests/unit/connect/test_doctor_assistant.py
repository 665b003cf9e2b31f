"""The doctor names each setting of an assistant that changes a conversation's behaviour."""

import json
from datetime import timedelta
from typing import Any

import pytest

from local.connect import assistant_settings
from local.simulator.faults import Fault
from local.simulator.model import Delivery
from local.simulator.switchboard import timestamp
from tests.support.telnyx_account import ASSISTANT, AccountSetup

HARMLESS = {"telephony_settings": {"time_limit_secs": 7200}}


@pytest.fixture
def account_setup(account_setup: AccountSetup) -> AccountSetup:
    """A connected account without a fault."""
    account_setup.connect_application("--assistant", ASSISTANT)
    return account_setup


def sentences(settings: dict[str, Any], max_minutes: int = 120) -> list[str]:
    """Return the notes about an assistant with these settings."""
    assistant = {"id": ASSISTANT, **settings}
    return [finding.sentence for finding in assistant_settings.notes(assistant, max_minutes)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tools": [{"type": "transfer", "transfer": {}}]}, "the tool transfer moves the caller"),
        ({"tools": [{"type": "refer", "refer": {}}]}, "the tool refer moves the caller away"),
        ({"tools": [{"type": "invite", "invite": {}}]}, "the tool invite dials people past"),
        ({"tools": [{"type": "handoff", "handoff": {}}]}, "the tool handoff gives"),
        (
            {"tools": [{"type": "webhook", "webhook": {"name": "status", "timeout_ms": 9000}}]},
            "the tool status has timeout_ms within webhook",
        ),
        ({"telephony_settings": {"fallback_destination": "+13125550177"}}, "is ***0177"),
        ({"telephony_settings": {"time_limit_secs": 1800}}, "time_limit_secs is 1800"),
        ({"telephony_settings": {"time_limit_secs": None}}, "time_limit_secs is 1800"),
        ({"telephony_settings": {"user_idle_timeout_secs": 60}}, "user_idle_timeout_secs is 60"),
        (
            {"telephony_settings": {"conversation_ended_full_history": True}},
            "conversation_ended_full_history is on",
        ),
        (
            {"telephony_settings": {"send_message_history_updates": True}},
            "send_message_history_updates is on",
        ),
        (
            {"telephony_settings": {"send_message_history_updates": False}},
            "send_message_history_updates is off",
        ),
        ({"privacy_settings": {"data_retention": False}}, "data_retention is off"),
    ],
)
def test_a_setting_that_changes_our_behaviour_is_named(
    settings: dict[str, Any], words: str
) -> None:
    telephony = {**HARMLESS["telephony_settings"], **settings.get("telephony_settings", {})}

    (sentence,) = sentences({**settings, "telephony_settings": telephony})

    assert sentence.startswith(f"{ASSISTANT}: ")
    assert words in sentence


def test_a_harmless_assistant_has_no_note() -> None:
    webhook = {"type": "webhook", "timeout_ms": 9000, "webhook": {"name": "status"}}
    privacy = {"data_retention": True}

    assert sentences({**HARMLESS, "tools": [webhook], "privacy_settings": privacy}) == []


def test_the_time_limit_is_compared_with_the_deployments_limit() -> None:
    assert sentences({}, max_minutes=30) == []
    assert "the 31 minutes of a conversation" in sentences({}, max_minutes=31)[0]


def test_the_doctor_reads_the_stored_assistant(account_setup: AccountSetup) -> None:
    settings = {"telephony_settings": {"time_limit_secs": 600, "user_idle_timeout_secs": 30}}
    account_setup.simulator.world.assistant_settings[ASSISTANT] = settings

    assert account_setup.doctor("--assistant", ASSISTANT, "--max-minutes", "11") == 0

    notes = [note for note in account_setup.verdicts()["note"] if note.startswith(ASSISTANT)]
    assert len(notes) == 2
    assert "before the 11 minutes" in notes[0]


def failed(account_setup: AccountSetup, event_type: str, age: timedelta, *, ours: bool) -> None:
    """Add a webhook that was not delivered, of a call of ours or of another application."""
    simulator = account_setup.simulator
    leg = simulator.ring_in("+13125550101", simulator.settings.numbers[0])
    if not ours:
        leg.connection_id = "another"
    at = simulator._board.now() - age
    payload = {"connection_id": leg.connection_id}
    simulator.deliverer.attempts.append(
        Delivery(
            at=at,
            event_id=f"event-{len(simulator.deliverer.attempts)}",
            event_type=event_type,
            url=account_setup.url,
            attempt=1,
            status=503,
            duration_secs=0.1,
            call_control_id=leg.call_control_id,
            body=json.dumps({"created_at": timestamp(at), "payload": payload}).encode(),
        )
    )


def test_failed_deliveries_of_the_last_hour_are_named(account_setup: AccountSetup) -> None:
    account_setup.deployment.answers = 200
    assert account_setup.doctor() == 1
    assert (
        "No delivery of a webhook has failed within the last hour."
        in (account_setup.verdicts()["ok"])
    )
    minutes = timedelta(minutes=1)
    failed(account_setup, "call.hangup", 5 * minutes, ours=True)
    failed(account_setup, "call.hangup", 50 * minutes, ours=True)
    failed(account_setup, "call.answered", 70 * minutes, ours=True)
    failed(account_setup, "call.initiated", 5 * minutes, ours=False)

    account_setup.doctor()

    (note,) = [note for note in account_setup.verdicts()["note"] if "not delivered" in note]
    assert "within the last hour: call.hangup (2). The logs" in note


def test_a_key_that_may_not_read_deliveries_leaves_the_check_untried(
    account_setup: AccountSetup,
) -> None:
    account_setup.simulator.faults.add(Fault("refuse", "webhook_deliveries", status=403))

    assert account_setup.doctor("--assistant", ASSISTANT) == 0

    (untried,) = account_setup.verdicts()["untried"]
    assert "lacks the right to read webhook deliveries (403" in untried
