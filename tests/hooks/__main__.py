"""`make hooks`: deliver 10,000 events to a receiver that fails, by a sender that dies.

    python -m tests.hooks [how many deliveries] [seed]

Ends with 1 if a delivery was lost, or if a double had another id.
"""
# ruff: noqa: T201 - a command of the Makefile prints

import sys
import time

from local.stack.template import Template
from tests.faults.lab import silence_logs
from tests.hooks.storm import Storm
from tests.template.test_stack import PARAMETERS


def main(deliveries: int = 10_000, seed: int = 1) -> int:
    """Run a storm and print its counts."""
    silence_logs()
    began = time.monotonic()
    result = Storm(Template(PARAMETERS), deliveries, seed).run()
    print(
        f"{result.deliveries} deliveries, {result.requests} requests, {result.doubles} doubles, "
        f"{result.deaths} deaths, {result.dead_letters} dead letters, "
        f"{time.monotonic() - began:.0f} s"
    )
    for violation in result.violations:
        print(f"VIOLATED {violation}")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
