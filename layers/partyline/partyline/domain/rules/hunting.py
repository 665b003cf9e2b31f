"""Rules for reaching people: the numbers of a plan are dialled, until an answered call is accepted.

A call that is busy, unanswered or answered by a machine leads to the next number (`hunt`).

Each rule looks at the whole state and the time, and does the work that is due. Run again at once, a
rule has no effect, so the order in which the facts came does not matter.
"""

from datetime import datetime, timedelta

from partyline.domain.model.commands import Action
from partyline.domain.model.events import EventType
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.statuses import (
    BEING_REACHED,
    NOT_JOINED_YET,
    LegStatus,
    Outcome,
    ParticipantStatus,
)
from partyline.domain.model.timeouts import GUESTS_WAIT_FOR_HOST, MIN_RING_SECS, SCREENING_GRACE
from partyline.domain.rules.facts import accept_leg
from partyline.domain.rules.leaving import host_failure
from partyline.domain.rules.outcomes import inferred_outcome
from partyline.domain.rules.spoken import render_spoken, speaking_time
from partyline.domain.rules.transition import Transition


def apply_verdict_timeouts(transition: Transition) -> None:
    """Decide verdicts and digits that have not come in time by the documented default."""
    for participant, leg in transition.conversation.legs():
        if leg.verdict_deadline is None or transition.now < leg.verdict_deadline:
            continue
        leg.verdict_deadline = None
        if leg.status is LegStatus.SCREENING:
            _answer_lost(transition, participant, leg)
        else:
            # No verdict counts as a person, a suspected machine as a machine. A phone that screens
            # the call, and after which no verdict comes, counts as a machine.
            machine = leg.machine = leg.machine_suspected
            reason = None if machine else "no_verdict"
            judged = EventType.LEG_JUDGED
            transition.add_leg_event(judged, participant, leg, machine=machine, reason=reason)


