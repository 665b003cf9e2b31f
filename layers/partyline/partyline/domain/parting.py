"""Rules for leaving and ending: who has left, what goes on without them, and what ends.

Like all rules they look at the whole state (see `reaching`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from partyline.domain.commands import Action, Message
from partyline.domain.conversation import (
    UNKNOWN_ID,
    Conversation,
    Failure,
    Leg,
    Participant,
)
from partyline.domain.events import EventType
from partyline.domain.statuses import (
    CLOSED,
    GONE,
    ON_THE_LINE,
    ConversationStatus,
    OnHangup,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.step import Step
from partyline.domain.telling import NAMELESS, THE_HOST, say

HANGUP_GRACE = timedelta(seconds=10)
"""How long after the assistant's end the hangup of the host, which may have caused it, may come."""

END_GRACE = timedelta(seconds=30)
"""How long after its insights the word of the assistant's end, or a hangup, may still come."""

MAX_RESTARTS = 3


def part(step: Step) -> None:
    """Whoever has hung up has left; whoever cannot be taken in any more is let go."""
    conversation = step.conversation
    for participant in conversation.participants:
        line = participant.line
        if line is not None and not line.up:
            _hung_up(step, participant, line)
        if conversation.over:
            step.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        if conversation.status in CLOSED:
            step.move_participant(participant, ParticipantStatus.LEFT)
        if participant.status in GONE:
            for leg in participant.legs:
                leg.outcome = leg.outcome or Outcome.CANCELLED


def _hung_up(step: Step, participant: Participant, line: Leg) -> None:
    """Who was joined, or was to be, has left; others came to nothing."""
    nothing = None
    if participant.joined_at is None and line.failure:
        nothing = Outcome.UNREACHABLE  # a call that was given to us, and was over before
    elif participant.status is ParticipantStatus.WAITING and not participant.host:
        nothing = Outcome.DECLINED  # did not wait for the assistant
    if nothing:
        if step.move_participant(participant, ParticipantStatus.FAILED, nothing):
            step.tell(participant, nothing)
    elif step.move_participant(participant, ParticipantStatus.LEFT):
        step.tell(participant, _departure(participant))
        if participant.joined_at and not step.conversation.over and not _ends_it(participant):
            _alone(step)


def _departure(participant: Participant) -> str:
    if participant.joined_at:
        return "left"
    return Outcome.CANCELLED if participant.removed else Outcome.DECLINED


def _alone(step: Step) -> None:
    joined = [
        each for each in step.conversation.participants if each.status is ParticipantStatus.JOINED
    ]
    if len(joined) == 1:
        step.event(EventType.PARTICIPANT_ALONE, participant_id=joined[0].id, name=joined[0].name)


def outlive(step: Step) -> None:
    """When the assistant's conversation ends at Telnyx, ours does too, unless it outlives its host.

    What Telnyx does when the first caller hangs up and others are joined is not documented. If the
    host's `on_hangup` is to continue and guests still talk, the assistant is started anew on a
    guest's call, and the others are joined to it again.
    """
    conversation, host = step.conversation, step.conversation.host
    start = conversation.start_command
    if conversation.restarting and start and start.status == "failed":
        conversation.telnyx_ended_at = step.now  # not on that call; on another, maybe
    unheard_at = unheard_end_of(conversation)
    if unheard_at and step.now >= unheard_at:
        conversation.telnyx_ended_at = step.now
    if conversation.telnyx_ended_at is None:
        return
    heirs = [
        (each, each.line)
        for each in conversation.participants
        if each.status is ParticipantStatus.JOINED and not each.host and not each.removed
        if each.line and not step.command(Action.START, each, each.line)
    ]
    stays_up = host.line is not None and host.line.up
    awaited_until = host_awaited_until(conversation)
    in_time = awaited_until is not None and step.now < awaited_until
    if (
        conversation.status is not ConversationStatus.ACTIVE
        or host.on_hangup is OnHangup.END
        or not heirs
        or conversation.run >= MAX_RESTARTS
        or (stays_up and not in_time)
    ):
        reason = conversation.telnyx_ended_reason or "ended_by_telnyx"
        step.move(ConversationStatus.ENDED, reason=reason)
    elif stays_up and host.line:
        # Was it the host who left? Telnyx is asked once; the hangup may be on its way.
        looked_at = host.line.looked_at
        if looked_at is None or looked_at < conversation.telnyx_ended_at:
            host.line.look_at = step.now
    else:
        _start_anew(step, *heirs[0])


