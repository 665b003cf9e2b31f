"""Recording inputs: the handler of each input. Webhooks add plain facts to the state.

The rules conclude from the whole state, so the order of the facts does not matter.
"""

from collections.abc import Callable
from typing import Any

from partyline.domain.model import inputs, statuses
from partyline.domain.model.commands import Action
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID, Conversation
from partyline.domain.model.events import ConversationAnalyzed
from partyline.domain.model.insight import Insight
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import HOST_ID, Participant
from partyline.domain.model.statuses import ConversationStatus, ParticipantStatus
from partyline.domain.model.stored import Failure
from partyline.domain.model.timeouts import EARLIER_END_WITHIN
from partyline.domain.rules import (
    apply_absence,
    apply_costs,
    apply_requests,
    apply_verdicts,
    facts,
    handovers,
    insights,
    transcripts,
    voice,
)
from partyline.domain.rules.apply_results import apply_result
from partyline.domain.rules.call_ids import find_leg, find_leg_by_ids, locate_leg
from partyline.domain.rules.transition import Transition

Located = tuple[Participant, Leg]


def _call_initiated(transition: Transition, webhook: inputs.CallInitiated) -> None:
    located = locate_leg(transition, webhook)
    if located:
        transition.move_leg(*located, statuses.LegStatus.RINGING, webhook.occurred_at)
        facts.hang_up_orphan(transition, *located)


def _call_answered(transition: Transition, webhook: inputs.CallAnswered) -> None:
    located = locate_leg(transition, webhook)
    if located:
        facts.leg_answered(transition, *located, webhook.occurred_at)
        facts.hang_up_orphan(transition, *located)


def _call_hangup(transition: Transition, webhook: inputs.CallHangup) -> None:
    located = None if _is_of_another_call(transition, webhook) else locate_leg(transition, webhook)
    if located is None:
        return
    participant, leg = located
    leg.hangup_cause = leg.hangup_cause or webhook.cause
    leg.sip_hangup_cause = leg.sip_hangup_cause or webhook.sip_cause
    leg.mos = webhook.quality.mos if webhook.quality else leg.mos
    facts.leg_ended(transition, participant, leg, webhook.occurred_at, webhook.quality)


def _call_bridged(transition: Transition, webhook: inputs.CallBridged) -> None:
    """Record that Telnyx connected the assistant's call to another call.

    The webhook does not name the other call. While a call of ours is joined, the session of the
    assistant's call is looked at, because Telnyx may report a join in this way too.
    """
    conversation, located = transition.conversation, locate_leg(transition, webhook)
    if located and apply_absence.bridge_confirmed(transition, located[0]):
        return
    if located is None or not facts.is_assistants(transition, located[1]):
        return
    if not facts.has_run(transition, None):
        return
    participant, leg = located
    if conversation.absences and conversation.status is ConversationStatus.ACTIVE:
        # The bridge may be ours; a look at the call tells a transfer.
        leg.bridged_at = leg.poll_at = transition.now
        return
    joined = (ParticipantStatus.JOINING, ParticipantStatus.JOINED)
    others = [person for person in conversation.participants if person is not participant]
    if conversation.telnyx_ended_at or not any(other.status in joined for other in others):
        facts.call_transferred(transition, participant, leg)
    else:
        leg.bridged_at = leg.poll_at = transition.now


def _conference_changed(
    transition: Transition, webhook: inputs.ConferenceJoined | inputs.ConferenceLeft
) -> None:
    """Record that a call has entered or left a conference. Only Telnyx's ids name the call."""
    located = find_leg_by_ids(transition.conversation, webhook.call)
    has_entered = isinstance(webhook, inputs.ConferenceJoined)
    actions = apply_absence.CONFERRING if has_entered else (Action.LEAVE_CONFERENCE,)
    if located:
        apply_absence.confirmed(transition, located[0], actions, webhook.occurred_at)


def _is_of_another_call(transition: Transition, webhook: inputs.CallHangup) -> bool:
    """Whether a hangup may be of another call than the leg's; then the leg's call is polled.

    Only our client_state names the leg, or the ended call is one that the leg had before. An
    answered call is not over by that.
    """
    call = webhook.call
    located = find_leg(transition.conversation, call)
    if located is None or not located[1].is_up or not located[1].answered_at:
        return False
    leg, named = located[1], call.call_control_id or call.call_leg_id
    by_hint = named and find_leg_by_ids(transition.conversation, call) is None
    if (by_hint and leg.call_control_id) or call.call_leg_id in leg.former_ids:
        leg.poll_at = transition.now
        return True
    return False


