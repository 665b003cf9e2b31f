"""No generated request gets a server error or an answer that the API's description lacks."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.sampling import examples

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 60 + examples(120)


def test_every_answer_to_a_fuzzed_request_matches_the_api_description() -> None:
    # In a separate process, because a stack changes the environment and leaves sockets.
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.security.fuzz", str(REQUESTS)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f".{os.pathsep}layers/partyline"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    summary = re.search(r"^(\d+) requests, 0 wrong answers$", done.stdout, re.MULTILINE)
    assert summary, done.stdout
    assert int(summary[1]) >= REQUESTS
    # Most operations must succeed at least once, or the run has tested too little.
    assert len(re.findall(r"^[A-Z]+ /.* 20[012]: ", done.stdout, re.MULTILINE)) >= 10
