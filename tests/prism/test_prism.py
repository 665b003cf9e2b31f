"""A second opinion on each byte: Prism checks the demo's requests and answers.

Prism is a validator of its own, and the description is Telnyx's own. So a mistake that the product
and the simulator share is found here.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from local.connect import application
from local.connect.account import Account
from local.connect.records import Records
from local.demo.runner import run_scenarios, simulator_settings
from local.stack.local_stack import LocalStack, Options
from partyline.telnyx.call_control import CallControl
from partyline.telnyx.client import TelnyxClient
from tests.prism.description import CHANGES, VERSION, description
from tests.prism.proxy import PRISM, Checked, prism, watched

KEY = "KEY-of-the-tests"
HEADERS = {"authorization": f"Bearer {KEY}"}


class StackBehindPrism(LocalStack):
    """A local stack whose requests to Telnyx go through Prism."""

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__(options)
        self._folder = folder
        self.prism_url = ""
        self.checked = Checked()

    def wrap_telnyx(self, url: str) -> str:
        self.prism_url = self._closing.enter_context(prism(url, self._folder))
        self.checked = self._closing.enter_context(watched(self.prism_url))
        return self.prism_url


def run_demo(stack: StackBehindPrism) -> int:
    assert stack.simulator is not None
    simulator = stack.simulator.simulator
    return run_scenarios(Console(quiet=True), stack.url, stack.api_key, simulator, stack.logs.lines)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackBehindPrism]:
    if not PRISM.exists():
        pytest.skip("`make prism` installs Prism for this test")
    options = Options(telnyx_api_key=KEY, simulator=simulator_settings())
    with StackBehindPrism(options, tmp_path_factory.mktemp("prism")) as stack:
        yield stack


def test_each_change_of_the_description_names_its_source() -> None:
    assert VERSION in description()["info"]["title"]
    assert all(change.source for change in CHANGES)


@pytest.mark.timeout(600)
def test_no_request_and_no_answer_of_the_demo_breaks_the_description(
    stack: StackBehindPrism,
) -> None:
    assert run_demo(stack) == 0
    actions = {key.rsplit("/", 1)[-1] for key in stack.checked.requests}
    assert {"calls", "answer", "hangup", "gather_using_speak"} <= actions
    assert {f"ai_assistant_{name}" for name in ("start", "join", "stop", "add_messages")} <= actions
    assert stack.checked.violations == []


@pytest.mark.timeout(600)
def test_no_query_and_no_answer_to_a_query_breaks_the_description(
    stack: StackBehindPrism,
) -> None:
    assert stack.simulator is not None
    simulator = stack.simulator.simulator
    leg = simulator.outside_call("+13125550114", Options().number)
    with closing(TelnyxClient(lambda fresh=False: KEY, base_url=stack.prism_url)) as client:
        telnyx = CallControl(client)
        assert telnyx.retrieve_call(leg.call_control_id).is_alive
        [active] = telnyx.list_active_calls(leg.connection_id)
        assert active.call_control_id == leg.call_control_id
        [*_, ended] = simulator.conversations
        assert telnyx.list_ai_conversations(ended.starting_call)
        assert telnyx.list_conversation_insights(ended.conversation_id)
    assert stack.checked.violations == []


@pytest.mark.timeout(600)
def test_no_refusal_breaks_the_description(stack: StackBehindPrism) -> None:
    assert stack.simulator is not None
    simulator = stack.simulator.simulator
    leg = simulator.outside_call("+13125550114", Options().number)
    simulator.hang_up(leg.call_control_id)
    paths = {"/calls": {"to": "+13125550111", "from": Options().number, "connection_id": "9"}}
    for action in ("answer", "ai_assistant_stop", "hangup"):
        paths[f"/calls/{leg.call_control_id}/actions/{action}"] = {}
    with httpx.Client(base_url=stack.prism_url, headers=HEADERS, trust_env=False) as client:
        refusals = [client.post(path, json=body) for path, body in paths.items()]
    assert {refusal.is_client_error for refusal in refusals} == {True}
    assert stack.checked.violations == []


@pytest.mark.timeout(600)
def test_nothing_that_connect_sends_breaks_the_description(
    stack: StackBehindPrism, tmp_path: Path
) -> None:
    with closing(Account(stack.prism_url, KEY)) as account:
        settings = application.ApplicationSettings("https://example.com", "partyline-prism")
        application.connect(account, Records(tmp_path), settings)
        _, changes = application.connect(account, Records(tmp_path), settings)
    assert not changes
    assert stack.checked.violations == []


@pytest.mark.timeout(600)
def test_a_wrong_request_and_an_unknown_path_are_found(stack: StackBehindPrism) -> None:
    dial = {"connection_id": "1", "to": "+13125550111", "from": 5}
    before = len(stack.checked.violations)
    httpx.post(f"{stack.prism_url}/calls", json=dial, headers=HEADERS, trust_env=False)
    httpx.post(f"{stack.prism_url}/callz", json=dial, headers=HEADERS, trust_env=False)
    wrong, unknown = stack.checked.violations[before:]
    assert wrong["location"] == ["request", "body", "from"]
    assert unknown["message"] == "Selected route not found"
    del stack.checked.violations[before:]
