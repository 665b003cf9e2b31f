"""The console's list carries thousands of conversations."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from local.serving import free_port
from tests.support.many_conversations import CONSOLE, MANY, many, row
from tests.support.page_server import serve_page
from tests.support.room_page import axe_violations


def test_thousands_of_conversations_are_searched_filtered_and_saved(
    window: Callable[..., Page], axe: str, tmp_path: Path
) -> None:
    with serve_page(free_port(), *many(), **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/")
        table = page.get_by_role("table", name="Conversations")
        drawn = table.get_by_role("row")
        expect(page.locator(".list-total")).to_contain_text(f"{MANY} of {MANY + 1} shown")
        assert drawn.count() < 60  # only the visible rows, and a few more
        expect(table).to_have_attribute("aria-rowcount", str(MANY + 1))
        for name, count in (("Live", MANY - 1), ("Failed", 1), ("Bookings", 1)):
            expect(page.get_by_role("button", name=f"{name} {count}")).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert axe_violations(page, axe) == []

        table.evaluate("table => table.scrollTo(0, table.scrollHeight)")
        expect(page.get_by_role("link", name=f"Robin {MANY - 1}")).to_be_visible()
        assert drawn.count() < 60

        search = page.get_by_label("Search the conversations")
        for asked, found in (
            ("+1 415 555 0042", "Robin 42"),
            ("T1234", "Robin 1234"),
            ("c0777", "Robin 777"),
            ("robin 1999", "Robin 1999"),
        ):
            search.fill(asked)
            expect(drawn).to_have_count(2)
            expect(drawn.nth(1)).to_contain_text(found)
        expect(drawn.nth(1)).to_contain_text("The line is busy.")
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        saved.value.save_as(tmp_path / "saved.csv")
        lines = (tmp_path / "saved.csv").read_text().splitlines()
        assert len(lines) == 2
        assert lines[1].startswith("c1999,failed,outbound,Robin 1999")

        search.fill("")
        page.get_by_role("button", name="Bookings").click()
        expect(drawn.nth(1)).to_contain_text("booked by ops")
        expect(page.locator(".stage")).to_have_text("prod")


def test_older_conversations_are_read_page_by_page(window: Callable[..., Page]) -> None:
    older = [row(nth, "ended")[2] for nth in range(3)]
    pages = {None: (older[:1], "a b"), "a b": (older[1:2], "c"), "c": (older[2:], None)}

    def answer(route: Route) -> None:
        asked = parse_qs(urlsplit(route.request.url).query).get("cursor", [None])[0]
        conversations, cursor = pages[asked]
        route.fulfill(json={"conversations": conversations, "next_cursor": cursor})

    with serve_page(
        free_port(), row(0, "ended"), ("api", "api", {"error": None}), **CONSOLE
    ) as url:
        page = window()
        page.route("**/room/api/conversations?*", answer)
        page.goto(f"{url}/")
        total = page.locator(".list-total")
        expect(total).to_contain_text("1 of 1 shown")
        for count in (2, 3):
            page.get_by_role("button", name="Older").click()
            expect(total).to_contain_text(f"{count} of {count} shown")
        expect(page.get_by_role("button", name="Older")).to_be_hidden()


def test_a_change_of_one_conversation_draws_one_row_again(window: Callable[..., Page]) -> None:
    with serve_page(free_port(), *many(), **CONSOLE) as url:
        page = window()
        page.goto(f"{url}/")
        first = page.get_by_role("table").get_by_role("row").nth(1)
        expect(first).to_contain_text("active")
        drawn = page.evaluate(
            """async fact => {
                const { addFact } = await import("/room/page/model.js");
                const rows = document.querySelector(".list-rows");
                let made = 0;
                new MutationObserver(changes => {
                    for (const { addedNodes } of changes) made += addedNodes.length;
                }).observe(rows, { childList: true });
                addFact(...fact);
                await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
                return made;
            }""",
            json.loads(json.dumps(row(0, "active", metadata={"ticket": "new"}, mode="silent"))),
        )
        assert drawn <= 1


def test_a_read_only_console_has_no_forms(window: Callable[..., Page]) -> None:
    _, key, conversation = row(1, "active")
    view = {"conversation": conversation, "timeline": []}
    with serve_page(free_port(), ("view", key, view), **CONSOLE, readOnly=True) as url:
        page = window()
        page.goto(f"{url}/#/c/{key}")
        expect(page.locator(".sentence")).to_contain_text("Robin 1 talks with the assistant")
        expect(page.locator(".stage")).to_have_text("prod · read-only")
        for name in ("Start a conversation", "Invite", "Stop", "Remove Robin 1", "Add"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_a_conversation_that_failed_meanwhile_has_a_badge(window: Callable[..., Page]) -> None:
    facts = [row(0, "active"), row(1, "failed")]
    view = {"conversation": facts[0][2], "timeline": []}
    with serve_page(free_port(), ("view", "c0000", view), *facts) as url:
        page = window()
        page.goto(f"{url}/")
        badges = page.locator("#list-badges")
        expect(badges).to_have_text("2")
        page.evaluate(
            """async fact => (await import("/room/page/model.js")).addFact(...fact)""",
            list(row(2, "failed")),
        )
        expect(badges).to_have_text("31 failed")
