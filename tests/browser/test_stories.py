"""A story is recorded in the page, saved and replayed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from local.room import stories
from tests.support.room_page import ALEX, RoomPage


def test_a_recorded_story_is_saved_and_replayed(
    room: RoomPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stories, "FOLDER", tmp_path)
    room.tab("Stories")
    room.page.get_by_role("button", name="Record a story").click()
    tab = room.page.locator("#tab-stories")
    expect(tab.get_by_label("Name")).to_be_focused()
    tab.get_by_label("Name").fill("empty")
    tab.get_by_label("What it is about").fill("Nothing")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_label("Name")).to_have_accessible_description(re.compile("at least one step"))
    expect(tab.get_by_label("Name")).to_be_focused()
    room.call()
    room.say(ALEX, "When are you open?")
    expect(room.phone(ALEX)).to_contain_text("nine to six")
    room.page.wait_for_timeout(2000)  # so that a slower replay hears the answer before its hangup
    room.press(ALEX, "Hang up")
    room.expect_status("ended")
    tab = room.tab("Stories")
    expect(tab).to_contain_text("4 steps so far")
    tab.get_by_label("Name").fill("Not a name")
    tab.get_by_label("What it is about").fill("Alex asks when we are open.")
    tab.get_by_role("button", name="Save").click()
    expect(tab).to_contain_text("small letters, digits and hyphens")
    tab.get_by_label("Name").fill("opening-hours")
    tab.get_by_role("button", name="Save").click()
    expect(tab).to_contain_text("Alex asks when we are open.")
    assert [step.action.do for step in stories.load("opening-hours").steps] == [
        "api",
        "answer",
        "say",
        "hang_up",
    ]

    before = room.page.url
    tab.get_by_role("button", name="Play opening-hours").click()
    expect(tab).to_contain_text(re.compile("Playing opening-hours: step [1-4] of 4"))
    expect(room.page).not_to_have_url(before)
    expect(room.page.locator(".sentence")).to_have_text(
        re.compile("The conversation lasted .*, and ended because Alex left.")
    )
    expect(room.chat()).to_contain_text("nine to six")
    tab = room.tab("Stories")
    expect(tab.locator(".verdict")).to_have_text("opening-hours played as saved.")
    with room.page.expect_download() as file:
        tab.get_by_role("button", name="Save opening-hours as a file").click()
    saved = tmp_path / "file"
    file.value.save_as(saved)
    assert file.value.suggested_filename == "opening-hours.json"
    assert stories.Story.model_validate_json(saved.read_text()) == stories.load("opening-hours")
    tab.get_by_role("button", name="Delete opening-hours").click()
    assert (tmp_path / "opening-hours.json").exists()
    room.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(tab).to_contain_text("No story yet.")
    assert not (tmp_path / "opening-hours.json").exists()
