"""The child process that is the embedded AWS: ministack, which ends when its parent does.

Started by `local.stack.embedded_aws.EmbeddedAws` as a script, never imported. Its standard input
is a pipe that nobody writes to: the pipe's end is the parent's end, SIGKILL included.
"""

import os
import signal
import sys
import tempfile
import threading


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve on BIND_HOST and GATEWAY_PORT until SIGTERM or until the parent is gone.

    An argument is the Python that Lambda functions run with.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if len(sys.argv) > 1:
        # ministack runs Lambda functions with the Python that it takes itself to be run by.
        sys.executable = sys.argv[1]
    # ministack writes a pid file and more into the temp directory and leaves some of it behind.
    with tempfile.TemporaryDirectory(prefix="partyline-aws-") as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        # Not sooner: ministack takes its settings from the environment while it is imported.
        from ministack.app import main as serve  # noqa: PLC0415

        sys.argv[1:] = []
        serve()


if __name__ == "__main__":
    main()
