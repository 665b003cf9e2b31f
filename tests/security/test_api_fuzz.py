"""No request brings the API down, or to an answer that its description does not have."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 180


def test_every_answer_to_a_fuzzed_request_matches_the_api_description() -> None:
    # In a process of its own: a whole stack leaves its mark on the environment and its sockets.
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.security.fuzz", str(REQUESTS)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f".{os.pathsep}layers/partyline"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    asked = re.search(r"^(\d+) requests, 0 wrong answers$", done.stdout, re.MULTILINE)
    assert asked, done.stdout
    assert int(asked[1]) >= REQUESTS
    # Most kinds of request are also done, or nothing much would have been tried.
    assert len(re.findall(r"^[A-Z]+ /.* 20[012]: ", done.stdout, re.MULTILINE)) >= 10
