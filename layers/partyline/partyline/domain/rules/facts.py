"""Facts about calls and the assistant, each recorded by a single function for every input.

A webhook and the result of a command may report the same fact; either may come first, or both.
"""

from datetime import datetime
from typing import Literal

from partyline.domain.model import statuses
from partyline.domain.model.commands import TRANSIENT, Action, Command
from partyline.domain.model.conversation import Conversation, Insight, Leg, Participant
from partyline.domain.model.events import EventType, InsightsGenerated, Quality
from partyline.domain.model.inputs import CallRef
from partyline.domain.model.results import Succeeded
from partyline.domain.model.statuses import ConversationStatus, Outcome, ParticipantStatus
from partyline.domain.model.timeouts import VERDICT_WAIT
from partyline.domain.rules.transition import Transition

Moment = datetime | None
Settled = Literal["done", "failed"]

MAX_INSIGHTS = 50  # the most insights kept of a conversation

START_FAILED = "start_failed"
"""The code and reason of a run whose assistant did not start."""

TRANSFERRED = "transferred"
"""The reason of a conversation that ended because Telnyx transferred the assistant's call."""

OUTCOMES = {
    "user_busy": Outcome.BUSY,
    "call_rejected": Outcome.REJECTED,
    "timeout": Outcome.NO_ANSWER,
    "no_answer": Outcome.NO_ANSWER,
    "originator_cancel": Outcome.CANCELLED,
    "normal_clearing": Outcome.NO_ANSWER,
    "not_found": Outcome.UNREACHABLE,
    "unspecified": Outcome.UNREACHABLE,
}
"""The outcome of a call that ended before its answer, by Telnyx's `hangup_cause`."""

SIP_OUTCOMES = {
    "486": Outcome.BUSY,
    "600": Outcome.BUSY,
    "603": Outcome.REJECTED,
    "480": Outcome.NO_ANSWER,
    "408": Outcome.NO_ANSWER,
    "404": Outcome.UNREACHABLE,
}
"""The same by `sip_hangup_cause`, where the hangup cause is not specific."""


def find_leg(conversation: Conversation, call: CallRef) -> tuple[Participant, Leg] | None:
    """Find the leg that a webhook is about.

    Telnyx's ids decide. Our client_state counts for a leg whose ids are not known yet, since the
    first webhook of a call may come before the answer to the dial, and in a webhook without ids.
    """
    for name in ("call_control_id", "call_leg_id"):
        id_ = getattr(call, name)
        for participant, leg in conversation.legs():
            if id_ is not None and getattr(leg, name) == id_:
                return participant, leg
    hinted = conversation.participant(call.participant)
    hinted_leg = hinted and hinted.leg(call.leg)
    named = call.call_control_id or call.call_leg_id
    known = hinted_leg and (hinted_leg.call_control_id or hinted_leg.call_leg_id)
    if hinted and hinted_leg and not (named and known):
        return hinted, hinted_leg
    return None


def note_call_ids(leg: Leg, call: CallRef | Succeeded) -> None:
    """Note the ids of a call that were not known yet."""
    leg.call_control_id = leg.call_control_id or call.call_control_id
    leg.call_leg_id = leg.call_leg_id or call.call_leg_id
    leg.call_session_id = leg.call_session_id or call.call_session_id


def leg_answered(transition: Transition, person: Participant, leg: Leg, at: Moment = None) -> None:
    """Record that a person or a machine answered a call."""
    if not transition.move_leg(person, leg, statuses.LegStatus.ANSWERED, at):
        return
    command = transition.command_for(Action.ANSWER, person, leg)
    if command:
        settle(transition, command)
    if leg.machine is None:
        await_verdict(transition, person, leg)


def await_verdict(transition: Transition, person: Participant, leg: Leg) -> None:
    """Begin to wait for the verdict of the machine detection, if the plan has one."""
    if person.plan and person.plan.machine_detection != "off":
        leg.verdict_deadline = transition.now + VERDICT_WAIT[person.plan.machine_detection]


