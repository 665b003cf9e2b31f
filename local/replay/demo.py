"""`make replays`: run the demo and write a replay file of each of its calls.

The tests replay the files. They have to be written again only when a decision is to change.
"""
# ruff: noqa: PLC0415 - the layer is on the path only while a stack is up

import io
import sys
import time
from pathlib import Path

from rich.console import Console

from local.client import Client
from local.demo.driver import Demo
from local.demo.runner import simulator_settings
from local.demo.scenarios import PEOPLE, SCENARIOS
from local.replay import replay_file
from local.stack.local_stack import LocalStack, Options

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "replays"
SETTLE_SECS = 3.0
"""The time after a scenario in which the last webhooks and commands come."""


def write_all(folder: Path) -> list[Path]:
    """Run the demo's scenarios and write a file of each conversation. Returns the files."""
    files = list[Path]()
    with LocalStack(Options(simulator=simulator_settings())) as stack:
        from local.replay.export import recorded_steps, with_stand_ins

        if stack.simulator is None:
            raise RuntimeError("the simulator is needed")
        client = Client(stack.url, stack.api_key)
        telnyx, console = stack.simulator.simulator, Console(file=io.StringIO())
        demo = Demo(stack.url, client, telnyx, stack.logs.lines, console)
        for person in PEOPLE:
            telnyx.set_person(person)
        for scenario in SCENARIOS:
            scenario(demo)
            time.sleep(SETTLE_SECS)
            newest = client.ask("GET", "/conversations")["conversations"][0]["id"]
            steps, _ = recorded_steps(client.steps(newest), client.timeline(newest))
            files.append(folder / f"{scenario.__name__.replace('_', '-')}.replay")
            replay_file.write(files[-1], with_stand_ins(steps))
        client.close()
    return files


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for written in write_all(FOLDER):
        print(f"{written.stat().st_size / 1000:6.1f} KB  {written.name}", file=sys.stdout)
