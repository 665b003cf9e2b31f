"""`up` brings a deployment up with five questions at most, and a second run changes nothing."""

import json

import pytest

from local.connect.account import AccountError, KeyRefusedError
from local.deploy.revoke import revoke
from local.up.stack import StackError
from partyline.domain.model.assistant import OUR_TOOLS
from tests.support.up_setup import ASSISTANT, KEY, NUMBER, OWN_PHONE, SECOND_NUMBER, UpSetup

QUESTIONS = ["--key-from", "--number", "--public-key", "--call"]


def test_up_deploys_connects_and_calls(setup: UpSetup) -> None:
    assert setup.up()

    [parameters] = setup.deployer.deployed
    assert parameters["DefaultNumber"] == NUMBER
    state = setup.account_state()
    assert (
        *("partyline-dev", True, f"{setup.url}/webhooks", f"{setup.url}/failover", "2"),
        "Default",
    ) in state["applications"]
    assert state["numbers"] == {NUMBER: "partyline-dev", SECOND_NUMBER: None}
    assert state["attached"] == {ASSISTANT: len(OUR_TOOLS)}
    assert state["inline"] == {ASSISTANT: ["skip_turn"]}
    assert setup.keys_state() == (KEY, [("ops", True)])
    assert [finding.sentence for finding in setup.findings if finding.verdict == "wrong"] == []
    assert [body["to"] for body in setup.api.conversations] == [OWN_PHONE]


def test_up_asks_at_most_five_questions(setup: UpSetup) -> None:
    setup.up()
    assert setup.asked == QUESTIONS
    several = frozenset({ASSISTANT, "assistant-2"})
    setup.simulator.settings.assistants = several
    setup.around.earlier.delete()
    setup.client("cloudformation").delete_stack(StackName="partyline-dev")
    setup.api.conversations.clear()
    setup.up()
    assert setup.asked == [*QUESTIONS[:2], "--assistant", *QUESTIONS[2:]]


def test_a_second_run_asks_nothing_and_changes_nothing(setup: UpSetup) -> None:
    setup.up()
    changes, keys, deployed = setup.changes(), setup.keys_state(), len(setup.deployer.deployed)
    setup.aws_calls.seen.clear()

    assert setup.up()

    assert setup.asked == []
    assert setup.changes() == changes
    assert len(setup.deployer.deployed) == deployed == 1
    assert setup.keys_state() == keys
    assert not [name for name in setup.aws_calls.seen if name.startswith(("Put", "Delete"))]
    assert len(setup.api.conversations) == 1


def test_a_new_commit_or_a_new_parameter_is_deployed(setup: UpSetup) -> None:
    setup.up()
    setup.deployer.head = "2" * 40
    setup.up()
    setup.up(parameters={"MaxMinutes": "60"})
    setup.up()
    first, commit, minutes = setup.deployer.deployed
    assert len({first["ReleaseSha"], commit["ReleaseSha"], minutes["ReleaseSha"]}) == 3
    assert setup.stack().parameters["MaxMinutes"] == "60"


def test_a_secret_parameter_is_deployed_whenever_the_user_names_the_parameter(
    setup: UpSetup,
) -> None:
    chat = {"ChatWebhookUrl": "https://hooks.example.com/1"}
    setup.up(parameters=chat)
    setup.up()
    assert len(setup.deployer.deployed) == 1, "CloudFormation shows **** in place of the value"


def test_another_number_is_assigned_and_the_first_number_stays(setup: UpSetup) -> None:
    setup.up()
    setup.up(parameters={"DefaultNumber": SECOND_NUMBER})
    assert setup.account_state()["numbers"] == {
        NUMBER: "partyline-dev",
        SECOND_NUMBER: "partyline-dev",
    }


def test_the_only_free_number_is_taken_without_a_question(setup: UpSetup) -> None:
    del setup.simulator.world.numbers[SECOND_NUMBER]
    setup.up()
    assert "--number" not in setup.asked
    assert setup.stack().parameters["DefaultNumber"] == NUMBER


def test_a_number_in_use_is_taken_only_by_the_users_choice(setup: UpSetup) -> None:
    del setup.simulator.world.numbers[SECOND_NUMBER]
    setup.simulator.world.numbers[NUMBER] = setup.simulator.settings.connection_id
    setup.up()
    assert "--number" in setup.asked


