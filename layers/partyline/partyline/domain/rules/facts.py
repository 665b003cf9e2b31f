"""Facts about calls and the assistant, each recorded by a single function for every input.

A webhook and the result of a command may report the same fact; either may come first, or both.
"""

from datetime import datetime, timedelta
from typing import Literal

from partyline.domain.model import statuses
from partyline.domain.model.commands import TRANSIENT, Action, Command
from partyline.domain.model.events import CommandRepaired, EventType, Quality
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import ConversationStatus, Outcome, ParticipantStatus
from partyline.domain.rules.outcomes import inferred_outcome
from partyline.domain.rules.transition import Transition

Moment = datetime | None
Settled = Literal["done", "failed"]

START_FAILED = "start_failed"
"""The code and reason of a run whose assistant did not start."""

TRANSFERRED = "transferred"
"""The reason of a conversation that ended because Telnyx transferred the assistant's call."""


def leg_answered(transition: Transition, person: Participant, leg: Leg, at: Moment = None) -> None:
    """Record that a person or a machine answered a call."""
    if not leg.is_up and leg.answered_at is None:
        leg.answered_at = at or transition.now  # the hangup came first: see `correct_outcomes`
    if not transition.move_leg(person, leg, statuses.LegStatus.ANSWERED, at):
        return
    command = transition.command_for(Action.ANSWER, person, leg)
    if command:
        settle(transition, command)
    if leg.machine is None:
        await_verdict(transition, person, leg)


def await_verdict(transition: Transition, person: Participant, leg: Leg) -> None:
    """Begin to wait for the verdict of the machine detection, if the plan has one."""
    wait = person.plan.wait_for_verdict if person.plan else None
    if wait:
        leg.verdict_deadline = transition.now + timedelta(seconds=wait.secs)


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
        leg.outcome, leg.is_inferred = inferred_outcome(person, leg), True
    transition.move_leg(person, leg, statuses.LegStatus.ENDED, at, quality=quality)


def is_assistants(transition: Transition, leg: Leg) -> bool:
    """Whether the assistant runs, or ran, on this call."""
    started_on = transition.conversation.started_on
    return started_on is not None and started_on[1] is leg


def has_run(transition: Transition, telnyx_id: str | None) -> bool:
    """Whether our assistant has run, which the end of a run or a transfer of its call proves.

    Before our start was sent, the proof is about an earlier assistant on the call.
    """
    conversation, start = transition.conversation, transition.conversation.start_command
    if conversation.status is ConversationStatus.CONNECTING:
        sent = start is not None and start.sent_at is not None
        if not sent and conversation.start == "after_answer":
            return False
        assistant_started(transition, telnyx_id)
    return True


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


def give_up_call(transition: Transition, person: Participant, leg: Leg) -> None:
    """Record a call that Telnyx no longer knows as over, and hang up in case the call is up."""
    leg_ended(transition, person, leg)
    if leg.owned:
        hang_up_again(transition, person, leg)


def hang_up_again(transition: Transition, person: Participant, leg: Leg) -> None:
    """Owe a hangup, also of a call that was hung up before."""
    command = transition.add_command(Action.HANG_UP, person, leg)
    if not command.is_pending:
        command.owe_again(transition.conversation.id, transition.now)


def accept_leg(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Accept the leg that the person is on; the person's other legs are cancelled."""
    participant.accepted_leg = leg.number
    if leg.outcome is None:
        leg.outcome = leg.machine_outcome if leg.machine else Outcome.HUMAN
        leg.is_inferred = True
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


def settle(transition: Transition, command: Command, status: Settled = "done") -> None:
    """Settle a command. The command stays in the document, unless its action is transient."""
    command.status = status
    if command.action in TRANSIENT:
        transition.conversation.commands.pop(command.key, None)


def command_repaired(transition: Transition, command: Command) -> None:
    """Add the event that a lost webhook or a lost answer was made good by looking at Telnyx."""
    transition.add_event(CommandRepaired(action=command.action, command_id=command.id))
