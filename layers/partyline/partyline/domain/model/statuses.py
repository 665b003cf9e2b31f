"""The words for where a conversation, a participant and a leg stand, and the ways between them.

The tables are the rule: `Step` moves nothing that they do not allow, the tests walk them, and the
diagrams in docs/architecture.md are drawn from them (`make docs`).
"""

from enum import StrEnum


class ConversationStatus(StrEnum):
    """Where a conversation stands."""

    CONNECTING = "connecting"
    ACTIVE = "active"
    STOPPING = "stopping"
    ENDED = "ended"
    FAILED = "failed"


class ParticipantStatus(StrEnum):
    """Where a person stands. `waiting`: answered, but the assistant does not run yet."""

    DIALING = "dialing"
    SCREENING = "screening"
    WAITING = "waiting"
    JOINING = "joining"
    JOINED = "joined"
    LEFT = "left"
    FAILED = "failed"


class LegStatus(StrEnum):
    """Where one phone call stands."""

    DIALING = "dialing"
    RINGING = "ringing"
    ANSWERED = "answered"
    SCREENING = "screening"
    ENDED = "ended"


class Outcome(StrEnum):
    """How an attempt to reach a person came out."""

    HUMAN = "human"
    MACHINE = "machine"
    DECLINED = "declined"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    LIMITED = "limited"
    ERROR = "error"


class Direction(StrEnum):
    """Who called whom; `attached` is an assistant put on a call that was already live."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    ATTACHED = "attached"


class OnHangup(StrEnum):
    """What a person's leaving means for the conversation. Telnyx's own words."""

    CONTINUE = "continue_conversation"
    END = "end_conversation"


_C = ConversationStatus
CONVERSATION_MOVES: dict[ConversationStatus, frozenset[ConversationStatus]] = {
    _C.CONNECTING: frozenset({_C.ACTIVE, _C.STOPPING, _C.ENDED, _C.FAILED}),
    _C.ACTIVE: frozenset({_C.STOPPING, _C.ENDED}),
    _C.STOPPING: frozenset({_C.ENDED}),
    _C.ENDED: frozenset(),
    _C.FAILED: frozenset(),
}

_P = ParticipantStatus
PARTICIPANT_MOVES: dict[ParticipantStatus, frozenset[ParticipantStatus]] = {
    _P.DIALING: frozenset({_P.SCREENING, _P.WAITING, _P.FAILED}),
    _P.SCREENING: frozenset({_P.WAITING, _P.FAILED}),
    _P.WAITING: frozenset({_P.JOINING, _P.LEFT, _P.FAILED}),
    _P.JOINING: frozenset({_P.JOINED, _P.LEFT, _P.FAILED}),
    _P.JOINED: frozenset({_P.LEFT}),
    _P.LEFT: frozenset(),
    _P.FAILED: frozenset(),
}

_L = LegStatus
LEG_MOVES: dict[LegStatus, frozenset[LegStatus]] = {
    _L.DIALING: frozenset({_L.RINGING, _L.ANSWERED, _L.ENDED}),
    _L.RINGING: frozenset({_L.ANSWERED, _L.ENDED}),
    _L.ANSWERED: frozenset({_L.SCREENING, _L.ENDED}),
    _L.SCREENING: frozenset({_L.ENDED}),
    _L.ENDED: frozenset(),
}

NOT_ADMITTING = frozenset({_C.STOPPING, _C.ENDED, _C.FAILED})
"""A conversation that takes nobody in any more."""

FINISHED = frozenset({_C.ENDED, _C.FAILED})
"""A conversation that has come to its end."""

DEPARTED = frozenset({_P.LEFT, _P.FAILED})
"""A participant who is out of it for good."""

BEING_REACHED = frozenset({_P.DIALING, _P.SCREENING})
"""A participant whom we are still trying to get on the line."""

ON_THE_LINE = frozenset({_P.WAITING, _P.JOINING, _P.JOINED})
"""A participant who holds a phone and is in, or about to be in, the conversation."""
