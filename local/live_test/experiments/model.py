"""The type of an experiment."""

from collections.abc import Callable
from dataclasses import dataclass

from local.live_test.lab import Lab
from local.live_test.state import Setup


@dataclass(frozen=True)
class Experiment:
    """Some calls that settle questions.

    Args:
        name: The name in the state file and in the output.
        asks: The ids of the unknowns that the experiment settles or helps to settle.
        calls: The most calls that the experiment dials.
        minutes: The most minutes of these calls, together.
        with_assistant: Whether an assistant is on the calls.
        answered: Whether the experiment needs a second number, which answers the calls.
        second_application: Whether the experiment needs a second application.
        play: Dials the calls and records the findings.
    """

    name: str
    asks: tuple[str, ...]
    calls: int
    minutes: int
    play: Callable[[Lab], None]
    with_assistant: bool = True
    answered: bool = True
    second_application: bool = False

    def lack(self, setup: Setup) -> str | None:
        """Return why the experiment cannot run with this setup, or None."""
        if self.answered and setup.second_number is None:
            return "A second number is needed (--second-number)."
        if self.second_application and setup.second_connection_id is None:
            return "A second application is needed (--second-application)."
        return None
