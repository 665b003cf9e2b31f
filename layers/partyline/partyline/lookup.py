"""Which conversation a webhook is about, and how a call to a number of ours is to be answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from partyline.domain.conversation import Assistant, Conversation
from partyline.domain.inputs import CallRef, Route
from partyline.domain.record import find_leg
from partyline.domain.statuses import OnHangup
from partyline.identity import conversation_of_call
from partyline.store import Store, conversation_in, keys


@dataclass(frozen=True)
class Found:
    """The conversation that a webhook is about, or would begin, with what was read of it."""

    conversation_id: str
    conversation: Conversation | None
    route: Route | None = None

    def loader(self, store: Store) -> Callable[[], Conversation | None]:
        """How the engine loads it: what was just read, and the stored one from then on."""
        held = [self.conversation]
        return lambda: held.pop() if held else store.load(self.conversation_id)


def find(
    store: Store, call: CallRef, conversation_id: str | None, dialled: str | None = None
) -> Found | None:
    """Find the conversation of a call; None when the call is not ours.

    `conversation_id` is what the webhook's client_state names, if it does: one read then. Else the
    conversation that this call would have begun, the pointers, and the route of the `dialled`
    number of a call that begins now are read together.
    """
    if conversation_id:
        named = store.load(conversation_id)
        if named and find_leg(named, call):
            return Found(named.id, named)
    if call.call_control_id is None and call.call_leg_id is None:
        return None
    begun = conversation_of_call(call.call_control_id) if call.call_control_id else None
    wanted = [keys.state(begun)] if begun else []
    wanted += [keys.call(call.call_control_id)] if call.call_control_id else []
    wanted += [keys.leg(call.call_leg_id)] if call.call_leg_id else []
    wanted += [keys.route(dialled)] if dialled else []
    rows = store.find(wanted)
    own = conversation_in(rows.get(keys.state(begun))) if begun else None
    if own and find_leg(own, call):
        return Found(own.id, own)
    for row in rows.values():
        if "conversation_id" in row:
            pointed = store.load(row["conversation_id"]["S"])
            if pointed and find_leg(pointed, call):
                return Found(pointed.id, pointed)
    if begun and dialled and own is None:
        return Found(begun, None, _route(rows.get(keys.route(dialled))))
    return None


def _route(row: dict[str, Any] | None) -> Route | None:
    if row is None:
        return None
    route = from_json(row["route"]["S"])
    return Route(
        assistant=Assistant.model_validate(route["assistant"]),
        connection_id=route["connection_id"],
        on_hangup=OnHangup(route["on_hangup"]),
    )
