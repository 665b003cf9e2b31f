"""Each feature that a parameter of the template switches on works in the built layer.

The functions run in Lambda's own runtime, with a dial to a simulated Telnyx.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from local.deploy.lambda_emulator import Runtime
from local.stack.local_stack import LocalStack, Options
from tests.artifact.test_functions import request

NUMBER = "+13125550111"
DESK = "sip:dana@pbx.example.com"

DIALLED = "dialing"
START = "POST /conversations"


def quiet_hours(begin: int, end: int) -> str:
    """Quiet hours in Chicago from and until so many minutes after now."""
    chicago = datetime.now(UTC) - timedelta(hours=5)
    return "-".join(f"{chicago + timedelta(minutes=at):%H:%M}" for at in (begin, end))


def start(parameters: dict[str, str], runtime: Runtime, *to: str) -> list[str]:
    """Start a conversation with each number. Returns each call's failure code or `dialing`."""
    results = []
    with LocalStack(Options(parameters=parameters, with_turns=False)) as stack:
        for number in to:
            body = {"to": number, "assistant": {"id": "assistant-1"}}
            results.append(outcome(request(runtime, stack, START, body)))
    return results


def outcome(answer: dict[str, Any]) -> str:
    """The code of the error, or of the failure of the host's call; else `dialing`."""
    shown = json.loads(answer["body"])
    if "error" in shown:
        return f"{answer['statusCode']} {shown['error']['code']}"
    [leg] = shown["participants"][0]["legs"]
    return leg["failure"]["code"] if leg["failure"] else DIALLED


def test_quiet_hours_refuse_a_call_in_quiet_hours_and_no_other_call(runtime: Runtime) -> None:
    # Two hours either way: an hour of daylight saving time makes no difference.
    assert start({"QuietHours": quiet_hours(-120, 120)}, runtime, NUMBER) == ["quiet_hours"]
    assert start({"QuietHours": quiet_hours(120, 240)}, runtime, NUMBER) == [DIALLED]


def test_do_not_call_refuses_a_listed_number(runtime: Runtime) -> None:
    with LocalStack(Options(parameters={"DoNotCall": "on"}, with_turns=False)) as stack:
        body = {"to": NUMBER, "assistant": {"id": "assistant-1"}}
        put = request(runtime, stack, "PUT /do-not-call/{number}", {}, number="+1-312-555-0111")
        assert put["statusCode"] == 200, put
        assert outcome(request(runtime, stack, START, body)) == "do_not_call"
        deleted = request(runtime, stack, "DELETE /do-not-call/{number}", None, number=NUMBER)
        assert deleted["statusCode"] == 200, deleted
        assert outcome(request(runtime, stack, START, body)) == DIALLED


def test_a_sip_domain_and_digits_after_a_number_are_called_if_allowed(runtime: Runtime) -> None:
    refused = ["422 destination_not_allowed"] * 2
    assert start({}, runtime, DESK, f"{NUMBER},200") == refused
    allowed = {"AllowedSipDomains": "pbx.example.com", "DigitsAfterNumber": "on"}
    assert start(allowed, runtime, DESK, f"{NUMBER},200") == [DIALLED] * 2


def test_a_country_and_a_special_kind_of_number_are_called_if_allowed(runtime: Runtime) -> None:
    jamaica, premium = "+18765550100", "+19005550100"
    assert start({}, runtime, jamaica, premium) == ["422 destination_not_allowed"] * 2
    allowed = {"AllowedCountries": "US,JM", "AllowedSpecialNumbers": "premium"}
    assert start(allowed, runtime, jamaica, premium) == [DIALLED] * 2
