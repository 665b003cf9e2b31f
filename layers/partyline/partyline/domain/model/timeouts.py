"""Every timer of a conversation: how long to wait, when to look, when to give up.

A timer for which a person waits has a message of its own and fires within a second or two (see
`services.timers`). The sweep fires the others, up to a minute late. Timers of a plan (ring timeout,
deadline, pause, time limit) come with the plan.
"""

from datetime import timedelta

# Sending commands

LEASE = timedelta(seconds=6)
"""How long a claimed command belongs to its sender: two Telnyx timeouts of 2 s and the pause
between the two requests, rounded up. `Command.claim` sets the lease; the engine sends no command
after the lease."""

START_ANSWER_TIME = timedelta(seconds=4)
"""How long a start of the assistant waits for Telnyx's answer. On live calls the answer came after
up to 2.5 s, `call.conversation.created` after 0.7 and 0.9 s (third-party reports, July 2026). A
start without an answer is not repeated under its lease: that webhook tells whether the assistant
runs."""

START_LEASE = timedelta(seconds=10)
"""The lease of a start: two answers of 4 s, the second after a refusal for now, the pause between,
and a second for the connections."""

RESEND_WINDOW = timedelta(seconds=45)
"""How long after its first sending a command may be sent again. Telnyx drops a duplicate
`command_id` for 60 s (Telnyx docs, receiving webhooks); a Lambda may take 10 s of those."""

BACKOFF = tuple(timedelta(seconds=secs) for secs in (1, 2, 5, 15, 30, 60))
"""The pause after each attempt that Telnyx did not answer; the last value repeats."""

MAX_ATTEMPTS = 12
"""Attempts before a command is given up: with `BACKOFF`, about 7 minutes."""

LIMIT_WAIT = {
    "dial": timedelta(seconds=60),
    "answer": timedelta(seconds=30),
    "start": timedelta(seconds=20),
    "join": timedelta(seconds=20),
    "screen": timedelta(seconds=20),
    "identify": timedelta(seconds=10),
    "leave_message": timedelta(seconds=20),
    "message": timedelta(seconds=60),
}
"""The longest wait for Telnyx's rate limit that a caller can bear, by action; for a longer wait the
command is given up as `limited`. A caller hears ringing before `answer`, and silence before `start`
and `join`. An action that is not here waits as long as Telnyx says."""

LIMITED_FOR = timedelta(minutes=2)
"""How long those actions wait in all, when Telnyx asks for one wait after another."""

MAX_LIMIT_WAIT = timedelta(minutes=5)
"""The longest single wait: a hangup is tried at least as often, whatever Telnyx says."""

# Polling calls that no webhook reports on

FIRST_RING_POLL = timedelta(seconds=5)
"""When to poll a call that rings: after the dial, or after the begin of an inbound call. If the
`call.answered` of the call is lost, the person hears silence until a poll finds the answer."""

RING_POLL_PAUSE = timedelta(seconds=6)
"""The pause between two polls of a call that rings. A person who answers hears silence for 8 s at
most: this pause, a second because Telnyx counts a call's duration in whole seconds, and the
request. A call that rings for 30 s and is never answered costs five requests."""

DURATION_MARGIN = timedelta(seconds=3)
"""How much shorter than a call's age its duration must be to show that the duration counts from the
answer. Telnyx does not document whether the duration counts from the answer or from the dial; the
margin allows for a clock that differs from Telnyx's, and for whole seconds."""

ASSISTANT_LOOKUP_DELAY = timedelta(seconds=10)
"""When to look for an assistant that the answer starts and of which no `call.conversation.created`
has come. Live, that webhook came 0.7 and 0.9 s after a start; the rest is for redeliveries."""

MAX_ASSISTANT_LOOKUPS = 3
"""How often to look for that assistant before the start counts as failed: the list of AI
conversations may show a conversation late (not documented)."""

RING_GRACE = timedelta(seconds=20)
"""How long after its ring timeout a call without an answer counts as over: Telnyx begins to ring a
little after the dial, and the `call.hangup` may still be on the way."""

HANGUP_POLL_DELAY = timedelta(seconds=20)
"""When to poll a call that we hung up, or whose hangup ended a screening, while no
`call.hangup` has come."""

