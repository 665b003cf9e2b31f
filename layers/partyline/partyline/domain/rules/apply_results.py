"""Results of commands: recorded; without an answer, sent again, looked up, or given up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from partyline.domain.model import events, results, statuses, timeouts
from partyline.domain.model.commands import (
    MAX_CHANGES,
    TRACEABLE,
    WEBHOOK_URLS,
    Action,
    Command,
)
from partyline.domain.model.inputs import CommandResult
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import HOST_ID, Participant
from partyline.domain.model.results import Refused
from partyline.domain.model.statuses import ConversationStatus, Outcome, ParticipantStatus
from partyline.domain.model.stored import Failure
from partyline.domain.rules import apply_absence, apply_polls, facts, machines, polling, voice
from partyline.domain.rules.call_ids import note_call_ids
from partyline.domain.rules.modes import fail_mode, hold_mode
from partyline.domain.rules.phrases import render, spoken_name
from partyline.domain.rules.transition import Transition

TOO_LATE = "Telnyx gave no answer, and now it is too late to ask."
UNANSWERED = Refused(code="unanswered", message=TOO_LATE)
RATE_LIMITED = Refused(
    code="rate_limited", message="Telnyx takes no such command for a while.", limit=True
)


def apply_result(transition: Transition, input_: CommandResult) -> None:
    """Record the result of a command; of a settled command, only the ids in the result."""
    conversation, result = transition.conversation, input_.result
    command = conversation.commands.get(input_.key)
    if command is None:
        return
    participant, leg = conversation.target_of(command)
    if isinstance(result, results.Succeeded):
        if command.action is Action.DIAL and participant and leg:
            note_call_ids(leg, result)
            if polling.is_awaited(leg):
                leg.poll_at = transition.now + timeouts.FIRST_RING_POLL
            facts.hang_up_orphan(transition, participant, leg)
        if command.action is Action.WAIT_WORDS and participant and leg:
            voice.words_accepted(transition, participant, leg, command)
        if command.action is Action.LEAVE_MESSAGE and participant and leg:
            machines.message_accepted(transition, participant, leg)
        if command is conversation.start_command:
            facts.assistant_started(transition, result.telnyx_conversation_id)
    if command.is_pending:
        APPLY_RESULT[type(result)](transition, command, result)


def _succeeded(transition: Transition, command: Command, result: results.Succeeded) -> None:
    participant, leg = transition.conversation.target_of(command)
    if _succeeded_without_id(transition, command, leg):
        command.reconcile = True
        command.back_off(transition.now)
        return
    if command.reconcile:
        facts.command_repaired(transition, command)
    facts.settle(transition, command)
    if apply_absence.apply_success(transition, command, result):
        return
    if command.action is Action.JOIN and participant:
        participant.joined_after_restarts = transition.conversation.restarts
        if transition.move_participant(participant, ParticipantStatus.JOINED):
            transition.add_message(participant, _joined_phrase(transition, participant, leg))
    elif command.action is Action.HANG_UP and leg and leg.is_up:
        leg.poll_at = transition.now + timeouts.HANGUP_POLL_DELAY
    elif command.action is Action.STOP:
        # The webhooks of an attached call may go to another application.
        attached = transition.conversation.direction is statuses.Direction.ATTACHED
        grace = timedelta(0) if attached else timeouts.STOP_GRACE
        transition.conversation.stop_deadline = transition.now + grace
    elif command.action is Action.MESSAGE:
        _messages_sent(transition, command)


def _messages_sent(transition: Transition, command: Command) -> None:
    for message in command.messages or []:
        transition.add_event(events.MessageSent(command_id=command.id, **message.event_fields))
        transition.conversation.messages_sent += 1
        if message.sets_mode:
            hold_mode(transition, message.sets_mode)


def _joined_phrase(transition: Transition, participant: Participant, leg: Leg | None) -> str:
    if leg and leg.machine:
        return "joined_machine"
    return "handed_over" if _is_handed_over(transition, participant) else "joined"


def _is_handed_over(transition: Transition, participant: Participant | None) -> bool:
    handover = transition.conversation.open_handover
    return handover is not None and handover.participant_id == (participant and participant.id)


def _succeeded_without_id(transition: Transition, command: Command, leg: Leg | None) -> bool:
    if command.action is Action.DIAL:
        return leg is not None and leg.call_control_id is None
    return command.action is Action.START and transition.conversation.telnyx_conversation_id is None


def _call_ended(transition: Transition, command: Command, result: results.CallEnded) -> None:
    participant, leg = transition.conversation.target_of(command)
    if command.action is Action.MESSAGE:  # sent through another call, if possible
        transition.conversation.pending_messages[:0] = command.messages or []
    facts.settle(transition, command, "failed")
    if participant and leg:
        if command.action is Action.LOOK:
            facts.command_repaired(transition, command)
        if not leg.owned and not participant.joined_at and leg.is_up and leg.failure is None:
            # The attached call was accepted on the request's word, and was never there for us.
            leg.failure = result.failure
            leg.outcome = Outcome.UNREACHABLE
        facts.leg_ended(transition, participant, leg)


def _call_unknown(transition: Transition, command: Command, unknown: results.CallUnknown) -> None:
    """Look again at a call that Telnyx does not know: no proof that the call is over.

    The command is sent again a few times, then given up. An attached call was accepted on the
    request's word, so there the id is wrong, unless Telnyx may have taken a command on the call.
    After a hangup a look decides, because a call that is taken for over would be left up.
    """
    participant, leg = transition.conversation.target_of(command)
    if participant is None or leg is None or not leg.is_up:
        facts.settle(transition, command, "failed")
        return
    look_decides = command.action in (Action.HANG_UP, Action.LOOK)
    accepted_on_word = not leg.owned and not participant.joined_at
    if accepted_on_word and not look_decides and not _may_be_known(transition, command):
        facts.settle(transition, command, "failed")
        leg.failure, leg.outcome = leg.failure or unknown.failure, Outcome.ERROR
        facts.leg_ended(transition, participant, leg)
        return
    if command.action is Action.LOOK:
        facts.settle(transition, command)
        apply_polls.call_not_known(transition, participant, leg)
        return
    leg.poll_at = transition.now
    command.mark_not_sent()
    if command.action is Action.HANG_UP:  # sent again when the call proves to be up
        facts.settle(transition, command, "failed")
    elif command.attempts < timeouts.UNKNOWN_CALL_ATTEMPTS or command.action is Action.ANSWER:
        if command.sent_at is None:
            command.owe_again(transition.conversation.id, transition.now)
        command.back_off(transition.now)
    else:
        refused = Refused(code=unknown.code, message=unknown.message)
        apply_refusal(transition, command, refused)


def _may_be_known(transition: Transition, refused: Command) -> bool:
    """Whether Telnyx may have taken a command on the call of `refused` before, so its id is right.

    A command that Telnyx has not answered may have been taken too.
    """
    return any(
        command.status == "done" or command.sent_at is not None
        if command is not refused
        else command.may_have_taken_effect
        for command in transition.conversation.commands.values()
        if (command.participant_id, command.leg) == (refused.participant_id, refused.leg)
    )


def apply_refusal(transition: Transition, command: Command, refused: Refused) -> None:
    """Record that Telnyx refused a command, or that the command is given up.

    A join of a handover into a conversation that Telnyx does not know is sent again a few times:
    the assistant has ended, and the cause, such as the hangup of the caller, is the outcome of the
    handover. The webhook of the cause is on the way as a rule.
    """
    participant, leg = transition.conversation.target_of(command)
    again = command.attempts < timeouts.UNKNOWN_CALL_ATTEMPTS
    is_join = command.action is Action.JOIN and _is_handed_over(transition, participant)
    if is_join and refused.no_conversation and again:
        command.owe_again(transition.conversation.id, transition.now)
        command.back_off(transition.now)
        return
    facts.settle(transition, command, "failed")
    if command.action is Action.MESSAGE:
        _message_failed(transition, command, refused.failure)
        return
    if _is_precaution(transition, command, leg):
        return
    failed = events.CommandFailed(
        action=command.action,
        command_id=command.id,
        participant_id=command.participant_id,
        failure=refused.failure,
    )
    transition.add_event(failed)
    if participant is None or leg is None:
        return
    in_doubt = refused is UNANSWERED or command.may_have_taken_effect
    apply_absence.apply_refusal(transition, command, refused, in_doubt=in_doubt)
    if command.action in APPLY_REFUSAL:
        APPLY_REFUSAL[command.action](transition, participant, leg, refused)


def _is_precaution(transition: Transition, command: Command, leg: Leg | None) -> bool:
    """Whether a stop only makes sure that no assistant speaks during a goodbye.

    Telnyx may have ended the assistant already, so a refusal is no failure.
    """
    conversation, stop = transition.conversation, transition.conversation.stop
    by_request = stop is not None and stop.by_request
    of_goodbye = command.action is Action.STOP and conversation.is_over and not by_request
    return of_goodbye and leg is not None and leg.owned


def _start_refused(transition: Transition, person: Participant, leg: Leg, refused: Refused) -> None:
    failure = refused.failure
    if not leg.owned and not person.joined_at:
        _attached_leg_failed(transition, leg, failure)
        status = ParticipantStatus.FAILED
        transition.move_participant(person, status, Outcome.ERROR, failure=failure)
    transition.move(ConversationStatus.FAILED, failure)


def _answer_refused(transition: Transition, _: Participant, leg: Leg, refused: Refused) -> None:
    leg.owned = False  # another application may have answered: not ours to hang up
    transition.move(ConversationStatus.FAILED, refused.failure)


def _attached_leg_failed(transition: Transition, leg: Leg, failure: Failure) -> None:
    """Mark an attached leg as an error, and poll the call, which Telnyx may not know.

    A 404 for a start or a join may mean the call, the assistant or the conversation.
    """
    leg.failure, leg.outcome = failure, Outcome.ERROR
    leg.poll_at = transition.now


def _dial_refused(transition: Transition, person: Participant, leg: Leg, refused: Refused) -> None:
    leg.failure = refused.failure
    leg.rule = refused.rule
    if refused.rule:
        transition.add_leg_event(events.EventType.LEG_REFUSED, person, leg, rule=refused.rule)
    leg.outcome = leg.outcome or _outcome(refused)
    transition.move_leg(person, leg, statuses.LegStatus.ENDED)


def _screen_refused(_: Transition, _person: Participant, leg: Leg, refused: Refused) -> None:
    leg.failure = refused.failure
    leg.outcome = leg.outcome or _outcome(refused)


def _outcome(refused: Refused) -> Outcome:
    return Outcome.LIMITED if refused.limit else Outcome.ERROR


def _join_refused(transition: Transition, person: Participant, leg: Leg, refused: Refused) -> None:
    failure = leg.failure = refused.failure
    if not leg.owned and not person.joined_at:
        _attached_leg_failed(transition, leg, failure)
    failed, outcome = ParticipantStatus.FAILED, _outcome(refused)
    if transition.move_participant(person, failed, outcome, failure=failure):
        transition.add_message(person, outcome)
    if person.status is ParticipantStatus.JOINED:
        person.removed = True  # not joined to the restarted assistant: on the phone alone


def _hang_up_refused(transition: Transition, _: Participant, leg: Leg, _refused: Refused) -> None:
    leg.poll_at = transition.now + timeouts.MIN_POLL_PAUSE


def _look_refused(transition: Transition, person: Participant, leg: Leg, _: Refused) -> None:
    apply_polls.note_poll(transition, person, leg)


APPLY_REFUSAL: dict[Action, Callable[[Transition, Participant, Leg, Refused], None]] = {
    Action.START: _start_refused,
    Action.ANSWER: _answer_refused,
    Action.DIAL: _dial_refused,
    Action.SCREEN: _screen_refused,
    Action.LEAVE_MESSAGE: machines.message_refused,
    Action.WAIT_WORDS: voice.words_refused,
    Action.GOODBYE: voice.goodbye_refused,
    Action.JOIN: _join_refused,
    Action.HANG_UP: _hang_up_refused,
    Action.LOOK: _look_refused,
}
"""What the refusal of an action means for its call and its participant."""


def _message_failed(transition: Transition, command: Command, failure: Failure) -> None:
    if transition.conversation.absence:  # the assistant has left, and hears the message later
        transition.conversation.pending_messages[:0] = command.messages or []
        return
    for message in command.messages or []:
        fields = {"command_id": command.id, "failure": failure, **message.event_fields}
        transition.add_event(events.MessageFailed(**fields))
        if message.sets_mode:
            fail_mode(transition, message.sets_mode, failure)
    if failure.code not in (UNANSWERED.code, RATE_LIMITED.code):
        _infer_assistant_end(transition, command)


def _infer_assistant_end(transition: Transition, command: Command) -> None:
    """Infer that the assistant ended with the host, if the message of the host's departure fails.

    Telnyx reports the end by webhook only, and the webhook may be lost: there is no request that
    asks whether an assistant still runs.
    """
    conversation, host = transition.conversation, transition.conversation.host
    host_left = render(conversation.phrases, "left", name=spoken_name(host))
    refused = any(message.content == host_left for message in command.messages or [])
    # A guest may have the host's name, or the phrase names no person: the host's status decides.
    ran_on = conversation.started_on
    on_host = ran_on is None or ran_on[0] is host
    if refused and host.status is ParticipantStatus.LEFT and on_host:
        conversation.telnyx_ended_at = conversation.telnyx_ended_at or transition.now


def _retryable(transition: Transition, command: Command, result: results.Retryable) -> None:
    if result.had_no_effect:
        command.mark_not_sent()
    # A hangup is never given up; any other command is. A traceable command is looked for once.
    looked = command.reconcile and command.action in TRACEABLE
    exhausted = command.attempts >= timeouts.MAX_ATTEMPTS and command.action is not Action.HANG_UP
    if looked or exhausted or _is_limited_for_long(transition, command, result):
        apply_refusal(transition, command, RATE_LIMITED if result.is_limit else UNANSWERED)
        return
    lease_end = command.not_before
    command.back_off(transition.now)
    if command.action is Action.START and result.unanswered:
        # `call.conversation.created` may tell within the lease that the assistant runs.
        command.not_before = max(command.not_before, lease_end)
    if result.retry_after is not None:
        wait = min(timedelta(seconds=result.retry_after), timeouts.MAX_LIMIT_WAIT)
        until = transition.now + wait
        command.not_before = max(command.not_before, until)
        if result.is_limit:
            _hold_back(transition, command.action, until)


def _is_limited_for_long(
    transition: Transition, command: Command, result: results.Retryable
) -> bool:
    """Whether Telnyx's rate limit has kept a command that a caller waits for too long.

    Telnyx may name no wait, or none that lasts: then `give_up_limited` finds no wait to judge.
    """
    waits = result.is_limit and command.sent_at is None and command.action in timeouts.LIMIT_WAIT
    since = command.owed_at or transition.now
    return waits and transition.now - since >= timeouts.LIMITED_FOR


def _hold_back(transition: Transition, action: Action, until: datetime) -> None:
    """Let the unsent commands of an action wait for the end of Telnyx's rate limit."""
    transition.conversation.limited_until[action] = until
    for command in transition.conversation.commands.values():
        if command.is_pending and command.action is action and command.sent_at is None:
            command.not_before = max(command.not_before, until)


