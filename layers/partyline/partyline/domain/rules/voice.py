"""Rules for what a person hears beside the assistant: the waiting words and the goodbye.

A webhook reports the end of a sentence. Where the webhook is lost, a timer takes its place.

Like all rules, these look at the whole state (see `hunting`).
"""

from datetime import timedelta

from partyline.domain.model import inputs, results, timeouts
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import EventType
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import DEFAULT_WAITING, Words
from partyline.domain.model.statuses import ConversationStatus, LegStatus, Outcome
from partyline.domain.model.statuses import ParticipantStatus as Status
from partyline.domain.rules import facts, machines
from partyline.domain.rules.call_ids import locate_leg
from partyline.domain.rules.calls import is_needed
from partyline.domain.rules.spoken import longest_time_of
from partyline.domain.rules.transition import Transition

AT_ONCE = timedelta(0)

UNPLAYABLE = frozenset({"file_not_found", "failed"})
"""How an audio file ends that cannot be played (Telnyx API: call.playback.ended, status)."""


def waiting_words_of(participant: Participant, leg: Leg) -> Words:
    """Return the waiting words of a person's plan, or the default in place of refused words."""
    own = participant.plan and leg.voice.words == "own"
    return participant.plan.waiting if participant.plan and own else DEFAULT_WAITING


def goodbye_of(participant: Participant) -> Words | None:
    """Return the goodbye of a person's plan, if the plan has one."""
    return participant.plan.goodbye if participant.plan else None


# The inputs


def voice_ended(transition: Transition, webhook: inputs.VoiceEnded) -> None:
    """Record the end of the words that the webhook names; an end of other words is no fact."""
    located = locate_leg(transition, webhook)
    if located is None or webhook.call.prompt is None:
        return
    participant, leg = located
    command = transition.command_for(webhook.call.prompt, participant, leg)
    if command is None or command.repeats != webhook.call.repeat:
        return
    if command.action is Action.WAIT_WORDS:
        _waiting_words_ended(transition, participant, leg, command, webhook.status)
    elif command.action is Action.GOODBYE:
        _goodbye_ended(transition, leg, command)
    elif command.action is Action.LEAVE_MESSAGE:
        facts.settle(transition, command)
        machines.message_ended(leg, webhook.status)


def _waiting_words_ended(
    transition: Transition,
    participant: Participant,
    leg: Leg,
    command: Command,
    status: str | None,
) -> None:
    facts.settle(transition, command)
    leg.voice.words_play = False
    if waiting_words_of(participant, leg).audio_url and status in UNPLAYABLE:
        leg.voice.words, leg.voice.words_at = "default", transition.now
    elif leg.voice.words_said:
        leg.voice.words_at = transition.now + timeouts.WORDS_PAUSE


def _goodbye_ended(transition: Transition, leg: Leg, command: Command) -> None:
    """Record the end of the goodbye.

    The goodbye ends the waiting words too. The webhook of that end may have the client_state of the
    goodbye, so after waiting words the first end does not count.
    """
    if leg.voice.words_play:
        leg.voice.words_play = False
        return
    facts.settle(transition, command)
    leg.voice.goodbye_until = transition.now


# The results of commands


def words_accepted(
    transition: Transition, participant: Participant, leg: Leg, command: Command
) -> None:
    """Record that Telnyx has taken waiting words: a sentence is said again later."""
    words = waiting_words_of(participant, leg)
    if words.audio_url:
        leg.voice.words_play = True  # endless, also if the person has stopped waiting meanwhile
    elif leg.voice.words_said and command.is_pending:
        leg.voice.words_at = transition.now + longest_time_of(words) + timeouts.WORDS_PAUSE


def words_refused(
    transition: Transition, _: Participant, leg: Leg, _refused: results.Refused
) -> None:
    """Record that Telnyx refused waiting words: the default takes the place of the plan's own."""
    voice = leg.voice
    voice.words, voice.words_play = ("default" if voice.words == "own" else "none"), False
    voice.words_at = transition.now


def goodbye_refused(
    transition: Transition, _: Participant, leg: Leg, _refused: results.Refused
) -> None:
    """Record that the goodbye cannot be said: the call is hung up."""
    leg.voice.goodbye_until = transition.now


# The rules


def say_waiting_words(transition: Transition) -> None:
    """Say words to people who wait, again after each end, and stop the words when the wait ends."""
    for participant, leg in transition.conversation.legs():
        if not leg.is_up or not leg.owned or leg.transferred:
            continue
        patience = _patience(transition, participant, leg)
        if patience is None:
            _end_wait(transition, participant, leg)
        else:
            _say_words(transition, participant, leg, patience)