def _conversation_created(transition: Transition, webhook: inputs.ConversationCreated) -> None:
    located = locate_leg(transition, webhook)
    start = transition.conversation.start_command
    runs_on = start.participant_id if start else HOST_ID
    if webhook.telnyx_conversation_id in transition.conversation.previous_telnyx_ids:
        return
    if located and located[0].id == runs_on:
        facts.leg_answered(transition, *located)
        facts.assistant_started(transition, webhook.telnyx_conversation_id)


def _start_failed(transition: Transition, webhook: inputs.ConversationStartFailed) -> None:
    """Record that the assistant of a call did not start, though the start may have been answered.

    Telnyx sends neither `created` nor `ended` for such a run (Telnyx API: start_failed).
    """
    conversation, located = transition.conversation, locate_leg(transition, webhook)
    if located is None or not facts.is_assistants(transition, located[1]):
        return
    reason = webhook.reason or "unknown"
    failure = Failure(code=facts.START_FAILED, message=f"The assistant did not start: {reason}.")
    if conversation.status is ConversationStatus.CONNECTING:
        transition.move(ConversationStatus.FAILED, failure)
    elif conversation.status is ConversationStatus.ACTIVE and conversation.restarts:
        start = conversation.start_command
        if start:
            facts.settle(transition, start, "failed")
            apply_absence.start_refused(transition, failure, in_doubt=False)
        conversation.telnyx_conversation_id = None  # the restart goes on with another guest
    elif conversation.status is ConversationStatus.ACTIVE:
        conversation.failure = failure
        conversation.telnyx_ended_at = conversation.telnyx_ended_at or transition.now
        conversation.telnyx_ended_reason = facts.START_FAILED


def _transcript_updated(transition: Transition, webhook: inputs.TranscriptUpdated) -> None:
    transcripts.follow(transition, find_leg(transition.conversation, webhook.call), webhook)


def _conversation_ended(transition: Transition, webhook: inputs.ConversationEnded) -> None:
    conversation, located = transition.conversation, locate_leg(transition, webhook)
    run = transcripts.run_of_end(conversation, webhook.telnyx_conversation_id)
    if run is not None:
        transcripts.store_whole(transition, run, webhook.messages, "end")
    current_id = conversation.telnyx_conversation_id
    if located is None or (current_id and webhook.telnyx_conversation_id not in (None, current_id)):
        return
    if conversation.is_restarting or _is_of_earlier_run(transition, located[0], webhook):
        return
    # Whether Telnyx sends this for each joined leg too is not documented: only the host's counts.
    if not located[0].host and any(leg.is_up for leg in conversation.host.legs):
        return
    if not facts.has_run(transition, webhook.telnyx_conversation_id):
        return
    conversation.telnyx_conversation_id = current_id or webhook.telnyx_conversation_id
    learned = insights.run_of(conversation, webhook.telnyx_conversation_id)
    if run is None and learned is not None:  # the end has told the id of the run
        transcripts.store_whole(transition, learned, webhook.messages, "end")
    ended_by_us = conversation.absence or conversation.stops_of_run
    if ended_by_us and conversation.status is ConversationStatus.ACTIVE:
        apply_absence.assistant_stopped(transition)
        return
    conversation.telnyx_ended_at = conversation.telnyx_ended_at or transition.now
    conversation.telnyx_ended_reason = conversation.telnyx_ended_reason or webhook.reason


def _is_of_earlier_run(
    transition: Transition, participant: Participant, webhook: inputs.ConversationEnded
) -> bool:
    """Whether an end that names no conversation is about a run before a restart."""
    conversation = transition.conversation
    start = conversation.start_command
    if webhook.telnyx_conversation_id or not conversation.restarts or start is None:
        return False
    began = start.sent_at or transition.now
    ended = webhook.occurred_at or transition.now
    return participant.id != start.participant_id or ended < began + EARLIER_END_WITHIN


def _insights_generated(transition: Transition, webhook: inputs.InsightsGenerated) -> None:
    conversation, located = transition.conversation, locate_leg(transition, webhook)
    ours = tuple(insight for insight in webhook.insights if _is_of_our_run(conversation, insight))
    run = insights.run_on(conversation, located)
    insights.store_insights(transition, ours, webhook.occurred_at, run)
    # Insights prove the end of an assistant: ours, unless another was on the call before.
    first = conversation.direction is not statuses.Direction.ATTACHED and conversation.restarts == 0
    if located and located[0].host and first:
        conversation.insights_received_at = conversation.insights_received_at or transition.now