def hang_up_orphan(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Hang up a call that we recorded as ended but that is still up.

    An example is a dial without a trace that was given up. A hangup of a call that is
    over does no harm.
    """
    if not leg.is_up and leg.call_control_id and leg.hangup_cause is None:
        transition.add_command(Action.HANG_UP, participant, leg)


def leg_ended(
    transition: Transition,
    person: Participant,
    leg: Leg,
    at: Moment = None,
    quality: Quality | None = None,
) -> None:
    """Record that a call is over, its quality, and its outcome if not known yet."""
    hang_up = transition.command_for(Action.HANG_UP, person, leg)
    if hang_up:
        settle(transition, hang_up)
    if leg.outcome is None:
        leg.outcome = _outcome(leg)
    transition.move_leg(person, leg, statuses.LegStatus.ENDED, at, quality=quality)


def is_assistants(transition: Transition, leg: Leg) -> bool:
    """Whether the assistant runs, or ran, on this call."""
    started_on = transition.conversation.started_on
    return started_on is not None and started_on[1] is leg


def call_transferred(transition: Transition, person: Participant, leg: Leg) -> None:
    """Record that Telnyx connected the assistant's call to a call that is not ours.

    The transfer ended the assistant (Telnyx API: transfer tool, `fallback_destination`). The call
    is no longer ours: a pending hangup is dropped.
    """
    conversation = transition.conversation
    if leg.transferred or not leg.is_up:
        return
    leg.transferred, leg.owned = True, False
    leg.poll_at = leg.bridged_at = None
    hang_up = transition.command_for(Action.HANG_UP, person, leg)
    if hang_up and hang_up.is_pending:
        settle(transition, hang_up, "failed")
    conversation.telnyx_ended_at = conversation.telnyx_ended_at or transition.now
    conversation.telnyx_ended_reason = TRANSFERRED
    transition.add_leg_event(EventType.LEG_TRANSFERRED, person, leg)


def _outcome(leg: Leg) -> Outcome:
    if leg.answered_at:  # answered, and over before the leg was accepted
        return Outcome.DECLINED
    if leg.hangup_cause in (None, "unspecified", "normal_clearing"):
        by_sip = SIP_OUTCOMES.get(leg.sip_hangup_cause or "")
        if by_sip:
            return by_sip
    return OUTCOMES.get(leg.hangup_cause or "", Outcome.UNREACHABLE)


def accept_leg(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Accept the leg that the person is on; the person's other legs are cancelled."""
    participant.accepted_leg = leg.number
    leg.outcome = leg.outcome or (Outcome.MACHINE if leg.machine else Outcome.HUMAN)
    leg.verdict_deadline = None
    for other in participant.legs:
        if other is not leg and not other.is_finished:
            other.outcome = Outcome.CANCELLED
    transition.move_participant(participant, ParticipantStatus.WAITING)


def assistant_started(transition: Transition, telnyx_id: str | None) -> None:
    """Record that the assistant runs, with Telnyx's id if known."""
    conversation = transition.conversation
    host = conversation.host
    conversation.telnyx_conversation_id = conversation.telnyx_conversation_id or telnyx_id
    leg = host.active_leg or (host.legs[-1] if host.legs else None)
    start = conversation.start_command
    if start and conversation.telnyx_conversation_id:
        settle(transition, start)
    if leg is None or conversation.status is not ConversationStatus.CONNECTING:
        return
    if host.accepted_leg is None:
        accept_leg(transition, host, leg)
    for status in (ParticipantStatus.JOINING, ParticipantStatus.JOINED):
        transition.move_participant(host, status)
    transition.move(ConversationStatus.ACTIVE)


def store_insights(transition: Transition, new: tuple[Insight, ...], at: Moment = None) -> None:
    """Keep the insights that are new."""
    known = transition.conversation.insights
    for insight in new:
        if insight.insight_id not in known and len(known) < MAX_INSIGHTS:
            known.append(insight.insight_id)
            transition.insights.append(insight)
    if transition.insights:
        # After a restart, insights of the other runs may still be missing.
        if not transition.conversation.restarts:
            transition.conversation.insights_poll_at = None
        ids = [insight.insight_id for insight in transition.insights]
        transition.add_event(InsightsGenerated(insight_ids=ids), at)


def settle(transition: Transition, command: Command, status: Settled = "done") -> None:
    """Settle a command. The command stays in the document, unless its action is transient."""
    command.status = status
    if command.action in TRANSIENT:
        transition.conversation.commands.pop(command.key, None)
