"""Recording the answers to questions: who answered, a person or a machine, and the pressed keys."""

from datetime import datetime

from partyline.domain.model import inputs, statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.events import EventType
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import Plan
from partyline.domain.model.statuses import Outcome, ParticipantStatus
from partyline.domain.model.timeouts import HANGUP_POLL_DELAY
from partyline.domain.rules import facts
from partyline.domain.rules.call_ids import locate_leg
from partyline.domain.rules.machines import screen_time
from partyline.domain.rules.transition import Transition

MISTAKES = 1  # how many other keys than the accepting key are a mistake, and no refusal

WAITS = (Action.HOLD, Action.IDENTIFY)
"""The words before the verdict of the machine detection."""

GREETING_ENDS = frozenset({"beep_detected", "no_beep_detected", "ended"})
"""Results of a greeting that is over. `prompt_ended` may come before the end of a greeting."""

MACHINE_PROOFS = frozenset({"beep_detected", "ended", "prompt_ended"})
"""Ends of a greeting that only a machine's greeting has."""

KEY_PRESSED_STATUSES = ("valid", "invalid")
"""How a gather ends when a key was pressed (Telnyx API: call.gather.ended, status)."""


def machine_verdict(transition: Transition, webhook: inputs.MachineVerdict) -> None:
    """Record a verdict. The proof of a machine stands, whatever other verdicts say.

    Where a phone may screen the call, speech alone is no proof (see `_rejudge_speech`).
    """
    located = locate_leg(transition, webhook)
    if located is None:
        return
    participant, leg = located
    plan, at = participant.plan, webhook.occurred_at
    # A verdict may come before `call.answered`, and is always of an answered call.
    facts.leg_answered(transition, participant, leg, at)
    if not (webhook.machine and webhook.by_speech and plan and plan.may_be_screened):
        _judge(transition, participant, leg, machine=webhook.machine, at=at)
        return
    heard_at = at or leg.created_at  # without a time, before the tone
    leg.heard_at = max(leg.heard_at or heard_at, heard_at)
    if leg.screened_at is None and leg.machine is None and leg.is_up:
        leg.verdict_deadline = transition.now + plan.prompt_end_wait
    _rejudge_speech(transition, participant, leg, at)


def greeting_ended(transition: Transition, webhook: inputs.GreetingEnded) -> None:
    """Record the end of a machine's greeting. After an early beep, no other verdict comes.

    The end of a prompt without a beep may be that of a phone without the tone of an iPhone. Such a
    phone hears the plan's words, if the plan has some; else, the prompt is a machine's greeting.
    """
    located = locate_leg(transition, webhook)
    if located is None:
        return
    participant, leg = located
    plan, at = participant.plan, webhook.occurred_at
    facts.leg_answered(transition, participant, leg, at)
    ended_at = at or transition.now
    voicemail = leg.voicemail
    if webhook.result in GREETING_ENDS:
        voicemail.greeting_ended_at = voicemail.greeting_ended_at or ended_at
    elif webhook.result == "prompt_ended":
        voicemail.prompt_ended_at = voicemail.prompt_ended_at or ended_at
    elif webhook.result == "not_sure":
        voicemail.greeting_unsure = True
    if webhook.result == "prompt_ended" and plan and plan.on_screen:
        _screening_began(transition, participant, leg, at)
    elif webhook.result in MACHINE_PROOFS:
        _judge(transition, participant, leg, machine=True, at=at)


def call_screening_detected(transition: Transition, webhook: inputs.CallScreeningDetected) -> None:
    """Record the tone of an iPhone that screens the call."""
    located = locate_leg(transition, webhook)
    if located is None:
        return
    participant, leg = located
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    _screening_began(transition, participant, leg, webhook.occurred_at)


def _screening_began(
    transition: Transition, participant: Participant, leg: Leg, at: datetime | None
) -> None:
    """Record that a phone screens the call: the wait for a verdict begins again.

    The wait is longer by the time in which the phone hears the plan's words.
    """
    if leg.screened_at is None:
        leg.screened_at = at or transition.now
        transition.add_leg_event(EventType.LEG_SCREENED, participant, leg, at)
    _rejudge_speech(transition, participant, leg, leg.heard_at)
    if leg.machine is None and leg.is_up:
        facts.await_verdict(transition, participant, leg)
        if leg.verdict_deadline:
            leg.verdict_deadline += screen_time(transition.conversation, participant)


def _rejudge_speech(
    transition: Transition, participant: Participant, leg: Leg, at: datetime | None
) -> None:
    """Judge the speech on a call: after the tone of an iPhone, that speech is a machine's.

    Telnyx starts the detection again after the tone, so that verdict has the last word. Either
    webhook may come first, and their times decide.
    """
    if leg.heard_at and leg.screened_at and leg.heard_at > leg.screened_at:
        _judge(transition, participant, leg, machine=True, at=at)


