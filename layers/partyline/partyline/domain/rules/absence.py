"""Rules for the absence of the assistant: the assistant leaves, is away, and is taken back.

    the assistant is stopped; the calls stay up (Telnyx API: ai_assistant_stop)
    the people are connected to each other (`connections`): the mode `away` holds
    the assistant is started again on the host's call, or a guest's, and the others are joined again

If a step fails, the step before holds: a failed stop leaves the assistant; without a connection the
assistant is taken back; after a failed return the people stay connected to each other.
"""

from partyline.domain.model.absence import Absence
from partyline.domain.model.commands import Action, Message
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID, Conversation
from partyline.domain.model.statuses import (
    NOT_JOINED_YET,
    AssistantMode,
    ConversationStatus,
)
from partyline.domain.model.stored import Failure
from partyline.domain.rules import connections
from partyline.domain.rules.apply_absence import ALONE, AWAY, give_up, stop_failed
from partyline.domain.rules.facts import START_FAILED
from partyline.domain.rules.modes import fail_mode, hold_mode, want_mode
from partyline.domain.rules.phrases import render, spoken_name
from partyline.domain.rules.transition import Transition

MAX_ABSENCES = 20  # each leaves some commands in the document

TOO_OFTEN = Failure(code="too_many_absences", message="The assistant has left too often.")
STOP_FAILED = Failure(code="stop_failed", message="The assistant's call is over.")


def leave_and_return(transition: Transition) -> None:
    """Let the assistant leave, connect the people, or take the assistant back: the next step."""
    conversation, absence = transition.conversation, transition.conversation.absence
    if conversation.status is not ConversationStatus.ACTIVE:
        return
    connections.forget_ended_calls(transition)
    if absence is None:
        if conversation.wanted_mode is AWAY:
            _leave(transition)
    elif absence.stopped_at is None:
        if all(stop.status == "failed" for stop in conversation.stops_of_run):
            stop_failed(transition, STOP_FAILED)
    elif absence.start_in_doubt and conversation.telnyx_conversation_id:
        _end_absence(transition, absence)  # the assistant did start
    elif conversation.wanted_mode is AWAY and not absence.tried:
        _stay_away(transition, absence)
    else:
        _take_back(transition, absence)


def _leave(transition: Transition) -> None:
    conversation = transition.conversation
    started_on, reachable = conversation.started_on, conversation.assistant_leg()
    on = started_on if started_on and started_on[1].is_up else reachable
    if on is None or not _is_settled(conversation):
        return
    if len(conversation.present) < 2:
        fail_mode(transition, AWAY, ALONE)
    elif conversation.absences >= MAX_ABSENCES:
        fail_mode(transition, AWAY, TOO_OFTEN)
    else:
        conversation.absences += 1
        conversation.absence = Absence(number=conversation.absences)
        transition.add_command(Action.STOP, *on, nth=conversation.absences)


def _is_settled(conversation: Conversation) -> bool:
    """Whether the assistant runs, and no command to the assistant is under way."""
    actions = (Action.START, Action.JOIN, Action.MESSAGE)
    owed = [c for c in conversation.commands.values() if c.is_pending and c.action in actions]
    return not owed and not conversation.is_restarting and conversation.telnyx_ended_at is None


def _stay_away(transition: Transition, absence: Absence) -> None:
    conversation, absence.back_at = transition.conversation, None
    newcomers = [
        (person, person.active_leg)
        for person in conversation.participants
        if person.status in NOT_JOINED_YET and person.active_leg and not person.removed
    ]
    calls = [*conversation.present, *newcomers]
    if len(calls) < 2:
        give_up(transition, absence, ALONE)
    elif connections.connect(transition, absence, calls):
        hold_mode(transition, AWAY)


def _take_back(transition: Transition, absence: Absence) -> None:
    conversation = transition.conversation
    absence.back_at = absence.back_at or transition.now
    start, present = conversation.start_command, conversation.present
    if absence.tried and start and start.status == "done" and conversation.telnyx_conversation_id:
        _end_absence(transition, absence)
    elif connections.is_connecting(conversation) or (start and start.is_pending):
        return
    elif conversation.conference and not conversation.conference.is_open:
        conversation.conference = None
    elif absence.is_bridged:
        # Telnyx does not document a start on a bridged call: the conference parks the first call.
        connections.create_conference(transition, absence, present)
    else:
        _start(transition, absence, present)


def _start(transition: Transition, absence: Absence, present: connections.Calls) -> None:
    """Start the assistant on the next call: the host's first."""
    conversation = transition.conversation
    person, leg = next((call for call in present if call[0].id not in absence.tried), (None, None))
    if person is None or leg is None:
        if present:
            transition.move(ConversationStatus.ENDED, reason=START_FAILED)
        return
    if not connections.leave(transition, person, leg):
        return
    if not conversation.is_restarting:
        ended_id = conversation.telnyx_conversation_id or UNKNOWN_CONVERSATION_ID
        conversation.previous_telnyx_ids.append(ended_id)
        conversation.returns += 1
        conversation.telnyx_conversation_id = None
    absence.tried.append(person.id)
    connections.order(transition, Action.START, person, leg)


def _end_absence(transition: Transition, absence: Absence) -> None:
    """Record that the assistant runs again, and tell the assistant who is on the line."""
    conversation = transition.conversation
    conversation.absence = None
    reason = absence.reason or ("not_connected" if absence.failed else None)
    hold_mode(transition, AssistantMode.SPEAKING, reason)
    if conversation.wanted_mode is AWAY and not absence.back_at:
        want_mode(transition, AssistantMode.SPEAKING)
    key = "not_away" if absence.failed else "back"
    names = ", ".join(spoken_name(person) for person, _ in conversation.present)
    content = render(conversation.phrases, key, name="", reason=names).strip()
    if content:
        says_so = absence.failed and conversation.is_assistant_speaking
        message = Message(role="system", content=content, trigger_response=says_so)
        conversation.pending_messages.insert(0, message)
