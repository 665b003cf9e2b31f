"""An application starts a conversation by a StartConversation event on the bus."""

import json
from typing import Any

from tests.scenario.bus.conftest import BusStack, NewStack
from tests.support.lab import URL
from tests.support.people import DANA, HOST

SOURCE = "partyline.starts"


def request_start(stack: BusStack, detail: Any, source: str = SOURCE, **more: Any) -> str:
    """Put a StartConversation event on the bus; return its id."""
    return stack.background.bus.put(source, "StartConversation", detail, **more)


def letters(stack: BusStack) -> list[Any]:
    """Return the dead letters of the functions that start conversations."""
    messages = stack.background.queues.waiting("StartDeadLetters")
    return [json.loads(message.body) for message in messages]


def test_an_event_starts_a_conversation(new_stack: NewStack) -> None:
    stack = new_stack()
    request_start(
        stack, {"to": HOST, "name": "Robin", "participants": [{"to": DANA, "name": "Dana"}]}
    )
    stack.lab.run(25)
    [conversation] = stack.lab.conversations()
    assert conversation["status"] == "active"
    assert stack.lab.people_dialled() == ["host", "Dana"]
    # No request gave the URL of this API.
    assert {command["webhook_url"] for command in stack.lab.commands("dial")} == {f"{URL}/webhooks"}
    events = stack.events_of(conversation["id"])
    assert "conversation.active" in [event["detail-type"] for event in events]
    assert letters(stack) == []


def test_an_event_that_is_delivered_twice_starts_a_single_conversation(new_stack: NewStack) -> None:
    stack = new_stack()
    event_id = request_start(stack, {"to": HOST})
    request_start(stack, {"to": HOST}, event_id=event_id)
    stack.lab.run(10)
    assert len(stack.lab.conversations()) == 1
    assert stack.lab.people_dialled() == ["host"]


def test_two_events_with_the_same_detail_start_two_conversations(new_stack: NewStack) -> None:
    stack = new_stack()
    request_start(stack, {"to": HOST})
    request_start(stack, {"to": HOST})
    stack.lab.run(10)
    assert len(stack.lab.conversations()) == 2


def test_all_events_together_have_the_quota_of_one_key(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.lab.app.settings = stack.lab.app.settings.model_copy(update={"max_dials_per_minute": 1})
    stack.lab.run(60 - stack.lab.clock.now().second)
    for source in (SOURCE, "shop", SOURCE):
        request_start(stack, {"to": HOST}, source)
    assert stack.lab.people_dialled() == ["host"]
    stack.lab.run(5)
    refused = letters(stack)
    assert [letter["requestPayload"]["source"] for letter in refused] == ["shop", SOURCE]
    assert "dials" in refused[0]["responsePayload"]["errorMessage"]


def test_an_event_of_another_source_starts_nothing(new_stack: NewStack) -> None:
    stack = new_stack()
    request_start(stack, {"to": HOST}, "crm")
    stack.lab.run(10)
    assert stack.lab.conversations() == []
    assert letters(stack) == []


def test_an_invalid_event_goes_to_the_dead_letters_with_the_reason(new_stack: NewStack) -> None:
    stack = new_stack()
    request_start(stack, {"to": "+443125550101"})
    request_start(stack, {"too": HOST})
    stack.lab.run(10)
    assert stack.lab.people_dialled() == []
    errors = [letter["responsePayload"]["errorMessage"] for letter in letters(stack)]
    assert "may not go there" in errors[0]
    assert "not valid" in errors[1]
    assert [letter["requestPayload"]["detail"] for letter in letters(stack)] == [
        {"to": "+443125550101"},
        {"too": HOST},
    ]


def test_other_events_start_nothing(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.background.bus.put(SOURCE, "ConversationStarted", {"to": HOST})
    stack.lab.run(10)
    assert stack.lab.conversations() == []