@pytest.mark.parametrize(
    ("names", "expected"),
    [((), "partyline-dev"), (("One", "Two"), "partyline-dev"), (("One",), "One")],
    ids=["none", "several", "one"],
)
def test_the_outbound_profile_is_the_only_profile_or_a_new_profile(
    setup: UpSetup, names: tuple[str, ...], expected: str
) -> None:
    profiles = setup.simulator.world.profiles
    profiles.clear()
    for name in names:
        profiles[name] = {"id": name, "name": name, "enabled": True}
    setup.up(parameters={"AllowedCountries": "US,DE"})
    applications = setup.account_state()["applications"]
    assert [row[-1] for row in applications if row[0] == "partyline-dev"] == [expected]
    made = [body for body in profiles.values() if body["name"] == "partyline-dev"]
    assert [body["whitelisted_destinations"] for body in made] == (
        [["US", "DE"]] if expected == "partyline-dev" else []
    )


def test_the_assistants_own_tools_stay(setup: UpSetup) -> None:
    own = {"type": "webhook", "webhook": {"name": "weather", "url": "https://own.example"}}
    setup.simulator.world.inline_tools[ASSISTANT] = [own, {"type": "hangup", "hangup": {}}]
    setup.up()
    assert setup.account_state()["inline"] == {ASSISTANT: ["webhook", "hangup", "skip_turn"]}
    assert setup.simulator.world.inline_tools[ASSISTANT][0] == own


def test_an_application_of_the_user_is_changed_and_not_replaced(setup: UpSetup) -> None:
    own = setup.simulator.settings.connection_id
    setup.up(application_id=own)
    assert list(setup.simulator.world.applications) == [own]
    assert setup.stack().parameters["TelnyxConnectionId"] == own
    assert setup.simulator.world.applications[own]["webhook_event_url"] == f"{setup.url}/webhooks"


def test_a_deleted_application_is_made_again(setup: UpSetup) -> None:
    setup.up()
    [id_] = [
        id_
        for id_, body in setup.simulator.world.applications.items()
        if body["application_name"] == "partyline-dev"
    ]
    del setup.simulator.world.applications[id_]
    assert setup.up()
    assert len(setup.deployer.deployed) == 2
    assert setup.stack().parameters["TelnyxConnectionId"] != id_


def test_a_wrong_finding_of_the_doctor_ends_without_a_call(setup: UpSetup) -> None:
    setup.answers["--public-key"] = "A" * 43 + "="
    setup.api.trusted.clear()
    assert not setup.up()
    assert setup.api.conversations == []
    assert "TelnyxPublicKeys is not" in " ".join(finding.sentence for finding in setup.findings)


def test_no_answer_means_no_call(setup: UpSetup) -> None:
    setup.answers["--call"] = ""
    assert setup.up()
    assert setup.api.conversations == []


def test_a_requested_call_is_made_also_after_the_first_conversation(setup: UpSetup) -> None:
    setup.up()
    setup.up(call="+13125550177")
    assert [body["to"] for body in setup.api.conversations] == [OWN_PHONE, "+13125550177"]


def test_another_machines_bearer_key_stays(setup: UpSetup) -> None:
    setup.up()
    setup.around.operator_key.delete()
    setup.up()
    assert setup.keys_state()[1] == [("ops", False)]
    assert "another machine" in " ".join(setup.lines)


def test_the_bearer_key_is_in_a_file_for_the_user_alone(setup: UpSetup) -> None:
    setup.up()
    path = setup.around.operator_key.path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["bearer-key"]


def test_a_revoked_bearer_key_never_comes_back(setup: UpSetup) -> None:
    setup.up()
    revoked = setup.around.operator_key.read()
    revoke("ops", "partyline-dev", setup.client)
    setup.up()
    assert setup.keys_state()[1] == [("ops", True)]
    assert setup.around.operator_key.read() != revoked


def test_a_new_telnyx_key_replaces_the_key_in_the_secret(setup: UpSetup) -> None:
    setup.up()
    setup.simulator.settings.api_key = "KEY-new"
    with pytest.raises(KeyRefusedError):
        setup.up()
    assert setup.up(telnyx_key="KEY-new")
    assert setup.keys_state()[0] == "KEY-new"


@pytest.mark.parametrize("missing", ["numbers", "assistants"])
def test_an_account_without_a_number_or_an_assistant_is_not_deployed(
    setup: UpSetup, missing: str
) -> None:
    if missing == "numbers":
        setup.simulator.world.numbers.clear()
    else:
        setup.simulator.settings.assistants = frozenset()
    with pytest.raises(AccountError):
        setup.up()
    assert setup.deployer.deployed == []


def test_a_stack_without_the_outputs_is_refused(setup: UpSetup) -> None:
    other = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}}
    template = json.dumps({"Resources": {"Other": other}})
    cloudformation = setup.client("cloudformation")
    cloudformation.create_stack(StackName="partyline-dev", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="partyline-dev", WaiterConfig={"Delay": 1}
    )
    setup.deployer.deploy = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(StackError, match="no output"):
        setup.up()
