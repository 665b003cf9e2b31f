"""The statuses of conversations, participants and legs, and the moves between them.

`Transition` makes only the moves in these tables. The tests walk the tables, and the diagrams in
docs/architecture.md are drawn from the tables (`python -m local.docs.diagrams`).
"""

from enum import StrEnum


class ConversationStatus(StrEnum):
    """The status of a conversation."""

    CONNECTING = "connecting"
    ACTIVE = "active"
    STOPPING = "stopping"
    ENDED = "ended"
    FAILED = "failed"


class ParticipantStatus(StrEnum):
    """The status of a participant. `waiting`: answered, but the assistant does not run yet."""

    DIALING = "dialing"
    SCREENING = "screening"
    WAITING = "waiting"
    JOINING = "joining"
    JOINED = "joined"
    LEFT = "left"
    FAILED = "failed"


class LegStatus(StrEnum):
    """The status of a phone call."""

    DIALING = "dialing"
    RINGING = "ringing"
    ANSWERED = "answered"
    SCREENING = "screening"
    ENDED = "ended"


class Outcome(StrEnum):
    """How an attempt to reach a person ended.

    `screened`: a phone screened the call, and no person took the call. `voicemail_left`: a machine
    answered, and took a message.
    """

    HUMAN = "human"
    MACHINE = "machine"
    SCREENED = "screened"
    VOICEMAIL_LEFT = "voicemail_left"
    DECLINED = "declined"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    LIMITED = "limited"
    ERROR = "error"


class Direction(StrEnum):
    """The direction of the first call; `attached`: the assistant was put on a live call."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    ATTACHED = "attached"


class OnHangup(StrEnum):
    """The effect of a participant's hangup on the conversation. The values are Telnyx's."""

    CONTINUE = "continue_conversation"
    END = "end_conversation"


class AssistantMode(StrEnum):
    """The part that the assistant takes.

    `silent`: the assistant listens, and answers a person who addresses the assistant. `away`: the
    assistant has left, and the people are connected to each other.
    """

    SPEAKING = "speaking"
    SILENT = "silent"
    AWAY = "away"


class HandoverStatus(StrEnum):
    """The status of a handover. `stepping_back`: the person has joined, the mode changes."""

    REACHING = "reaching"
    STEPPING_BACK = "stepping_back"
    ENDED = "ended"


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
    # Back to dialing: a person who declines or hangs up too early is tried at the next number.
    _P.SCREENING: frozenset({_P.DIALING, _P.WAITING, _P.FAILED}),
    _P.WAITING: frozenset({_P.DIALING, _P.JOINING, _P.LEFT, _P.FAILED}),
    _P.JOINING: frozenset({_P.DIALING, _P.JOINED, _P.LEFT, _P.FAILED}),
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

_H = HandoverStatus
HANDOVER_MOVES: dict[HandoverStatus, frozenset[HandoverStatus]] = {
    _H.REACHING: frozenset({_H.STEPPING_BACK, _H.ENDED}),
    _H.STEPPING_BACK: frozenset({_H.ENDED}),
    _H.ENDED: frozenset(),
}

NOT_ADMITTING = frozenset({_C.STOPPING, _C.ENDED, _C.FAILED})
"""Statuses in which a conversation admits no more participants."""

FINISHED = frozenset({_C.ENDED, _C.FAILED})
"""Statuses of a conversation that has ended."""

DEPARTED = frozenset({_P.LEFT, _P.FAILED})
"""Statuses of a participant who has left for good."""

BEING_REACHED = frozenset({_P.DIALING, _P.SCREENING})
"""Statuses of a participant who is still being reached."""

NOT_JOINED_YET = frozenset({_P.WAITING, _P.JOINING})
"""Statuses of a participant who has answered and is not joined yet."""

ON_THE_LINE = frozenset({_P.WAITING, _P.JOINING, _P.JOINED})
"""Statuses of a participant who is in the conversation, or about to be joined."""
