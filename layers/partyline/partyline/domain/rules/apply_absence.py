"""Recording facts about the assistant's absence, by webhooks and by results of commands.

The rules of `absence` conclude from the facts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from partyline.domain.model.absence import Absence
from partyline.domain.model.commands import CONNECTING, Action, Command
from partyline.domain.model.participant import Participant
from partyline.domain.model.results import Refused, Succeeded
from partyline.domain.model.statuses import (
    NOT_JOINED_YET,
    AssistantMode,
    ConversationStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.model.stored import Failure
from partyline.domain.rules import connections
from partyline.domain.rules.facts import settle
from partyline.domain.rules.modes import fail_mode, want_mode
from partyline.domain.rules.transition import Transition

AWAY = AssistantMode.AWAY

CONFERRING = (Action.CREATE_CONFERENCE, Action.JOIN_CONFERENCE)

CLOCK_SKEW = timedelta(seconds=2)  # between Telnyx's clock and ours

ALONE = Failure(code="too_few_people", message="Fewer than two people are on the line.")


def apply_success(transition: Transition, command: Command, result: Succeeded) -> bool:
    """Record that a command of an absence has succeeded. Returns False for another command."""
    participant, _ = transition.conversation.target_of(command)
    if command.action is Action.STOP and _is_step_back(transition):
        assistant_stopped(transition)
    elif command.action in CONNECTING and participant:
        _connected(transition, command, participant, result)
    elif command.action is Action.LEAVE_CONFERENCE and participant:
        _has_left(transition, participant)
    else:
        return False
    return True


def apply_refusal(
    transition: Transition, command: Command, refused: Refused, *, in_doubt: bool
) -> None:
    """Record the refusal of a command, as far as an absence is concerned.

    `in_doubt`: the command was given up without an answer, or a sending before may have worked.
    """
    participant, leg = transition.conversation.target_of(command)
    if participant is None or leg is None:
        return
    if command.action is Action.STOP and _is_step_back(transition):
        if in_doubt and refused.code != "unanswered":
            # A second stop may be refused because the first has worked.
            assistant_stopped(transition)
        else:
            stop_failed(transition, refused.failure)
    elif command.action in CONNECTING:
        leg.poll_at = transition.now
        _not_connected(transition, command, participant, refused.failure)
    elif command.action is Action.LEAVE_CONFERENCE:
        _leave_refused(transition, participant, refused)
    elif command.action is Action.START:
        start_refused(transition, refused.failure, in_doubt=in_doubt)


def _is_step_back(transition: Transition) -> bool:
    """Whether a stop lets the assistant leave people who stay."""
    conversation = transition.conversation
    is_active = conversation.status is ConversationStatus.ACTIVE
    return is_active and conversation.absence is not None


def assistant_stopped(transition: Transition) -> None:
    """Record that the assistant ended by our stop, also by a stop that counted as failed."""
    conversation = transition.conversation
    if conversation.absence is None:
        conversation.absence = Absence(number=conversation.absences)
    absence = conversation.absence
    absence.stopped_at = absence.stopped_at or transition.now


def stop_failed(transition: Transition, failure: Failure) -> None:
    """Record that the assistant could not be stopped, so the mode before holds."""
    conversation = transition.conversation
    if conversation.absence and conversation.absence.stopped_at is None:
        conversation.absence = None
        if conversation.wanted_mode is AWAY:
            fail_mode(transition, AWAY, failure)


def bridge_confirmed(transition: Transition, person: Participant) -> bool:
    """Whether a `call.bridged` is of our bridge, which is then confirmed."""
    absence, commands = transition.conversation.absence, transition.conversation.commands
    if absence is None or person.id not in absence.bridge:
        return False
    absence.bridged_at = absence.bridged_at or transition.now
    for command in [c for c in commands.values() if c.action is Action.BRIDGE]:
        settle(transition, command)
    return True


def confirmed(
    transition: Transition, person: Participant, actions: Sequence[Action], at: datetime | None
) -> None:
    """Record what a webhook confirms: the pending command of one of the actions for a person."""
    for command in list(transition.conversation.commands.values()):
        is_late = at and command.owed_at and at < command.owed_at - CLOCK_SKEW
        is_about = command.participant_id == person.id and command.action in actions
        if command.is_pending and is_about and not is_late:
            settle(transition, command)
            apply_success(transition, command, Succeeded())


def _connected(
    transition: Transition, command: Command, person: Participant, result: Succeeded
) -> None:
    """Record that a command that connects people has succeeded."""
    conversation, absence = transition.conversation, transition.conversation.absence
    conference = conversation.conference
    if command.action is Action.BRIDGE and absence and person.id in absence.bridge[:1]:
        absence.bridged_at = transition.now
    elif command.action is Action.CREATE_CONFERENCE and conference:
        conference.is_open, conference.telnyx_id = True, result.conference_id
        conference.members = [person.id]
        if absence:
            absence.bridge, absence.bridged_at = [], None
    elif command.action is Action.JOIN_CONFERENCE and conference:
        conference.members = list(dict.fromkeys([*conference.members, person.id]))
        # The next run of the assistant, which may be on its way, does not have the person yet.
        person.joined_after_restarts = conversation.restarts - conversation.is_restarting
        if transition.move_participant(person, ParticipantStatus.JOINED):
            transition.add_message(person, "joined")


def _not_connected(
    transition: Transition, command: Command, person: Participant, failure: Failure
) -> None:
    """Record that a command that connects people was refused.

    A person who was to be added is not added. A bridge stays when its conference is refused.
    """
    conversation, absence = transition.conversation, transition.conversation.absence
    if command.action is Action.CREATE_CONFERENCE:
        conversation.conference = None
    elif command.action is Action.BRIDGE and absence:
        absence.bridge = []
    is_bridged = absence is not None and absence.is_bridged
    is_newcomer = command.action is Action.JOIN_CONFERENCE and person.status in NOT_JOINED_YET
    if is_bridged or is_newcomer:
        people = [person] if is_newcomer else conversation.participants
        _fail_newcomers(transition, people, failure)
    if absence is None or is_newcomer:
        return
    if is_bridged and conversation.wanted_mode is not AWAY:
        _stay(transition, absence, failure)
    elif not is_bridged and conversation.wanted_mode is AWAY:
        give_up(transition, absence, failure)


def _fail_newcomers(
    transition: Transition, people: Iterable[Participant], failure: Failure
) -> None:
    for person in people:
        if person.status in NOT_JOINED_YET:
            failed = ParticipantStatus.FAILED
            transition.move_participant(person, failed, Outcome.ERROR, failure=failure)
            transition.add_message(person, Outcome.ERROR)


def _leave_refused(transition: Transition, person: Participant, refused: Refused) -> None:
    """Record that a call did not leave the conference. Without an answer, the call is inside."""
    absence = transition.conversation.absence
    if absence and refused.code == "unanswered" and not absence.failed:
        _stay(transition, absence, refused.failure)
    else:
        _has_left(transition, person)


def _has_left(transition: Transition, person: Participant) -> None:
    """Record that a call is no longer in the conference, or never was."""
    conference = transition.conversation.conference
    if conference:
        conference.members = [member for member in conference.members if member != person.id]


def give_up(transition: Transition, absence: Absence, failure: Failure) -> None:
    """Want the assistant back, because the people cannot be connected, or a person is alone."""
    if transition.conversation.mode is AWAY:
        absence.reason = "alone" if failure is ALONE else "not_connected"
        want_mode(transition, AssistantMode.SPEAKING)
    else:
        fail_mode(transition, AWAY, failure)
    absence.failed = failure is not ALONE


def start_refused(transition: Transition, failure: Failure, *, in_doubt: bool) -> None:
    """Record that the assistant did not start on a call.

    People who are connected to each other stay connected. Otherwise another call is tried.
    """
    conversation, absence = transition.conversation, transition.conversation.absence
    if absence is None or not absence.tried:
        return
    absence.start_in_doubt = in_doubt
    if connections.is_reconnectable(conversation):
        _stay(transition, absence, failure)


def _stay(transition: Transition, absence: Absence, failure: Failure) -> None:
    """Let the assistant stay away, because the return failed."""
    fail_mode(transition, transition.conversation.wanted_mode, failure)
    absence.back_at, absence.reason, absence.tried = None, None, []
