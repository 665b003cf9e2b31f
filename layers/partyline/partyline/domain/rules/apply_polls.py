"""Results of polls: the state of a call, a call that Telnyx does not know, insights, messages."""

from datetime import timedelta

from partyline.domain.model import results, timeouts
from partyline.domain.model.commands import Action, Command
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import Outcome
from partyline.domain.rules import facts, polling
from partyline.domain.rules.call_ids import note_call_ids
from partyline.domain.rules.calls import is_needed
from partyline.domain.rules.insights import run_of, store_insights
from partyline.domain.rules.transcripts import store_whole
from partyline.domain.rules.transition import Transition


def call_state(transition: Transition, command: Command, call: results.CallState) -> None:
    """Record what Telnyx says about a call: the call has ended, was answered, or still rings."""
    participant, leg = transition.conversation.target_of(command)
    facts.settle(transition, command)
    if participant is None or leg is None:
        return
    note_call_ids(leg, call, newest=True)
    note_poll(transition, participant, leg)
    leg.bridged_at = None  # bridged to a call of ours, unless transferred
    of_assistant = call.transferred and facts.is_assistants(transition, leg)
    if call.alive and of_assistant and facts.has_run(transition, None):
        facts.call_transferred(transition, participant, leg)
    if leg.transferred and call.alive:
        return
    leg.unknown_since = None
    ringing = leg.is_ringing
    answer = transition.command_for(Action.ANSWER, participant, leg)
    picked_up = call.answered or (answer is not None and answer.status == "done")
    rang_out = ringing and _has_rung_out(transition, participant, leg)
    if not call.alive and (not ringing or picked_up or rang_out or call.ended):
        facts.command_repaired(transition, command)
        if call.answered:
            facts.leg_answered(transition, participant, leg)
        facts.leg_ended(transition, participant, leg)
        return
    if call.alive and ringing and picked_up:
        facts.command_repaired(transition, command)
        facts.leg_answered(transition, participant, leg)
    elif rang_out:
        leg.outcome = leg.outcome or Outcome.NO_ANSWER
    if transition.command_for(Action.HANG_UP, participant, leg):
        facts.hang_up_again(transition, participant, leg)  # the call is still up


def call_not_known(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Look again soon at a call that Telnyx does not know, then give up and hang up the call."""
    now = transition.now
    leg.polled_at, leg.unknown_since = now, leg.unknown_since or now
    if leg.is_ringing and _has_rung_out(transition, participant, leg):
        leg.outcome = leg.outcome or Outcome.NO_ANSWER
    needed = is_needed(transition.conversation, now, participant, leg)
    patience = timeouts.UNKNOWN_CALL_PATIENCE if needed else timeouts.UNKNOWN_CALL_POLL_DELAY * 2
    if now - leg.unknown_since >= patience:
        facts.give_up_call(transition, participant, leg)
    else:
        awaited = polling.is_awaited(leg)
        pause = timeouts.RING_POLL_PAUSE if awaited else timeouts.UNKNOWN_CALL_POLL_DELAY
        leg.poll_at = now + pause


def note_poll(transition: Transition, participant: Participant, leg: Leg) -> None:
    """Note that a call was polled, and when to poll the call again."""
    leg.polled_at, leg.poll_at = transition.now, polling.next_poll(leg, transition.now)
    if transition.command_for(Action.HANG_UP, participant, leg):
        leg.poll_at = transition.now + timeouts.MIN_POLL_PAUSE


def insights_found(transition: Transition, command: Command, result: results.InsightsFound) -> None:
    """Keep the insights of a fetch; complete insights are not fetched again."""
    conversation = transition.conversation
    facts.settle(transition, command)
    newest = conversation.telnyx_conversation_id or result.telnyx_conversation_id
    conversation.telnyx_conversation_id = newest
    store_insights(transition, result.insights)
    if result.complete:
        conversation.insights_poll_at = None


def transcript_found(
    transition: Transition, command: Command, result: results.TranscriptFound
) -> None:
    """Keep the messages of a fetch; complete messages are not fetched again."""
    conversation = transition.conversation
    facts.settle(transition, command)
    newest = conversation.telnyx_conversation_id or result.telnyx_conversation_id
    conversation.telnyx_conversation_id = newest
    for found in result.runs:
        run = run_of(conversation, found.telnyx_conversation_id)
        if run is not None:
            store_whole(transition, run, found.messages, "fetch")


def _has_rung_out(transition: Transition, participant: Participant, leg: Leg) -> bool:
    dial = transition.command_for(Action.DIAL, participant, leg)
    if dial is None or leg.ring_timeout_secs is None:
        return False  # an inbound call rings as long as the caller likes
    rings_since = dial.sent_at or leg.created_at
    longest = timedelta(seconds=leg.ring_timeout_secs) + timeouts.RING_GRACE
    return transition.now - rings_since >= longest