def _judge(
    transition: Transition,
    participant: Participant,
    leg: Leg,
    *,
    machine: bool,
    at: datetime | None = None,
    reason: str | None = None,
) -> None:
    """Record that a machine or a person answered. A machine stays a machine."""
    if leg.machine or leg.machine is machine:
        return
    is_late = leg.machine is not None
    leg.machine = machine
    if leg.status is statuses.LegStatus.ANSWERED:
        leg.verdict_deadline = None
    reason = "late_proof" if is_late else reason
    judged = EventType.LEG_JUDGED
    transition.add_leg_event(judged, participant, leg, at, machine=machine, reason=reason)
    if is_late and participant.status is ParticipantStatus.JOINED and leg.is_up:
        _machine_has_joined(transition, participant)


def _machine_has_joined(transition: Transition, participant: Participant) -> None:
    """Tell the assistant that a machine is on the line, or remove the machine, by the plan."""
    transition.add_message(participant, "late_machine")
    if participant.plan and participant.plan.on_late_machine == "remove":
        participant.removed = True


def digits_gathered(transition: Transition, webhook: inputs.DigitsGathered) -> None:
    """Record the keys of a screening, or the end of the words to a person who waits.

    The keys count, not their order: the accepting key accepts, a second mistake declines. So a
    mistaken key may be corrected once. A machine presses no key, so any key proves a person.
    """
    located = locate_leg(transition, webhook)
    if located is None:
        return
    participant, leg = located
    plan = participant.plan
    of_wait = plan is not None and _is_of_wait(plan, webhook)
    for command in list(transition.conversation.commands.values()):
        asks = command.action in WAITS or (command.action is Action.SCREEN and not of_wait)
        if asks and command.is_for(participant.id, leg.number):
            facts.settle(transition, command)
    if plan is None or not (plan.screening or plan.waiting_words or plan.on_screen):
        return
    facts.leg_answered(transition, participant, leg, webhook.occurred_at)
    if _has_key(webhook) and plan.wait_for_verdict:
        _judge(transition, participant, leg, machine=False, reason="key_pressed")
    elif of_wait and webhook.status == "timeout" and not plan.may_be_screened:
        # The end of the words ends the wait. On a screened call, the wait may begin again.
        _judge(transition, participant, leg, machine=False, reason="no_verdict")
    if plan.screening and not of_wait:
        _screening_answered(transition, leg, webhook, plan.screening.accept_digit)


def _is_of_wait(plan: Plan, webhook: inputs.DigitsGathered) -> bool:
    """Whether a webhook is the end of the words to a person, or a phone, before the verdict.

    The webhook names the command that it ends. Telnyx has one gather at a time on a call, so a
    screening cancels the words. If the webhook names no command, a key answers the screening, and
    silence ends the words: the screening has a timer too.
    """
    if webhook.status == "cancelled_amd":  # by the machine detection
        return True
    if not plan.waiting_words and not plan.on_screen:
        return False
    if webhook.status == "cancelled" or webhook.call.prompt is None:
        return webhook.status == "cancelled" or not _has_key(webhook)
    return webhook.call.prompt in WAITS


def _has_key(webhook: inputs.DigitsGathered) -> bool:
    return bool(webhook.digits) or webhook.status in KEY_PRESSED_STATUSES


def _screening_answered(
    transition: Transition, leg: Leg, webhook: inputs.DigitsGathered, accept_digit: str
) -> None:
    if webhook.status == "cancelled" and leg.lost_answers:  # by the second question
        return
    if webhook.status == "call_hangup" and not webhook.digits:  # `call.hangup` tells the cause
        if leg.status is statuses.LegStatus.SCREENING and leg.outcome is None:
            leg.verdict_deadline = None
            leg.poll_at = transition.now + HANGUP_POLL_DELAY
        return
    _count_keys(leg, webhook, accept_digit)
    if leg.status is statuses.LegStatus.SCREENING and leg.outcome is None and leg.screening_result:
        leg.outcome, leg.is_inferred = leg.screening_result, True


def _count_keys(leg: Leg, webhook: inputs.DigitsGathered, accept_digit: str) -> None:
    if leg.screening_result is Outcome.HUMAN:
        return
    if webhook.digits == accept_digit:
        leg.screening_result = Outcome.HUMAN
        return
    pressed = _has_key(webhook)
    leg.wrong_keys += pressed
    silent = not pressed or leg.screening_result is Outcome.NO_ANSWER
    if leg.wrong_keys > MISTAKES or (leg.wrong_keys and silent):
        leg.screening_result = Outcome.DECLINED
    elif silent:
        leg.screening_result = Outcome.NO_ANSWER
