"""Finds the conversation that a webhook is about."""

from dataclasses import dataclass, field

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import CallRef
from partyline.domain.model.routes import StoredRoute
from partyline.domain.rules.call_ids import find_leg, find_leg_by_ids
from partyline.ids import conversation_id_for_call
from partyline.store import ConversationStore


@dataclass(frozen=True)
class Correlation:
    """The conversation of a webhook; `conversation` is None when the call may begin it."""

    conversation_id: str
    conversation: Conversation | None
    route: StoredRoute = field(default_factory=StoredRoute)  # the route of the dialled number


def correlate(
    store: ConversationStore,
    call: CallRef,
    conversation_id: str | None,
    dialled: str | None = None,
    telnyx_conversation_id: str | None = None,
) -> Correlation | None:
    """Find the conversation of a call; None when the call belongs to none and begins none.

    The conversation that the client_state names, `conversation_id`, is read first, and alone if the
    call is in it. The ids of a call come before its client_state. `dialled` is the number of ours
    that an incoming call was made to (`default` for a call without a number), and None for any
    other webhook. `telnyx_conversation_id` names the assistant's run that the webhook is about.
    """
    named = store.load(conversation_id) if conversation_id else None
    hinted = find_leg(named, call) if named else None
    if named and hinted and (find_leg_by_ids(named, call) or not hinted[1].call_control_id):
        return Correlation(named.id, named)
    own_id = conversation_id_for_call(call.call_control_id) if call.call_control_id else None
    ids = (own_id, call.call_control_id, call.call_leg_id)
    lookup = store.look_up_call(*ids, dialled, telnyx_conversation_id)
    # A later conversation may have the call that began a conversation: its pointer leads there.
    for pointed_id in lookup.pointed_ids:
        pointed = lookup.conversation if pointed_id == own_id else store.load(pointed_id)
        if pointed:
            return Correlation(pointed.id, pointed)
    if named and hinted:  # no other conversation has these ids: the call has got other ids
        return Correlation(named.id, named)
    if lookup.conversation:
        return Correlation(lookup.conversation.id, lookup.conversation)
    if own_id and dialled is not None:
        return Correlation(own_id, None, lookup.route)
    return None
