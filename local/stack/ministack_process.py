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
from typing import Any


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _read_limits_as_numbers(mappings: Any) -> None:
    """Let ministack read a mapping's MaximumConcurrency that is a parameter of the stack.

    CloudFormation's parameters are texts. ministack 1.5 compares the text with a number, which ends
    each of its passes over the queues at that mapping.
    """
    limit_of = mappings._sqs_esm_concurrency

    def limit(mapping: dict[str, Any], *rest: Any) -> Any:
        scaling = mapping.get("ScalingConfig") or {}
        if "MaximumConcurrency" in scaling:
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return limit_of(mapping, *rest)

    mappings._sqs_esm_concurrency = limit


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
        from ministack.services import lambda_svc  # noqa: PLC0415

        sys.path.append(str(Path(__file__).resolve().parents[2]))
        from local.loopback import LoopbackGuard  # noqa: PLC0415

        _read_limits_as_numbers(lambda_svc)
        token = os.environ["AWS_SESSION_TOKEN"]
        ministack.app = LoopbackGuard(ministack.app, token=token)
        sys.argv[1:] = []
        ministack.main()


if __name__ == "__main__":
    main()
