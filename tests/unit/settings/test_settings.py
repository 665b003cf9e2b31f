"""Settings: the template's environment variables, read and validated."""

from datetime import timedelta
from typing import get_args

import pytest
from pydantic import ValidationError
from samtranslator.yaml_helper import yaml_parse

from local.stack.template import TEMPLATE_PATH, Template
from partyline.domain.model.timeouts import LEASE, START_ANSWER_TIME, START_LEASE
from partyline.ids import (
    conversation_id_for_call,
    conversation_id_for_request,
    fingerprint,
    participant_id_for_request,
)
from partyline.settings import (
    BusSettings,
    CensusSettings,
    ConversationSettings,
    DeadLetterSettings,
    HookSettings,
    QuerySettings,
    SchedulerSettings,
)
from partyline.telnyx.client import MAX_WAIT_SECS
from partyline.telnyx.webhook_urls import STEPS

VARIABLES = {
    "TABLE_NAME": "table",
    "TELNYX_API_KEY_SECRET": "secret",
    "TELNYX_CONNECTION_ID": "149",
    "TIMERS_QUEUE_URL": "https://sqs.example/timers",
    "DEFAULT_NUMBER": "",
    "DEFAULT_ASSISTANT_ID": "",
    "ALLOWED_DESTINATION_PREFIXES": "+1, +4420,",
    "ALLOWED_COUNTRIES": "US, CA",
    "PUBLIC_BASE_URL": "",
}


def test_the_settings_are_read_from_the_environment() -> None:
    settings = ConversationSettings.from_environment(VARIABLES)
    assert settings.table_name == "table"
    assert settings.allowed_destination_prefixes == ("+1", "+4420")
    assert settings.destinations.countries == ("US", "CA")
    assert settings.telnyx_api_base_url == "https://api.telnyx.com/v2"
    assert settings.default_number is settings.default_assistant_id is None
    assert settings.public_base_url is None


NEVER_CALL = {"query", "directory", "tool_status", "event_relay", "index_numbers", "people"}
"""Functions without access to Telnyx's API."""

HOOKS = {"hooks", "fan_out_hooks", "deliver_hooks"}
"""Functions of hooks, which have no access to Telnyx's API either."""

USE_SCHEDULER = {"trigger", "start_from_event", "control", "tool_call_back", "erase"}


def test_without_allowed_prefixes_every_destination_is_refused() -> None:
    variables = {name: value for name, value in VARIABLES.items() if not name.startswith("ALLOWED")}
    destinations = ConversationSettings.from_environment(variables).destinations
    for to in ("+13125550100", "+13125550100,1", "sip:robin@pbx.example.com"):
        assert destinations.refusal(to)


def test_a_destination_type_that_is_switched_on_is_allowed() -> None:
    switched = {"ALLOWED_SIP_DOMAINS": "pbx.example.com", "DIGITS_AFTER_NUMBER": "on"}
    destinations = ConversationSettings.from_environment(VARIABLES | switched).destinations
    assert destinations.refusal("+13125550100,200") is None
    assert destinations.refusal("+33125550100,200")
    assert destinations.refusal("sip:robin@pbx.example.com") is None
    for domain in ("example.com", "pbx.example.com.example.net", "pbxaexample.com"):
        assert destinations.refusal(f"sip:robin@{domain}")


@pytest.mark.parametrize(
    "missing", ["TABLE_NAME", "TELNYX_API_KEY_SECRET", "TELNYX_CONNECTION_ID", "TIMERS_QUEUE_URL"]
)
def test_a_missing_variable_is_named(missing: str) -> None:
    variables = {name: value for name, value in VARIABLES.items() if name != missing}
    with pytest.raises(ValidationError, match=missing.lower()):
        ConversationSettings.from_environment(variables)


def test_a_timeout_of_zero_is_refused() -> None:
    with pytest.raises(ValidationError, match="telnyx_timeout_secs"):
        ConversationSettings.from_environment({**VARIABLES, "TELNYX_TIMEOUT_SECS": "0"})


def lease_is_longer_than_two_requests(telnyx_timeout_secs: float) -> bool:
    """A sender may send a command twice, with a pause, while the lease keeps others away."""
    return LEASE.total_seconds() >= 2 * telnyx_timeout_secs + MAX_WAIT_SECS