MIN_POLL_PAUSE = timedelta(minutes=2)
"""The shortest pause between two polls of a live call that the census does not cover: an attached
call, a call that a census lacked, or a call that we could not hang up. The pause grows with the age
of a call that we need: 2, 2, 4 and 8 minutes."""

MAX_POLL_PAUSE = timedelta(minutes=8)
"""The longest of those pauses. A lost `call.hangup` of such a call is noticed within this time.
Telnyx shows a call until 10 minutes after its end (Telnyx API: GET /calls/{id})."""

LISTED_AFTER = timedelta(seconds=60)
"""How long after its answer a call must be in Telnyx's list of active calls. Telnyx does not
document how soon a call is in the list."""

CENSUS_GRACE = timedelta(seconds=10)
"""How long after a census a missing call is polled: its `call.hangup` is on the way as a rule. A
census runs every minute, so a lost `call.hangup` is known within `LISTED_AFTER`, a minute and this
time: 130 s."""

CENSUS_PATIENCE = timedelta(minutes=5)
"""How long no census may be complete until calls are polled by themselves."""

CENSUS_ROUNDS = (4, 8)
"""The minutes of each round in which every call is polled once while no census is complete; the
last round repeats. A longer round would find calls that Telnyx no longer shows."""

CENSUS_DOUBT = 0.25
"""The share of missing calls from which a census proves nothing: so many hangups are not lost in a
minute, but a list may be short."""

CENSUS_DOUBT_CALLS = 10
"""The missing calls that a census may have in any case."""

UNKNOWN_CALL_ATTEMPTS = 3
"""How often a command is sent to a call, or a join to a conversation, that Telnyx does not know.
The call itself is not over by that: the next poll says so, or not."""

UNKNOWN_CALL_POLL_DELAY = timedelta(seconds=20)
"""When to poll a call again that Telnyx did not know. A call that nobody needs and that three polls
do not find counts as over."""

UNKNOWN_CALL_PATIENCE = timedelta(minutes=12)
"""How long a call that somebody needs may be unknown, until the call is hung up and counts as over.
Telnyx shows a call until 10 minutes after its end (Telnyx API: GET /calls/{id})."""

# The assistant's absence

CONNECT_WAIT = timedelta(seconds=10)
"""How long a command that connects people may be without an answer. The people hear nothing
meanwhile, so the assistant is then taken back. The time has room for a second sending after an
outage of `LEASE`."""

STEP_BACK_WAIT = timedelta(seconds=30)
"""How long the stop of an assistant that is to leave may be without an answer. The assistant speaks
meanwhile, so the time has room for several sendings."""

RETURN_WAIT = timedelta(seconds=20)
"""How long the start of an assistant that is to return may be without an answer, while the people
can be connected to each other again: two leases, or an answer of `START_ANSWER_TIME` and the search
for the assistant."""

# Reaching people

MIN_RING_SECS = 5
"""The shortest ring timeout that Telnyx takes (Telnyx API: POST /calls, timeout_secs)."""

GUESTS_WAIT_FOR_HOST = timedelta(seconds=60)
"""The longest pause between two rounds of the host's plan in which a guest is kept on the line. A
guest waits only if the host had answered, and hung up before the assistant ran."""

DETECTION_GRACE = timedelta(seconds=5)
"""How much later than the longest time of a machine detection its webhook may come. Telnyx waits
5 s, or the plan's own time, for the end of the prompt of a phone that screens the call (Telnyx API:
POST /calls, prompt_end_timeout_millis)."""

BEEP_WAIT = timedelta(seconds=25)
"""How long after the end of a screening phone's prompt a beep may come until a message is spoken
without a beep. Telnyx reports that end after 5 s, although a greeting may go on."""

MESSAGE_TIME = timedelta(minutes=3)
"""The longest time of an audio file that is a message for a machine. The call is hung up then."""

SCREENING_GRACE = timedelta(seconds=10)
"""The addition to a screening's own timeout, which begins after the sentence is spoken. A screening
without a webhook by then is asked once more."""

LOST_CALL_AFTER = timedelta(minutes=10)
"""How long after its end a call is kept in a large document if no hangup was reported: a sign of
life, upon which the call is hung up, comes within Telnyx's retries of a webhook."""

# What people hear

