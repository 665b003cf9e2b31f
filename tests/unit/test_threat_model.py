"""The figures of the threat model follow from the template and the prices."""

import json
import re
from pathlib import Path

from local.stack.template import Template
from partyline.domain.model.timeouts import CALL_LIMIT_GRACE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
PRICES = json.loads((ROOT / "local" / "bench" / "prices.json").read_text())


def figures() -> set[str]:
    """The figures in bold; the words in bold are the actors."""
    return {text for text in re.findall(r"\*\*([^*]+)\*\*", PAGE) if re.search(r"\d", text)}


def test_the_figures_in_bold_are_computed_from_the_defaults(template: Template) -> None:
    settings = template.functions["TriggerFunction"].environment
    [(_, stage)] = template.of_type("AWS::ApiGatewayV2::Stage")
    throttle = template.resolver.resolve(stage["Properties"]["DefaultRouteSettings"])
    requests = int(throttle["ThrottlingRateLimit"]) * 3600
    request_price = PRICES["http_api_request"] + PRICES["lambda_request"]
    participants = int(settings["MAX_PARTICIPANTS"])
    open_most = int(settings["MAX_CONVERSATIONS"])
    inbound = open_most * int(settings["INBOUND_SHARE"]) // 100
    people = (open_most - inbound) * participants
    tool = template.functions["ToolInviteFunction"].environment
    assert figures() == {
        f"{requests:,}",
        f"${requests * request_price:.2f}",
        f"{int(settings['MAX_DIALS_PER_MINUTE']) * 60:,}",
        f"{people:,}",
        settings["MAX_BOOKINGS"],
        f"{people * 60:,}",
        f"{inbound:,}",
        f"{inbound * 60:,}",
        f"{int(tool['MAX_TOOL_DIALS_PER_MINUTE']) * 60:,}",
        tool["MAX_TOOL_DIALS"],
    }


def test_the_time_limit_of_a_call_is_the_one_that_the_page_names() -> None:
    assert CALL_LIMIT_GRACE.total_seconds() == 120
    assert "`MaxMinutes` and two minutes" in PAGE
