"""The read of the inbound calls beside the read of the rows of a call."""

import threading

import pytest

from partyline.domain.model.conversation import caller_of
from partyline.services.inbound_quotas import in_thread
from tests.support.patience import PATIENCE_SECS


def test_the_work_runs_while_the_caller_does_other_work() -> None:
    may_end = threading.Event()
    result = in_thread(lambda: may_end.wait(PATIENCE_SECS))
    may_end.set()  # a read in the same thread would wait in vain
    assert result() is True


def test_an_error_of_the_work_reaches_the_caller() -> None:
    result = in_thread(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        result()


@pytest.mark.parametrize(
    ("number", "caller"),
    [
        ("+13125550100", "+13125550100"),
        ("sip:Robin@Sip.Example", "sip:robin@sip.example"),
        ("12345", "12345"),
        *((word, "withheld") for word in (None, "", "anonymous", "Restricted", "unknown")),
    ],
)
def test_withheld_numbers_stand_for_one_caller(number: str | None, caller: str) -> None:
    assert caller_of(number) == caller
