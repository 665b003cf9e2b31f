"""Which conversation a webhook is about."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import CallRef
from partyline.domain.rules.facts import find_leg
from partyline.ids import conversation_id_for_call
from partyline.store import ConversationStore, conversation_in, keys
from partyline.store.keys import DEFAULT_ROUTE, Key


@dataclass(frozen=True)
class Correlation:
    """The conversation that a webhook is about, or would begin, with what was read of it."""

    conversation_id: str
    conversation: Conversation | None
    rows: dict[Key, dict[str, Any]] = field(default_factory=dict)
    """What else was read for it: the routes that might answer the call."""

    def loader(self, store: ConversationStore) -> Callable[[], Conversation | None]:
        """How the engine loads it: what was just read, and the stored one from then on."""
        held = [self.conversation]
        return lambda: held.pop() if held else store.load(self.conversation_id)


def correlate(
    store: ConversationStore, call: CallRef, conversation_id: str | None, dialled: str | None = None
) -> Correlation | None:
    """Find the conversation of a call; None when the call is not ours.

    `conversation_id` is what the webhook's client_state names, if it does: one read then. Else the
    conversation that this call would have begun, the pointers, and the routes that might answer
    a call that begins now, to the `dialled` number, are read together.
    """
    if conversation_id:
        named = store.load(conversation_id)
        if named and find_leg(named, call):
            return Correlation(named.id, named)
    begun = conversation_id_for_call(call.call_control_id) if call.call_control_id else None
    wanted = [keys.state(begun)] if begun else []
    wanted += [keys.call(call.call_control_id)] if call.call_control_id else []
    wanted += [keys.leg(call.call_leg_id)] if call.call_leg_id else []
    wanted += [] if dialled is None else [keys.route(dialled), keys.route(DEFAULT_ROUTE)]
    rows = store.find(wanted)
    own = conversation_in(rows.get(keys.state(begun))) if begun else None
    if own:
        return Correlation(own.id, own)
    for row in rows.values():
        if "conversation_id" in row:
            pointed = store.load(row["conversation_id"]["S"])
            if pointed:
                return Correlation(pointed.id, pointed)
    if begun and dialled is not None:
        return Correlation(begun, None, rows)
    return None
