"""A day at the console: logs and traces, contacts, minutes and cents."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from playwright.sync_api import Page, Route, expect

from local.serving import free_port
from tests.support.page_server import conversation_fact, person, serve_page
from tests.support.room_page import BILLIE, RoomPage, axe_violations

CONSOLE = {"mode": "console", "api": "http://127.0.0.1:8400", "to": "a stack"}
ASKED = ("api", "api", {"error": None})
GROUP = "partyline-prod-TriggerLogs-1a2B"


def live(minutes: float, **more: Any) -> dict[str, Any]:
    """Make the fields of a conversation whose host has been on the line for some minutes."""
    answered = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    host = person("host", "Alex", host=True)
    host["legs"][0] |= {"answered_at": answered, "cost": None}
    return {"participants": [host], "active_at": answered, "mode": "speaking", **more}


def read_star(text: str) -> str:
    return unquote(text.replace("*", "%"))


def test_a_conversation_links_to_its_logs_and_traces(window: Callable[..., Page]) -> None:
    fact = conversation_fact("c1", **live(3), ended_at="2026-03-01T12:10:00Z", status="ended")
    aws = {"region": "eu-west-1", "groups": [GROUP]}
    with serve_page(free_port(), ASKED, fact, **CONSOLE, aws=aws) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        page.get_by_role("tab", name="Report").click()
        address = page.get_by_role("link", name="Logs in CloudWatch").get_attribute("href")
        assert address is not None
        start = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:"
        assert address.startswith(f"{start}logs-insights$3FqueryDetail$3D$257E$2528end")
        detail = read_star(unquote(unquote(address.replace("$", "%"))))
        assert 'filter conversation_id = "c1"' in detail
        assert f"source~(~'{GROUP})" in detail
        assert "start~'2026-03-01T11:50:00.000Z" in detail
        assert "end~'2026-03-01T12:20:00.000Z" in detail
        traces = page.get_by_role("link", name="Traces in X-Ray").get_attribute("href")
        assert traces is not None
        assert "region=eu-west-1#xray:traces/query?" in traces
        assert "2026-03-01T12:20:00.000Z" in read_star(traces)


def test_without_the_stacks_name_the_console_says_how_to_get_links(
    window: Callable[..., Page],
) -> None:
    with serve_page(free_port(), ASKED, conversation_fact("c1"), **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/#/c/c1")
        page.get_by_role("tab", name="Report").click()
        expect(page.locator(".logs")).to_contain_text("Start the console with --stack")


def test_a_live_call_has_minutes_and_an_estimate_and_an_ended_call_its_costs(
    window: Callable[..., Page],
) -> None:
    running = conversation_fact("c1", **live(2.5))
    kind, key, ended = conversation_fact(
        "c2",
        ("conversation.report", "2026-03-01T12:03:00Z"),
        **live(2.5, status="ended", ended_at=datetime.now(UTC).isoformat()),
    )
    assert isinstance(ended, dict)
    ended["timeline"][0]["data"] = {"costs": {"USD": {"total": "0.0763"}}}
    with serve_page(free_port(), ASKED, running, (kind, key, ended), **CONSOLE) as url:
        page = window()
        # The minutes stand still, however long the page takes to load.
        page.add_init_script(f"Date.now = () => {1000 * time.time()}")
        page.goto(f"{url}/#/c/c1")
        # Three started minutes of a call and of the assistant: 3 x 0.7 and 3 x 6 cents.
        cost = page.locator(".cost")
        expect(cost).to_have_text("2.5 call minutes, about 20.1 cents (an estimate)")
        expect(page.locator(".list-total")).to_contain_text("1 person on the line")
        expect(page.locator(".list-total")).to_contain_text("0.40 USD (an estimate)")
        page.goto(f"{url}/#/c/c2")
        expect(cost).to_have_text("2.5 call minutes, 0.0763 USD by the report")


ROUTE: dict[str, Any] = {
    "number": "+13125550100",
    "assistant": {"id": "a1"},
    "contacts": {"billing": {"to": ["+13125550142"], "brief": "Bills."}},
    "warnings": [],
    "changed_at": "2026-03-01T12:00:00Z",
    "changed_by": "ops",
}


def answer_routes(page: Page, sent: list[Any]) -> None:
    """Answer the page's requests about routes as the API does, and keep what was sent."""

    def answer(route: Route) -> None:
        if route.request.method == "PUT":
            sent.append((route.request.url.rsplit("/", 1)[1], route.request.post_data_json))
            route.fulfill(json={**ROUTE, **sent[-1][1]})
        elif route.request.url.endswith("limit=50"):
            route.fulfill(json={"routes": [ROUTE], "next_cursor": None})
        else:
            route.fulfill(json=ROUTE)

    page.route("**/room/api/routes**", answer)


