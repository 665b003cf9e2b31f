"""The child process of the embedded AWS: ministack, which ends with its parent.

`local.stack.embedded_aws.EmbeddedAws` runs this script. Its standard input is a pipe of the parent:
the pipe closes when the parent ends, also by SIGKILL.
"""

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve on BIND_HOST and GATEWAY_PORT until SIGTERM or the parent's end.

    Only requests that carry the token in AWS_SESSION_TOKEN get an answer. The optional argument is
    the Python that runs Lambda functions.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if len(sys.argv) > 1:
        # ministack runs Lambda functions with the Python in `sys.executable`.
        sys.executable = sys.argv[1]
    # ministack leaves a pid file and other files in the temp directory.
    with tempfile.TemporaryDirectory(prefix="partyline-aws-") as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        # After the lines above: its import reads settings from the environment.
        from ministack import app as ministack  # noqa: PLC0415

        sys.path.append(str(Path(__file__).resolve().parents[2]))
        from local.loopback import LoopbackGuard  # noqa: PLC0415

        token = os.environ["AWS_SESSION_TOKEN"]
        ministack.app = LoopbackGuard(ministack.app, token=token)
        sys.argv[1:] = []
        ministack.main()


if __name__ == "__main__":
    main()
