"""Rules that connect people to each other while the assistant is away: a bridge, or a conference.

A bridge connects two calls. When a bridge ends, Telnyx parks the call of the command's path
(`park_after_unbridge`) and hangs the other call up (Telnyx API: bridge). So two people are bridged
only if the first ends the conversation by leaving; all others are connected by a conference, which
a call can leave (Telnyx API: conferences, leave: the call is parked again).
"""

from collections.abc import Sequence
from datetime import datetime

from partyline.domain.model.absence import Absence, Conference
from partyline.domain.model.commands import CONNECTING, Action, Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import AssistantMode, OnHangup, ParticipantStatus
from partyline.domain.model.timeouts import CONNECT_WAIT, RETURN_WAIT, STEP_BACK_WAIT
from partyline.domain.rules.transition import Transition

Calls = Sequence[tuple[Participant, Leg]]


def order(transition: Transition, action: Action, person: Participant, leg: Leg) -> None:
    """Owe a command that connects people or ends their connection, each time with a new id."""
    transition.conversation.connections += 1
    transition.add_command(action, person, leg, nth=transition.conversation.connections)


def is_ordered(conversation: Conversation, action: Action, person: Participant) -> bool:
    """Whether a command of that action is pending for a person."""
    return any(
        command.action is action and command.is_pending and command.participant_id == person.id
        for command in conversation.commands.values()
    )


def is_connecting(conversation: Conversation) -> bool:
    """Whether a command that connects people is pending."""
    commands = conversation.commands.values()
    return any(command.is_pending and command.action in CONNECTING for command in commands)


def overdue_at(conversation: Conversation, command: Command) -> datetime | None:
    """Return when a pending command of an absence is given up; None for any other command."""
    absence, wait = conversation.absence, None
    if command.action in CONNECTING or command.action is Action.LEAVE_CONFERENCE:
        wait = CONNECT_WAIT
    elif command.action is Action.STOP and absence and absence.stopped_at is None:
        wait = STEP_BACK_WAIT
    elif command.action is Action.START and is_reconnectable(conversation):
        wait = RETURN_WAIT
    is_bounded = wait is not None and command.is_pending and command.owed_at is not None
    return command.owed_at + wait if is_bounded and command.owed_at and wait else None


def is_reconnectable(conversation: Conversation) -> bool:
    """Whether people stay connected to each other if the assistant does not return."""
    absence, conference = conversation.absence, conversation.conference
    members = conference.members if conference else []
    is_away = conversation.mode is AssistantMode.AWAY
    return is_away and bool(members) and absence is not None and not absence.failed


def connect(transition: Transition, absence: Absence, calls: Calls) -> bool:
    """Connect people to each other. Returns whether all of them are connected."""
    conversation, ids = transition.conversation, {person.id for person, _ in calls}
    if conversation.conference:
        return _confer(transition, conversation.conference, calls)
    if absence.is_bridged and ids == set(absence.bridge):
        return True
    if absence.bridge and not absence.is_bridged:
        if is_connecting(conversation):
            return False
        absence.bridge = []  # a call ended before the bridge was made
    pair = _pair(calls)
    if pair and not absence.bridge:
        absence.bridge = [person.id for person, _ in pair]
        order(transition, Action.BRIDGE, *pair[0])
    else:
        create_conference(transition, absence, calls)
    return False


def _pair(calls: Calls) -> Calls | None:
    """Return two people to be bridged, the person first whose call is parked afterwards."""
    joined = [person.status is ParticipantStatus.JOINED for person, _ in calls]
    ends = [call for call in calls if call[0].on_hangup is OnHangup.END]
    if joined != [True, True] or not ends:
        return None
    return [ends[0], *(call for call in calls if call is not ends[0])]


def create_conference(transition: Transition, absence: Absence, calls: Calls) -> None:
    """Make a conference with a call: of a bridge, with the call that would not be parked."""
    conversation = transition.conversation
    second = [call for call in calls if absence.bridge[1:] == [call[0].id]]
    person, leg = [*second, *calls][0]
    name = f"partyline-{conversation.id}-{conversation.connections + 1}"
    conversation.conference = Conference(name=name, creator=person.id)
    order(transition, Action.CREATE_CONFERENCE, person, leg)


def _confer(transition: Transition, conference: Conference, calls: Calls) -> bool:
    conversation = transition.conversation
    if not conference.is_open:
        if not is_connecting(conversation):  # the call ended that was to make the conference
            conversation.conference = None
        return False
    for person, leg in calls:
        is_outside = person.id not in conference.members
        if is_outside and not is_ordered(conversation, Action.JOIN_CONFERENCE, person):
            order(transition, Action.JOIN_CONFERENCE, person, leg)
            transition.move_participant(person, ParticipantStatus.JOINING)
    return all(person.id in conference.members for person, _ in calls)


def forget_ended_calls(transition: Transition) -> None:
    """Forget the people of a connection whose calls are over."""
    conversation, conference = transition.conversation, transition.conversation.conference
    up = {
        person.id for person, leg in conversation.legs() if leg is person.active_leg and leg.is_up
    }
    if conference:
        conference.members = [member for member in conference.members if member in up]
        if conference.is_open and not conference.members and not is_connecting(conversation):
            conversation.conference = None
    absence = conversation.absence
    if absence and absence.is_bridged and not up.issuperset(absence.bridge):
        absence.bridge, absence.bridged_at = [], None


def leave(transition: Transition, person: Participant, leg: Leg) -> bool:
    """Take a call out of the conference. Returns whether the call is outside."""
    conversation, conference = transition.conversation, transition.conversation.conference
    if conference is None or person.id not in conference.members:
        return True
    if not is_ordered(conversation, Action.LEAVE_CONFERENCE, person):
        order(transition, Action.LEAVE_CONFERENCE, person, leg)
    return False
