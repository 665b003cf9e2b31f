"""A person who is everywhere: in conversations, bookings, contacts, a list and dead letters."""

import base64
import json
from datetime import timedelta
from typing import Any

from tests.support.erasing import DEAD_LETTERS, ErasureLab
from tests.support.lab import Lab, minutes
from tests.support.people import DANA, HOST, LEE, OUR_NUMBER

ERASED = {
    "conversations": 2,
    "bookings": 2,
    "contacts": 2,
    "do_not_call": 1,
    "queue_messages": 4,
    "telnyx_conversations": 2,
}
"""The counts of the erasure of Dana after `whole_person`, with the do-not-call entry."""


def talked(lab: Lab, erasing: ErasureLab, *guests: str) -> str:
    """A conversation of the host with guests that is over."""
    people = [{"to": guest, "name": f"Guest {nth}"} for nth, guest in enumerate(guests)]
    conversation_id = lab.start(participants=people)
    lab.run(20)
    lab.stop(conversation_id, hang_up=True)
    lab.run(minutes(10))
    erasing.index()
    return conversation_id


def book(lab: Lab, to: str, **more: Any) -> str:
    """A booking of a conversation in two days."""
    start_at = (lab.clock.now() + timedelta(days=2)).isoformat()
    answer = lab.ask("POST", "/conversations", {"to": to, "start_at": start_at, **more})
    assert answer.status == 202, answer.json
    return str(answer.json["id"])


def fill_dead_letters(lab: Lab, number: str) -> None:
    """Put a message with the number, in some form, into each queue, and a message of another."""
    queues, spelled = lab.gateway.queues, f"+1 (312) 555-{number[-4:]}"
    webhook = json.dumps({"data": {"payload": {"from": number, "to": OUR_NUMBER}}})
    encoded = base64.b64encode(webhook.encode()).decode()
    bodies = dict(zip(DEAD_LETTERS, [encoded, json.dumps({"to": spelled}), webhook], strict=True))
    for name, body in bodies.items():
        queues.send(queues.arn(name), body)
        queues.send(queues.arn(name), json.dumps({"to": LEE}))
    queues.send(queues.arn("FailoverDeadLetters"), webhook.replace("+", "\\u002b"))


def whole_person(lab: Lab, erasing: ErasureLab) -> list[str]:
    """Put Dana everywhere. Returns the ids of Dana's conversations and bookings, then Lee's."""
    contacts = {
        "Dana": {"to": [DANA], "screening": {"say": "Take it?"}},
        "Desk": {"to": [LEE, DANA]},
        "Lee": {"to": [LEE]},
    }
    lab.route(OUR_NUMBER, contacts)
    lab.ask("PUT", f"/do-not-call/{DANA}", {"reason": "asked"})
    lab.ask("DELETE", f"/do-not-call/{DANA}")
    lab.ask("PUT", f"/do-not-call/{DANA}", {"reason": "asked"})
    first, second = talked(lab, erasing, DANA), talked(lab, erasing, LEE, DANA)
    other = talked(lab, erasing, LEE)
    booking = book(lab, DANA)
    guest_of = book(lab, HOST, participants=[{"to": DANA}])
    fill_dead_letters(lab, DANA)
    erasing.index()
    return [first, second, booking, guest_of, other]