def test_a_lease_is_longer_than_two_requests_to_telnyx_and_the_pause_between() -> None:
    settings = ConversationSettings.from_environment(VARIABLES)
    assert lease_is_longer_than_two_requests(settings.telnyx_timeout_secs)


def test_the_lease_of_a_start_is_longer_than_two_answers_and_the_pause_between() -> None:
    assert 2 * START_ANSWER_TIME + timedelta(seconds=MAX_WAIT_SECS) <= START_LEASE


def test_a_timeout_that_could_outlast_a_lease_is_refused() -> None:
    for secs in ("2.6", "10"):
        assert not lease_is_longer_than_two_requests(float(secs))
        with pytest.raises(ValidationError, match="telnyx_timeout_secs"):
            ConversationSettings.from_environment({**VARIABLES, "TELNYX_TIMEOUT_SECS": secs})


def test_patterns_of_masks_stand_between_spaces() -> None:
    patterns = r"\bKD-\d{6}\b  a,b"
    settings = ConversationSettings.from_environment({**VARIABLES, "MASK_PATTERNS": patterns})
    assert settings.mask_patterns == (r"\bKD-\d{6}\b", "a,b")
    assert settings.mask_content == "on"


@pytest.mark.parametrize("patterns", ["a " * 21, "a" * 201])
def test_too_many_or_too_long_patterns_of_masks_are_refused(patterns: str) -> None:
    with pytest.raises(ValidationError, match="mask_patterns"):
        ConversationSettings.from_environment({**VARIABLES, "MASK_PATTERNS": patterns})


def test_every_function_has_the_variables_that_it_reads(template: Template) -> None:
    for function in template.functions.values():
        folder, environment = function.folder, function.environment
        if folder == "authorizer":
            assert environment["BEARER_KEYS_SECRET"]
        elif folder in HOOKS:
            settings = HookSettings.from_environment(environment)
            assert settings.hooks_allow_loopback == "off"
            assert bool(settings.hook_dead_letters_url) is (folder == "deliver_hooks")
            assert ("HOOK_KEY_SECRET" in environment) is (folder != "fan_out_hooks")
            assert "TELNYX_API_KEY_SECRET" not in environment
        elif folder in NEVER_CALL:
            QuerySettings.from_environment(environment)
            assert "TELNYX_API_KEY_SECRET" not in environment
        else:
            ConversationSettings.from_environment(environment)
        if folder in USE_SCHEDULER:
            SchedulerSettings.from_environment(environment)
        if folder == "erase":
            assert len(DeadLetterSettings.from_environment(environment).dead_letter_urls) == 3
        if folder == "census":
            urls = CensusSettings.from_environment(environment).all_dead_letter_urls
            queues = [name for name, _ in template.of_type("AWS::SQS::Queue")]
            dead = [name for name in queues if name.endswith("DeadLetters")]
            assert sorted(urls) == sorted(template.resolver.resolve({"Ref": name}) for name in dead)
        if folder == "start_from_event":
            BusSettings.from_environment(environment)


def test_the_same_call_or_request_has_the_same_id() -> None:
    assert (
        conversation_id_for_call("v3:1")
        == conversation_id_for_call("v3:1")
        != conversation_id_for_call("v3:2")
    )
    assert conversation_id_for_request("a") == conversation_id_for_request("a")
    assert conversation_id_for_request(None) != conversation_id_for_request(None)
    assert participant_id_for_request("a", 1) == participant_id_for_request("a", 1)
    assert participant_id_for_request("a", 1) != participant_id_for_request("a", 2)
    assert participant_id_for_request(None) != participant_id_for_request(None)


def test_a_fingerprint_depends_on_the_borders_between_its_parts() -> None:
    assert len({fingerprint("ab", "c"), fingerprint("a", "bc"), fingerprint("abc")}) == 3
    assert fingerprint("1:a", "b") != fingerprint("1", "a1:b")


def test_the_forms_of_webhook_urls_are_the_same_everywhere() -> None:
    names = tuple(name for name, _, _ in STEPS)
    field = ConversationSettings.model_fields["telnyx_webhook_urls"]
    parameters = yaml_parse(TEMPLATE_PATH.read_text())["Parameters"]
    assert get_args(field.annotation) == names
    assert tuple(parameters["TelnyxWebhookUrls"]["AllowedValues"]) == names
