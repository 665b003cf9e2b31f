"""The reference library of Standard Webhooks for JavaScript verifies our signatures."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from local.stack.template import Template
from tests.prism.proxy import ROOT
from tests.support.hook_lab import HookLab
from tests.support.patience import PATIENCE_SECS

LIBRARY = ROOT / ".prism" / "node_modules" / "standardwebhooks"

PROGRAM = """
const { Webhook } = require(process.argv[1]);
const { secrets, body, headers } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const verified = secrets.map((secret) => {
  try { return new Webhook(secret).verify(body, headers).data.conversation_id; }
  catch (error) { return error.constructor.name; }
});
console.log(JSON.stringify(verified));
"""


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None or not LIBRARY.exists():
        pytest.skip("`make prism` installs the library for this test")
    return found


def test_the_library_verifies_each_secret_of_a_hook_and_no_other(
    node: str, template: Template
) -> None:
    lab = HookLab(template)
    lab.now = datetime.now(UTC)  # the library compares the timestamp with the machine's clock
    former = lab.put()
    other = lab.put("other", event_types=["conversation.started"])
    made = lab.hooks.replace_secret("crm", lab.change())
    lab.emit("c-1")
    lab.run()
    [request] = lab.receiver.requests
    task = {
        "secrets": [former, made.secret, other],
        "body": request.body.decode(),
        "headers": dict(request.headers),
    }
    ended = subprocess.run(  # noqa: S603, the pinned library
        [node, "-e", PROGRAM, str(LIBRARY)],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECS,
    )
    assert json.loads(ended.stdout) == ["c-1", "c-1", "WebhookVerificationError"]
