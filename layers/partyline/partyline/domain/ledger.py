"""Rules for what is owed: when it is too late for it, when it is pointless, and who does it."""

from partyline.domain.commands import FOUND_BY_LOOKING, SAFE_AGAIN, Action, Command
from partyline.domain.conversation import Conversation, Leg, Participant
from partyline.domain.facts import settle
from partyline.domain.parting import host_awaited_until, time_limit_of, unheard_end_of
from partyline.domain.reaching import deadline_of
from partyline.domain.results import UNKNOWN, refused
from partyline.domain.statuses import REACHING, ConversationStatus, LegStatus, Outcome
from partyline.domain.step import Step
from partyline.domain.talking import needed, watched


def expire(step: Step) -> None:
    """What was sent too long ago for Telnyx to drop a double is looked for, or given up."""
    conversation = step.conversation
    for command in list(conversation.commands.values()):
        if not command.pending or not command.expired(step.now) or step.now < command.not_before:
            continue
        if command.action in FOUND_BY_LOOKING:
            command.find = True
        elif command.action not in SAFE_AGAIN:
            refused(step, command, *_for_whom(conversation, command), UNKNOWN)


def withdraw(step: Step) -> None:
    """What is owed to a call that nobody needs, or to a conversation that is over, is dropped.

    A dial or a start that may have taken effect is looked for instead, so that it can be undone. A
    message is kept for another call; one that is on its way waits for its answer first.
    """
    conversation = step.conversation
    for command in list(conversation.commands.values()):
        participant, leg = _for_whom(conversation, command)
        if participant is None or leg is None or not _pointless(step, command, participant, leg):
            continue
        in_doubt = command.sent_at is not None
        on_its_way = in_doubt and step.now < command.not_before
        if command.action in FOUND_BY_LOOKING and in_doubt and leg.up:
            command.find = command.find or not on_its_way
            continue
        if command.action is Action.MESSAGE and not conversation.over:
            if on_its_way:
                continue
            if not in_doubt:
                conversation.untold[:0] = command.messages or []
        settle(step, command, "failed")
        if command.action is Action.DIAL:
            leg.outcome = leg.outcome or Outcome.CANCELLED
            step.move_leg(participant, leg, LegStatus.ENDED)


def _pointless(step: Step, command: Command, participant: Participant, leg: Leg) -> bool:
    """Whether nothing is gained any more by carrying a pending command out."""
    if not command.pending or command.action is Action.HANG_UP:
        return False
    if not leg.up:
        return True
    if command.action in (Action.STOP, Action.LOOK):
        return False
    if not needed(step, participant, leg):
        return True
    return step.conversation.over


def _for_whom(
    conversation: Conversation, command: Command
) -> tuple[Participant | None, Leg | None]:
    participant = conversation.participant(command.participant_id)
    return participant, participant.leg(command.leg) if participant else None


def schedule(step: Step) -> None:
    """When the sweep has to come by, if nothing else does before."""
    conversation = step.conversation
    moments = [command.not_before for command in conversation.commands.values() if command.pending]
    limits = (
        conversation.insights_at,
        time_limit_of(conversation),
        host_awaited_until(conversation),
        unheard_end_of(conversation),
    )
    moments += [each for each in limits if each]
    if conversation.status is ConversationStatus.STOPPING and conversation.stop_by:
        moments.append(conversation.stop_by)
    for participant, leg in conversation.legs():
        if leg.look_at and watched(step, participant, leg):
            moments.append(leg.look_at)
        if leg.judged_by:
            moments.append(leg.judged_by)
    for participant in conversation.participants:
        if participant.status in REACHING and participant.plan:
            deadline = deadline_of(participant, participant.plan)
            moments += [each for each in (deadline, participant.next_round_at) if each]
    conversation.due_at = min(moments, default=None)


def claim(step: Step) -> list[Command]:
    """The commands that are to be carried out now, by whoever made this step.

    Each is leased, so that nobody else sends it meanwhile, and the lease is stored before the
    command is sent: whoever finds it later knows that it may have been.
    """
    due = []
    for command in list(step.conversation.commands.values()):
        if not command.pending or step.now < command.not_before:
            continue
        due.append(command)
        command.claim(step.now)
    return due