def _answer_lost(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Let a question without a webhook be asked once more; a second one is `no_answer`."""
    questions = [
        command
        for command in transition.conversation.commands.values()
        if command.action is Action.SCREEN and command.is_for(participant.id, leg.number)
    ]
    if any(question.is_pending for question in questions):  # Telnyx may not have it yet
        leg.verdict_deadline = transition.now + SCREENING_GRACE
        return
    leg.lost_answers += 1
    if leg.lost_answers > 1:
        leg.outcome = leg.outcome or Outcome.NO_ANSWER


def accept_answered(transition: Transition) -> None:
    """Accept answered calls: at once, or after the machine detection and the screening."""
    for participant, leg in transition.conversation.legs():
        if participant.status in BEING_REACHED:
            _accept_answered(transition, participant, leg)


def _accept_answered(transition: Transition, participant: Participant, leg: Leg) -> None:
    plan = participant.plan
    if leg.status is LegStatus.SCREENING:
        _screened(transition, participant, leg)
    if leg.status is not LegStatus.ANSWERED or leg.outcome is not None:
        return
    if plan and plan.machine_detection != "off":
        if leg.machine is None:
            _hold(transition, participant, leg, plan)
            return
        if leg.machine and plan.message:
            return  # see `leave_messages`
        if leg.machine and plan.on_machine == "next":
            leg.outcome, leg.is_inferred = leg.machine_outcome, True
            return
    if plan and plan.screening and not leg.machine:  # a machine presses no digit
        transition.move_leg(participant, leg, LegStatus.SCREENING)
        transition.move_participant(participant, ParticipantStatus.SCREENING)
        _screened(transition, participant, leg)
    else:
        accept_leg(transition, participant, leg)


def _hold(transition: Transition, participant: Participant, leg: Leg, plan: Plan) -> None:
    """Say a word to a person who waits for the verdict; the end of the word ends the wait."""
    if plan.waiting_words and not transition.has_command(Action.HOLD, participant, leg):
        transition.add_command(Action.HOLD, participant, leg)


def _screened(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Ask the person, ask once more after a mistaken key or a lost answer, or accept the person."""
    plan = participant.plan
    if leg.outcome is None and leg.screening_result:  # the keys came before the answer
        leg.outcome, leg.is_inferred = leg.screening_result, True
    if leg.outcome is None and leg.machine and plan:  # the proof of a machine came late
        leg.outcome, leg.is_inferred = leg.machine_outcome, True
    if leg.outcome is Outcome.HUMAN or (leg.machine and plan and plan.on_machine == "join"):
        accept_leg(transition, participant, leg)
    if leg.outcome is not None or plan is None or plan.screening is None:
        return
    asked = leg.wrong_keys + leg.lost_answers
    nth = asked + 1 if asked else None
    if transition.has_command(Action.SCREEN, participant, leg, nth=nth):
        return
    text = render_spoken(transition.conversation, participant, plan, plan.screening.say)
    answer_time = timedelta(seconds=plan.screening.timeout_secs)
    leg.verdict_deadline = transition.now + speaking_time(text) + answer_time + SCREENING_GRACE
    transition.add_command(Action.SCREEN, participant, leg, nth=nth)


def unaccept_machines(transition: Transition) -> None:
    """Treat a call as answered by a machine, if the proof comes before the person is joined."""
    for participant in transition.conversation.participants:
        leg, plan = participant.active_leg, participant.plan
        if participant.status not in NOT_JOINED_YET or participant.host or not leg or not plan:
            continue
        if leg.machine and leg.is_up and plan.on_machine != "join":
            leg.outcome, leg.is_inferred = leg.machine_outcome, True
            transition.move_participant(participant, ParticipantStatus.DIALING)


def correct_outcomes(transition: Transition) -> None:
    """Correct the outcome of a call that is over by webhooks that came after its hangup.

    So the same webhooks give the same outcome in any order. A participant whose last call is
    corrected, and a conversation that failed with its host, are corrected too. The next number has
    been dialled meanwhile, if there is one: that number would have been dialled anyway.
    """
    conversation = transition.conversation
    failure = host_failure(conversation.host)
    for participant in conversation.participants:
        if participant.joined_at or not participant.legs:
            continue
        before = _outcome_of_last_try(participant)
        corrected = [_correct(transition, participant, leg) for leg in participant.legs]
        if not any(corrected) or participant.status is not ParticipantStatus.FAILED:
            continue
        outcome = _outcome_of_last_try(participant)
        if participant.outcome is before and outcome is not before and not participant.removed:
            participant.outcome = outcome
            transition.add_message(participant, outcome)
    if conversation.failure is not None and conversation.failure == failure:
        conversation.failure = host_failure(conversation.host)


def _correct(transition: Transition, participant: Participant, leg: Leg) -> bool:
    if leg.is_up or not leg.is_inferred or leg.failure:
        return False
    outcome = inferred_outcome(participant, leg)
    if outcome is leg.outcome:
        return False
    leg.outcome = outcome
    transition.add_leg_event(EventType.LEG_CORRECTED, participant, leg)
    return True


def hunt(transition: Transition) -> None:
    """Dial the next number when all calls before have failed; after the last number, give up."""
    for participant in transition.conversation.participants:
        if participant.status not in BEING_REACHED or _waits_for_host(transition, participant):
            continue
        if any(leg.outcome is Outcome.VOICEMAIL_LEFT for leg in participant.legs):
            _give_up(transition, participant, Outcome.VOICEMAIL_LEFT)
        elif participant.plan:
            _hunt(transition, participant, participant.plan)
        elif all(leg.is_finished for leg in participant.legs):
            _give_up(transition, participant, _outcome_of_last_try(participant))


def _hunt(transition: Transition, participant: Participant, plan: Plan) -> None:
    participant.hunt_began_at = participant.hunt_began_at or transition.now
    tried, numbers = participant.legs_tried, len(plan.to)
    deadline = deadline_of(participant, plan)
    if deadline and transition.now >= deadline:
        outcome = _outcome_at_deadline(transition, participant)
        _give_up(transition, participant, outcome, why="deadline")
        return
    unfinished = [leg for leg in participant.legs if not leg.is_finished]
    if not any(leg.status is LegStatus.SCREENING for leg in unfinished):
        transition.move_participant(participant, ParticipantStatus.DIALING)
    if unfinished:
        return
    if tried >= numbers * plan.max_attempts:
        _give_up(transition, participant, _outcome_of_last_try(participant))
        return
    round_over = tried > 0 and tried % numbers == 0
    if round_over and _is_pausing(transition, participant, plan):
        return
    next_numbers = plan.to if plan.strategy == "at_once" else [plan.to[tried % numbers]]
    ringing = _ringing(transition)
    if ringing and ringing + len(next_numbers) > transition.conversation.limits.legs_at_once:
        return  # tried when other calls have been answered or have failed
    participant.next_round_at = None
    if tried and not round_over:
        _report_failed_try(transition, participant, "trying_next")
    ring = plan.ring_timeout_secs
    if deadline:
        ring = max(MIN_RING_SECS, min(ring, int((deadline - transition.now).total_seconds())))
    for to in next_numbers:
        transition.add_leg(participant, to, ring)


def _waits_for_host(transition: Transition, participant: Participant) -> bool:
    """Whether a guest is called later, because the host's plan may take long.

    Otherwise the guest could answer, and wait alone until the last number of the host was tried.
    """
    host = transition.conversation.host
    if participant.host or participant.legs_tried or host.status not in BEING_REACHED:
        return False
    return host.plan is not None and host.plan.tries > 1


def _is_pausing(transition: Transition, participant: Participant, plan: Plan) -> bool:
    """Whether the pause before the next round lasts; its beginning is told to the assistant."""
    if participant.next_round_at is None:
        participant.next_round_at = transition.now + timedelta(seconds=plan.pause_secs)
        _report_failed_try(transition, participant, "trying_again")
        if participant.host and timedelta(seconds=plan.pause_secs) > GUESTS_WAIT_FOR_HOST:
            _release_waiting_guests(transition)
    return transition.now < participant.next_round_at


def _release_waiting_guests(transition: Transition) -> None:
    """Give up guests who wait on the line for a host who is not called for long."""
    for guest in transition.conversation.participants[1:]:
        if (
            guest.plan
            and guest.legs_tried
            and guest.status in (*BEING_REACHED, ParticipantStatus.WAITING)
        ):
            transition.move_participant(guest, ParticipantStatus.FAILED, Outcome.CANCELLED)
            transition.add_message(guest, Outcome.CANCELLED)


def _ringing(transition: Transition) -> int:
    """Count the calls that ring; a host who is called on a single number does not count."""
    return sum(
        leg.is_up and leg.number != participant.accepted_leg
        for participant, leg in transition.conversation.legs()
        if not participant.host
        or (participant.plan is not None and participant.plan.strategy == "at_once")
    )


def deadline_of(participant: Participant, plan: Plan) -> datetime | None:
    """Return the deadline of the whole plan, if set and if the person is being called.

    A message that has begun has no deadline.
    """
    takes_message = any(leg.takes_message for leg in participant.legs)
    if plan.deadline_secs is None or participant.hunt_began_at is None or takes_message:
        return None
    return participant.hunt_began_at + timedelta(seconds=plan.deadline_secs)


def _outcome_at_deadline(transition: Transition, participant: Participant) -> Outcome:
    """Return the outcome at the deadline: no call was made, a call rang, or the last call ended."""
    if not participant.legs:
        return Outcome.LIMITED
    dial = transition.command_for(Action.DIAL, participant, participant.legs[-1])
    if dial and dial.is_pending and dial.sent_at is None:
        return Outcome.LIMITED  # Telnyx took no dial until now
    finished = participant.legs[-1].is_finished
    return _outcome_of_last_try(participant) if finished else Outcome.NO_ANSWER


def _outcome_of_last_try(participant: Participant) -> Outcome:
    """Return the outcome of the newest call, or of those that were dialled together.

    Calls that we cancelled in favour of another call do not count. A person who answered, waited
    for the assistant and hung up is `no_answer`, like a person who hears a screening and presses no
    digit: the person did not decline, and we did not cancel the call.
    """
    newest = participant.legs[-1]
    together = [leg for leg in participant.legs if leg.created_at == newest.created_at]
    outcomes = [leg.outcome for leg in together if leg.outcome not in (None, Outcome.CANCELLED)]
    outcome = outcomes[-1] if outcomes else newest.outcome
    return Outcome.NO_ANSWER if outcome is Outcome.HUMAN else outcome or Outcome.ERROR


def _report_failed_try(transition: Transition, participant: Participant, key: str) -> None:
    if not participant.host:  # without the host, no assistant runs
        transition.add_message(participant, key, _outcome_of_last_try(participant))


def _give_up(transition: Transition, person: Participant, outcome: Outcome, why: str = "") -> None:
    failure = person.legs[-1].failure if person.legs else None
    data = {"reason": why or None, "failure": failure}
    transition.move_participant(person, ParticipantStatus.FAILED, outcome, **data)
    if why:
        transition.add_message(person, why)
    elif person.legs_tried > 1 and outcome is not Outcome.VOICEMAIL_LEFT:
        transition.add_message(person, "exhausted", outcome)
    else:
        transition.add_message(person, outcome)