def _conversation_analyzed(transition: Transition, webhook: inputs.ConversationAnalyzed) -> None:
    conversation, located = transition.conversation, find_leg(transition.conversation, webhook.call)
    telnyx_id = webhook.telnyx_conversation_id
    if not _is_our_run(conversation, telnyx_id, located):
        return
    run = insights.run_on(conversation, located)
    insights.store_insights(transition, webhook.insights, webhook.occurred_at, run)
    analyzed = ConversationAnalyzed(
        telnyx_conversation_id=telnyx_id,
        duration_secs=webhook.duration_secs,
        cost=webhook.cost,
        recordings=list(webhook.recordings) or None,
    )
    transition.add_event(analyzed, webhook.occurred_at)
    known_run = insights.run_of(conversation, telnyx_id)
    run = run if known_run is None else known_run
    default_run = insights.newest_ended_run(conversation)
    apply_costs.record_run_cost(conversation, default_run if run is None else run, webhook.cost)
    if telnyx_id and telnyx_id == conversation.telnyx_conversation_id:
        # Telnyx analyzes conversations that have ended.
        conversation.insights_received_at = conversation.insights_received_at or transition.now


def _is_our_run(conversation: Conversation, telnyx_id: str | None, located: Located | None) -> bool:
    """Whether a Telnyx conversation is a run of our assistant, not of another on the call.

    A known run needs no known call.
    """
    if insights.run_of(conversation, telnyx_id) is not None:
        return True
    ids = {conversation.telnyx_conversation_id, *conversation.previous_telnyx_ids}
    unsure = telnyx_id is None or bool(ids & {None, UNKNOWN_CONVERSATION_ID})
    attached = conversation.direction is statuses.Direction.ATTACHED
    return located is not None and unsure and not attached


def _is_of_our_run(conversation: Conversation, insight: Insight) -> bool:
    """Whether an insight may be into our assistant, not an earlier assistant on an attached call.

    Our own are fetched after the end, so an unnamed insight into a running assistant is left.
    """
    if conversation.direction is not statuses.Direction.ATTACHED:
        return True
    if insight.telnyx_conversation_id is not None:
        return insights.run_of(conversation, insight.telnyx_conversation_id) is not None
    return conversation.is_over or conversation.telnyx_ended_at is not None


def _poll_calls(transition: Transition, request: inputs.PollCalls) -> None:
    """Poll the named calls that are still up. A call that a census lacked leaves the census."""
    for _, leg in transition.conversation.legs():
        if leg.is_listed and any(leg.has_id(name) for name in request.calls):
            leg.poll_at = transition.now
            leg.unlisted = request.missing


def _record_nothing(_transition: Transition, _input: Any) -> None:
    """Record no fact: a start is recorded by `record_started`, and a timer has no facts."""


APPLY: dict[type[inputs.Input], Callable[[Transition, Any], None]] = {
    inputs.StartConversation: _record_nothing,
    inputs.InviteParticipant: apply_requests.invite,
    inputs.HandOver: handovers.hand_over,
    inputs.RemoveParticipant: apply_requests.remove,
    inputs.SendMessage: apply_requests.send_message,
    inputs.SetAssistantMode: apply_requests.set_mode,
    inputs.NoteCallBack: apply_requests.note_call_back,
    inputs.StopConversation: apply_requests.stop,
    inputs.CallInitiated: _call_initiated,
    inputs.CallAnswered: _call_answered,
    inputs.CallHangup: _call_hangup,
    inputs.CallBridged: _call_bridged,
    inputs.ConferenceJoined: _conference_changed,
    inputs.ConferenceLeft: _conference_changed,
    inputs.MachineVerdict: apply_verdicts.machine_verdict,
    inputs.GreetingEnded: apply_verdicts.greeting_ended,
    inputs.CallScreeningDetected: apply_verdicts.call_screening_detected,
    inputs.DigitsGathered: apply_verdicts.digits_gathered,
    inputs.VoiceEnded: voice.voice_ended,
    inputs.ConversationCreated: _conversation_created,
    inputs.ConversationStartFailed: _start_failed,
    inputs.ConversationEnded: _conversation_ended,
    inputs.TranscriptUpdated: _transcript_updated,
    inputs.InsightsGenerated: _insights_generated,
    inputs.ConversationAnalyzed: _conversation_analyzed,
    inputs.CallCost: apply_costs.record_call_cost,
    inputs.CommandResult: apply_result,
    inputs.PollCalls: _poll_calls,
    inputs.TimerElapsed: _record_nothing,
}
"""How each input is recorded."""
