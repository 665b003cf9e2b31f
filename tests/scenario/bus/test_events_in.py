"""Somebody puts a StartConversation event on the bus, and the phone rings."""

import json
from collections.abc import Callable
from typing import Any

from tests.scenario.bus.conftest import Behind
from tests.support.lab import URL
from tests.support.people import DANA, HOST

Set = Callable[..., Behind]


def asks(it: Behind, detail: Any, source: str = "crm", **more: Any) -> str:
    """An application asks through the bus; the event's id."""
    return it.backstage.bus.put(source, "StartConversation", detail, **more)


def letters(it: Behind) -> list[Any]:
    waiting = it.backstage.queues.waiting("StartDeadLetters")
    return [json.loads(each.body) for each in waiting]


def test_an_event_starts_a_conversation(behind: Set) -> None:
    it = behind()
    asks(it, {"to": HOST, "name": "Robin", "participants": [{"to": DANA, "name": "Dana"}]})
    it.lab.run(25)
    [conversation_id] = it.lab.conversations()
    assert conversation_id["status"] == "active"
    assert it.lab.people_dialled() == ["host", "Dana"]
    # No request told where this API is.
    assert {each["webhook_url"] for each in it.lab.commands("dial")} == {f"{URL}/webhooks"}
    assert "conversation.active" in [each["detail-type"] for each in it.of(conversation_id["id"])]
    assert letters(it) == []


def test_an_event_that_is_delivered_twice_starts_one(behind: Set) -> None:
    it = behind()
    event_id = asks(it, {"to": HOST})
    asks(it, {"to": HOST}, event_id=event_id)
    it.lab.run(10)
    assert len(it.lab.conversations()) == 1
    assert it.lab.people_dialled() == ["host"]


def test_two_events_with_the_same_words_start_two(behind: Set) -> None:
    it = behind()
    asks(it, {"to": HOST})
    asks(it, {"to": HOST})
    it.lab.run(10)
    assert len(it.lab.conversations()) == 2


def test_each_source_has_an_allowance_of_its_own(behind: Set) -> None:
    it = behind()
    it.lab.app.settings = it.lab.app.settings.model_copy(update={"max_dials_per_minute": 1})
    it.lab.run(60 - it.lab.clock.now().second)
    for source in ("crm", "crm", "shop"):
        asks(it, {"to": HOST}, source)
    assert it.lab.people_dialled() == ["host", "host"]
    it.lab.run(5)
    [letter] = letters(it)
    assert letter["requestPayload"]["source"] == "crm"
    assert "dials" in letter["responsePayload"]["errorMessage"]


def test_a_wrong_event_ends_among_the_dead_letters_with_its_reason(behind: Set) -> None:
    it = behind()
    asks(it, {"to": "+443125550101"})
    asks(it, {"too": HOST})
    it.lab.run(10)
    assert it.lab.people_dialled() == []
    errors = [each["responsePayload"]["errorMessage"] for each in letters(it)]
    assert "may not go there" in errors[0]
    assert "not valid" in errors[1]
    assert [each["requestPayload"]["detail"] for each in letters(it)] == [
        {"to": "+443125550101"},
        {"too": HOST},
    ]


def test_other_events_start_nothing(behind: Set) -> None:
    it = behind()
    it.backstage.bus.put("crm", "ConversationStarted", {"to": HOST})
    it.lab.run(10)
    assert it.lab.conversations() == []
