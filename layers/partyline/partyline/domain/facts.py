"""Facts about calls and about the assistant, each recorded in one place whoever brings it.

A webhook and the result of a command can tell the same thing; either may come first, or both.
"""

from datetime import datetime, timedelta
from typing import Literal

from partyline.domain.commands import IN_PASSING, Action, Command
from partyline.domain.conversation import Insight, Leg, Participant
from partyline.domain.events import EventType
from partyline.domain.inputs import Accepted, CallRef
from partyline.domain.statuses import ConversationStatus, LegStatus, Outcome, ParticipantStatus
from partyline.domain.step import Step

MAX_INSIGHTS = 50
"""How many insights are kept of one conversation."""

VERDICT_WAIT = {"standard": timedelta(seconds=10), "premium": timedelta(seconds=35)}
"""How long after the answer a verdict may take: Telnyx's own 3.5 s and 30 s, and some air."""

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
"""What a hangup before the answer means, by Telnyx's `hangup_cause`."""

SIP_OUTCOMES = {
    "486": Outcome.BUSY,
    "600": Outcome.BUSY,
    "603": Outcome.REJECTED,
    "480": Outcome.NO_ANSWER,
    "408": Outcome.NO_ANSWER,
    "404": Outcome.UNREACHABLE,
}
"""The same by `sip_hangup_cause`, where the hangup cause says nothing of its own."""


def adopt(leg: Leg, call: CallRef | Accepted) -> None:
    """Note the ids of a call, where they were not known yet."""
    leg.call_control_id = leg.call_control_id or call.call_control_id
    leg.call_leg_id = leg.call_leg_id or call.call_leg_id
    leg.call_session_id = leg.call_session_id or call.call_session_id


def answered(step: Step, participant: Participant, leg: Leg, at: datetime | None = None) -> None:
    """Record that a call was answered, by a person or a machine."""
    if not step.move_leg(participant, leg, LegStatus.ANSWERED, at):
        return
    command = step.command(Action.ANSWER, participant, leg)
    if command:
        settle(step, command)
    if participant.plan and participant.plan.machine_detection != "off" and leg.machine is None:
        leg.judged_by = step.now + VERDICT_WAIT[participant.plan.machine_detection]


def lay_ghost(step: Step, participant: Participant, leg: Leg) -> None:
    """Hang up a call that lives although we took it for over, with no word of Telnyx's hangup.

    Its dial was given up as it left no trace, say. Of a call that is over it is harmless.
    """
    if not leg.up and leg.call_control_id and leg.hangup_cause is None:
        step.owe(Action.HANG_UP, participant, leg)


def hung_up(step: Step, participant: Participant, leg: Leg, at: datetime | None = None) -> None:
    """Record that a call is over, and how it came out if that is not settled yet."""
    hang_up = step.command(Action.HANG_UP, participant, leg)
    if hang_up:
        settle(step, hang_up)
    if leg.outcome is None:
        leg.outcome = _outcome(leg)
    step.move_leg(participant, leg, LegStatus.ENDED, at)


def _outcome(leg: Leg) -> Outcome:
    if leg.answered_at:  # picked up, and gone before being accepted
        return Outcome.DECLINED
    if leg.hangup_cause in (None, "unspecified", "normal_clearing"):
        by_sip = SIP_OUTCOMES.get(leg.sip_hangup_cause or "")
        if by_sip:
            return by_sip
    return OUTCOMES.get(leg.hangup_cause or "", Outcome.UNREACHABLE)


def accept(step: Step, participant: Participant, leg: Leg) -> None:
    """The person is on this leg; every other leg of theirs is of no use any more."""
    participant.accepted = leg.number
    leg.outcome = leg.outcome or (Outcome.MACHINE if leg.machine else Outcome.HUMAN)
    leg.judged_by = None
    for other in participant.legs:
        if other is not leg and not other.spent:
            other.outcome = Outcome.CANCELLED
    step.move_participant(participant, ParticipantStatus.WAITING)


def assistant_runs(step: Step, telnyx_conversation_id: str | None) -> None:
    """The assistant runs, under the id that Telnyx gave it if we know that."""
    conversation = step.conversation
    host = conversation.host
    conversation.telnyx_conversation_id = (
        conversation.telnyx_conversation_id or telnyx_conversation_id
    )
    leg = host.line or (host.legs[-1] if host.legs else None)
    start = conversation.start_command
    if start and conversation.telnyx_conversation_id:
        settle(step, start)
    if leg is None or conversation.status is not ConversationStatus.CONNECTING:
        return
    if host.accepted is None:
        accept(step, host, leg)
    for status in (ParticipantStatus.JOINING, ParticipantStatus.JOINED):
        step.move_participant(host, status)
    step.move(ConversationStatus.ACTIVE)


def keep_insights(step: Step, given: tuple[Insight, ...], at: datetime | None = None) -> None:
    """Keep the insights that are new."""
    known = step.conversation.insights
    for insight in given:
        if insight.insight_id not in known and len(known) < MAX_INSIGHTS:
            known.append(insight.insight_id)
            step.insights.append(insight)
    if step.insights:
        if not step.conversation.run:  # of how many runs they are still to come, nobody says
            step.conversation.insights_at = None
        ids = [insight.insight_id for insight in step.insights]
        step.event(EventType.INSIGHTS_GENERATED, at, insight_ids=ids)


def settle(step: Step, command: Command, status: Literal["done", "failed"] = "done") -> None:
    """A command is owed no more. What leaves no mark is forgotten; the rest stays in the ledger."""
    command.status = status
    if command.action in IN_PASSING:
        step.conversation.commands.pop(command.key, None)
