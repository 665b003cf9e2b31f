"""Work that is repeated at an interval, in a thread of its own."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOG = logging.getLogger(__name__)


@contextmanager
def repeated(secs: float, work: Callable[[], object]) -> Iterator[None]:
    """Do `work` every `secs` while the `with` lasts; an error is logged and ends nothing."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(secs):
            try:
                work()
            except Exception:  # noqa: BLE001 - a failed turn must not be the last
                _LOG.exception("%s failed", work)

    thread = threading.Thread(target=run, name=f"repeated {work}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
