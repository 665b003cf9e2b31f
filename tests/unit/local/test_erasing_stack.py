"""The whole local stack erases a person: stream, index, schedule, queues and HTTP are real."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.client import ApiRefusedError, Client
from local.stack.local_stack import LocalStack, Options
from partyline.bootstrap import bootstrap
from partyline.domain.model import timeouts
from tests.support.erasing import DEAD_LETTERS, holds
from tests.support.patience import PATIENCE_SECS

PERSON = "+13125550112"


def wait_for(true: Callable[[], Any]) -> Any:
    """Wait until a condition is true; returns its value."""
    until = time.monotonic() + PATIENCE_SECS
    while not (value := true()):
        assert time.monotonic() < until
        time.sleep(0.2)
    return value


def left_in(stack: LocalStack) -> list[str]:
    """The places that hold the person's number, in any form."""
    client: Any = bootstrap()._table_client
    pages = client.get_paginator("scan").paginate(TableName=stack.template.table.name)
    texts = [json.dumps(item) for page in pages for item in page["Items"]]
    texts += map(json.dumps, stack.logs.lines())
    for name, _ in stack.template.properties_of("AWS::SQS::Queue"):
        texts += [message.body for message in stack.gateway.queues.waiting(name)]
    return [text[:200] for text in texts if holds(text, PERSON)]


def test_the_local_stack_erases_a_person_from_table_queues_and_logs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeouts, "ERASURE_SETTLED", timedelta())
    with LocalStack(Options()) as stack:
        client = Client(stack.url, stack.api_key)
        body = {"to": "+13125550111", "participants": [{"to": PERSON, "name": "Dana"}]}
        conversation_id = client.ask("POST", "/conversations", body)["id"]
        path = f"/conversations/{conversation_id}"
        client.ask("POST", f"{path}/stop", {"hang_up": True})
        wait_for(lambda: client.ask("GET", path)["status"] in ("ended", "failed"))
        listed = "/conversations?number=%2B13125550112"
        [found] = wait_for(lambda: client.ask("GET", listed)["conversations"])
        assert found["id"] == conversation_id
        queues = stack.gateway.queues
        for name in DEAD_LETTERS:
            queues.send(queues.arn(name), json.dumps({"from": PERSON}))
        assert left_in(stack)

        def requested() -> Any:
            try:
                return client.ask("DELETE", "/people/%2B13125550112")
            except ApiRefusedError as error:
                if error.code != "conversation_running":  # a last call is still up
                    raise
                return None

        erasure = wait_for(requested)

        def done() -> Any:
            stack.sweep()
            receipt = client.ask("GET", f"/erasures/{erasure['id']}")
            return receipt if receipt["status"] == "done" else None

        receipt = wait_for(done)
        assert receipt["erased"]["conversations"] == 1
        assert receipt["erased"]["queue_messages"] == len(DEAD_LETTERS)
        assert left_in(stack) == []
        assert client.ask("GET", listed)["conversations"] == []
        client.close()
