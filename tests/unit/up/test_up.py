"""`up` brings a deployment up, and a second run changes nothing."""

from tests.support.up_setup import ASSISTANT, KEY, NUMBER, OWN_PHONE, SECOND_NUMBER, UpSetup


def test_up_deploys_connects_and_calls(setup: UpSetup) -> None:
    assert setup.up()

    [parameters] = setup.deployer.deployed
    assert parameters["DefaultNumber"] == NUMBER
    state = setup.account_state()
    assert (
        "partyline-dev",
        True,
        f"{setup.url}/webhooks",
        f"{setup.url}/failover",
        "2",
        "Default",
    ) in state["applications"]
    assert state["numbers"] == {NUMBER: "partyline-dev", SECOND_NUMBER: None}
    assert state["attached"] == {ASSISTANT: 2}
    assert state["inline"] == {ASSISTANT: ["skip_turn"]}
    assert setup.keys_state() == (KEY, [("ops", True)])
    assert [finding.verdict for finding in setup.findings if finding.verdict == "wrong"] == []
    assert [body["to"] for body in setup.api.conversations] == [OWN_PHONE]