def test_contacts_are_added_changed_and_removed(window: Callable[..., Page], axe: str) -> None:
    sent: list[Any] = []
    with serve_page(free_port(), ASKED, **CONSOLE) as url:
        page = window()
        answer_routes(page, sent)
        page.goto(f"{url}/")
        page.get_by_role("button", name="Read the routes").click()
        tab = page.locator("#tab-directory")
        expect(tab).to_contain_text("+1 312 555 0100, 1 contact")
        expect(tab.get_by_role("row", name="billing")).to_contain_text("+1 312 555 0142")
        assert axe_violations(page, axe) == []
        tab.get_by_label("Contact's name").fill("billing")
        tab.get_by_label("Contact's number").fill("+1 312 555 0143")
        tab.get_by_role("button", name="Save").click()
        expect(tab.get_by_role("row", name="billing")).to_contain_text("+1 312 555 0143")
        # Other settings of the contact and of the route stay.
        changed = {"billing": {"to": "+13125550143", "brief": "Bills."}}
        route = {"assistant": {"id": "a1"}, "contacts": changed}
        assert sent == [("%2B13125550100", route)]
        tab.get_by_role("button", name="Remove billing").click()
        expect(tab).to_contain_text("The route has no contact")
        assert sent[-1][1]["contacts"] == {}


def test_a_read_only_console_lists_contacts_and_edits_none(window: Callable[..., Page]) -> None:
    with serve_page(free_port(), ASKED, **CONSOLE, readOnly=True) as url:
        page = window()
        answer_routes(page, [])
        page.goto(f"{url}/")
        page.get_by_role("button", name="Read the routes").click()
        tab = page.locator("#tab-directory")
        expect(tab.get_by_role("row", name="billing")).to_contain_text("+1 312 555 0142")
        expect(tab.get_by_role("button", name="Save")).to_have_count(0)
        expect(tab.get_by_role("button", name="Remove billing")).to_have_count(0)


def test_the_room_edits_contacts_of_the_real_stack(room: RoomPage) -> None:
    headers = {"x-partyline-page": "1"}
    url = f"{room.page.url.split('#')[0]}room/api/routes/+13125550100"
    route = {"assistant": {"id": "assistant-local"}, "contacts": {}}
    request = room.page.request
    assert request.put(url, data=json.loads(json.dumps(route)), headers=headers).ok
    tab = room.page.locator("#tab-directory")
    room.page.get_by_role("tab", name="Numbers").click()
    tab.get_by_role("button", name="Read the routes").click()
    tab.get_by_label("Contact's name").first.fill("billing")
    tab.get_by_label("Contact's number").first.fill(BILLIE)
    tab.get_by_role("button", name="Save").first.click()
    expect(tab.get_by_role("row", name="billing")).to_contain_text(BILLIE)
    stored = request.get(url, headers=headers).json()["contacts"]["billing"]["to"]
    request.delete(url, headers=headers)
    assert stored in (BILLIE.replace(" ", ""), [BILLIE.replace(" ", "")])
