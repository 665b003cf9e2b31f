"""A page of another origin gets nothing from the ports of the local stack.

The page is on this machine too: Chromium itself keeps a page of a public address from loopback.
"""

import sys

import pytest
from playwright.sync_api import Browser
from starlette.responses import HTMLResponse

from local.room.room_stack import RoomStack
from local.serving import serve
from tests.support.sockets import listening_ports

# Each attempt is a way in which a page can reach another server; `null` means that it got nothing.
ATTEMPTS = """async (ports) => {
  const read = (url, options) => fetch(url, options).then((a) => a.text()).catch(() => null);
  const load = (tag, url) => new Promise((done) => {
    const element = document.createElement(tag);
    element.onload = () => done("loaded");
    element.onerror = () => done(null);
    element.src = url;
    document.body.append(element);
  });
  const headers = {"x-amz-target": "secretsmanager.ListSecrets", "x-amz-security-token": "test"};
  const call = '{"from": "+13125550120", "to": "+13125550100"}';
  const got = {};
  for (const port of ports) for (const host of ["127.0.0.1", "localhost"]) {
    const url = `http://${host}:${port}`;
    got[`${url} read`] = await read(`${url}/admin/state`);
    got[`${url} preflight`] = await read(url, {method: "POST", headers, body: "{}"});
    got[`${url} simple`] = await read(`${url}/admin/ring_in`, {method: "POST", body: call});
    const blind = {method: "POST", mode: "no-cors", body: call};
    got[`${url} blind`] = (await read(`${url}/admin/ring_in`, blind)) || null;
    got[`${url} script`] = await load("script", `${url}/room/page/api.js`);
    got[`${url} image`] = await load("img", `${url}/`);
  }
  return got;
}"""


@pytest.mark.skipif(sys.platform != "linux", reason="the ports come from /proc")
def test_a_page_of_another_origin_reads_nothing_and_changes_nothing(
    stack: RoomStack, browser: Browser
) -> None:
    assert stack.simulator is not None
    ports = sorted(listening_ports())
    other = serve(HTMLResponse("<body></body>"), page=True)
    page = browser.new_page()
    before = list(stack.simulator.simulator.legs)
    page.goto(other.url)
    got = page.evaluate(ATTEMPTS, ports)
    page.close()
    other.stop()
    assert len(got) >= 4 * 2 * 6
    assert {attempt: text for attempt, text in got.items() if text is not None} == {}
    assert stack.simulator.simulator.legs == before
