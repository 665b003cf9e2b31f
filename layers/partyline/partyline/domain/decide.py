"""`decide`: the only way in which a conversation changes. The map of this folder.

First the input is recorded, as facts: `rules.create` (the first input), `rules.apply` (webhooks and
requests), `rules.apply_results` (results of commands), all through `rules.facts`. Then the rules
run over the whole state, in the order of `RULES`, until no rule changes anything:

    reconcile_stale          looks for, or gives up, commands that are too old to be sent again
    give_up_overdue          gives up commands for which people without the assistant wait too long
    give_up_limited          gives up commands that wait too long for Telnyx's rate limit
    apply_verdict_timeouts   decides overdue verdicts of machine detections and screenings
    identify_to_screens      tells phones that screen a call who calls
    leave_messages           leaves messages on machines, after their greetings
    unaccept_machines        takes back an accepted call that proves to be a machine
    correct_outcomes         corrects outcomes by webhooks that came after the hangup
    mark_departures          marks participants whose call is over as left or failed
    accept_answered          accepts answered calls, after machine detection and screening
    hunt                     dials the next number, or gives a participant up
    restart_or_end           restarts an assistant that ended with the host, or ends ours
    end_conversation         ends or fails the conversation
    follow_handover          lets the assistant step back after the join, and ends a handover
    say_waiting_words        says words to people who wait, and stops the words when the wait ends
    start_and_join           answers the inbound call, starts the assistant, joins participants
    look_for_assistant       looks for an assistant that the answer was to start
    rejoin                   joins the participants to a restarted assistant
    leave_and_return         lets the assistant leave the people to each other, and return
    tell_mode                tells the assistant to be silent, or to speak
    send_messages            sends the next batch of messages to the assistant
    say_goodbyes             says the goodbye to people whose conversation has gone
    release_calls            stops the assistant and hangs up unneeded calls
    cancel_obsolete          drops pending commands that no longer make sense
    poll_calls               polls silent calls and fetches missing insights
    complete_transcript      fetches missing messages, and tells when the transcript is ready
    report                   adds the report on a conversation that is over

Finally `compact` drops what is settled from a large document, `claim_due` leases the commands to be
sent now, and `set_timers` sets the moments at which time has to pass. Every change goes through
`rules.transition.Transition`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from partyline.domain.model.commands import Command
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.events import Event
from partyline.domain.model.inputs import Input
from partyline.domain.model.insight import Insight
from partyline.domain.model.transcript import TranscriptPart
from partyline.domain.rules.absence import leave_and_return
from partyline.domain.rules.apply import APPLY
from partyline.domain.rules.calls import (
    look_for_assistant,
    poll_calls,
    release_calls,
    send_messages,
    start_and_join,
)
from partyline.domain.rules.compact import compact
from partyline.domain.rules.create import create_conversation, record_started
from partyline.domain.rules.handovers import follow_handover
from partyline.domain.rules.hunting import (
    accept_answered,
    apply_verdict_timeouts,
    correct_outcomes,
    hunt,
    unaccept_machines,
)
from partyline.domain.rules.leaving import end_conversation, mark_departures
from partyline.domain.rules.machines import identify_to_screens, leave_messages
from partyline.domain.rules.modes import tell_mode
from partyline.domain.rules.pending_commands import (
    cancel_obsolete,
    claim_due,
    give_up_limited,
    give_up_overdue,
    reconcile_stale,
    set_timers,
)
from partyline.domain.rules.report import report
from partyline.domain.rules.restart import rejoin, restart_or_end
from partyline.domain.rules.transcripts import complete_transcript
from partyline.domain.rules.transition import Refusal, Transition
from partyline.domain.rules.voice import say_goodbyes, say_waiting_words

RULES = (
    reconcile_stale,
    give_up_overdue,
    give_up_limited,
    apply_verdict_timeouts,
    identify_to_screens,
    leave_messages,
    unaccept_machines,
    correct_outcomes,
    mark_departures,
    accept_answered,
    hunt,
    restart_or_end,
    end_conversation,
    follow_handover,
    say_waiting_words,
    start_and_join,
    look_for_assistant,
    rejoin,
    leave_and_return,
    tell_mode,
    send_messages,
    say_goodbyes,
    release_calls,
    cancel_obsolete,
    poll_calls,
    complete_transcript,
    report,
)


@dataclass(frozen=True)
class Decision:
    """The new state, the events on the way to it, and the commands to send now.

    `changed` is False when the input had no effect and no write is needed. `set_for` is the moment
    for which the former state's timer was set.
    """

    conversation: Conversation | None
    events: Sequence[Event] = ()
    insights: Sequence[Insight] = ()
    messages: Sequence[TranscriptPart] = ()
    commands: Sequence[Command] = ()
    changed: bool = False
    refusal: Refusal | None = None
    set_for: datetime | None = None


def decide(conversation: Conversation | None, input_: Input, now: datetime) -> Decision:
    """Decide the consequences of an input.

    Pure and total: the same arguments give the same decision, any input in any state gives a
    decision, and `conversation` is not changed. A late, early, duplicate or impossible input never
    moves a status back. `conversation` is `None` when the conversation does not exist yet.
    """
    if conversation is None:
        created = create_conversation(input_, now)
        if not isinstance(created, Conversation):
            return Decision(None, refusal=created)
        transition = Transition(created, now, input_.id)
        record_started(transition)
    else:
        transition = Transition(conversation.model_copy(deep=True), now, input_.id)
    APPLY[type(input_)](transition, input_)
    before = None
    while before != _progress(transition.conversation):  # a rule may enable an earlier rule
        before = _progress(transition.conversation)
        for rule in RULES:
            rule(transition)
    compact(transition)
    commands = claim_due(transition)
    set_timers(transition)
    changed = transition.conversation != conversation
    if changed:
        transition.conversation.updated_at = now
    return Decision(
        conversation=transition.conversation,
        events=transition.events,
        insights=transition.insights,
        messages=transition.messages,
        commands=commands,
        changed=changed,
        refusal=transition.refusal,
        set_for=conversation.awaited_at if conversation else None,
    )


def _progress(conversation: Conversation) -> tuple[int, list[str]]:
    """Return what an earlier rule may wait for: the number of events, and the pending commands."""
    commands = conversation.commands.items()
    return conversation.seq, [key for key, command in commands if command.is_pending]
