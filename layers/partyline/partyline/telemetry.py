"""Logs and metrics: the tables of their names, and the wrapper that writes both.

Neither holds personal data: no phone number, no name, no text of a message.
"""

import functools
import re
from collections.abc import Callable
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

T = TypeVar("T")

logger = Logger(log_uncaught_exceptions=False)

LOG_FIELDS = frozenset(
    {
        *("conversation_id", "seq", "cause", "participant_id", "leg", "outcome", "hangup_cause"),
        *("command_id", "action", "attempt", "result", "code", "took_ms"),
        *("event_id", "event_type", "request_id", "key_id", "message_id"),
        *("rule", "reason", "error", "shard", "sequence_number"),
        *("aws_service", "aws_operation", "aws_code"),
    }
)
"""Every field that a log line may have beside those that Powertools adds."""

SAFE_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""The shape of Telnyx's identifiers: `call.hangup`, `normal_clearing`, `90018`."""

MAX_DIGITS = 6  # A word with more digits than this may be a phone number

UNREADABLE = "(unreadable)"


class Metric(StrEnum):
    """Every metric, with its unit: a count unless the line says otherwise.

    Alarms and the dashboard in template.yaml use these names; docs/operations.md explains each.
    """

    unit: MetricUnit

    def __new__(cls, name: str, unit: MetricUnit = MetricUnit.Count) -> "Metric":
        """Make a member of a name and a unit."""
        metric = str.__new__(cls, name)
        metric._value_ = name
        metric.unit = unit
        return metric

    WEBHOOK_RECEIVED = "WebhookReceived"  # webhooks with a valid signature and a readable body
    WEBHOOK_IGNORED = "WebhookIgnored"  # webhooks of no other kind that concern no conversation
    WEBHOOK_TRANSCRIPT = "WebhookTranscript"  # new messages of a conversation; ignored
    WEBHOOK_AI = "WebhookAi"  # undocumented `ai.*` webhooks; ignored
    WEBHOOK_NOT_UNDERSTOOD = "WebhookNotUnderstood"  # those of the next two kinds together
    WEBHOOK_VERSION_ONE = "WebhookVersionOne"  # webhooks of Telnyx's API version 1; ignored
    WEBHOOK_UNKNOWN_TYPE = "WebhookUnknownType"  # webhooks of types that we do not know; ignored
    WEBHOOK_WITHOUT_TYPE = "WebhookWithoutType"  # JSON objects without an event type; ignored
    WEBHOOK_UNDERSCORED = "WebhookUnderscored"  # `call_answered` for `call.answered`; processed
    MACHINE_RESULT_UNKNOWN = "MachineResultUnknown"  # unknown verdicts; they count as a person
    WEBHOOK_MALFORMED = "WebhookMalformed"  # webhooks with a valid signature and an unreadable body
    WEBHOOK_FAILED = "WebhookFailed"  # webhooks answered with 500 or above
    SIGNATURE_REFUSED = "SignatureRefused"  # webhooks that name our application, refused with 401
    UNSIGNED_REFUSED = "UnsignedRefused"  # other requests without a valid signature
    KEY_REFUSED = "KeyRefused"  # requests with an unknown bearer key
    TOOL_CALLED = "ToolCalled"  # calls of the assistant's tools with a valid signature
    TOOL_LIMITED = "ToolLimited"  # invitations by the tool beyond the limits of calls
    BUDGET_EXCEEDED = "BudgetExceeded"  # requests whose dials did not fit into the day's budget
    BUDGET_USED = "BudgetUsedPercent", MetricUnit.Percent  # of the day's budget, at each dial
    INBOUND_REFUSED = "InboundRefused"  # incoming calls rejected beyond the limits of calls
    REQUEST_FAILED = "Failed"  # webhooks and all other requests answered with 500 or above
    AWS_ERROR_UNEXPECTED = "AwsErrorUnexpected"  # a bug or a missing permission
    FAILOVER_RECEIVED = "FailoverReceived"  # messages of the failover queue with a valid signature
    FAILOVER_PUT_BACK = "FailoverPutBack"  # messages that return to the failover queue
    FAILOVER_REFUSED = "FailoverRefused"  # dropped: a wrong signature or body
    EVENT_SENT = "EventSent"  # events put on the bus
    HOOK_DELIVERED = "HookDelivered"  # deliveries that a receiver took
    HOOK_ATTEMPT_FAILED = "HookAttemptFailed"  # attempts that a receiver did not take
    HOOK_ATTEMPT_DROPPED = "HookAttemptDropped"  # messages of attempts that were made before
    HOOK_DELIVERY_FAILED = "HookDeliveryFailed"  # deliveries given up after all attempts
    HOOK_MESSAGE_FAILED = "HookMessageFailed"  # events and messages of hooks that failed
    START_ASKED = "StartAsked"  # `StartConversation` events taken from the bus
    CONVERSATION_SCHEDULED = "ConversationScheduled"  # conversations requested with a `start_at`
    SCHEDULED_FAILED = "ScheduledFailed"  # scheduled conversations that could not start
    SWEEP_TOUCHED = "SweepTouched"  # due conversations that the sweep handed out
    SWEEP_FAILED = "SweepFailed"  # shards that the sweep could not read
    CENSUS_CALLS = "CensusCalls"  # live calls that a complete census looked for
    CENSUS_MISSING = "CensusMissing"  # those of them that Telnyx's list of active calls lacked
    CENSUS_FAILED = "CensusFailed"  # connections whose census was not complete
    DEAD_LETTERS = "DeadLetters"  # messages in all dead-letter queues, every fifth minute
    TIMER_SENT = "TimerSent"  # messages of timers that were sent
    TIMER_NOT_SENT = "TimerNotSent"  # messages of timers that the queue did not take
    TIMER_LATE = "TimerLateSecs", MetricUnit.Seconds  # from a timer's moment to its message
    TIMER_DROPPED = "TimerDropped"  # messages that are unreadable or name no conversation
    TIMER_FAILED = "TimerFailed"  # conversations that failed while time passed
    OLDEST_PENDING = "OldestPendingSecs", MetricUnit.Seconds  # age of a pending command
    CONVERSATIONS_OPEN_LONG = "ConversationsOpenLong"  # for over four hours and a quarter
    OPEN_COUNT_REPAIRED = "OpenCountRepaired"  # corrections of the count of open conversations
    NUMBERS_INDEXED = "NumbersIndexed"  # entries of the index of people that were written
    ERASURE_FAILED = "ErasureFailed"  # interrupted passes, and 3 for each of the next
    ERASURE_GIVEN_UP = "ErasureGivenUp"  # conversations that Telnyx did not delete within a day
    DIALING_OFF = "DialingOff"  # sweeps that found all dials switched off
    COMMAND_LATENCY = "CommandLatency", MetricUnit.Milliseconds  # duration of a Telnyx command
    WEBHOOK_URLS_LIST = "WebhookUrlsList"  # calls with a list of webhook URLs for each event type
    WEBHOOK_URLS_STRING = "WebhookUrlsString"  # calls with a webhook URL for each event type
    WEBHOOK_URLS_NONE = "WebhookUrlsNone"  # calls with all webhooks at the same URL

    COMMAND_SUCCEEDED = "CommandSucceeded"  # commands that Telnyx carried out
    COMMAND_REFUSED = "CommandRefused"  # commands that Telnyx, or a rule of ours, refused
    COMMAND_FORM_REFUSED = "CommandFormRefused"  # commands that are sent again in another form
    COMMAND_RETRYABLE = "CommandRetryable"  # commands without an answer, or refused for now
    COMMAND_CALL_ENDED = "CommandCallEnded"  # commands for a call that had ended
    COMMAND_CALL_UNKNOWN = "CommandCallUnknown"  # commands for a call whose id Telnyx did not know
    COMMAND_NOT_FOUND = "CommandNotFound"  # searches for the effect of a command that found none
    COMMAND_CALL_STATE = "CommandCallState"  # polls of a call's state
    COMMAND_INSIGHTS_FOUND = "CommandInsightsFound"  # polls of a conversation's insights
    COMMAND_TRANSCRIPT_FOUND = "CommandTranscriptFound"  # fetches of a conversation's messages

    # The metric of each event type has the member name of `EventType`.
    CONVERSATION_STARTED = "ConversationStarted"
    CONVERSATION_ACTIVE = "ConversationActive"
    CONVERSATION_STOPPING = "ConversationStopping"
    CONVERSATION_RESTARTED = "ConversationRestarted"
    CONVERSATION_ENDED = "ConversationEnded"
    CONVERSATION_FAILED = "ConversationFailed"
    INSIGHTS_GENERATED = "ConversationInsightsGenerated"
    CONVERSATION_ANALYZED = "ConversationAnalyzed"
    CONVERSATION_REPORT = "ConversationReport"
    TRANSCRIPT_UPDATED = "TranscriptUpdated"
    TRANSCRIPT_READY = "TranscriptReady"
    PARTICIPANT_INVITED = "ParticipantInvited"
    PARTICIPANT_SCREENING = "ParticipantScreening"
    PARTICIPANT_WAITING = "ParticipantWaiting"
    PARTICIPANT_JOINING = "ParticipantJoining"
    PARTICIPANT_JOINED = "ParticipantJoined"
    PARTICIPANT_LEFT = "ParticipantLeft"
    PARTICIPANT_FAILED = "ParticipantFailed"
    PARTICIPANT_ALONE = "ParticipantAlone"
    CALL_BACK_BOOKED = "CallBackBooked"
    HANDOVER_STARTED = "HandoverStarted"
    HANDOVER_ENDED = "HandoverEnded"
    LEG_DIALING = "LegDialing"
    LEG_RINGING = "LegRinging"
    LEG_ANSWERED = "LegAnswered"
    LEG_SCREENING = "LegScreening"
    LEG_REFUSED = "LegRefused"
    LEG_SCREENED = "LegScreened"
    LEG_JUDGED = "LegJudged"
    LEG_SPEAKING = "LegSpeaking"
    LEG_TRANSFERRED = "LegTransferred"
    LEG_ENDED = "LegEnded"
    LEG_CORRECTED = "LegCorrected"
    ASSISTANT_MODE_CHANGED = "AssistantModeChanged"
    ASSISTANT_MODE_FAILED = "AssistantModeFailed"
    MESSAGE_SENT = "MessageSent"
    MESSAGE_FAILED = "MessageFailed"
    COMMAND_CHANGED = "CommandChanged"
    COMMAND_FAILED = "CommandFailed"
    COMMAND_REPAIRED = "CommandRepaired"
    ROUTE_CHANGED = "RouteChanged"
    DO_NOT_CALL_CHANGED = "DoNotCallChanged"
    CONVERSATION_ERASED = "ConversationErased"
    PERSON_ERASED = "PersonErased"
    HOOK_CHANGED = "HookChanged"
    HOOK_DISABLED = "HookDisabled"