def _form_refused(transition: Transition, command: Command, result: results.FormRefused) -> None:
    """Send a refused command in another form. The timeline tells all changes but of the URLs."""
    if len(command.changes) + len(result.changes) > MAX_CHANGES:
        apply_refusal(transition, command, Refused(code=result.code, message=result.message))
        return
    command.change_form(result.changes, transition.conversation.id, transition.now)
    if result.changes != (WEBHOOK_URLS,):
        changed = events.CommandChanged(
            action=command.action,
            command_id=command.id,
            participant_id=command.participant_id,
            changes=list(result.changes),
            refusal=result.failure,
        )
        transition.add_event(changed)


def _not_found(transition: Transition, command: Command, _: results.NotFound) -> None:
    """Give up a command without a trace at Telnyx, which is too old to be sent again.

    A start is looked for again, or sent again.
    """
    with_answer = (
        transition.conversation.start == "with_answer" and command.participant_id == HOST_ID
    )
    most = timeouts.MAX_ASSISTANT_LOOKUPS if with_answer else timeouts.MAX_ATTEMPTS
    if command.action is not Action.START or command.attempts >= most:
        apply_refusal(transition, command, UNANSWERED)
        return
    if transition.conversation.status is ConversationStatus.CONNECTING and not with_answer:
        command.reconcile = False
        command.sent_at = None
    command.back_off(transition.now)


APPLY_RESULT: dict[type, Callable[[Transition, Command, Any], None]] = {
    results.Succeeded: _succeeded,
    results.CallEnded: _call_ended,
    results.CallUnknown: _call_unknown,
    Refused: apply_refusal,
    results.FormRefused: _form_refused,
    results.Retryable: _retryable,
    results.NotFound: _not_found,
    results.CallState: apply_polls.call_state,
    results.InsightsFound: apply_polls.insights_found,
    results.TranscriptFound: apply_polls.transcript_found,
}
