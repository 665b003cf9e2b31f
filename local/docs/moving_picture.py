"""A picture that moves: the rows of a terminal appear one after another, at the pace of the call.

The picture is a file of SVG with an animation in CSS. A page may show the picture as an image:
nothing is loaded, and no script runs. A reader who asks for less motion sees the last frame.
"""

import re

FIRST_ROW_SECS = 0.5
LEAST_STEP_SECS = 0.12
"""Rows of the same moment still appear one after another."""
HOLD_SECS = 6.0
"""How long the whole picture stays until the call begins again."""

_ROW = re.compile(r'clip-path="url\(#[\w-]+-line-(\d+)\)"')
_TIME = re.compile(r'-line-(\d+)\)">(\d+\.\d\d)&#160;s<')


def moving(svg: str) -> str:
    """Return the SVG of a terminal, as Rich makes such a file, with rows that appear one by one.

    A row with a time, such as `0.62 s` in its first column, appears at that time of the call. Other
    rows follow the row before.
    """
    times = {int(row): float(secs) for row, secs in _TIME.findall(svg)}
    rows = sorted({int(row) for row in _ROW.findall(svg)})
    shown_at: dict[int, float] = {}
    begins_at, now = FIRST_ROW_SECS, FIRST_ROW_SECS
    for row in rows:
        if row not in times and not shown_at.keys() & times.keys():
            begins_at = now + LEAST_STEP_SECS
        now = max(now + LEAST_STEP_SECS, begins_at + times.get(row, 0.0))
        shown_at[row] = now
    period = now + HOLD_SECS
    rules = [_rule(row, at, period) for row, at in shown_at.items()]
    style = "@media (prefers-reduced-motion: no-preference) {\n" + "\n".join(rules) + "\n}\n"
    head, end, rest = svg.partition("</style>")
    return f"{head}{style}{end}{rest}"


def _rule(row: int, at: float, period: float) -> str:
    hidden, shown = 100 * at / period, 100 * at / period + 0.01
    return (
        f'text[clip-path$="-line-{row})"] {{ animation: row-{row} {period:.2f}s infinite }}\n'
        f"@keyframes row-{row} {{ 0%, {hidden:.2f}% {{ opacity: 0 }} "
        f"{shown:.2f}%, 100% {{ opacity: 1 }} }}"
    )