def log_safe(word: str | None) -> str | None:
    """A word of another system for the log; free text and numbers become `(unreadable)`."""
    if word is None or (SAFE_WORD.fullmatch(word) and sum(map(str.isdigit, word)) <= MAX_DIGITS):
        return word
    return UNREADABLE


# The local stack runs several invocations at once in a process, each with its own metrics.
_metrics: ContextVar[EphemeralMetrics | None] = ContextVar("metrics", default=None)


def count(metric: Metric, value: float = 1) -> None:
    """Add a value to a metric of this invocation, in the metric's own unit."""
    metrics = _metrics.get()
    if metrics:
        metrics.add_metric(name=metric, unit=metric.unit, value=value)


def count_if_any(metric: Metric, value: float) -> None:
    """Add a value to a metric, unless the value is 0: CloudWatch charges an hour with a value.

    For metrics that a function would otherwise write every minute of a month without calls.
    """
    if value:
        count(metric, value)


def lambda_handler(work: Callable[[dict[str, Any], Any], T]) -> Callable[[dict[str, Any], Any], T]:
    """A Lambda handler around `work` that adds the invocation to log lines and writes metrics."""

    @functools.wraps(work)
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: Any) -> T:
        logger.thread_safe_clear_keys()
        metrics = EphemeralMetrics()
        token = _metrics.set(metrics)
        try:
            return work(event, context)
        finally:
            _metrics.reset(token)
            if metrics.metric_set:  # Powertools warns of an invocation without metrics
                metrics.flush_metrics()

    return handler
