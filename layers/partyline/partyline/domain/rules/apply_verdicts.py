"""Recording the answers to questions: who answered, a person or a machine, and the pressed keys."""

from partyline.domain.model import inputs, statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import SCREENING_DETECTION, Leg, Participant
from partyline.domain.model.events import EventType
from partyline.domain.model.statuses import Outcome, ParticipantStatus
from partyline.domain.model.timeouts import HANGUP_POLL_DELAY, PROMPT_END_WAIT, SCREENING_GRACE
from partyline.domain.rules import facts
from partyline.domain.rules.call_ids import locate_leg
from partyline.domain.rules.transition import Transition

MISTAKES = 1  # how many other keys than the accepting key are a mistake, and no refusal

KEY_PRESSED_STATUSES = ("valid", "invalid")
"""How a gather ends when a key was pressed (Telnyx API: call.gather.ended, status)."""


def machine_verdict(transition: Transition, webhook: inputs.MachineVerdict) -> None:
    """Record a verdict. The proof of a machine stands, whatever other verdicts say.

    A machine that may be an iPhone that screens the call is suspected only, and is no proof.
    """
    located = locate_leg(transition, webhook)
    if located is None:
        return
    participant, leg = located
    if leg.machine or leg.machine is webhook.machine:
        return
    # A verdict may come before `call.answered`, and is always of an answered call.
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    if webhook.machine and webhook.by_speech and _may_be_screened(participant, leg, webhook):
        if leg.screened_at is None and leg.machine is None and leg.is_up:
            leg.machine_suspected = True
            leg.verdict_deadline = transition.now + PROMPT_END_WAIT
        return
    is_late = leg.machine is not None
    leg.machine = webhook.machine
    if leg.status is statuses.LegStatus.ANSWERED:
        leg.verdict_deadline = None
    reason = "late_proof" if is_late else None
    at = webhook.occurred_at
    judged = EventType.LEG_JUDGED
    transition.add_leg_event(judged, participant, leg, at, machine=leg.machine, reason=reason)
    if is_late and participant.status is ParticipantStatus.JOINED and leg.is_up:
        _machine_has_joined(transition, participant)


def _may_be_screened(person: Participant, leg: Leg, verdict: inputs.MachineVerdict) -> bool:
    """Whether a machine that was heard to speak may be an iPhone that screens the call.

    The detection that Telnyx starts again, after the tone of the iPhone, has the last word.
    """
    if person.plan is None or person.plan.machine_detection != SCREENING_DETECTION:
        return False
    screened_at, judged_at = leg.screened_at, verdict.occurred_at
    return screened_at is None or (judged_at is not None and judged_at < screened_at)


def call_screening_detected(transition: Transition, webhook: inputs.CallScreeningDetected) -> None:
    """Record the tone of an iPhone that screens the call: the wait for a verdict begins again."""
    located = locate_leg(transition, webhook)
    if located is None or located[1].machine is not None or not located[1].is_up:
        return
    participant, leg = located
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    leg.screened_at = leg.screened_at or webhook.occurred_at or transition.now
    leg.machine_suspected = False
    facts.await_verdict(transition, participant, leg)


def _machine_has_joined(transition: Transition, participant: Participant) -> None:
    """Tell the assistant that a machine is on the line, or remove the machine, by the plan."""
    transition.add_message(participant, "late_machine")
    if participant.plan and participant.plan.on_late_machine == "remove":
        participant.removed = True


def digits_gathered(transition: Transition, webhook: inputs.DigitsGathered) -> None:
    """Record the keys of a screening. A mistaken key may be corrected once.

    The keys count, not their order: the accepting key accepts, a second mistake declines.
    """
    located = locate_leg(transition, webhook)
    if located is None:
        return
    participant, leg = located
    for command in transition.conversation.commands.values():
        asks = command.action in (Action.SCREEN, Action.HOLD)
        if asks and command.is_for(participant.id, leg.number):
            facts.settle(transition, command)
    if leg.is_held and _ends_hold(transition, participant, leg, webhook):
        return
    screening = participant.plan and participant.plan.screening
    if not screening or webhook.status == "cancelled_amd":  # by the machine detection
        return
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    if webhook.status == "call_hangup" and not webhook.digits:  # `call.hangup` tells the cause
        if leg.status is statuses.LegStatus.SCREENING and leg.outcome is None:
            leg.verdict_deadline = None
            leg.poll_at = transition.now + HANGUP_POLL_DELAY
        return
    _count_keys(leg, webhook, screening.accept_digit)
    if leg.is_up and leg.outcome is None and leg.screening_result:
        leg.outcome, leg.is_inferred = leg.screening_result, True


def _ends_hold(
    transition: Transition, participant: Participant, leg: Leg, webhook: inputs.DigitsGathered
) -> bool:
    """Record the end of the wait for a verdict. Returns whether the webhook was about the wait.

    Telnyx has one gather at a time on a call, so a screening cancels the wait. A timeout that comes
    before the screening can have timed out is of the wait.
    """
    cancelled = webhook.status in ("cancelled", "cancelled_amd")
    if leg.status is statuses.LegStatus.SCREENING:
        early = leg.verdict_deadline and transition.now < leg.verdict_deadline - SCREENING_GRACE
        leg.is_held = not (cancelled or (webhook.status == "timeout" and early))
        return not leg.is_held
    leg.is_held = False
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    pressed = webhook.digits or webhook.status in KEY_PRESSED_STATUSES
    if leg.machine is None and pressed:  # a machine presses no key
        leg.machine, leg.verdict_deadline = False, None
        judged = EventType.LEG_JUDGED
        transition.add_leg_event(judged, participant, leg, machine=False, reason="key_pressed")
    elif _ends_wait(participant, leg, webhook):
        leg.verdict_deadline = transition.now
    return True


def _ends_wait(participant: Participant, leg: Leg, webhook: inputs.DigitsGathered) -> bool:
    """Whether the end of the words ends the wait too. A screened call begins its wait again."""
    screens = participant.plan and participant.plan.machine_detection == SCREENING_DETECTION
    waits = leg.machine is None and leg.verdict_deadline is not None
    return waits and webhook.status == "timeout" and not screens


def _count_keys(leg: Leg, webhook: inputs.DigitsGathered, accept_digit: str) -> None:
    if leg.screening_result is Outcome.HUMAN:
        return
    if webhook.digits == accept_digit:
        leg.screening_result = Outcome.HUMAN
        return
    pressed = webhook.digits or webhook.status in KEY_PRESSED_STATUSES
    leg.wrong_keys += bool(pressed)
    silent = not pressed or leg.screening_result is Outcome.NO_ANSWER
    if leg.wrong_keys > MISTAKES or (leg.wrong_keys and silent):
        leg.screening_result = Outcome.DECLINED
    elif silent:
        leg.screening_result = Outcome.NO_ANSWER