def _patience(transition: Transition, participant: Participant, leg: Leg) -> timedelta | None:
    """Return how long a person waits without words; None for a person who does not wait.

    A wait for the start of an assistant is short as a rule, so words would only delay the join. A
    call on which the assistant starts just now has no words.
    """
    conversation = transition.conversation
    if conversation.is_over or participant.removed or leg.number != participant.accepted_leg:
        return None
    if participant.plan is None or leg.voice.words == "none":
        return None
    start = conversation.start_command
    starts_here = start is not None and start.is_pending and conversation.target_of(start)[1] is leg
    if starts_here:
        return timeouts.WORDS_DELAY if _is_held_back(transition, start) else None
    is_waiting = participant.status is Status.WAITING and not participant.host
    if is_waiting and not conversation.telnyx_conversation_id:
        is_host_here = conversation.host.status in (Status.JOINING, Status.JOINED)
        return timeouts.WORDS_DELAY if is_host_here else AT_ONCE
    join = transition.command_for(Action.JOIN, participant, leg)
    if participant.status is Status.JOINING and _is_held_back(transition, join):
        return timeouts.WORDS_DELAY
    return timeouts.WORDS_DELAY if is_without_assistant(conversation, participant) else None


def is_without_assistant(conversation: Conversation, participant: Participant) -> bool:
    """Whether a joined person hears neither the assistant nor the others.

    The assistant has ended, or has left, or starts again. The host of an assistant that has ended
    may have been transferred.
    """
    has_ended = conversation.telnyx_ended_at is not None or conversation.is_restarting
    absence = conversation.absence
    has_left = absence is not None and absence.stopped_at is not None
    return (
        participant.status is Status.JOINED
        and conversation.status is ConversationStatus.ACTIVE
        and (has_left or (has_ended and not participant.host))
        and not conversation.is_connected(participant)
    )


def _is_held_back(transition: Transition, command: Command | None) -> bool:
    """Whether a command waits for its next attempt, and has had no effect."""
    if command is None or not command.is_pending or command.sent_at is not None:
        return False
    return transition.now < command.not_before


def _say_words(
    transition: Transition, participant: Participant, leg: Leg, patience: timedelta
) -> None:
    voice = leg.voice
    command = transition.command_for(Action.WAIT_WORDS, participant, leg)
    if not voice.words_said and voice.words_at is None:
        voice.words_at = transition.now + patience
    if voice.words_at is None or transition.now < voice.words_at:
        return
    if command is None:
        command = transition.add_command(Action.WAIT_WORDS, participant, leg)
    elif not command.is_pending:
        _repeat(transition, command)
    if not voice.words_said:
        event = EventType.LEG_SPEAKING
        transition.add_leg_event(event, participant, leg, words="waiting", command_id=command.id)
    voice.words_at, voice.words_said, voice.words_play = None, True, True


def _end_wait(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Stop the words of a person who no longer waits; a call that is hung up needs no stop."""
    voice = leg.voice
    voice.words_at, voice.words_said = None, False
    if not voice.words_play:
        return
    if not is_needed(transition.conversation, transition.now, participant, leg):
        return
    voice.words_play = False
    stop = transition.command_for(Action.STOP_WORDS, participant, leg)
    if stop is None:
        transition.add_command(Action.STOP_WORDS, participant, leg)
    else:
        _repeat(transition, stop)


def _repeat(transition: Transition, command: Command) -> None:
    conversation = transition.conversation
    command.owe_again(conversation.id, transition.now)
    limited_until = conversation.limited_until.get(command.action, transition.now)
    command.attempts, command.not_before = 0, max(transition.now, limited_until)


def is_obsolete(
    transition: Transition, command: Command, participant: Participant, leg: Leg
) -> bool:
    """Whether a pending command about words no longer makes sense, on a call that is up.

    A sentence ends by itself, so a stop without an answer is not repeated: a late stop would cut
    the assistant short. An endless audio file needs the stop.
    """
    if command.action is Action.WAIT_WORDS:
        return not leg.voice.words_play
    if command.action is Action.GOODBYE:
        return not leg.voice.says_goodbye(transition.now)
    is_endless = waiting_words_of(participant, leg).audio_url is not None
    needed = is_needed(transition.conversation, transition.now, participant, leg)
    return not needed or (command.attempts > 0 and not is_endless)


def say_goodbyes(transition: Transition) -> None:
    """Say the goodbye to people who are hung up because the conversation has gone."""
    if not transition.conversation.is_over:
        return
    for participant, leg in transition.conversation.legs():
        if leg.voice.goodbye_until is None and _hears_goodbye(transition, participant, leg):
            leg.voice.goodbye_until = transition.now + timeouts.GOODBYE_TIME
            command = transition.add_command(Action.GOODBYE, participant, leg)
            event = EventType.LEG_SPEAKING
            transition.add_leg_event(
                event, participant, leg, words="goodbye", command_id=command.id
            )


def _hears_goodbye(transition: Transition, participant: Participant, leg: Leg) -> bool:
    """Whether a person is on a call that is about to be hung up with the conversation."""
    is_person = leg.outcome in (None, Outcome.HUMAN, Outcome.CANCELLED) and not leg.machine
    return (
        goodbye_of(participant) is not None
        and leg.status in (LegStatus.ANSWERED, LegStatus.SCREENING)
        and leg.owned
        and leg.call_control_id is not None
        and is_person
        and not participant.removed
        and not transition.has_command(Action.HANG_UP, participant, leg)
        and not is_needed(transition.conversation, transition.now, participant, leg)
    )
