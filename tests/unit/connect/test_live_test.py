"""`partyline live-test`: what is said before the first call, the question, and the end."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.connect.account import Json
from local.live_test import api
from local.live_test.report import read_report
from local.simulator.faults import Fault
from tests.support.live_telnyx import ASSISTANT, SECOND, LiveTelnyx
from tests.support.telnyx_account import AccountSetup


@pytest.fixture
def live_telnyx(
    account_setup: AccountSetup, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveTelnyx]:
    """The Telnyx of the calls, in virtual time. The checks reach the account's simulator."""
    account_setup.simulator.world.numbers[SECOND] = account_setup.connection_id
    telnyx = LiveTelnyx(account_setup.home / "unused", {"webhook-urls-form": "text"})

    class FakeSend:
        def __init__(self, *_: str) -> None:
            pass

        def __call__(self, method: str, path: str, body: Json | None) -> tuple[int, object]:
            return telnyx.send(method, path, body)

        def close(self) -> None:
            pass

    monkeypatch.setattr(api, "HttpSend", FakeSend)
    monkeypatch.setattr(api, "WallClock", lambda: telnyx)
    yield telnyx
    assert telnyx.legs_up == []


def run(account_setup: AccountSetup, *options: str) -> int:
    """Run the command with a whole set of options; further options come last."""
    ours = ("--application", account_setup.connection_id, "--assistant", ASSISTANT)
    report = ("--report", str(account_setup.home / "report.json"))
    return account_setup.run("live-test", *ours, *report, "--second-number", SECOND, *options)


def without_profile(setup: AccountSetup) -> None:
    setup.simulator.world.applications[setup.connection_id]["outbound"] = {}


def without_url(setup: AccountSetup) -> None:
    setup.simulator.world.applications[setup.connection_id]["webhook_event_url"] = ""


def switched_off(setup: AccountSetup) -> None:
    setup.simulator.world.applications[setup.connection_id]["active"] = False


def without_numbers(setup: AccountSetup) -> None:
    setup.simulator.world.numbers.clear()


def without_caller(setup: AccountSetup) -> None:
    del setup.simulator.world.numbers[setup.simulator.settings.numbers[0]]


def without_right(action: str) -> Callable[[AccountSetup], None]:
    """Return a function that takes a right from the key."""
    return lambda setup: setup.simulator.faults.add(Fault("refuse", action, status=403))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without_profile, "has no outbound voice profile"),
        (without_url, "has no webhook URL"),
        (switched_off, "is switched off"),
        (without_numbers, f"{SECOND} is no active number of the application"),
        (without_caller, "No active number of the application is left as caller number"),
        (without_right("application_retrieve"), "lacks the right to read Call Control"),
        (without_right("number_list"), "lacks the right to read phone numbers"),
        (without_right("active_calls"), "lacks the right to read calls"),
        (without_right("call_events"), "lacks the right to read call events"),
        (without_right("webhook_deliveries"), "lacks the right to read webhook deliveries"),
        (without_right("conversations"), "lacks the right to read AI conversations"),
        (without_right("assistant_retrieve"), "lacks the right to"),
    ],
)
def test_a_lack_is_said_before_the_first_call(
    spoil: Callable[[AccountSetup], None],
    reason: str,
    account_setup: AccountSetup,
    live_telnyx: LiveTelnyx,
) -> None:
    spoil(account_setup)
    assert run(account_setup, "--yes") == 1
    assert reason in account_setup.output
    assert live_telnyx.requests == 0


