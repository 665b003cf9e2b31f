"""The windows of the browser's tests, whose processes live on from test to test."""

from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from tests.support.patience import PATIENCE_SECS

SHARED_PROCESS = ("--renderer-process-limit=1",)
"""Lets a new page of a context use the process of the context's other pages."""

ALL_MESSAGES = """
localStorage.setItem("partyline-view", JSON.stringify("all"));
localStorage.setItem("partyline-hidden", "[]");
"""
"""Choices of a user, in the page's storage."""

Kind = tuple[int, int, bool, bool]


@dataclass
class _Profile:
    """A user of the browser. The empty page keeps the process, whose start takes a second."""

    context: BrowserContext
    empty: Page
    devtools: CDPSession

    def forget(self) -> None:
        """Close the pages, and forget all that they stored."""
        for page in self.context.pages:
            if page is not self.empty:
                page.close()
        self.context.clear_cookies()
        self.context.clear_permissions()
        everything = {"origin": "*", "storageTypes": "all"}
        self.devtools.send("Storage.clearDataForOrigin", everything)


@dataclass
class Windows:
    """Windows of a browser. Each open window has a profile of its own, which later tests reuse."""

    browser: Browser
    _free: dict[Kind, list[_Profile]] = field(default_factory=dict)
    _used: list[tuple[Kind, _Profile]] = field(default_factory=list)

    def open(self, width: int, height: int, *, dark: bool, story: bool) -> Page:
        """Open a window that shows every message of a call, or with `story` the story."""
        kind = (width, height, dark, story)
        free = self._free.setdefault(kind, [])
        profile = free.pop() if free else self._new(*kind)
        self._used.append((kind, profile))
        return profile.context.new_page()

    def close_all(self) -> None:
        """Close all windows."""
        while self._used:
            kind, profile = self._used.pop()
            profile.forget()
            self._free[kind].append(profile)

    def quit(self) -> None:
        """Close the windows and their profiles."""
        self.close_all()
        for profile in [profile for free in self._free.values() for profile in free]:
            profile.context.close()
        self._free.clear()

    def _new(self, width: int, height: int, dark: bool, story: bool) -> _Profile:
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(1000 * PATIENCE_SECS)
        if not story:
            context.add_init_script(ALL_MESSAGES)
        empty = context.new_page()
        return _Profile(context, empty, context.new_cdp_session(empty))
