"""A window gets all facts, in order, once."""

import json

from local.room import hub as hubs
from local.room.hub import Hub


def facts_since(hub: Hub, since: int = 0) -> list[tuple[str, object]]:
    return [(fact.kind, json.loads(fact.text)) for fact in hub.since(since)]


def test_a_late_window_gets_the_latest_version_of_every_fact() -> None:
    hub = Hub()
    hub.put("leg", "a", "ringing")
    hub.put("leg", "b", "ringing")
    hub.put("leg", "a", "answered")
    assert facts_since(hub) == [("leg", "ringing"), ("leg", "answered")]


def test_a_reconnected_window_gets_only_the_missed_facts() -> None:
    hub = Hub()
    hub.put("leg", "a", 1)
    last = hub.since(0)[-1].event(hub.boot).splitlines()[0].removeprefix("id: ")
    hub.put("leg", "b", 2)
    assert facts_since(hub, hub.version_of(last)) == [("leg", 2)]


def test_an_event_id_of_another_start_of_the_server_is_version_0() -> None:
    assert Hub().version_of(f"{Hub().boot}:7") == 0
    assert Hub().version_of("") == 0


def test_an_unchanged_fact_keeps_its_version() -> None:
    hub = Hub()
    hub.put("person", "a", {"name": "Alex"})
    hub.put("person", "a", {"name": "Alex"})
    assert hub.version == 1


def test_the_oldest_facts_are_dropped_but_not_a_fact_that_is_repeated() -> None:
    hub = Hub()
    hub.put("person", "a", 1)
    for nth in range(hubs.MAX_FACTS):
        hub.put("person", "a", 1)
        hub.put("log", str(nth), nth)
    kinds = [fact.kind for fact in hub.since(0)]
    assert kinds.count("person") == 1
    assert kinds.count("log") < hubs.MAX_FACTS
    assert len(kinds) <= hubs.MAX_FACTS


def test_a_window_learns_since_when_the_facts_are_complete() -> None:
    hub = Hub()
    for nth in range(hubs.MAX_FACTS):
        hub.put("command", str(nth), {"at": f"2026-03-01T12:00:{nth:06d}"})
    assert not [fact for fact in hub.since(0) if fact.kind == "kept"]
    hub.put("command", "last", {"at": "2026-03-01T13"})
    first = next(fact for fact in hub.since(0) if fact.kind == "command")
    (kept,) = [fact for fact in hub.since(0) if fact.kind == "kept"]
    assert json.loads(kept.text)["since"] < json.loads(first.text)["at"]


def test_line_breaks_in_a_fact_do_not_split_its_event() -> None:
    hub = Hub()
    hub.put("log", "l", "two\nlines\r\n\ndata: <b>")
    event = hub.since(0)[0].event(hub.boot)
    assert event.count("\n") == 4
    assert json.loads(event.splitlines()[2].removeprefix("data: "))["value"].endswith("<b>")
