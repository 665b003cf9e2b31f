"""The moving picture shows each row of the terminal at its time."""

import re
from io import StringIO

from rich.console import Console

from local.docs.moving_picture import HOLD_SECS, moving

ROWS = ("A call", "0.00 s  starts", "0.00 s  rings", "2.50 s  answers", "        a remark")


def picture() -> str:
    """A terminal with a heading, rows with times, and a row without a time."""
    console = Console(record=True, width=40, file=StringIO(), force_terminal=True)
    for row in ROWS:
        time, _, text = row.partition("s  ")
        if text:
            console.print(f"[dim]{time}s[/dim]  {text}", highlight=False)
        else:
            console.print(row, highlight=False)
    return moving(console.export_svg(title="test", unique_id="terminal"))


def shown_at(svg: str) -> list[float]:
    """The seconds at which the rows appear."""
    periods = {float(secs) for secs in re.findall(r"animation: row-\d+ ([\d.]+)s", svg)}
    (period,) = periods
    shares = re.findall(r"@keyframes row-\d+ \{ 0%, ([\d.]+)%", svg)
    times = [float(share) * period / 100 for share in shares]
    assert abs(period - times[-1] - HOLD_SECS) < 0.05
    return times


def test_rows_appear_in_their_order_and_at_the_pace_of_the_call() -> None:
    times = shown_at(picture())
    assert len(times) == len(ROWS)
    assert times == sorted(times)
    assert 2.3 < times[3] - times[1] < 2.6
    assert times[4] - times[3] < 0.2


def test_a_reader_who_asks_for_less_motion_sees_all_rows() -> None:
    style, _, _ = picture().partition("</style>")
    before, media, _ = style.partition("@media (prefers-reduced-motion: no-preference)")
    assert media
    assert "opacity: 0" not in before
