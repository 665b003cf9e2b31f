"""The numbers by which a person is found: those of conversations, and those of bookings."""

from collections.abc import Iterator, Mapping
from typing import Any

from partyline.domain.model.conversation import Conversation


def numbers_of(conversation: Conversation | None) -> frozenset[str]:
    """Return the numbers and addresses of a conversation's people, without our own number.

    A person with a plan has the plan's numbers. For any other call we do not know whether the
    person called or was called, so both ends count.
    """
    if conversation is None:
        return frozenset()
    numbers = set[str | None]()
    for person in conversation.participants:
        if person.plan:
            numbers.update(person.plan.to)
        else:
            numbers.update(number for leg in person.legs for number in (leg.from_, leg.to))
    return frozenset(filter(None, numbers - {conversation.route}))


def numbers_to_call(body: Mapping[str, Any]) -> frozenset[str]:
    """Return the numbers in the request of a start: those of the host and of the guests."""
    return frozenset(_numbers(body))


def _numbers(person: Mapping[str, Any]) -> Iterator[str]:
    to = person.get("to") or ()
    yield from [to] if isinstance(to, str) else to
    for guest in person.get("participants") or ():
        yield from _numbers(guest)
