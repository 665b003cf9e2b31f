"""A line of the log names the function that wrote the line, also while another function runs."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from local.stack.handlers import RUNNING, LambdaContext
from local.stack.logs import Logs


def test_two_functions_that_run_at_once_are_named_in_their_own_lines() -> None:
    logs, both_run = Logs(), Barrier(2)

    def run(name: str) -> None:
        RUNNING.set(LambdaContext(name, 128, 10))
        both_run.wait()
        # The shared logger has the fields of the function that began last.
        logs.write(json.dumps({"message": name, "function_name": "QueryFunction"}))

    names = ["CallAnsweredFunction", "TriggerFunction"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, names))
    lines = {line["message"]: line for line in logs.lines()}
    assert [lines[name]["function_name"] for name in names] == names
    assert len({line["function_request_id"] for line in logs.lines()}) == 2
