"""A command that runs until a signal ends, whichever of its threads takes the signal."""

import signal
import threading
import time

import pytest

from local.cli import common
from tests.support.patience import PATIENCE_SECS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_another_thread_takes_ends_the_wait(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "_WAKE_SECS", 0.01)
    before = signal.getsignal(number)

    def take_signal() -> None:
        time.sleep(0.1)  # the main thread waits by now
        signal.pthread_kill(threading.get_ident(), number)

    with common.stop_event() as stopped:
        threading.Thread(target=take_signal).start()
        rescue = threading.Timer(PATIENCE_SECS, stopped.set)
        rescue.start()
        common.wait_for_stop(stopped)
        assert rescue.is_alive(), "the signal did not end the wait"
        rescue.cancel()
    assert signal.getsignal(number) is before
