"""Rules for the calls themselves: answer, start, join, tell, stop, hang up, and look after them.

Like all rules they look at the whole state (see `reaching`).
"""

from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import (
    Leg,
    Participant,
)
from partyline.domain.model.statuses import (
    DEPARTED,
    FINISHED,
    ConversationStatus,
    Direction,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import INSIGHTS_POLL_PAUSE, MAX_INSIGHT_POLLS
from partyline.domain.rules.transition import Transition

MESSAGE_BATCH = 20
"""How many messages go out in one request: each becomes an event, and a step holds 100 items."""


def start_and_join(transition: Transition) -> None:
    """An inbound call is answered, the assistant started on the host's call, others joined."""
    conversation = transition.conversation
    if conversation.is_over:
        return
    if conversation.direction is Direction.INBOUND:
        transition.add_command(Action.ANSWER, conversation.host, conversation.host.legs[0])
    start = conversation.start_command
    for participant in conversation.participants:
        line = participant.active_leg
        if participant.status is not ParticipantStatus.WAITING or line is None:
            continue
        if participant.host:
            transition.add_command(Action.START, participant, line)
            transition.move_participant(participant, ParticipantStatus.JOINING)
        elif conversation.telnyx_conversation_id:
            command = transition.add_command(Action.JOIN, participant, line)
            transition.move_participant(
                participant, ParticipantStatus.JOINING, command_id=command.id
            )
        elif conversation.active_at and not (start and start.is_pending):
            # The assistant runs, but under which id was never found out.
            transition.move_participant(participant, ParticipantStatus.FAILED, Outcome.ERROR)
            transition.add_message(participant, Outcome.ERROR)


def send_messages(transition: Transition) -> None:
    """What the assistant is to be told goes out in order, one batch at a time, once it runs."""
    conversation = transition.conversation
    if conversation.is_over:
        conversation.pending_messages.clear()
    speaker = conversation.assistant_leg()
    talking = any(c.action is Action.MESSAGE for c in conversation.commands.values())
    if (
        not conversation.active_at
        or not conversation.pending_messages
        or speaker is None
        or talking
    ):
        return
    if conversation.is_restarting:
        return
    conversation.message_batches += 1
    batch, conversation.pending_messages = (
        conversation.pending_messages[:MESSAGE_BATCH],
        conversation.pending_messages[MESSAGE_BATCH:],
    )
    transition.add_command(
        Action.MESSAGE,
        *speaker,
        nth=conversation.message_batches,
        messages=batch,
    )


def release_calls(transition: Transition) -> None:
    """The assistant is stopped where its call outlives it; calls that nobody needs are hung up."""
    conversation, stop = transition.conversation, transition.conversation.stop
    start = conversation.start_command
    # One that Telnyx itself ended needs no stop; one that runs after all, given up or not, does.
    unwanted = stop is not None or conversation.status is ConversationStatus.FAILED
    runs = conversation.active_at is not None or (start is not None and start.status == "done")
    speaker = conversation.assistant_leg()
    stops = [each for each in conversation.commands.values() if each.action is Action.STOP]
    stopped = any(each.status != "failed" for each in stops)
    if conversation.is_over and unwanted and runs and speaker and not stopped:
        by_request = stop is not None and stop.by_request
        if by_request or not speaker[1].owned:
            transition.add_command(Action.STOP, *speaker)
    for participant, leg in conversation.legs():
        if leg.is_up and leg.call_control_id and not is_needed(transition, participant, leg):
            transition.add_command(Action.HANG_UP, participant, leg)


def is_needed(transition: Transition, participant: Participant, leg: Leg) -> bool:
    """Whether somebody still needs this call."""
    conversation, stop = transition.conversation, transition.conversation.stop
    accepted = leg.number == participant.accepted_leg
    if participant.removed or (stop and stop.hang_up and stop.by_request):
        return False
    if not leg.owned:
        return True  # it was live before us, and goes back to whose it is
    if leg.is_finished and not accepted:
        return False
    if conversation.is_over:
        on_the_line = participant.joined_at is not None or (participant.host and accepted)
        return stop is not None and not stop.hang_up and on_the_line
    return participant.status not in DEPARTED


def poll_calls(transition: Transition) -> None:
    """A call of which nothing is heard for long is looked at; so are insights that do not come."""
    conversation = transition.conversation
    for participant, leg in conversation.legs():
        if (
            is_polled(transition, participant, leg)
            and leg.poll_at
            and transition.now >= leg.poll_at
        ):
            leg.poll_at = None
            transition.add_command(Action.LOOK, participant, leg)
    if conversation.insights_poll_at and transition.now >= conversation.insights_poll_at:
        conversation.insight_polls += 1
        more = conversation.insight_polls < MAX_INSIGHT_POLLS
        pause = INSIGHTS_POLL_PAUSE * conversation.insight_polls
        conversation.insights_poll_at = transition.now + pause if more else None
        transition.add_command(Action.FETCH_INSIGHTS)


def is_polled(transition: Transition, participant: Participant, leg: Leg) -> bool:
    """Whether it matters to us what becomes of a call: not when it has gone back to its owner."""
    if not leg.is_up or not leg.call_control_id:
        return False
    return transition.conversation.status not in FINISHED or not is_needed(
        transition, participant, leg
    )
