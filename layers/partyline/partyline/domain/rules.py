"""What follows from the state of a conversation, whatever brought it there.

Each rule looks at the whole state and the time, and does what is due by it; run again at once, it
does nothing more. So the order in which the facts came cannot matter, and a step that was lost
half-way is made good by the next one, whatever that is.
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
    Plan,
)
from partyline.domain.events import EventType
from partyline.domain.facts import accept
from partyline.domain.statuses import (
    CLOSED,
    GONE,
    ON_THE_LINE,
    REACHING,
    ConversationStatus,
    Direction,
    LegStatus,
    OnHangup,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.step import Step
from partyline.domain.telling import NAMELESS, THE_HOST, say

SCREENING_GRACE = timedelta(seconds=30)
"""What is added to a screening's own time: the sentence has to be spoken first."""

MIN_RING_SECS = 5
"""The shortest ring timeout that Telnyx takes (Telnyx API: POST /calls, timeout_secs)."""

MAX_INSIGHT_LOOKS = 3

BATCH = 20
"""How many messages go out in one request: each becomes an event, and a step holds 100 items."""

HANGUP_GRACE = timedelta(seconds=10)
"""How long after the assistant's end the hangup of the host, which may have caused it, may come."""

MAX_RESTARTS = 3


def judge(step: Step) -> None:
    """A verdict or a digit that has not come in time is decided by the documented default."""
    for participant, leg in step.conversation.legs():
        if leg.judged_by is None or step.now < leg.judged_by or not leg.up:
            continue
        leg.judged_by = None
        if leg.status is LegStatus.SCREENING:
            leg.outcome = leg.outcome or Outcome.NO_ANSWER
        else:
            leg.machine = False  # nobody told us: taken for a person
            step.leg_event(
                EventType.LEG_JUDGED, participant, leg, machine=False, reason="no_verdict"
            )


def admit(step: Step) -> None:
    """Whoever answers is accepted: at once, or once known to be no machine and willing to join."""
    for participant in step.conversation.participants:
        for leg in participant.legs:
            if participant.status in REACHING and leg.up and not step.conversation.over:
                _admit(step, participant, leg)


def _admit(step: Step, participant: Participant, leg: Leg) -> None:
    plan = participant.plan
    if leg.status is LegStatus.SCREENING and leg.outcome is Outcome.HUMAN:
        accept(step, participant, leg)
    if leg.status is not LegStatus.ANSWERED or leg.outcome is not None:
        return
    if plan and plan.machine_detection != "off":
        if leg.machine is None:
            return
        if leg.machine and plan.on_machine == "next":
            leg.outcome = Outcome.MACHINE
            return
    if plan and plan.screening:
        leg.judged_by = step.now + timedelta(seconds=plan.screening.timeout_secs) + SCREENING_GRACE
        step.owe(Action.SCREEN, participant, leg)
        step.move_leg(participant, leg, LegStatus.SCREENING)
        step.move_participant(participant, ParticipantStatus.SCREENING)
    else:
        accept(step, participant, leg)


def part(step: Step) -> None:
    """Whoever has hung up has left; whoever cannot be taken in any more is let go."""
    conversation = step.conversation
    for participant in conversation.participants:
        hung_up = participant.line is not None and not participant.line.up
        if hung_up and step.move_participant(participant, ParticipantStatus.LEFT):
            step.tell(participant, _departure(participant))
            if participant.joined_at and not conversation.over and not _ends_it(participant):
                _alone(step)
        if conversation.over:
            step.move_participant(participant, ParticipantStatus.FAILED, Outcome.CANCELLED)
        if conversation.status in CLOSED:
            step.move_participant(participant, ParticipantStatus.LEFT)
        if participant.status in GONE:
            for leg in participant.legs:
                if leg.up and leg.number != participant.accepted:
                    leg.outcome = leg.outcome or Outcome.CANCELLED


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


def hunt(step: Step) -> None:
    """The next number is tried when nothing can come of those before; after the last it is over."""
    if step.conversation.over:
        return
    for participant in step.conversation.participants:
        if participant.status not in REACHING:
            continue
        if participant.plan:
            _hunt(step, participant, participant.plan)
        elif all(leg.spent for leg in participant.legs):
            _give_up(step, participant, participant.legs[-1].outcome or Outcome.ERROR)


