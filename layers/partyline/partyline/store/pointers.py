"""Pointers: the rows that lead from a call, or a run of the assistant, to its conversation.

The pointer of a call locks the call."""

from dataclasses import dataclass

from partyline.domain.model.conversation import Conversation
from partyline.domain.model.statuses import FINISHED
from partyline.store import keys
from partyline.store.keys import Key
from partyline.store.table import Row, put_of


@dataclass(frozen=True)
class Pointer:
    """The pointer to a conversation that a step writes."""

    key: Key
    leg: str  # the leg in the conversation, `<participant id>:<leg number>`, or `assistant`
    is_claim: bool
    """The step brings the live call in, and fails while another conversation has the call."""
    replaces: Row | None = None
    """The row of another conversation that does not have the call any more."""

    def put(self, conversation_id: str) -> Row:
        """The put, on the condition that no other conversation holds the pointer."""
        attributes = {"conversation_id": {"S": conversation_id}, "leg": {"S": self.leg}}
        condition = "attribute_not_exists(pk) OR conversation_id = :own"
        values = {":own": attributes["conversation_id"]}
        if self.replaces:
            condition += " OR conversation_id = :other AND leg = :leg"
            values |= {":other": self.replaces["conversation_id"], ":leg": self.replaces["leg"]}
        return {
            **put_of(self.key, attributes),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def new_pointers(before: Conversation | None, after: Conversation) -> list[Pointer]:
    """The pointers from the ids that the step adds, and from the live calls that it brings in."""
    legs = before.legs() if before else []
    old_legs = {(participant.id, leg.number): leg for participant, leg in legs}
    pointers = dict[Key, Pointer]()
    for participant, leg in after.legs():
        old = old_legs.get((participant.id, leg.number))
        name = f"{participant.id}:{leg.number}"
        if leg.call_control_id and not (old and old.has_id(leg.call_control_id)):
            key = keys.call(leg.call_control_id)
            pointers[key] = Pointer(key, name, is_claim=old is None)
        if leg.call_leg_id and not (old and old.has_id(leg.call_leg_id)):
            key = keys.leg(leg.call_leg_id)
            pointers[key] = Pointer(key, name, is_claim=False)
        for id_ in leg.former_ids:  # a late webhook may have an id that was replaced meanwhile
            if not (old and old.has_id(id_)):
                for key in (keys.call(id_), keys.leg(id_)):
                    pointers[key] = Pointer(key, name, is_claim=False)
    telnyx_id = after.telnyx_conversation_id
    if telnyx_id and telnyx_id != (before and before.telnyx_conversation_id):
        key = keys.telnyx_conversation(telnyx_id)
        pointers[key] = Pointer(key, "assistant", is_claim=False)
    return list(pointers.values())


def has_call(conversation: Conversation, pointer: Key) -> bool:
    """Whether a conversation has the call of a pointer, still up and not finished."""
    return conversation.status not in FINISHED and any(
        leg.is_up and pointer in (keys.call(id_), keys.leg(id_))
        for _, leg in conversation.legs()
        for id_ in (leg.call_control_id, leg.call_leg_id, *leg.former_ids)
        if id_
    )
