"""What windows are told: all of it, in order, once."""

import json

from local.room import hub as hubs
from local.room.hub import Hub


def told(hub: Hub, since: int = 0) -> list[tuple[str, object]]:
    return [(fact.kind, json.loads(fact.text)) for fact in hub.since(since)]


def test_a_window_that_comes_late_is_told_everything_as_it_is_now() -> None:
    hub = Hub()
    hub.put("leg", "a", "ringing")
    hub.put("leg", "b", "ringing")
    hub.put("leg", "a", "answered")
    assert told(hub) == [("leg", "ringing"), ("leg", "answered")]


def test_a_window_that_comes_back_is_told_only_what_it_missed() -> None:
    hub = Hub()
    hub.put("leg", "a", 1)
    last = hub.since(0)[-1].event(hub.boot).splitlines()[0].removeprefix("id: ")
    hub.put("leg", "b", 2)
    assert told(hub, hub.version_of(last)) == [("leg", 2)]


def test_what_another_life_of_the_server_told_counts_for_nothing() -> None:
    assert Hub().version_of(f"{Hub().boot}:7") == 0
    assert Hub().version_of("") == 0


def test_the_same_told_twice_is_no_news() -> None:
    hub = Hub()
    hub.put("person", "a", {"name": "Alex"})
    hub.put("person", "a", {"name": "Alex"})
    assert hub.version == 1


def test_the_oldest_go_first_but_not_what_is_told_over_and_over() -> None:
    hub = Hub()
    hub.put("person", "a", 1)
    for nth in range(hubs.MAX_FACTS):
        hub.put("person", "a", 1)
        hub.put("log", str(nth), nth)
    kinds = [fact.kind for fact in hub.since(0)]
    assert kinds.count("person") == 1
    assert len(kinds) == hubs.MAX_FACTS


def test_a_fact_is_one_event_whatever_stands_in_it() -> None:
    hub = Hub()
    hub.put("log", "l", "two\nlines\r\n\ndata: <b>")
    event = hub.since(0)[0].event(hub.boot)
    assert event.count("\n") == 4
    assert json.loads(event.splitlines()[2].removeprefix("data: "))["value"].endswith("<b>")
