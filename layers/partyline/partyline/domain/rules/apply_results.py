"""What the result of a command records."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import Failure, Leg, Participant
from partyline.domain.model.events import EventType
from partyline.domain.model.inputs import CommandResult
from partyline.domain.model.results import (
    CallEnded,
    CallState,
    InsightsFound,
    NotFound,
    Refused,
    Retryable,
    Succeeded,
)
from partyline.domain.model.statuses import (
    ConversationStatus,
    Direction,
    LegStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import (
    HANGUP_POLL_DELAY,
    MAX_ATTEMPTS,
    POLL_INTERVAL,
    STOP_GRACE,
)
from partyline.domain.rules.facts import (
    assistant_started,
    hang_up_orphan,
    leg_answered,
    leg_ended,
    note_call_ids,
    settle,
    store_insights,
)
from partyline.domain.rules.phrases import UNNAMED_HOST, render
from partyline.domain.rules.transition import Transition

UNANSWERED = Refused(
    code="unanswered", message="Telnyx gave no answer, and now it is too late to ask."
)


def apply_result(transition: Transition, given: CommandResult) -> None:
    """Record what became of a command; of one that is settled already, only the ids it brings."""
    conversation = transition.conversation
    command = conversation.commands.get(given.key)
    if command is None:
        return
    participant = conversation.participant(command.participant_id)
    leg = participant.leg(command.leg) if participant else None
    if isinstance(given.result, Succeeded):
        if command.action is Action.DIAL and participant and leg:
            note_call_ids(leg, given.result)
            hang_up_orphan(transition, participant, leg)
        if command is conversation.start_command:
            assistant_started(transition, given.result.telnyx_conversation_id)
    if command.is_pending:
        APPLY_RESULT[type(given.result)](transition, command, participant, leg, given.result)


def _succeeded(
    transition: Transition,
    command: Command,
    participant: Participant | None,
    leg: Leg | None,
    _: Succeeded,
) -> None:
    if _succeeded_without_id(transition, command, leg):
        command.reconcile = True
        command.back_off(transition.now)
        return
    if command.reconcile:
        transition.add_event(
            EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id
        )
    settle(transition, command)
    if command.action is Action.JOIN and participant:
        participant.joined_restart = transition.conversation.restarts
        if transition.move_participant(participant, ParticipantStatus.JOINED):
            transition.add_message(
                participant, "joined_machine" if leg and leg.machine else "joined"
            )
    elif command.action is Action.HANG_UP and leg and leg.is_up:
        leg.poll_at = transition.now + HANGUP_POLL_DELAY
    elif command.action is Action.STOP:
        # The webhooks of a call that we were attached to may go to another application.
        attached = transition.conversation.direction is Direction.ATTACHED
        transition.conversation.stop_deadline = (
            transition.now if attached else transition.now + STOP_GRACE
        )
    elif command.action is Action.MESSAGE:
        for message in command.messages or []:
            transition.add_event(
                EventType.MESSAGE_SENT, command_id=command.id, **message.model_dump()
            )


def _succeeded_without_id(transition: Transition, command: Command, leg: Leg | None) -> bool:
    """Whether it was done, but we know no name for what it made: a double may be told less."""
    if command.action is Action.DIAL:
        return leg is not None and leg.call_control_id is None
    return command.action is Action.START and transition.conversation.telnyx_conversation_id is None


def _call_ended(
    transition: Transition,
    command: Command,
    participant: Participant | None,
    leg: Leg | None,
    given: CallEnded,
) -> None:
    if command.action is Action.MESSAGE:  # said through another call, if one is left
        transition.conversation.pending_messages[:0] = command.messages or []
    settle(transition, command, "failed")
    if participant and leg:
        if command.action is Action.LOOK:
            transition.add_event(
                EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id
            )
        if not leg.owned and not participant.joined_at and leg.is_up:
            # A call that was given to us, and was over, or none, before anything came of it.
            leg.failure = Failure(code=given.code, message=given.message)
        leg_ended(transition, participant, leg)


def apply_refusal(
    transition: Transition,
    command: Command,
    participant: Participant | None,
    leg: Leg | None,
    given: Refused,
) -> None:
    """Telnyx will not do it, or we will not ask it again: what that means for whom it was for."""
    failure = Failure(code=given.code, message=given.message)
    settle(transition, command, "failed")
    if command.action is Action.MESSAGE:
        _message_failed(transition, command, failure)
        return
    transition.add_event(
        EventType.COMMAND_FAILED,
        action=command.action,
        command_id=command.id,
        participant_id=command.participant_id,
        failure=failure.model_dump(),
    )
    if leg is None or participant is None:
        return
    if command.action in APPLY_REFUSAL:
        APPLY_REFUSAL[command.action](transition, participant, leg, given)


def _start_refused(
    transition: Transition, _participant: Participant, _leg: Leg, given: Refused
) -> None:
    transition.move(ConversationStatus.FAILED, Failure(code=given.code, message=given.message))


def _answer_refused(
    transition: Transition, participant: Participant, leg: Leg, given: Refused
) -> None:
    leg.owned = False  # somebody else may have answered it: not for us to hang up
    _start_refused(transition, participant, leg, given)


def _dial_refused(
    transition: Transition, participant: Participant, leg: Leg, given: Refused
) -> None:
    leg.failure = Failure(code=given.code, message=given.message)
    leg.rule = given.rule
    if given.rule:
        transition.add_leg_event(EventType.LEG_REFUSED, participant, leg, rule=given.rule)
    leg.outcome = leg.outcome or (Outcome.LIMITED if given.limit else Outcome.ERROR)
    transition.move_leg(participant, leg, LegStatus.ENDED)


def _screening_refused(
    _step: Transition, _participant: Participant, leg: Leg, given: Refused
) -> None:
    leg.failure = Failure(code=given.code, message=given.message)
    leg.outcome = leg.outcome or Outcome.ERROR


def _join_refused(
    transition: Transition, participant: Participant, leg: Leg, given: Refused
) -> None:
    leg.failure = Failure(code=given.code, message=given.message)
    failure = leg.failure.model_dump()
    failed = ParticipantStatus.FAILED
    if transition.move_participant(participant, failed, Outcome.ERROR, failure=failure):
        transition.add_message(participant, Outcome.ERROR)
    if participant.status is ParticipantStatus.JOINED:
        participant.removed = True  # was joined once, and now is on the phone with nobody


def _poll_failed(
    transition: Transition, _participant: Participant, leg: Leg, _given: Refused
) -> None:
    leg.polled_at, leg.poll_at = transition.now, transition.now + POLL_INTERVAL


APPLY_REFUSAL: dict[Action, Callable[[Transition, Participant, Leg, Refused], None]] = {
    Action.START: _start_refused,
    Action.ANSWER: _answer_refused,
    Action.DIAL: _dial_refused,
    Action.SCREEN: _screening_refused,
    Action.JOIN: _join_refused,
    Action.LOOK: _poll_failed,
}
"""What a refusal means for the call that the command was for."""


def _message_failed(transition: Transition, command: Command, failure: Failure) -> None:
    for message in command.messages or []:
        transition.add_event(
            EventType.MESSAGE_FAILED,
            command_id=command.id,
            failure=failure.model_dump(),
            **message.model_dump(),
        )
    if failure.code != UNANSWERED.code:
        _infer_assistant_end(transition, command)


def _infer_assistant_end(transition: Transition, command: Command) -> None:
    """The host's assistant, if it cannot be told that the host has left, has ended with them.

    Telnyx says so by webhook only, which may be lost: it cannot be asked whether one still runs.
    """
    conversation, host = transition.conversation, transition.conversation.host
    left = render(conversation.phrases, "left", name=host.name or UNNAMED_HOST)
    untold = any(message.content == left for message in command.messages or [])
    # A guest may have the host's name, or the words name nobody.
    if untold and host.status is ParticipantStatus.LEFT and conversation.restarts == 0:
        conversation.telnyx_ended_at = conversation.telnyx_ended_at or transition.now


def _retryable(
    transition: Transition,
    command: Command,
    participant: Participant | None,
    leg: Leg | None,
    given: Retryable,
) -> None:
    if given.had_no_effect:
        command.mark_not_sent()
    # A call that nobody needs is hung up however long it takes; all else is given up some time.
    if command.attempts >= MAX_ATTEMPTS and command.action is not Action.HANG_UP:
        apply_refusal(transition, command, participant, leg, UNANSWERED)
    else:
        command.back_off(transition.now)


def _not_found(
    transition: Transition,
    command: Command,
    participant: Participant | None,
    leg: Leg | None,
    _: NotFound,
) -> None:
    """We looked, and it is not there. A dial is never made again; a start does no harm twice."""
    if command.action is Action.DIAL or command.attempts >= MAX_ATTEMPTS:
        apply_refusal(transition, command, participant, leg, UNANSWERED)
    elif transition.conversation.status is ConversationStatus.CONNECTING:
        command.reconcile = False
        command.sent_at = None
        command.back_off(transition.now)
    else:
        command.back_off(transition.now)


def _call_state(
    transition: Transition,
    command: Command,
    participant: Participant | None,
    leg: Leg | None,
    given: CallState,
) -> None:
    settle(transition, command)
    if participant is None or leg is None:
        return
    leg.polled_at, leg.poll_at = transition.now, transition.now + POLL_INTERVAL
    ringing = leg.status in (LegStatus.DIALING, LegStatus.RINGING)
    picked_up = given.answered or _answered_by_us(transition, participant, leg)
    rang_out = ringing and _ring_timeout_passed(transition, participant, leg)
    if not given.alive and (not ringing or picked_up or rang_out):
        transition.add_event(
            EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id
        )
        if given.answered:
            leg_answered(transition, participant, leg)
        leg_ended(transition, participant, leg)
        return
    if given.alive and ringing and picked_up:
        transition.add_event(
            EventType.COMMAND_REPAIRED, action=command.action, command_id=command.id
        )
        leg_answered(transition, participant, leg)
    elif rang_out:
        leg.outcome = leg.outcome or Outcome.NO_ANSWER
    _hang_up_again(transition, participant, leg)


def _hang_up_again(transition: Transition, participant: Participant, leg: Leg) -> None:
    """A call that we hung up and that is alive all the same is hung up again."""
    hang_up = transition.command_for(Action.HANG_UP, participant, leg)
    if hang_up and not hang_up.is_pending:
        hang_up.status = "pending"
        hang_up.not_before = transition.now


def _answered_by_us(transition: Transition, participant: Participant, leg: Leg) -> bool:
    answer = transition.command_for(Action.ANSWER, participant, leg)
    return answer is not None and answer.status == "done"


def _ring_timeout_passed(transition: Transition, participant: Participant, leg: Leg) -> bool:
    dial = transition.command_for(Action.DIAL, participant, leg)
    if dial is None or leg.ring_timeout_secs is None:
        return False  # nobody's to let ring but the caller's
    rings_since = dial.sent_at or leg.created_at
    return transition.now - rings_since >= timedelta(seconds=leg.ring_timeout_secs)


def _insights_found(
    transition: Transition,
    command: Command,
    _participant: Participant | None,
    _leg: Leg | None,
    given: InsightsFound,
) -> None:
    settle(transition, command)
    store_insights(transition, given.insights)


APPLY_RESULT: dict[
    type, Callable[[Transition, Command, Participant | None, Leg | None, Any], None]
] = {
    Succeeded: _succeeded,
    CallEnded: _call_ended,
    Refused: apply_refusal,
    Retryable: _retryable,
    NotFound: _not_found,
    CallState: _call_state,
    InsightsFound: _insights_found,
}
