"""The page of the timers shows every timer of the code."""

from local.docs import timers
from partyline.domain.model import timeouts


def test_the_page_shows_every_timer_as_the_code_has_it() -> None:
    page = timers.PAGE.read_text()
    _, _, rest = page.partition(timers.BEGIN)
    table, _, _ = rest.partition(timers.END)
    assert table == timers.render(), "run `python -m local.docs.timers`"


def test_every_timer_has_a_purpose_and_a_lateness() -> None:
    purposes = dict(timers.purposes())
    constants = {name for name in vars(timeouts) if name.isupper()}
    assert purposes.keys() == timers.TIMERS.keys() == constants
    assert all(purposes.values()), "the first sentence of each docstring"


def test_values_are_shown_in_readable_units() -> None:
    assert timers.shown(timeouts.LEASE) == "6 s"
    assert timers.shown(timeouts.UNKNOWN_CALL_PATIENCE) == "12 min"
    assert timers.shown(timeouts.BACKOFF) == "1 s, 2 s, 5 s, 15 s, 30 s, 60 s"
    assert timers.shown({"dial": timeouts.LEASE}) == "dial 6 s"