def _start_anew(step: Step, heir: Participant, line: Leg) -> None:
    conversation = step.conversation
    conversation.past_telnyx_ids.append(conversation.telnyx_conversation_id or UNKNOWN_ID)
    conversation.telnyx_conversation_id = conversation.telnyx_ended_at = None
    _introduce(step)
    command = step.owe(Action.START, heir, line)
    step.event(EventType.CONVERSATION_RESTARTED, participant_id=heir.id, command_id=command.id)


def host_awaited_until(conversation: Conversation) -> datetime | None:
    """Until when the host's hangup may come that explains why the assistant has ended."""
    ended_at = conversation.telnyx_ended_at
    if ended_at is None or conversation.status is not ConversationStatus.ACTIVE:
        return None
    return ended_at + HANGUP_GRACE


def unheard_end_of(conversation: Conversation) -> datetime | None:
    """When an assistant whose insights have come counts as ended, though nobody said so."""
    concluded_at, ended_at = conversation.concluded_at, conversation.telnyx_ended_at
    active = conversation.status is ConversationStatus.ACTIVE and conversation.run == 0
    return concluded_at + END_GRACE if concluded_at and not ended_at and active else None


def _introduce(step: Step) -> None:
    """The assistant that is started anew is told first who is there: it remembers nothing."""
    conversation = step.conversation
    people = conversation.participants
    content = say(
        conversation.words,
        "goes_on",
        name=_names(each for each in people if each.joined_at and each.status in GONE),
        reason=_names(each for each in people if each.status is ParticipantStatus.JOINED),
    )
    told = Message(role="system", content=content)
    if told not in conversation.untold:  # it may have been tried on another call before
        conversation.untold.insert(0, told)


def _names(people: Iterable[Participant]) -> str:
    return ", ".join(each.name or (THE_HOST if each.host else NAMELESS) for each in people)


def rejoin(step: Step) -> None:
    """Where the assistant was started anew, whoever was joined before is joined again."""
    conversation, start = step.conversation, step.conversation.start_command
    if start is None or conversation.restarting:
        return
    for participant in conversation.participants:
        if participant.status is ParticipantStatus.JOINED and participant.run < conversation.run:
            if participant.id == start.participant_id:
                participant.run = conversation.run
            else:
                step.owe(Action.JOIN, participant, participant.line, nth=conversation.run + 1)


def end(step: Step) -> None:
    """A conversation ends with its host or its last person, or when it was asked to stop."""
    conversation = step.conversation
    host = conversation.host
    people = conversation.participants
    if host.status in GONE:  # of one that has been active this moves nothing
        step.move(ConversationStatus.FAILED, _host_failure(host))
    over_at = time_limit_of(conversation)
    if over_at and step.now >= over_at:
        step.stop(hang_up=True, reason="time_limit")
    if conversation.status is ConversationStatus.ACTIVE:
        leaver = next((p for p in people if p.joined_at and _ends_it(p)), None)
        if leaver:
            step.stop(hang_up=True, reason="host_left" if leaver.host else "participant_left")
        elif not any(p.status in ON_THE_LINE for p in people):
            step.stop(hang_up=True, reason="nobody_left")
    if conversation.status is ConversationStatus.STOPPING and _has_stopped(step):
        step.move(ConversationStatus.ENDED)


def time_limit_of(conversation: Conversation) -> datetime | None:
    """When an active conversation is ended, whoever is still talking."""
    minutes = conversation.limits.minutes
    if minutes is None or conversation.status is not ConversationStatus.ACTIVE:
        return None
    return (conversation.active_at or conversation.created_at) + timedelta(minutes=minutes)


def _ends_it(participant: Participant) -> bool:
    return participant.status is ParticipantStatus.LEFT and participant.on_hangup is OnHangup.END


def _host_failure(host: Participant) -> Failure:
    leg = host.legs[-1] if host.legs else None
    if leg and leg.failure:
        return leg.failure
    if leg and leg.answered_at and host.outcome is None:
        return Failure(code="hung_up", message="The host hung up before the assistant ran.")
    outcome = host.outcome or (leg and leg.outcome) or Outcome.ERROR
    return Failure(code=outcome, message=f"The host was not reached: {outcome}.")


def _has_stopped(step: Step) -> bool:
    conversation = step.conversation
    if not _may_run(step):
        return True
    if conversation.stop_by and step.now >= conversation.stop_by:
        return True
    return not any(leg.up for _, leg in conversation.legs())


def _may_run(step: Step) -> bool:
    """Whether the assistant has been started, for all we know."""
    start = step.conversation.start_command
    known = step.conversation.active_at is not None
    return known or (start is not None and start.status != "failed")
