"""The ids of calls: the leg that a webhook is about, and the newest ids of its call."""

from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.inputs import CallHangup, CallInitiated, CallInput, CallRef
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.results import CallState, Succeeded
from partyline.domain.rules import facts
from partyline.domain.rules.transition import Transition

MAX_FORMER_IDS = 8  # how many earlier ids of a call are kept


def locate_leg(transition: Transition, webhook: CallInput) -> tuple[Participant, Leg] | None:
    """Find the leg of a webhook and note its ids. A call that exists settles its dial."""
    located = find_leg(transition.conversation, webhook.call)
    if located is None:
        return None
    participant, leg = located
    note_webhook_ids(transition, participant, leg, webhook)
    dial = transition.command_for(Action.DIAL, participant, leg)
    if dial and leg.call_control_id:
        facts.settle(transition, dial)
    return located


def find_leg(conversation: Conversation, call: CallRef) -> tuple[Participant, Leg] | None:
    """Find the leg that a webhook is about: by Telnyx's ids, else by our client_state.

    Our client_state counts for a call whose ids we do not know: the first webhook of a call may
    come before the answer to the dial, and a call may get other ids at its answer. A call of a
    person who calls us is no call that we dialled.
    """
    located = find_leg_by_ids(conversation, call)
    if located:
        return located
    hinted = conversation.participant(call.participant)
    leg = hinted.leg(call.leg) if hinted else None
    if hinted is None or leg is None or (call.incoming and hinted.plan):
        return None
    if _is_another_leg(leg, call):
        return None
    return hinted, leg


def _is_another_leg(leg: Leg, call: CallRef) -> bool:
    """Whether a call is another leg of an answered call's session: the target of a transfer.

    A call gets other ids at its answer, not later. Whether the target of a transfer gets our
    client_state is not documented.
    """
    same_session = leg.call_session_id is not None and leg.call_session_id == call.call_session_id
    known = leg.call_leg_id is not None and call.call_leg_id is not None
    return leg.answered_at is not None and same_session and known


def find_leg_by_ids(conversation: Conversation, call: CallRef) -> tuple[Participant, Leg] | None:
    """Find the leg that has, or had, an id of a webhook's call."""
    for id_ in (call.call_control_id, call.call_leg_id):
        for participant, leg in conversation.legs():
            if leg.has_id(id_):
                return participant, leg
    return None


def note_call_ids(leg: Leg, call: CallRef | Succeeded | CallState, *, newest: bool = False) -> None:
    """Note the ids of a call. The `newest` ids replace those known so far."""
    for name in ("call_control_id", "call_leg_id", "call_session_id"):
        known, told = getattr(leg, name), getattr(call, name)
        if told is None or told == known:
            continue
        if known is None or newest:
            setattr(leg, name, told)
        former = known if newest else told
        if known and name != "call_session_id" and former not in leg.former_ids:
            leg.former_ids = [*leg.former_ids, former][-MAX_FORMER_IDS:]


def note_webhook_ids(
    transition: Transition, person: Participant, leg: Leg, webhook: CallInput
) -> None:
    """Note the ids of a webhook's call; the ids of the newest webhook count.

    A call that we have hung up, and that goes on under another id, is hung up under that id.
    """
    call, before = webhook.call, leg.call_control_id
    note_call_ids(leg, call, newest=_is_newest(leg, webhook))
    leg.unknown_since = None
    if call.call_control_id == leg.call_control_id and webhook.occurred_at:
        leg.ids_at = max(leg.ids_at or webhook.occurred_at, webhook.occurred_at)
    changed = before is not None and leg.call_control_id != before
    hang_up = transition.command_for(Action.HANG_UP, person, leg)
    unneeded = not leg.is_up or (hang_up is not None and not hang_up.is_pending)
    goes_on = not leg.transferred and not isinstance(webhook, CallHangup)
    if changed and unneeded and goes_on:
        facts.hang_up_again(transition, person, leg)


def _is_newest(leg: Leg, webhook: CallInput) -> bool:
    """Whether a webhook is newer than all before.

    Without times, or with the same time, `call.initiated` is the oldest.
    """
    known_at, at = leg.ids_at, webhook.occurred_at
    if known_at and at and known_at != at:
        return at > known_at
    if webhook.call.call_control_id in leg.former_ids:
        return False
    return leg.answered_at is None or not isinstance(webhook, CallInitiated)
