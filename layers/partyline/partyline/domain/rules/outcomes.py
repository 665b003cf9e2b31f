"""How a call came out, from the facts of its webhooks: the table of hangup causes and SIP codes.

The facts decide, not their order: `inferred_outcome` gives the same outcome for the same facts.
"""

import re
from functools import lru_cache

from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.statuses import Outcome

TELNYX_CAUSES = {
    "user_busy": Outcome.BUSY,
    "call_rejected": Outcome.REJECTED,
    "timeout": Outcome.NO_ANSWER,
    "no_answer": Outcome.NO_ANSWER,
    "originator_cancel": Outcome.CANCELLED,
    "not_found": Outcome.UNREACHABLE,
}
"""The outcomes of Telnyx's own causes (Telnyx API: call.hangup, hangup_cause)."""

CAUSES = {
    **TELNYX_CAUSES,
    # Short forms that public handlers of Telnyx's webhooks list beside the above
    "busy": Outcome.BUSY,
    "rejected": Outcome.REJECTED,
    "decline": Outcome.REJECTED,
    "declined": Outcome.REJECTED,
    # Reason phrases (RFC 3261 section 21)
    "busy_here": Outcome.BUSY,
    "busy_everywhere": Outcome.BUSY,
    "cancel": Outcome.CANCELLED,
    "canceled": Outcome.CANCELLED,
    "cancelled": Outcome.CANCELLED,
    # Names of ITU-T Q.850 causes as FreeSWITCH writes them; Telnyx's WebRTC libraries have some
    "no_user_response": Outcome.NO_ANSWER,
    "subscriber_absent": Outcome.NO_ANSWER,
    "allotted_timeout": Outcome.NO_ANSWER,
    "facility_rejected": Outcome.REJECTED,
    "outgoing_call_barred": Outcome.REJECTED,
    "incoming_call_barred": Outcome.REJECTED,
    "lose_race": Outcome.CANCELLED,
    "unallocated_number": Outcome.UNREACHABLE,
    "no_route_transit_net": Outcome.UNREACHABLE,
    "no_route_destination": Outcome.UNREACHABLE,
    "number_changed": Outcome.UNREACHABLE,
    "invalid_number_format": Outcome.UNREACHABLE,
    "destination_out_of_order": Outcome.UNREACHABLE,
    "normal_circuit_congestion": Outcome.UNREACHABLE,
    "network_out_of_order": Outcome.UNREACHABLE,
    "normal_temporary_failure": Outcome.UNREACHABLE,
    "switch_congestion": Outcome.UNREACHABLE,
    "service_unavailable": Outcome.UNREACHABLE,
    "incompatible_destination": Outcome.UNREACHABLE,
    "invalid_gateway": Outcome.UNREACHABLE,
}
"""The outcome of a call that ended before its answer, by an exact hangup cause."""

Q850_CAUSES = {
    1: "unallocated_number",
    2: "no_route_transit_net",
    3: "no_route_destination",
    16: "normal_clearing",
    17: "user_busy",
    18: "no_user_response",
    19: "no_answer",
    20: "subscriber_absent",
    21: "call_rejected",
    22: "number_changed",
    27: "destination_out_of_order",
    28: "invalid_number_format",
    29: "facility_rejected",
    31: "normal_unspecified",
    34: "normal_circuit_congestion",
    38: "network_out_of_order",
    41: "normal_temporary_failure",
    42: "switch_congestion",
    52: "outgoing_call_barred",
    54: "incoming_call_barred",
    88: "incompatible_destination",
}
"""The same causes by number (ITU-T Q.850)."""

GENERIC_CAUSES = ("normal_clearing", "normal_unspecified")
"""Causes that say nothing exact: `no_answer`. Any other unknown cause is `unreachable`."""

MORE_EXACT = {
    Outcome.REJECTED: {Outcome.BUSY},  # `call_rejected` covers any refusal
    Outcome.CANCELLED: {Outcome.BUSY, Outcome.REJECTED},
    Outcome.NO_ANSWER: {Outcome.BUSY, Outcome.REJECTED, Outcome.UNREACHABLE},
}
"""The outcomes that are more exact than another outcome: the far end has said more than nothing."""

