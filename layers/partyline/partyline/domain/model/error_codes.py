"""The codes of the API's errors. Callers rely on the codes: no code is renamed."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """The `code` of an API error. The entry points add the HTTP status."""

    # The request itself
    INVALID_REQUEST = "invalid_request"  # a field is missing, unknown or malformed
    TOO_LARGE = "too_large"  # the body is larger than 256 KB
    UNAUTHORIZED = "unauthorized"  # the bearer key is missing or wrong
    FORBIDDEN = "forbidden"  # the bearer key lacks a right
    BAD_SIGNATURE = "bad_signature"  # Telnyx did not sign the webhook, or signed too long ago
    MALFORMED_WEBHOOK = "malformed_webhook"  # the signed body is not a webhook
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"  # the key belongs to another request

    # The subject of the request
    UNKNOWN_CONVERSATION = "unknown_conversation"  # no such conversation
    UNKNOWN_PARTICIPANT = "unknown_participant"  # no such participant in the conversation
    UNKNOWN_ROUTE = "unknown_route"  # the number has no route
    REPORT_NOT_READY = "report_not_ready"  # the conversation has no report yet
    REPORT_EXPIRED = "report_expired"  # the report is older than events are kept
    NOT_LISTED = "not_listed"  # the number is not on the do-not-call list
    UNKNOWN_ERASURE = "unknown_erasure"  # no such erasure
    UNKNOWN_HOOK = "unknown_hook"  # no such hook
    UNKNOWN_EVENT = "unknown_event"  # no such event of a conversation

    # The state of the conversation
    NOT_STARTED = "not_started"  # the conversation is scheduled, and has not begun
    STARTING = (
        "starting"  # a scheduled start is happening just now: too late to cancel, too early to stop
    )
    CONVERSATION_OVER = "conversation_over"  # the conversation is stopping or over
    CONVERSATION_RUNNING = "conversation_running"  # a conversation that runs is not erased
    CONVERSATION_FULL = "conversation_full"  # the conversation has reached the size of a table item
    CALL_IN_USE = "call_in_use"  # the call belongs to a conversation already
    ALREADY_THERE = "already_there"  # the contact is in the conversation, or is being called
    HANDOVER_OPEN = "handover_open"  # another handover of the conversation has no outcome yet
    TOO_FEW_PEOPLE = "too_few_people"  # the assistant cannot leave a person alone
    ALREADY_STARTED = "already_started"  # too late to cancel a scheduled start

    # The state of a hook
    HOOK_DISABLED = "hook_disabled"  # the hook is off, so that nothing can be replayed

    # Limits and rules
    TOO_MANY_PARTICIPANTS = "too_many_participants"  # the limit of a conversation
    TOO_MANY_LEGS = "too_many_legs"  # at once; the limit of a conversation
    TOO_MANY_CONVERSATIONS = "too_many_conversations"  # open at once; the limit of the deployment
    TOO_MANY_DIALS = "too_many_dials"  # in a minute; the limit of a key
    TOO_MANY_BOOKINGS = "too_many_bookings"  # scheduled starts; the limit of a key
    BUDGET_EXCEEDED = "budget_exceeded"  # the budget of the day has no room for the dials
    TOO_MANY_HOOKS = "too_many_hooks"  # the limit of the deployment
    DIALING_OFF = "dialing_off"  # an operator has switched all dials off
    DESTINATION_NOT_ALLOWED = "destination_not_allowed"  # calls may not go to this number

    # Our side
    PENDING = "pending"  # a Telnyx command is still owed; the same request may come again
    BUSY = "busy"  # other writers kept changing the conversation
    UNAVAILABLE = "unavailable"  # the table cannot be reached
    INTERNAL = "internal"  # an error of ours
