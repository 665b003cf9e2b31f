"""`make first-minute`: time a newcomer's first minute, and the frames of the console.

The goals are those of an unloaded machine with two cores. Ends with 1 if a goal is missed.
"""

import sys

from rich.console import Console

from local.bench.goals import show
from local.docs.browser import launch_browser
from tests.speed.first_minute import first_minute
from tests.speed.frames import frames


def main() -> int:
    """Measure and print."""
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    with launch_browser() as browser:
        minute, smooth = first_minute(browser), frames(browser)
    show(console, "A newcomer's first minute", minute)
    show(console, "The console with 2,000 conversations", smooth)
    return 1 if any(figure.met is False for figure in [*minute, *smooth]) else 0


if __name__ == "__main__":
    sys.exit(main())