def _hunt(step: Step, participant: Participant, plan: Plan) -> None:
    tried, numbers = len(participant.legs), len(plan.to)
    deadline = deadline_of(participant, plan)
    if deadline and step.now >= deadline:
        _give_up(step, participant, Outcome.NO_ANSWER, reason="deadline")
        return
    if not all(leg.spent for leg in participant.legs):
        return
    if tried >= numbers * plan.max_attempts:
        _give_up(step, participant, participant.legs[-1].outcome or Outcome.ERROR)
        return
    round_over = tried > 0 and tried % numbers == 0
    if round_over and _pausing(step, participant, plan):
        return
    next_numbers = plan.to if plan.strategy == "at_once" else [plan.to[tried % numbers]]
    ringing = _guests_ringing(step)
    if ringing and ringing + len(next_numbers) > step.conversation.limits.legs_at_once:
        return  # its turn comes when others have been answered, or not
    participant.next_round_at = None
    if tried and not round_over:
        _tell_why(step, participant, "trying_next")
    ring = plan.ring_timeout_secs
    if deadline:
        ring = max(MIN_RING_SECS, min(ring, int((deadline - step.now).total_seconds())))
    for to in next_numbers:
        step.add_leg(participant, to, ring)


def _pausing(step: Step, participant: Participant, plan: Plan) -> bool:
    """Whether the next round is to wait for; the assistant hears of it as the pause begins."""
    if participant.next_round_at is None:
        participant.next_round_at = step.now + timedelta(seconds=plan.pause_secs)
        _tell_why(step, participant, "trying_again")
    return step.now < participant.next_round_at


def _guests_ringing(step: Step) -> int:
    return sum(
        leg.up and leg.number != participant.accepted and not participant.host
        for participant, leg in step.conversation.legs()
    )


def deadline_of(participant: Participant, plan: Plan) -> datetime | None:
    """When the whole plan has to have come to something."""
    if plan.deadline_secs is None:
        return None
    return participant.created_at + timedelta(seconds=plan.deadline_secs)


def _tell_why(step: Step, participant: Participant, key: str) -> None:
    if not participant.host:  # who is not there yet has nobody waiting for them
        step.tell(participant, key, participant.legs[-1].outcome or Outcome.ERROR)


def _give_up(
    step: Step, participant: Participant, outcome: Outcome, reason: str | None = None
) -> None:
    failure = participant.legs[-1].failure if participant.legs else None
    step.move_participant(
        participant,
        ParticipantStatus.FAILED,
        outcome,
        reason=reason,
        failure=failure and failure.model_dump(),
    )
    if len(participant.legs) > 1:
        step.tell(participant, "exhausted", outcome)
    else:
        step.tell(participant, outcome)


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
    if conversation.telnyx_ended_at is None or conversation.status in CLOSED:
        return
    heirs = [
        (each, each.line)
        for each in conversation.participants
        if each.status is ParticipantStatus.JOINED and not each.host and not each.removed
        if each.line and each.line.up and not step.command(Action.START, each, each.line)
    ]
    stays_up = host.line is not None and host.line.up
    in_time = step.now < conversation.telnyx_ended_at + HANGUP_GRACE
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
        host.line.look_at = step.now  # was it the host who left? the hangup may be on its way
    else:
        conversation.past_telnyx_ids.append(conversation.telnyx_conversation_id or UNKNOWN_ID)
        conversation.telnyx_conversation_id = conversation.telnyx_ended_at = None
        _introduce(step)
        command = step.owe(Action.START, *heirs[0])
        step.event(
            EventType.CONVERSATION_RESTARTED,
            participant_id=heirs[0][0].id,
            command_id=command.id,
        )


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
    if start is None or conversation.restarting or conversation.over:
        return
    for participant in conversation.participants:
        line = participant.line
        joined = participant.status is ParticipantStatus.JOINED and line is not None and line.up
        if joined and participant.run < conversation.run:
            if participant.id == start.participant_id:
                participant.run = conversation.run
            else:
                step.owe(Action.JOIN, participant, line, nth=conversation.run + 1)


def end(step: Step) -> None:
    """A conversation ends with its host or its last person, or when it was asked to stop."""
    conversation = step.conversation
    host = conversation.host
    people = conversation.participants
    if conversation.status is ConversationStatus.CONNECTING and host.status in GONE:
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


def connect(step: Step) -> None:
    """An inbound call is answered, the assistant started on the host's call, others joined."""
    conversation = step.conversation
    if conversation.over:
        return
    first = conversation.host.legs[0] if conversation.host.legs else None
    if conversation.direction is Direction.INBOUND and first and first.status is LegStatus.RINGING:
        step.owe(Action.ANSWER, conversation.host, first)
    start = conversation.start_command
    for participant in conversation.participants:
        line = participant.line
        if participant.status is not ParticipantStatus.WAITING or line is None:
            continue
        if participant.host:
            step.owe(Action.START, participant, line)
            step.move_participant(participant, ParticipantStatus.JOINING)
        elif conversation.active_at and conversation.telnyx_conversation_id:
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
        if conversation.telnyx_conversation_id:
            step.owe(Action.FETCH_INSIGHTS)


def watched(step: Step, participant: Participant, leg: Leg) -> bool:
    """Whether it matters to us what becomes of a call: not when it has gone back to its owner."""
    if not leg.up or not leg.call_control_id:
        return False
    return step.conversation.status not in CLOSED or not needed(step, participant, leg)
