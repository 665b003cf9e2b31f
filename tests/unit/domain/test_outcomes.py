"""The outcome of an unanswered call by its hangup cause and its SIP code."""

import pytest

from partyline.domain.rules.outcomes import unanswered_outcome


@pytest.mark.parametrize(
    ("cause", "sip", "outcome"),
    [
        ("busy", "486", "busy"),
        ("BUSY", None, "busy"),
        ("USER_BUSY", "486", "busy"),
        ("User Busy", None, "busy"),
        ("user-busy", None, "busy"),
        ("17", None, "busy"),
        ("unspecified", "486", "busy"),
        ("unspecified", "SIP/2.0 486 Busy Here", "busy"),
        (None, "600", "busy"),
        ("486", None, "busy"),
        ("call_rejected", "486", "busy"),
        ("call_rejected", "603", "rejected"),
        ("call_rejected", "403", "rejected"),
        ("declined", None, "rejected"),
        ("unspecified", "603", "rejected"),
        ("normal_clearing", "503", "unreachable"),
        ("normal_clearing", "404", "unreachable"),
        ("normal_clearing", "500", "unreachable"),
        ("normal_clearing", "480", "no_answer"),
        ("normal_clearing", "487", "no_answer"),
        ("normal_clearing", "200", "no_answer"),
        ("normal_clearing", "unspecified", "no_answer"),
        ("16", "486", "busy"),
        ("NO_ANSWER", None, "no_answer"),
        ("NO_USER_RESPONSE", None, "no_answer"),
        ("timeout", "487", "no_answer"),
        ("ORIGINATOR_CANCEL", "487", "cancelled"),
        ("canceled", None, "cancelled"),
        ("UNALLOCATED_NUMBER", None, "unreachable"),
        ("not_found", "486", "unreachable"),
        ("user_busy", "404", "busy"),
        ("a cause of tomorrow", "486", "busy"),
        ("a cause of tomorrow", None, "unreachable"),
        ("a cause of tomorrow", "+13125550100", "unreachable"),
        ("", "", "unreachable"),
        (None, None, "unreachable"),
    ],
)
def test_the_more_exact_evidence_decides(cause: str | None, sip: str | None, outcome: str) -> None:
    assert unanswered_outcome(cause, sip) == outcome