def test_an_unknown_assistant_is_said_before_the_first_call(
    account_setup: AccountSetup, live_telnyx: LiveTelnyx
) -> None:
    assert run(account_setup, "--yes", "--assistant", "nobody") == 1
    assert "has no such object" in account_setup.output or "nobody" in account_setup.output
    assert live_telnyx.requests == 0


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        (("--number", SECOND), 1, "are the same number"),
        (("--number", "+13125550111"), 1, "+13125550111 is no active number"),
        (("--assistant", ""), 2, "name the assistant with --assistant"),
        (("--resume",), 1, "There is nothing to resume"),
        (("--max-calls", "0"), 2, "greater than or equal to 1"),
    ],
)
def test_a_wrong_option_is_refused_before_the_first_call(
    options: tuple[str, ...],
    status: int,
    reason: str,
    account_setup: AccountSetup,
    live_telnyx: LiveTelnyx,
) -> None:
    assert run(account_setup, "--yes", *options) == status
    assert reason in account_setup.output
    assert live_telnyx.requests == 0


def test_the_command_asks_before_the_first_call(
    account_setup: AccountSetup, live_telnyx: LiveTelnyx
) -> None:
    assert run(account_setup) == 1
    assert "Altogether at most 27 calls and 30 minutes, which cost about" in account_setup.output
    assert "Skipped: join-other-connection. A second application" in account_setup.output
    assert "Make these calls?" in account_setup.output
    assert live_telnyx.requests == 0
    assert not (account_setup.home / "records" / "live-test.json").exists()


@pytest.mark.violates
def test_a_whole_live_test_writes_its_report_and_the_parameter(
    account_setup: AccountSetup, live_telnyx: LiveTelnyx
) -> None:
    assert run(account_setup, "--yes") == 0
    report = read_report(account_setup.home / "report.json")
    assert report.observed["webhook-urls-form"] == "text"
    assert "differs   webhook-urls-form: One URL" in account_setup.output
    line = 'Deploy with: make deploy PARAMETERS="TelnyxWebhookUrls=string-of-calls"'
    assert line in account_setup.output
    assert not (account_setup.home / "records" / "live-test.json").exists()


@pytest.mark.violates
def test_a_stopped_live_test_goes_on_with_resume_only(
    account_setup: AccountSetup, live_telnyx: LiveTelnyx
) -> None:
    assert run(account_setup, "--yes", "--max-calls", "5") == 1
    assert "The budget of 5 calls is used up. All calls are hung up" in account_setup.output
    before = live_telnyx.requests
    assert run(account_setup, "--yes") == 1
    assert "A live test is unfinished" in account_setup.output
    assert live_telnyx.requests == before

    assert run(account_setup, "--yes", "--resume") == 0
    assert "... a repeated dial" not in account_setup.output
    assert "... two guests" in account_setup.output
    assert read_report(account_setup.home / "report.json").answers


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_hangs_up_all_calls(
    number: signal.Signals, account_setup: AccountSetup, live_telnyx: LiveTelnyx
) -> None:
    original = live_telnyx.sleep
    sent: list[int] = []

    def sleep(secs: float) -> None:
        if live_telnyx.legs_up and not sent:
            sent.append(number)
            # os.kill may signal another thread, which handles the signal some requests later.
            signal.raise_signal(number)
        original(secs)

    live_telnyx.sleep = sleep  # type: ignore[method-assign]
    # A shell lets the processes that it starts in the background ignore SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run(account_setup, "--yes") == 1
    finally:
        signal.signal(signal.SIGINT, before)
    assert "Interrupted. All calls are hung up; --resume goes on." in account_setup.output
    assert sent == [number]
    assert live_telnyx.legs_up == []


def test_a_resumed_test_stays_at_its_telnyx(
    account_setup: AccountSetup, live_telnyx: LiveTelnyx, tmp_path: Path
) -> None:
    del tmp_path
    assert run(account_setup, "--yes", "--max-calls", "1") == 1
    state = account_setup.home / "records" / "live-test.json"
    state.write_text(
        state.read_text().replace(account_setup.telnyx_url, "https://elsewhere.example")
    )
    before = live_telnyx.requests
    assert run(account_setup, "--yes", "--resume") == 1
    assert "The last run was at https://elsewhere.example: name this URL." in account_setup.output
    assert live_telnyx.requests == before
