"""Rules for machines that answer, and for phones that screen the call.

Like all rules, these look at the whole state (see `hunting`).
"""

from datetime import datetime, timedelta

from partyline.domain.model import results
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import EventType
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import Words
from partyline.domain.model.statuses import BEING_REACHED, LegStatus
from partyline.domain.model.stored import Failure
from partyline.domain.model.timeouts import BEEP_WAIT, MESSAGE_TIME
from partyline.domain.rules.spoken import fill, longest_time_of, speaking_time
from partyline.domain.rules.transition import Transition

MESSAGE_UNPLAYABLE = "message_unplayable"
"""The code of a message whose audio file Telnyx could not play to its end."""


def identify_to_screens(transition: Transition) -> None:
    """Tell a phone that screens the call who calls and why, if the plan has words for the phone."""
    for participant, leg in transition.conversation.legs():
        awaited = leg.status is LegStatus.ANSWERED and leg.machine is None and leg.outcome is None
        if participant.status not in BEING_REACHED or not awaited or leg.screened_at is None:
            continue
        if words_on_screen(transition.conversation, participant):
            transition.add_command(Action.IDENTIFY, participant, leg)


def words_on_screen(conversation: Conversation, participant: Participant) -> str:
    """Return the words for a phone that screens the call; empty without words."""
    plan = participant.plan
    if plan is None or plan.on_screen is None:
        return ""
    return fill(conversation, participant, plan, plan.on_screen.say)


def screen_time(conversation: Conversation, participant: Participant) -> timedelta:
    """Return how long the words for a phone that screens the call take."""
    return speaking_time(words_on_screen(conversation, participant))


def leave_messages(transition: Transition) -> None:
    """Leave a message on a machine after its greeting, if the plan has a message.

    A person gets one message: with several machines at once, the first greeting that ends. A
    greeting without an end gets no message, because a machine that speaks does not record.
    """
    for participant, leg in transition.conversation.legs():
        plan = participant.plan
        if participant.status not in BEING_REACHED or plan is None or plan.message is None:
            continue
        if leg.status is not LegStatus.ANSWERED or leg.outcome is not None or not leg.machine:
            continue
        voicemail = leg.voicemail
        if not voicemail.begun:
            voicemail.speak_by = voicemail.speak_by or transition.now + plan.greeting_wait
            _await_greeting_end(transition, participant, leg)
        elif voicemail.ends_by and transition.now >= voicemail.ends_by:
            voicemail.spoken = True
        if voicemail.spoken:
            leg.outcome, leg.is_inferred = leg.machine_outcome, True


def _await_greeting_end(transition: Transition, participant: Participant, leg: Leg) -> None:
    moment = message_moment(leg)
    if moment is None or transition.now < moment:
        return
    heard_end = leg.voicemail.greeting_ended_at or leg.voicemail.prompt_ended_at
    if not heard_end or any(other.takes_message for other in participant.legs):
        leg.outcome, leg.is_inferred = leg.machine_outcome, True
        return
    leg.voicemail.begun = True
    command = transition.add_command(Action.LEAVE_MESSAGE, participant, leg)
    speaking = EventType.LEG_SPEAKING
    transition.add_leg_event(speaking, participant, leg, words="message", command_id=command.id)


def message_moment(leg: Leg) -> datetime | None:
    """Return when the next step towards a message is due; None for a call without a message."""
    voicemail = leg.voicemail
    answered = leg.status is LegStatus.ANSWERED
    if voicemail.speak_by is None or not answered or leg.outcome is not None:
        return None
    if voicemail.begun:
        return voicemail.ends_by
    if voicemail.greeting_ended_at:
        return voicemail.greeting_ended_at
    if voicemail.prompt_ended_at:
        return voicemail.prompt_ended_at + BEEP_WAIT
    return leg.created_at if voicemail.greeting_unsure else voicemail.speak_by


def message_of(conversation: Conversation, participant: Participant) -> Words | None:
    """Return the message for a machine, with its placeholders filled."""
    plan = participant.plan
    if plan is None or plan.message is None:
        return None
    say = fill(conversation, participant, plan, plan.message.say)
    return plan.message.model_copy(update={"say": say})


def message_accepted(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Record that Telnyx has taken the message, which is spoken from now on."""
    message = message_of(transition.conversation, participant)
    if message:
        longest = MESSAGE_TIME if message.audio_url else longest_time_of(message)
        leg.voicemail.ends_by = leg.voicemail.ends_by or transition.now + longest


def message_ended(leg: Leg, status: str | None) -> None:
    """Record the end of the message. A message that was cut short is no message."""
    if status in (None, "completed"):
        leg.voicemail.spoken = True
    elif status != "call_hangup" and leg.takes_message:
        leg.failure = Failure(code=MESSAGE_UNPLAYABLE, message=f"The message ended as {status}.")
        leg.outcome, leg.is_inferred = leg.machine_outcome, True


def message_refused(
    _: Transition, _person: Participant, leg: Leg, refused: results.Refused
) -> None:
    """Record that Telnyx refused the message: the machine is a machine, and the hunt goes on."""
    leg.failure = refused.failure
    if leg.outcome is None:
        leg.outcome, leg.is_inferred = leg.machine_outcome, True
