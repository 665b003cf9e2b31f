"""Rules for how people are reached: numbers tried, answers judged, people accepted.

Each looks at the whole state and the time, and does what is due by it; run again at once, it does
nothing more. So the order in which the facts came cannot matter.
"""

from datetime import datetime, timedelta

from partyline.domain.commands import Action
from partyline.domain.conversation import (
    Leg,
    Participant,
    Plan,
)
from partyline.domain.events import EventType
from partyline.domain.facts import accept
from partyline.domain.statuses import (
    REACHING,
    LegStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.step import Step

SCREENING_GRACE = timedelta(seconds=30)
"""What is added to a screening's own time, which begins when its sentence has been spoken."""

SLOW_SPEECH = 8
"""Characters a second, at the least, in which the sentence is spoken."""

MIN_RING_SECS = 5
"""The shortest ring timeout that Telnyx takes (Telnyx API: POST /calls, timeout_secs)."""


def judge(step: Step) -> None:
    """A verdict or a digit that has not come in time is decided by the documented default."""
    for participant, leg in step.conversation.legs():
        if leg.judged_by is None or step.now < leg.judged_by:
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
    for participant, leg in step.conversation.legs():
        if participant.status in REACHING:
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
    if plan and plan.screening and not leg.machine:  # a machine presses nothing
        secs = plan.screening.timeout_secs + len(plan.screening.say) / SLOW_SPEECH
        leg.judged_by = step.now + timedelta(seconds=secs) + SCREENING_GRACE
        step.owe(Action.SCREEN, participant, leg)
        step.move_leg(participant, leg, LegStatus.SCREENING)
        step.move_participant(participant, ParticipantStatus.SCREENING)
    else:
        accept(step, participant, leg)


def hunt(step: Step) -> None:
    """The next number is tried when nothing can come of those before; after the last it is over."""
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
        _give_up(step, participant, _by_deadline(participant), reason="deadline")
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


def _by_deadline(participant: Participant) -> Outcome:
    """How it stood when the time was up: no turn came, somebody rang, or the last call was over."""
    if not participant.legs:
        return Outcome.LIMITED
    newest = participant.legs[-1]
    return (newest.spent and newest.outcome) or Outcome.NO_ANSWER


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
    if reason == "deadline":
        step.tell(participant, reason)
    elif len(participant.legs) > 1:
        step.tell(participant, "exhausted", outcome)
    else:
        step.tell(participant, outcome)