SIP_CODES = {
    403: Outcome.REJECTED,
    408: Outcome.NO_ANSWER,
    480: Outcome.NO_ANSWER,
    486: Outcome.BUSY,
    487: Outcome.NO_ANSWER,
    600: Outcome.BUSY,
    603: Outcome.REJECTED,
    604: Outcome.UNREACHABLE,
    606: Outcome.UNREACHABLE,
    607: Outcome.REJECTED,
    608: Outcome.REJECTED,
}
"""The outcome by SIP code (RFC 3261 section 21; 607: RFC 8197; 608: RFC 8688)."""

SIP_CLASSES = {4: Outcome.UNREACHABLE, 5: Outcome.UNREACHABLE, 6: Outcome.REJECTED}
"""The outcome of the other codes, by their first digit (RFC 3261 section 7.2)."""

_SIP_CODE = re.compile(r"(?<!\d)[1-6]\d\d(?!\d)")
_Q850_REASON = re.compile(r"q\.?850\s*;[^,]*?\bcause\s*=\s*\"?([0-9]{1,3})\b[^,]*", re.IGNORECASE)
"""A value of SIP's Reason header (RFC 3326), such as `Q.850;cause=17;text="User busy"`."""


def _squeezed(cause: str) -> str:
    """Return a cause as a key: `userbusy` for `User Busy`, `user.busy` and `userBusy`."""
    return re.sub(r"[\W_]+", "", cause).casefold()


_CAUSES = {_squeezed(name): outcome for name, outcome in CAUSES.items()}
_GENERIC = frozenset(map(_squeezed, GENERIC_CAUSES))


@lru_cache(maxsize=256)
def unanswered_outcome(hangup_cause: str | None, sip_hangup_cause: str | None) -> Outcome:
    """Return the outcome of a call that ended before its answer. The more exact evidence decides.

    The evidence in its order: an exact cause, the SIP code, a cause in the SIP text. Later evidence
    counts if it is more exact. A generic cause comes last.
    """
    texts = (hangup_cause or "", sip_hangup_cause or "")
    words, sip_words = map(_cause_words, texts)
    exact = [_CAUSES[word] for word in words if word in _CAUSES]
    codes = [outcome for text in reversed(texts) if (outcome := _sip_outcome(text))]
    evidence = [*exact, *codes, *(_CAUSES[word] for word in sip_words if word in _CAUSES)]
    if not evidence:
        return Outcome.UNREACHABLE if _GENERIC.isdisjoint(words) else Outcome.NO_ANSWER
    outcome = evidence[0]
    for other in evidence[1:]:
        outcome = other if other in MORE_EXACT.get(outcome, ()) else outcome
    return outcome


def _cause_words(text: str) -> list[str]:
    """Return the causes in a text as keys: its words, or the names of its Q.850 numbers."""
    numbers = [text] if re.fullmatch(r"\s*[0-9]{1,3}\s*", text) else _Q850_REASON.findall(text)
    names = [Q850_CAUSES.get(int(number), "") for number in numbers]
    return [_squeezed(name) for name in names or [text]]


def _sip_outcome(text: str) -> Outcome | None:
    match = _SIP_CODE.search(_Q850_REASON.sub("", text))
    code = int(match[0]) if match else 0
    return SIP_CODES.get(code) or SIP_CLASSES.get(code // 100)


def inferred_outcome(participant: Participant, leg: Leg) -> Outcome:
    """Return the outcome of a call that is over, by the facts that its webhooks told.

    The outcome of an answered call is that of its last question: machine or person, then the
    screening. A call that ended before the answer to a question was declined. A machine that is
    suspected at the end of the call is a machine, as at the end of the wait for a verdict.
    """
    plan = participant.plan
    if leg.answered_at is None:
        gone = plan is None and leg.owned  # a caller who hung up before our answer
        unanswered = unanswered_outcome(leg.hangup_cause, leg.sip_hangup_cause)
        return Outcome.CANCELLED if gone else unanswered
    if plan and plan.machine_detection != "off" and leg.machine is None:
        return leg.machine_outcome if leg.machine_suspected else Outcome.DECLINED
    if leg.machine:
        return leg.machine_outcome
    if plan and plan.screening:
        return leg.screening_result or Outcome.DECLINED
    return Outcome.HUMAN
