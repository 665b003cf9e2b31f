"""Measures the silence between the answer of an inbound call and the assistant's first words.

`python -m local.bench.silence` compares the two-step start with `start`: `with_answer`, in the
local stack with the simulated Telnyx. A start takes as long as on two live calls: Telnyx created
the conversation 0.70 and 0.94 s after the command. How soon a prepared assistant speaks after the
answer is not published; the simulator's setting is `warm_created_after_secs`.
"""

import time
from datetime import datetime
from statistics import median

from rich.console import Console

from local.bench.goals import Figure, show
from local.client import Client
from local.simulator.settings import Settings
from local.stack.local_stack import LocalStack, Options

LIVE_START_SECS = (0.70, 0.94)
"""From a start to `call.conversation.created`, on two live calls of July 2026."""

STARTS = ("after_answer", "with_answer")
CALLS = 5
CALLER = "+13125550199"
PATIENCE_SECS = 20.0


def silence(calls: int = CALLS) -> list[Figure]:
    """Return the median silence for each way to start, and the difference, in seconds."""
    figures = []
    for start_secs in LIVE_START_SECS:
        settings = Settings(created_after_secs=start_secs, warm_up_secs=start_secs)
        waits: dict[str, float] = {}
        with LocalStack(Options(simulator=settings, with_turns=False)) as stack:
            for start in STARTS:
                _set_route(stack, start)
                waits[start] = median(_silence_secs(stack) for _ in range(calls))
                name = f"a start takes {start_secs:.2f} s, {start}: silence after the answer"
                figures.append(Figure(name, waits[start], unit="s"))
        shorter = waits["after_answer"] - waits["with_answer"]
        figures.append(Figure("  less silence with_answer", shorter, unit="s"))
    return figures


def _set_route(stack: LocalStack, start: str) -> None:
    client = Client(stack.url, stack.api_key)
    body = {"assistant": {"id": Options().assistant_id}, "start": start}
    client.ask("PUT", f"/routes/{Options().number}", body)
    client.close()


def _silence_secs(stack: LocalStack) -> float:
    if stack.simulator is None:
        raise RuntimeError("the simulator is needed")
    telnyx = stack.simulator.simulator
    leg = telnyx.ring_in(CALLER, Options().number)
    until = time.monotonic() + PATIENCE_SECS
    while (spoken_at := _heard_at(leg.heard, "assistant:")) is None:
        if time.monotonic() > until:
            raise RuntimeError("the assistant did not speak")
        time.sleep(0.05)
    telnyx.hang_up(leg.call_control_id)
    answered_at = _heard_at(leg.heard, "answered")
    return (spoken_at - (answered_at or spoken_at)).total_seconds()


def _heard_at(heard: list[tuple[datetime, str]], notice: str) -> datetime | None:
    return next((at for at, text in list(heard) if text.startswith(notice)), None)


if __name__ == "__main__":
    show(Console(highlight=False), "Silence after the answer of an inbound call", silence())
