"""Rules for machines that answer, and for phones that screen the call.

Like all rules, these look at the whole state (see `hunting`).
"""

from datetime import timedelta

from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import Conversation, Participant
from partyline.domain.model.statuses import BEING_REACHED, LegStatus
from partyline.domain.rules.spoken import render_spoken, speaking_time
from partyline.domain.rules.transition import Transition


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
    return render_spoken(conversation, participant, plan, plan.on_screen.say)


def screen_time(conversation: Conversation, participant: Participant) -> timedelta:
    """Return how long the words for a phone that screens the call take."""
    return speaking_time(words_on_screen(conversation, participant))
