"""A change to a route or to the do-not-call list leaves its author, a log line and an event."""

import json

from tests.scenario.bus.conftest import NewStack
from tests.support.people import DANA, OUR_NUMBER

ROUTE = {"assistant": {"id": "assistant-1"}}


def test_each_change_is_an_event_on_the_bus_and_a_log_line_with_its_key(
    new_stack: NewStack,
) -> None:
    stack = new_stack()
    lab = stack.lab
    for method, path, body in (
        ("PUT", f"/routes/{OUR_NUMBER}", ROUTE),
        ("PUT", "/routes/default", ROUTE),
        ("DELETE", f"/routes/{OUR_NUMBER}", None),
        ("PUT", f"/do-not-call/{DANA}", {"reason": "asked us to"}),
        ("DELETE", f"/do-not-call/{DANA}", None),
    ):
        assert lab.ask(method, path, body).status == 200
    assert lab.ask("DELETE", f"/do-not-call/{DANA}").status == 404, "no change and no event"
    lab.run(25)
    sent = [(event["detail-type"], event["detail"]["data"]) for event in stack.received]
    key = {"key_id": "scenario"}
    assert sent == [
        ("route.changed", {"number": "***0100", "change": "put", **key}),
        ("route.changed", {"number": "default", "change": "put", **key}),
        ("route.changed", {"number": "***0100", "change": "deleted", **key}),
        ("do_not_call.changed", {"number": "***0112", "change": "put", **key}),
        ("do_not_call.changed", {"number": "***0112", "change": "deleted", **key}),
    ]
    assert {event["detail"]["conversation_id"] for event in stack.received} == {""}
    lines = [line for line in lab.logs.lines() if line["message"].endswith(".changed")]
    logged = [(line["message"], line["key_id"]) for line in lines]
    assert logged == [(name, "scenario") for name, _ in sent]
    assert DANA not in json.dumps(lines)


def test_an_entry_shows_who_changed_it_and_when(new_stack: NewStack) -> None:
    lab = new_stack().lab
    now = lab.clock.now().isoformat()
    put = lab.ask("PUT", f"/do-not-call/{DANA}").json
    assert (put["added_at"], put["changed_by"]) == (now, "scenario")
    put = lab.ask("PUT", f"/routes/{OUR_NUMBER}", ROUTE).json
    assert put["changed_by"] == "scenario"
    assert put["changed_at"].startswith(now[:19])
    sent = {**ROUTE, "changed_by": "another"}
    assert lab.ask("PUT", f"/routes/{OUR_NUMBER}", sent).status == 422