WORDS_DELAY = timedelta(seconds=3)
"""How long a person waits for a start, a join or a restart until the waiting words are said. A
guest who waits for the host's answer hears the words at once."""

WORDS_PAUSE = timedelta(seconds=10)
"""The pause after the waiting words until the words are said again."""

WORDS_PER_CHARACTER = timedelta(seconds=0.1)
"""The longest time that a voice needs for a character; voices need 0.05 to 0.08 s (estimated from
150 to 180 English words a minute)."""

WORDS_END_GRACE = timedelta(seconds=5)
"""How much longer `call.speak.ended` may take, until the words count as ended without the
webhook."""

GOODBYE_TIME = timedelta(seconds=5)
"""How long a goodbye may last; then the call is hung up, whether the goodbye has ended or not."""

# Ending

CALL_LIMIT_GRACE = timedelta(minutes=2)
"""How much longer than its conversation a call may last at Telnyx. The sweep ends a conversation up
to a minute late, and a conversation begins some seconds after its host's answer."""

MAX_CALL_SECS = 14_400
"""Telnyx's longest time limit of a call, and its default (Telnyx API: POST /calls)."""

STOP_GRACE = timedelta(seconds=60)
"""How long a stopping conversation waits for `call.conversation.ended`, then counts as ended."""

END_GRACE = timedelta(seconds=35)
"""How long after an end of the assistant that nothing of ours explains the cause may come: the
hangup, or `call.bridged` at the end of a transfer. The target of a transfer rings for 30 s (Telnyx
API: transfer, timeout_secs); the rest is for the webhook."""

EARLIER_END_WITHIN = timedelta(seconds=10)
"""How long after a restart an end that names no conversation is about the assistant before: Telnyx
may send an end for each call that was in the earlier conversation."""

INFERRED_END_DELAY = timedelta(seconds=30)
"""How long after its insights an assistant counts as running. Telnyx makes insights of ended
conversations only, so a `call.conversation.ended` that has not come by then was lost."""

INSIGHTS_POLL_DELAY = timedelta(seconds=60)
"""When to fetch insights and messages that no webhook brought. Insights were reported to come 2 to
20 s after the end."""

INSIGHTS_POLL_PAUSE = timedelta(minutes=2)
"""The pause after the first fetch of insights, and of messages; the pause after the second is twice
as long."""

MAX_INSIGHT_POLLS = 3
"""Fetches of insights, and of messages, before we give up, 7 minutes after the end."""

# Requests, tools and the sweep

DRAIN_TIME = timedelta(seconds=4)
"""How long a request waits for its pending commands: a Lambda's 10 s less a last attempt."""

AGAIN_AFTER = timedelta(seconds=20)
"""How long a contact who was not reached is not tried again: a model may ask twice."""

RETRY_LIMIT_FOR = timedelta(minutes=2)
"""How long a limit may delay a start: Lambda tries again after one minute and two more."""

POSTPONED_BY = timedelta(minutes=3)
"""For how long a conversation that failed is postponed.

Without the delay, the sweep would hand out a conversation that always fails each minute. The alarm
on `TimerFailed` looks at five minutes at a time: it still sees each of those failures.
"""

MAX_MESSAGE_DELAY = timedelta(minutes=15)
"""The longest delay of a message (SQS: DelaySeconds)."""

OPEN_LONG = timedelta(hours=4, minutes=15)
"""A conversation that is open for longer is stuck: `MaxMinutes` ends it after four hours at most.

Those four hours begin when the assistant runs, this time at the newest call to the host. Between
the two the host's phone may ring for ten minutes, and the end takes its time too. A host's plan may
pause for a day; this time then begins at the end of the pause.
"""

# Erasures

ERASURE_PAUSE = timedelta(minutes=1)
"""The shortest pause between two passes of an erasure that has something left to do."""

ERASURE_LONGEST_PAUSE = timedelta(minutes=15)
"""The longest pause between two attempts to delete a conversation at Telnyx."""

ERASURE_SETTLED = timedelta(minutes=10)
"""When the erasure of a person looks for the last time. By then a webhook of the failover queue is
processed or a dead letter (five deliveries, a minute apart), and the index of people is complete.
"""

ERASURE_GIVEN_UP_AFTER = timedelta(days=1)
"""When deletions at Telnyx that keep failing are given up; the receipt names them."""
