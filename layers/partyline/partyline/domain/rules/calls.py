"""Rules for the calls: answer, start, join, send messages, stop, hang up and poll.

Like all rules, these look at the whole state (see `hunting`).
"""

from datetime import datetime

from partyline.domain.model import statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import (
    ConversationStatus,
    Direction,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import (
    ASSISTANT_LOOKUP_DELAY,
    INSIGHTS_POLL_PAUSE,
    MAX_INSIGHT_POLLS,
)
from partyline.domain.rules.leaving import time_limit_of
from partyline.domain.rules.transition import Transition

MESSAGE_BATCH = 20
"""Messages in a request: each message becomes an event, and a transaction takes 100 items."""


def start_and_join(transition: Transition) -> None:
    """Answer an inbound call, start the assistant on the host's call, join the guests."""
    conversation = transition.conversation
    if conversation.is_over:
        return
    if conversation.direction is Direction.INBOUND:
        transition.add_command(Action.ANSWER, conversation.host, conversation.host.legs[0])
    start = conversation.start_command
    for participant in conversation.participants:
        leg = participant.active_leg
        if participant.status is not ParticipantStatus.WAITING or leg is None:
            continue
        if participant.host:
            if conversation.start == "after_answer":
                transition.add_command(Action.START, participant, leg)
            transition.move_participant(participant, ParticipantStatus.JOINING)
        elif conversation.absence and conversation.status is ConversationStatus.ACTIVE:
            continue  # connected to the people who are without the assistant
        elif conversation.telnyx_conversation_id:
            command = transition.add_command(Action.JOIN, participant, leg)
            joining = ParticipantStatus.JOINING
            transition.move_participant(participant, joining, command_id=command.id)
        elif (
            conversation.active_at
            and not (start and start.is_pending)
            and not conversation.awaits_answers_assistant
        ):
            # The assistant runs, but its conversation id was never found: no join is possible.
            transition.move_participant(participant, ParticipantStatus.FAILED, Outcome.ERROR)
            transition.add_message(participant, Outcome.ERROR)


def look_for_assistant(transition: Transition) -> None:
    """Look for the assistant that the answer starts, if no `call.conversation.created` comes.

    Telnyx's response to such an answer has no conversation id, and `ai_assistant_start` must not
    follow (Telnyx API: answer). So the start is a command that is only reconciled, never sent.
    """
    conversation, host = transition.conversation, transition.conversation.host
    leg = host.legs[0] if host.legs else None
    if not conversation.awaits_answers_assistant or leg is None or not leg.is_up:
        return
    answer = transition.command_for(Action.ANSWER, host, leg)
    if answer is None or answer.status != "done":
        return
    if conversation.assistant_lookup_at is None:
        conversation.assistant_lookup_at = transition.now + ASSISTANT_LOOKUP_DELAY
    elif transition.now >= conversation.assistant_lookup_at:
        lookup = transition.add_command(Action.START, host, leg)
        lookup.reconcile, lookup.sent_at = True, answer.sent_at or transition.now


def send_messages(transition: Transition) -> None:
    """Send pending messages to the running assistant, in order, batch by batch."""
    conversation = transition.conversation
    if conversation.is_over:
        conversation.pending_messages.clear()
    assistant_leg = conversation.assistant_leg()
    is_sending = any(c.action is Action.MESSAGE for c in conversation.commands.values())
    if not conversation.active_at or not assistant_leg or conversation.is_restarting:
        return
    if conversation.absence:
        return
    if is_sending or not conversation.pending_messages:
        return
    conversation.message_batches += 1
    batch = conversation.pending_messages[:MESSAGE_BATCH]
    conversation.pending_messages = conversation.pending_messages[MESSAGE_BATCH:]
    nth = conversation.message_batches
    transition.add_command(Action.MESSAGE, *assistant_leg, nth=nth, messages=batch)


def release_calls(transition: Transition) -> None:
    """Stop the assistant where its call goes on, and hang up unneeded calls."""
    conversation, stop = transition.conversation, transition.conversation.stop
    start = conversation.start_command
    # An assistant that Telnyx ended needs no stop. A start that was given up may still have worked.
    unwanted = stop is not None or conversation.status is ConversationStatus.FAILED
    created = (
        conversation.start == "with_answer" and conversation.telnyx_conversation_id is not None
    )
    has_started = created or (start is not None and start.status == "done")
    runs = conversation.active_at is not None or has_started
    assistant_leg = conversation.assistant_leg()
    stopped = any(command.status != "failed" for command in conversation.stops_of_run)
    if conversation.is_over and unwanted and runs and assistant_leg and not stopped:
        by_request = stop is not None and stop.by_request
        speaks = any(leg.voice.says_goodbye(transition.now) for _, leg in conversation.legs())
        if by_request or speaks or not assistant_leg[1].owned:
            transition.add_command(Action.STOP, *assistant_leg)
    for participant, leg in conversation.legs():
        if (
            leg.is_up
            and leg.call_control_id
            and not leg.voice.says_goodbye(transition.now)
            and not is_needed(conversation, transition.now, participant, leg)
        ):
            transition.add_command(Action.HANG_UP, participant, leg)


def is_needed(
    conversation: Conversation, now: datetime, participant: Participant, leg: Leg
) -> bool:
    """Whether the conversation, or the owner of the call, still needs the call."""
    stop = conversation.stop
    accepted = leg.number == participant.accepted_leg
    if leg.transferred:
        return True  # the people on the call are not ours to disconnect
    if participant.removed or (stop and stop.hang_up and stop.by_request):
        return False
    if not leg.owned:
        return True  # an attached call goes back to its owner
    if leg.is_finished and not accepted:
        return False
    if conversation.is_over:
        on_the_line = participant.joined_at is not None or (participant.host and accepted)
        over_at = time_limit_of(conversation)
        in_time = over_at is None or now < over_at
        return stop is not None and not stop.hang_up and on_the_line and in_time
    return participant.status not in statuses.DEPARTED


def staying_calls(conversation: Conversation, now: datetime) -> list[tuple[Participant, Leg]]:
    """Return the calls that stay up although their conversation is over."""
    return [
        (participant, leg)
        for participant, leg in conversation.legs()
        if leg.is_up and leg.call_control_id and is_needed(conversation, now, participant, leg)
    ]


def poll_calls(transition: Transition) -> None:
    """Poll calls of which no webhook has come for long, and fetch missing insights."""
    conversation = transition.conversation
    for participant, leg in conversation.legs():
        due = leg.poll_at is not None and transition.now >= leg.poll_at
        if due and is_polled(transition, participant, leg):
            leg.poll_at = None
            transition.add_command(Action.LOOK, participant, leg)
    if conversation.insights_poll_at and transition.now >= conversation.insights_poll_at:
        conversation.insight_polls += 1
        more = conversation.insight_polls < MAX_INSIGHT_POLLS
        pause = INSIGHTS_POLL_PAUSE * conversation.insight_polls
        conversation.insights_poll_at = transition.now + pause if more else None
        transition.add_command(Action.FETCH_INSIGHTS)


def is_polled(transition: Transition, participant: Participant, leg: Leg) -> bool:
    """Whether the state of a call matters to us.

    A call that has gone back to its owner does not, except once after its assistant was refused. A
    call of ours does until it is down, also after the end of its conversation.
    """
    if not leg.is_up or not leg.call_control_id or leg.transferred:
        return False
    conversation = transition.conversation
    if leg.owned or conversation.status not in statuses.FINISHED:
        return True
    refused = leg.failure is not None and leg.polled_at is None
    return refused or not is_needed(conversation, transition.now, participant, leg)
