"""Rules for the calls themselves: answer, start, join, tell, stop, hang up, and look after them.

Like all rules they look at the whole state (see `reaching`).
"""

from datetime import timedelta

from partyline.domain.commands import Action
from partyline.domain.conversation import (
    Leg,
    Participant,
)
from partyline.domain.statuses import (
    CLOSED,
    GONE,
    ConversationStatus,
    Direction,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.step import Step

MAX_INSIGHT_LOOKS = 3

BATCH = 20
"""How many messages go out in one request: each becomes an event, and a step holds 100 items."""


def connect(step: Step) -> None:
    """An inbound call is answered, the assistant started on the host's call, others joined."""
    conversation = step.conversation
    if conversation.over:
        return
    if conversation.direction is Direction.INBOUND:
        step.owe(Action.ANSWER, conversation.host, conversation.host.legs[0])
    start = conversation.start_command
    for participant in conversation.participants:
        line = participant.line
        if participant.status is not ParticipantStatus.WAITING or line is None:
            continue
        if participant.host:
            step.owe(Action.START, participant, line)
            step.move_participant(participant, ParticipantStatus.JOINING)
        elif conversation.telnyx_conversation_id:
            command = step.owe(Action.JOIN, participant, line)
            step.move_participant(participant, ParticipantStatus.JOINING, command_id=command.id)
        elif conversation.active_at and not (start and start.pending):
            # The assistant runs, but under which id was never found out.
            step.move_participant(participant, ParticipantStatus.FAILED, Outcome.ERROR)
            step.tell(participant, Outcome.ERROR)


def tell(step: Step) -> None:
    """What the assistant is to be told goes out in order, one batch at a time, once it runs."""
    conversation = step.conversation
    if conversation.over:
        conversation.untold.clear()
    speaker = conversation.speaker()
    talking = any(c.action is Action.MESSAGE for c in conversation.commands.values())
    if not conversation.active_at or not conversation.untold or speaker is None or talking:
        return
    if conversation.restarting:
        return
    conversation.messages_owed += 1
    batch, conversation.untold = conversation.untold[:BATCH], conversation.untold[BATCH:]
    step.owe(
        Action.MESSAGE,
        *speaker,
        nth=conversation.messages_owed,
        messages=batch,
    )


def let_go(step: Step) -> None:
    """The assistant is stopped where its call outlives it; calls that nobody needs are hung up."""
    conversation, stop = step.conversation, step.conversation.stop
    start = conversation.start_command
    # One that Telnyx itself ended needs no stop; one that runs after all, given up or not, does.
    unwanted = stop is not None or conversation.status is ConversationStatus.FAILED
    runs = conversation.active_at is not None or (start is not None and start.status == "done")
    speaker = conversation.speaker()
    stops = [each for each in conversation.commands.values() if each.action is Action.STOP]
    stopped = any(each.status != "failed" for each in stops)
    if conversation.over and unwanted and runs and speaker and not stopped:
        by_request = stop is not None and stop.by_request
        if by_request or not speaker[1].ours:
            step.owe(Action.STOP, *speaker)
    for participant, leg in conversation.legs():
        if leg.up and leg.call_control_id and not needed(step, participant, leg):
            step.owe(Action.HANG_UP, participant, leg)


def needed(step: Step, participant: Participant, leg: Leg) -> bool:
    """Whether somebody still needs this call."""
    conversation, stop = step.conversation, step.conversation.stop
    accepted = leg.number == participant.accepted
    if participant.removed or (stop and stop.hang_up and stop.by_request):
        return False
    if not leg.ours:
        return True  # it was live before us, and goes back to whose it is
    if leg.spent and not accepted:
        return False
    if conversation.over:
        on_the_line = participant.joined_at is not None or (participant.host and accepted)
        return stop is not None and not stop.hang_up and on_the_line
    return participant.status not in GONE


def look(step: Step) -> None:
    """A call of which nothing is heard for long is looked at; so are insights that do not come."""
    conversation = step.conversation
    for participant, leg in conversation.legs():
        if watched(step, participant, leg) and leg.look_at and step.now >= leg.look_at:
            leg.look_at = None
            step.owe(Action.LOOK, participant, leg)
    if conversation.insights_at and step.now >= conversation.insights_at:
        conversation.insight_looks += 1
        more = conversation.insight_looks < MAX_INSIGHT_LOOKS
        pause = timedelta(minutes=2 * conversation.insight_looks)
        conversation.insights_at = step.now + pause if more else None
        step.owe(Action.FETCH_INSIGHTS)


def watched(step: Step, participant: Participant, leg: Leg) -> bool:
    """Whether it matters to us what becomes of a call: not when it has gone back to its owner."""
    if not leg.up or not leg.call_control_id:
        return False
    return step.conversation.status not in CLOSED or not needed(step, participant, leg)
