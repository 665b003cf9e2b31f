"""How a call came out, from the facts of its webhooks: the table of hangup causes and SIP codes.

The facts decide, not their order: `inferred_outcome` gives the same outcome for the same facts.
"""

import re

from partyline.domain.model.conversation import Leg, Participant
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
    "declined": Outcome.REJECTED,
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
    31: "normal_unspecified",
    34: "normal_circuit_congestion",
    38: "network_out_of_order",
    41: "normal_temporary_failure",
    42: "switch_congestion",
}
"""The same causes by number (ITU-T Q.850)."""

GENERIC_CAUSES = {"normal_clearing": Outcome.NO_ANSWER, "normal_unspecified": Outcome.NO_ANSWER}
"""Causes that say nothing exact; any other unknown cause is `unreachable`."""

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
_SEPARATORS = re.compile(r"[\s_-]+")


def unanswered_outcome(hangup_cause: str | None, sip_hangup_cause: str | None) -> Outcome:
    """Return the outcome of a call that ended before its answer. The more exact evidence decides.

    An exact cause comes first, then the SIP code, then a generic cause. `call_rejected` covers any
    refusal, so a SIP code for a busy line is more exact.
    """
    cause = _cause(hangup_cause)
    exact, by_sip = CAUSES.get(cause), _sip_outcome(sip_hangup_cause) or _sip_outcome(hangup_cause)
    if exact is Outcome.REJECTED and by_sip is Outcome.BUSY:
        return by_sip
    return exact or by_sip or GENERIC_CAUSES.get(cause, Outcome.UNREACHABLE)


def _cause(text: str | None) -> str:
    """Return a cause in small letters with underscores; a Q.850 number becomes its name."""
    word = _SEPARATORS.sub("_", (text or "").strip()).casefold()
    return Q850_CAUSES.get(int(word), "") if re.fullmatch(r"[0-9]{1,3}", word) else word


def _sip_outcome(text: str | None) -> Outcome | None:
    match = _SIP_CODE.search(text or "")
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
        return Outcome.MACHINE if leg.machine_suspected else Outcome.DECLINED
    if leg.machine:
        return Outcome.MACHINE
    if plan and plan.screening:
        return leg.screening_result or Outcome.DECLINED
    return Outcome.HUMAN
