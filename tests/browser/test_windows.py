"""A window begins with nothing from the tests before, though its process lives on."""

from playwright.sync_api import Browser
from starlette.responses import HTMLResponse

from local.serving import serve
from tests.support.windows import Windows

STORED = """async () => [
  document.cookie, {...localStorage}, {...sessionStorage}, await indexedDB.databases(),
  await caches.keys(),
]"""

STORE = """async () => {
  document.cookie = "a=1";
  localStorage.a = sessionStorage.a = 1;
  await caches.open("a");
  const opened = indexedDB.open("a");
  await new Promise((done) => { opened.onsuccess = done; });
  opened.result.close();
}"""


def test_a_window_finds_nothing_that_an_earlier_window_stored(browser: Browser) -> None:
    windows = Windows(browser)
    server = serve(HTMLResponse("<body></body>"), page=True)
    for _ in range(2):
        page = windows.open(800, 600, dark=False, story=True)
        page.goto(server.url)
        assert page.evaluate(STORED) == ["", {}, {}, [], []]
        page.evaluate(STORE)
        database = {"name": "a", "version": 1}
        stored = ["a=1", {"a": "1"}, {"a": "1"}, [database], ["a"]]
        assert page.evaluate(STORED) == stored
        windows.close_all()
    windows.quit()
    server.stop()
