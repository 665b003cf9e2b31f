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
    webhook = template.functions["CallInitiatedFunction"].environment
    [(_, stage)] = template.of_type("AWS::ApiGatewayV2::Stage")
    throttle = template.resolver.resolve(stage["Properties"]["DefaultRouteSettings"])
    requests = int(throttle["ThrottlingRateLimit"]) * 3600
    failover = stage["Properties"]["RouteSettings"]["POST /failover"]["ThrottlingRateLimit"] * 3600
    request_price = PRICES["http_api_request"] + PRICES["lambda_request"]
    participants = int(settings["MAX_PARTICIPANTS"])
    open_most = int(settings["MAX_CONVERSATIONS"])
    inbound = open_most * int(settings["INBOUND_SHARE"]) // 100
    people = (open_most - inbound) * participants
    guests = participants - 1  # beside the first person of a conversation
    dials = int(settings["MAX_DIALS_PER_MINUTE"]) * 60
    tool_dials = int(webhook["MAX_TOOL_DIALS_PER_MINUTE"]) * 60
    calls_of_a_caller = int(webhook["MAX_CALLS_PER_CALLER"])
    anonymous = {f"{requests:,}", f"${requests * request_price:.2f}", f"{failover:,}"}
    key = {
        *(f"{dials:,}", f"{dials + tool_dials:,}", f"{people:,}", f"{people * 60:,}"),
        settings["MAX_BOOKINGS"],
    }
    caller = {
        *(f"{inbound:,}", f"{inbound * 60:,}"),
        *(f"{inbound * guests:,}", f"{inbound * guests * 60:,}"),
        *(f"{tool_dials:,}", f"{calls_of_a_caller:,}", f"{calls_of_a_caller * guests:,}"),
    }
    model = {webhook["MAX_TOOL_DIALS"], f"{guests}"}
    together = {f"{open_most * participants:,}", f"{open_most * participants * 60:,}"}
    deliveries = template.resolver.resolve(
        template.transformed["Resources"]["DeliverHooksMapping"]["Properties"]["ScalingConfig"]
    )
    hooks = {deliveries["MaximumConcurrency"]}
    assert figures() == anonymous | key | caller | model | together | hooks
    assert calls_of_a_caller <= inbound


def test_the_time_limit_of_a_call_is_the_one_that_the_page_names() -> None:
    assert CALL_LIMIT_GRACE.total_seconds() == 120
    assert "`MaxMinutes` and two minutes" in PAGE
