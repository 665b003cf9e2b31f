"""Rules for pending commands: too old to be sent, obsolete, or due now."""

from collections.abc import Iterator
from datetime import datetime

from partyline.domain.model.commands import (
    FETCHES,
    IDEMPOTENT,
    RECONCILABLE,
    STOPS,
    TRACEABLE,
    WORDS,
    Action,
    Command,
)
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import BEING_REACHED, ConversationStatus, LegStatus, Outcome
from partyline.domain.model.timeouts import LIMIT_WAIT, LIMITED_FOR
from partyline.domain.rules import connections
from partyline.domain.rules.apply_results import RATE_LIMITED, UNANSWERED, apply_refusal
from partyline.domain.rules.calls import is_needed, is_polled
from partyline.domain.rules.facts import settle
from partyline.domain.rules.hunting import deadline_of
from partyline.domain.rules.leaving import time_limit_of
from partyline.domain.rules.machines import message_moment
from partyline.domain.rules.polling import is_awaited
from partyline.domain.rules.report import report_moments
from partyline.domain.rules.restart import end_deadline, inferred_end_of
from partyline.domain.rules.transition import Transition
from partyline.domain.rules.voice import is_obsolete


def reconcile_stale(transition: Transition) -> None:
    """Reconcile, or give up, commands too old for Telnyx to drop a duplicate.

    A traceable command is looked for once, and then given up.
    """
    conversation = transition.conversation
    for command in list(conversation.commands.values()):
        leased = transition.now < command.not_before
        if leased or not command.is_pending or not command.is_stale(transition.now):
            continue
        if command.action in RECONCILABLE or (
            command.action in TRACEABLE and not command.reconcile
        ):
            command.reconcile = True
        elif command.action not in IDEMPOTENT:
            apply_refusal(transition, command, UNANSWERED)


def give_up_overdue(transition: Transition) -> None:
    """Give up commands of an absence for whose answer the people cannot wait any longer."""
    conversation = transition.conversation
    for command in list(conversation.commands.values()):
        overdue_at = connections.overdue_at(conversation, command)
        if overdue_at and transition.now >= overdue_at:
            apply_refusal(transition, command, UNANSWERED)


def give_up_limited(transition: Transition) -> None:
    """Give up commands that would wait longer for Telnyx's rate limit than a caller can bear."""
    conversation = transition.conversation
    for command in list(conversation.commands.values()):
        until = conversation.limited_until.get(command.action)
        bearable = LIMIT_WAIT.get(command.action)
        if not command.is_pending or command.sent_at or not until or not bearable:
            continue
        waits = command.not_before >= until > transition.now
        in_all = until - (command.owed_at or transition.now)
        if waits and (until - transition.now > bearable or in_all > LIMITED_FOR):
            apply_refusal(transition, command, RATE_LIMITED)


def cancel_obsolete(transition: Transition) -> None:
    """Drop commands for unneeded calls and for conversations that are over.

    A dial or a start that may have taken effect is reconciled, so that we can undo the effect. A
    message is kept for another call; while its sending is under way, the answer is awaited first.
    """
    conversation = transition.conversation
    for command in list(conversation.commands.values()):
        participant, leg = conversation.target_of(command)
        if not participant or not leg or not _is_obsolete(transition, command, participant, leg):
            continue
        in_doubt = command.sent_at is not None
        under_way = in_doubt and transition.now < command.not_before
        if command.action in RECONCILABLE and in_doubt and leg.is_up:
            command.reconcile = command.reconcile or not under_way
            continue
        if command.action is Action.MESSAGE and not conversation.is_over:
            if under_way:
                continue
            if not in_doubt:
                conversation.pending_messages[:0] = command.messages or []
        settle(transition, command, "failed")
        if command.action is Action.DIAL:
            leg.outcome = leg.outcome or Outcome.CANCELLED
            transition.move_leg(participant, leg, LegStatus.ENDED)


def _is_obsolete(transition: Transition, command: Command, person: Participant, leg: Leg) -> bool:
    if not command.is_pending or command.action is Action.HANG_UP:
        return False
    if not leg.is_up or leg.transferred:
        return True
    if command.action in WORDS:
        return is_obsolete(transition, command, person, leg)
    if command.action in (Action.HOLD, Action.IDENTIFY) and leg.machine is not None:
        return True
    if command.action in (Action.STOP, Action.LOOK):
        return False
    conversation = transition.conversation
    return conversation.is_over or not is_needed(conversation, transition.now, person, leg)


def set_timers(transition: Transition) -> None:
    """Set the moments at which time has to pass for the conversation, if no input comes before."""
    conversation = transition.conversation
    awaited = sorted(_awaited_moments(transition))
    conversation.awaited_at = awaited[0] if awaited else None
    conversation.due_at = min([*awaited[:1], *_other_moments(transition)], default=None)


def _awaited_moments(transition: Transition) -> Iterator[datetime]:
    """The timers for which a person on the line, or a person to be called, waits."""
    conversation = transition.conversation
    for command in conversation.commands.values():
        if command.is_pending and command.action not in FETCHES:
            yield connections.overdue_at(conversation, command) or command.not_before
            yield command.not_before
    cause_by, inferred_end = end_deadline(conversation), inferred_end_of(conversation)
    if cause_by and transition.now < cause_by:  # later, the call is polled for the last time
        yield cause_by
    if inferred_end:
        yield inferred_end
    if conversation.assistant_lookup_at and conversation.awaits_answers_assistant:
        yield conversation.assistant_lookup_at
    for participant in conversation.participants:
        for leg in participant.legs:
            voice = leg.voice
            yield from filter(None, (leg.verdict_deadline, voice.words_at, message_moment(leg)))
            if voice.goodbye_until and voice.says_goodbye(transition.now):
                yield voice.goodbye_until
        if participant.status in BEING_REACHED and participant.plan:
            deadline = deadline_of(participant, participant.plan)
            yield from (moment for moment in (deadline, participant.next_round_at) if moment)
    yield from (leg.poll_at for leg in _polled_legs(transition) if leg.poll_at and is_awaited(leg))


def _polled_legs(transition: Transition) -> Iterator[Leg]:
    for participant, leg in transition.conversation.legs():
        if leg.poll_at and is_polled(transition, participant, leg):
            yield leg


def _other_moments(transition: Transition) -> Iterator[datetime]:
    """The timers that may fire a minute late."""
    conversation = transition.conversation
    for command in conversation.commands.values():
        if command.is_pending:
            yield command.not_before
    yield from filter(None, (conversation.insights_poll_at, conversation.transcript.poll_at))
    yield from report_moments(conversation, transition.now)
    over_at = time_limit_of(conversation)
    if over_at and transition.now < over_at:
        yield over_at
    if conversation.status is ConversationStatus.STOPPING and conversation.stop_deadline:
        yield conversation.stop_deadline
    yield from (leg.poll_at for leg in _polled_legs(transition) if leg.poll_at)


def claim_due(transition: Transition) -> list[Command]:
    """Claim and return the commands to be sent now, by the process that makes this step.

    A claim is a lease: no other process sends the command meanwhile. The lease is stored before
    the command is sent, so a crash leaves the trace that the command may have been sent. What makes
    room for another voice comes first.
    """
    now, commands = transition.now, transition.conversation.commands.values()
    due = [command for command in commands if command.is_pending and now >= command.not_before]
    due.sort(key=lambda command: command.action not in STOPS)
    for command in due:
        command.claim(now)
    return due
