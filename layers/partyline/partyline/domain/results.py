"""What the result of a command records."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from partyline.domain.commands import MAX_ATTEMPTS, Action, Command
from partyline.domain.conversation import Failure, Leg, Participant
from partyline.domain.events import EventType
from partyline.domain.facts import (
    adopt,
    answered,
    assistant_runs,
    hung_up,
    keep_insights,
    lay_ghost,
    settle,
)
from partyline.domain.inputs import (
    Accepted,
    CallGone,
    CommandResult,
    InsightsFound,
    Looked,
    NotFound,
    Refused,
    Unsettled,
)
from partyline.domain.statuses import (
    ConversationStatus,
    Direction,
    LegStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.step import LOOK_EVERY, STOP_GRACE, Step
from partyline.domain.telling import THE_HOST, say

HANGUP_LOOK = timedelta(seconds=20)
"""When to see what became of a call that we hung up, if its webhook has not come."""

UNKNOWN = Refused(
    code="unanswered", message="Telnyx gave no answer, and now it is too late to ask."
)


def record_result(step: Step, given: CommandResult) -> None:
    """Record what became of a command; of one that is settled already, only the ids it brings."""
    conversation = step.conversation
    command = conversation.commands.get(given.key)
    if command is None:
        return
    participant = conversation.participant(command.participant_id)
    leg = participant.leg(command.leg) if participant else None
    if isinstance(given.result, Accepted):
        if command.action is Action.DIAL and participant and leg:
            adopt(leg, given.result)
            lay_ghost(step, participant, leg)
        if command is conversation.start_command:
            assistant_runs(step, given.result.telnyx_conversation_id)
    if command.pending:
        RECORD_RESULT[type(given.result)](step, command, participant, leg, given.result)


def _accepted(
    step: Step, command: Command, participant: Participant | None, leg: Leg | None, _: Accepted
) -> None:
    if _unnamed(step, command, leg):
        command.find = True
        command.wait(step.now)
        return
    if command.find:
        step.event(EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id)
    settle(step, command)
    if command.action is Action.JOIN and participant:
        participant.run = step.conversation.run
        if step.move_participant(participant, ParticipantStatus.JOINED):
            step.tell(participant, "joined_machine" if leg and leg.machine else "joined")
    elif command.action is Action.HANG_UP and leg and leg.up:
        leg.look_at = step.now + HANGUP_LOOK
    elif command.action is Action.STOP:
        # The webhooks of a call that we were attached to may go to another application.
        attached = step.conversation.direction is Direction.ATTACHED
        step.conversation.stop_by = step.now if attached else step.now + STOP_GRACE
    elif command.action is Action.MESSAGE:
        for message in command.messages or []:
            step.event(EventType.MESSAGE_SENT, command_id=command.id, **message.model_dump())


def _unnamed(step: Step, command: Command, leg: Leg | None) -> bool:
    """Whether it was done, but we know no name for what it made: a double may be told less."""
    if command.action is Action.DIAL:
        return leg is not None and leg.call_control_id is None
    return command.action is Action.START and step.conversation.telnyx_conversation_id is None


def _gone(
    step: Step, command: Command, participant: Participant | None, leg: Leg | None, given: CallGone
) -> None:
    if command.action is Action.MESSAGE:  # said through another call, if one is left
        step.conversation.untold[:0] = command.messages or []
    settle(step, command, "failed")
    if participant and leg:
        if command.action is Action.LOOK:
            step.event(EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id)
        if not leg.ours and not participant.joined_at and leg.up:
            # A call that was given to us, and was over, or none, before anything came of it.
            leg.failure = Failure(code=given.code, message=given.message)
        hung_up(step, participant, leg)


def refused(
    step: Step, command: Command, participant: Participant | None, leg: Leg | None, given: Refused
) -> None:
    """Telnyx will not do it, or we will not ask it again: what that means for whom it was for."""
    failure = Failure(code=given.code, message=given.message)
    settle(step, command, "failed")
    if command.action is Action.MESSAGE:
        _message_failed(step, command, failure)
        return
    step.event(
        EventType.COMMAND_FAILED,
        action=command.action,
        command_id=command.id,
        participant_id=command.participant_id,
        failure=failure.model_dump(),
    )
    if leg is None or participant is None:
        return
    if command.action in REFUSED:
        REFUSED[command.action](step, participant, leg, given)


def _no_start(step: Step, _participant: Participant, _leg: Leg, given: Refused) -> None:
    step.move(ConversationStatus.FAILED, Failure(code=given.code, message=given.message))


def _no_answer(step: Step, participant: Participant, leg: Leg, given: Refused) -> None:
    leg.ours = False  # somebody else may have answered it: not for us to hang up
    _no_start(step, participant, leg, given)


def _no_dial(step: Step, participant: Participant, leg: Leg, given: Refused) -> None:
    leg.failure = Failure(code=given.code, message=given.message)
    leg.rule = given.rule
    if given.rule:
        step.leg_event(EventType.LEG_REFUSED, participant, leg, rule=given.rule)
    leg.outcome = leg.outcome or (Outcome.LIMITED if given.limit else Outcome.ERROR)
    step.move_leg(participant, leg, LegStatus.ENDED)


def _no_screening(_step: Step, _participant: Participant, leg: Leg, given: Refused) -> None:
    leg.failure = Failure(code=given.code, message=given.message)
    leg.outcome = leg.outcome or Outcome.ERROR


def _no_join(step: Step, participant: Participant, leg: Leg, given: Refused) -> None:
    leg.failure = Failure(code=given.code, message=given.message)
    failure = leg.failure.model_dump()
    failed = ParticipantStatus.FAILED
    if step.move_participant(participant, failed, Outcome.ERROR, failure=failure):
        step.tell(participant, Outcome.ERROR)
    if participant.status is ParticipantStatus.JOINED:
        participant.removed = True  # was joined once, and now is on the phone with nobody


def _look_later(step: Step, _participant: Participant, leg: Leg, _given: Refused) -> None:
    leg.looked_at, leg.look_at = step.now, step.now + LOOK_EVERY


REFUSED: dict[Action, Callable[[Step, Participant, Leg, Refused], None]] = {
    Action.START: _no_start,
    Action.ANSWER: _no_answer,
    Action.DIAL: _no_dial,
    Action.SCREEN: _no_screening,
    Action.JOIN: _no_join,
    Action.LOOK: _look_later,
}
"""What a refusal means for the call that the command was for."""


def _message_failed(step: Step, command: Command, failure: Failure) -> None:
    for message in command.messages or []:
        step.event(
            EventType.MESSAGE_FAILED,
            command_id=command.id,
            failure=failure.model_dump(),
            **message.model_dump(),
        )
    if failure.code != UNKNOWN.code:
        _ended_unheard(step, command)


def _ended_unheard(step: Step, command: Command) -> None:
    """The host's assistant, if it cannot be told that the host has left, has ended with them.

    Telnyx says so by webhook only, which may be lost: it cannot be asked whether one still runs.
    """
    conversation, host = step.conversation, step.conversation.host
    left = say(conversation.words, "left", name=host.name or THE_HOST)
    untold = any(message.content == left for message in command.messages or [])
    # A guest may have the host's name, or the words name nobody.
    if untold and host.status is ParticipantStatus.LEFT and conversation.run == 0:
        conversation.telnyx_ended_at = conversation.telnyx_ended_at or step.now


def _unsettled(
    step: Step,
    command: Command,
    participant: Participant | None,
    leg: Leg | None,
    given: Unsettled,
) -> None:
    if given.sure:
        command.unsend()
    # A call that nobody needs is hung up however long it takes; all else is given up some time.
    if command.attempts >= MAX_ATTEMPTS and command.action is not Action.HANG_UP:
        refused(step, command, participant, leg, UNKNOWN)
    else:
        command.wait(step.now)


def _not_found(
    step: Step, command: Command, participant: Participant | None, leg: Leg | None, _: NotFound
) -> None:
    """We looked, and it is not there. A dial is never made again; a start does no harm twice."""
    if command.action is Action.DIAL or command.attempts >= MAX_ATTEMPTS:
        refused(step, command, participant, leg, UNKNOWN)
    elif step.conversation.status is ConversationStatus.CONNECTING:
        command.find = False
        command.sent_at = None
        command.wait(step.now)
    else:
        command.wait(step.now)


def _looked(
    step: Step, command: Command, participant: Participant | None, leg: Leg | None, given: Looked
) -> None:
    settle(step, command)
    if participant is None or leg is None:
        return
    leg.looked_at, leg.look_at = step.now, step.now + LOOK_EVERY
    ringing = leg.status in (LegStatus.DIALING, LegStatus.RINGING)
    picked_up = given.answered or _picked_up_by_us(step, participant, leg)
    rang_out = ringing and _rang_out(step, participant, leg)
    if not given.alive and (not ringing or picked_up or rang_out):
        step.event(EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id)
        if given.answered:
            answered(step, participant, leg)
        hung_up(step, participant, leg)
        return
    if given.alive and ringing and picked_up:
        step.event(EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id)
        answered(step, participant, leg)
    elif rang_out:
        leg.outcome = leg.outcome or Outcome.NO_ANSWER
    _still_up(step, participant, leg)


def _still_up(step: Step, participant: Participant, leg: Leg) -> None:
    """A call that we hung up and that is alive all the same is hung up again."""
    hang_up = step.command(Action.HANG_UP, participant, leg)
    if hang_up and not hang_up.pending:
        hang_up.status = "pending"
        hang_up.not_before = step.now


def _picked_up_by_us(step: Step, participant: Participant, leg: Leg) -> bool:
    answer = step.command(Action.ANSWER, participant, leg)
    return answer is not None and answer.status == "done"


def _rang_out(step: Step, participant: Participant, leg: Leg) -> bool:
    dial = step.command(Action.DIAL, participant, leg)
    if dial is None or leg.ring_timeout_secs is None:
        return False  # nobody's to let ring but the caller's
    rings_since = dial.sent_at or leg.created_at
    return step.now - rings_since >= timedelta(seconds=leg.ring_timeout_secs)


def _insights_found(
    step: Step,
    command: Command,
    _participant: Participant | None,
    _leg: Leg | None,
    given: InsightsFound,
) -> None:
    settle(step, command)
    keep_insights(step, given.insights)


RECORD_RESULT: dict[type, Callable[[Step, Command, Participant | None, Leg | None, Any], None]] = {
    Accepted: _accepted,
    CallGone: _gone,
    Refused: refused,
    Unsettled: _unsettled,
    NotFound: _not_found,
    Looked: _looked,
    InsightsFound: _insights_found,
}
