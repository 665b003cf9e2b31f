"""`make bench`: measures and prints goals as met or missed. The exit status is always 0."""

import argparse
import sys

from rich.console import Console

from local.bench.cold import cold
from local.bench.goals import Figure, show
from local.bench.silence import silence
from local.bench.usage import usage
from local.bench.warm import WarmBench
from local.deploy.lambda_emulator import Runtime, RuntimeMissingError, emulated
from local.stack.local_stack import LocalStack, Options


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="cold starts of these folders only")
    parser.add_argument("--rounds", type=int, default=3, help="starts of each function")
    parser.add_argument("--webhooks", type=int, default=60, help="webhooks for each size")
    parser.add_argument("--cost", action="store_true", help="use and cost only")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    figures: list[Figure] = []

    def add_part(title: str, part: list[Figure]) -> None:
        show(console, title, part)
        figures.extend(part)

    if options.cost:
        add_part("Use and cost", usage())
        return 0
    with LocalStack(Options(with_turns=False)) as stack:
        add_part("Warm: an inbound call", WarmBench(stack).figures(options.webhooks))
    add_part("Use and cost", usage())
    add_part("Silence after the answer of an inbound call", silence())
    try:
        with LocalStack(Options(), emulated) as stack:
            add_part(
                "Cold: starts in Lambda's own runtime, ratios of processor time",
                cold(Runtime.locate(), stack, options.rounds, options.only),
            )
    except RuntimeMissingError as error:
        console.print(f"Cold starts are not measured: {error}")
    missed = [figure.name.strip() for figure in figures if figure.met is False]
    console.print(f"missed: {', '.join(missed)}" if missed else "Every goal is met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
