"""Write the tables of docs/timers.md from `domain/model/timeouts.py` and the requests' models.

`python -m local.docs.timers` writes the tables between the lines `<!-- timers -->` and
`<!-- /timers -->`. The purpose of a timer is the first sentence of its docstring.
"""

import ast
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from partyline.domain.model import timeouts
from partyline.domain.model.plan import VERDICT_WAITS
from partyline.services.requests import (
    DialOptions,
    ReachOptions,
    ScreeningSettings,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "timers.md"
BEGIN, END = "<!-- timers -->\n", "<!-- /timers -->"


class Late(StrEnum):
    """How late a timer may be, by the part that fires the timer."""

    MESSAGE = "2 s; 60 s when its message is lost"
    SWEEP = "60 s"
    PROCESS = "not late: the running function waits"
    CHECKED = "never fires: a limit that other steps check"
    TELNYX = "Telnyx's own timer"


TIMERS: dict[str, tuple[Late, str]] = {
    "LEASE": (Late.MESSAGE, "silence for so long, when a process dies with a command in its hands"),
    "START_ANSWER_TIME": (Late.PROCESS, "silence before the assistant's greeting"),
    "START_LEASE": (Late.MESSAGE, "as `LEASE`, for a start of the assistant"),
    "RESEND_WINDOW": (Late.CHECKED, "nothing; afterwards the command is looked up, not sent again"),
    "BACKOFF": (Late.MESSAGE, "the step comes later: a dial, a join, a message"),
    "MAX_ATTEMPTS": (Late.CHECKED, "the step fails, and the assistant says so"),
    "LIMIT_WAIT": (Late.CHECKED, "ringing or silence for so long at most, then the step fails"),
    "LIMITED_FOR": (Late.CHECKED, "the same, over all waits together"),
    "MAX_LIMIT_WAIT": (Late.MESSAGE, "a phone rings, or a line stays open, for longer"),
    "FIRST_RING_POLL": (Late.MESSAGE, "silence after the answer, when `call.answered` is lost"),
    "RING_POLL_PAUSE": (Late.MESSAGE, "the same, for 8 s at most"),
    "DURATION_MARGIN": (Late.CHECKED, "nothing"),
    "ASSISTANT_LOOKUP_DELAY": (Late.MESSAGE, "guests wait to be joined, when the webhook is lost"),
    "MAX_ASSISTANT_LOOKUPS": (Late.CHECKED, "the conversation fails after so many searches"),
    "RING_GRACE": (
        Late.CHECKED,
        "the next number rings so late, when `call.hangup` is lost",
    ),
    "HANGUP_POLL_DELAY": (Late.SWEEP, "nothing: the person has left"),
    "MIN_POLL_PAUSE": (Late.SWEEP, "the assistant learns so late that an attached call ended"),
    "MAX_POLL_PAUSE": (Late.SWEEP, "the same, for a call that lasts"),
    "LISTED_AFTER": (Late.CHECKED, "nothing"),
    "CENSUS_GRACE": (Late.MESSAGE, "the assistant learns so late that a person has left"),
    "CENSUS_PATIENCE": (Late.CHECKED, "nothing"),
    "CENSUS_ROUNDS": (Late.SWEEP, "a lost hangup is noticed so late without a census"),
    "CENSUS_DOUBT": (Late.CHECKED, "nothing"),
    "CENSUS_DOUBT_CALLS": (Late.CHECKED, "nothing"),
    "UNKNOWN_CALL_ATTEMPTS": (Late.CHECKED, "the step fails"),
    "UNKNOWN_CALL_POLL_DELAY": (Late.SWEEP, "nothing"),
    "UNKNOWN_CALL_PATIENCE": (Late.CHECKED, "a call that Telnyx does not know ends"),
    "CONNECT_WAIT": (Late.MESSAGE, "silence for so long, then the assistant is taken back"),
    "STEP_BACK_WAIT": (Late.MESSAGE, "nothing: the assistant speaks meanwhile"),
    "RETURN_WAIT": (Late.MESSAGE, "the waiting words, then the others again"),
    "MIN_RING_SECS": (Late.TELNYX, "a phone rings at least so long"),
    "GUESTS_WAIT_FOR_HOST": (
        Late.CHECKED,
        "a guest is hung up, or waits for the host's next round",
    ),
    "DETECTION_GRACE": (Late.MESSAGE, "the person behind a screening phone waits to be joined"),
    "BEEP_WAIT": (Late.MESSAGE, "nothing: a message for a machine comes so late"),
    "MESSAGE_TIME": (Late.MESSAGE, "nothing: a machine's line stays open for so long"),
    "SCREENING_GRACE": (
        Late.MESSAGE,
        "silence after no digit, when the webhook is lost",
    ),
    "WORDS_DELAY": (Late.MESSAGE, "silence before the waiting words"),
    "WORDS_PAUSE": (Late.MESSAGE, "silence between the waiting words"),
    "WORDS_PER_CHARACTER": (Late.CHECKED, "nothing"),
    "WORDS_END_GRACE": (
        Late.MESSAGE,
        "silence between the waiting words, when `call.speak.ended` is lost",
    ),
    "GOODBYE_TIME": (Late.MESSAGE, "the line ends after the goodbye"),
    "LOST_CALL_AFTER": (Late.CHECKED, "nothing"),
    "CALL_LIMIT_GRACE": (Late.TELNYX, "the call ends, when the conversation did not"),
    "MAX_CALL_SECS": (Late.TELNYX, "the call ends"),
    "STOP_GRACE": (Late.SWEEP, "nothing: the conversation shows `stopping` for longer"),
    "END_GRACE": (
        Late.MESSAGE,
        "silence after the assistant has left",
    ),
    "INFERRED_END_DELAY": (Late.MESSAGE, "the same, when `call.conversation.ended` is lost"),
    "EARLIER_END_WITHIN": (Late.CHECKED, "nothing"),
    "INSIGHTS_POLL_DELAY": (Late.SWEEP, "nothing: the insights and the transcript come later"),
    "INSIGHTS_POLL_PAUSE": (Late.SWEEP, "nothing: the insights and the transcript come later"),
    "MAX_INSIGHT_POLLS": (Late.CHECKED, "nothing: the insights, or messages, stay away"),
    "DRAIN_TIME": (Late.PROCESS, "nothing: an application waits for its answer"),
    "AGAIN_AFTER": (Late.CHECKED, "the assistant says that the contact was just tried"),
    "RETRY_LIMIT_FOR": (Late.CHECKED, "nothing: a scheduled start fails"),
    "POSTPONED_BY": (Late.SWEEP, "each timer of a conversation that fails is so late"),
    "MAX_MESSAGE_DELAY": (Late.MESSAGE, "nothing: a later moment has a second message"),
    "OPEN_LONG": (Late.SWEEP, "nothing: an alarm"),
    "ERASURE_PAUSE": (Late.SWEEP, "nothing"),
    "ERASURE_LONGEST_PAUSE": (Late.SWEEP, "nothing"),
    "ERASURE_SETTLED": (Late.SWEEP, "nothing: the receipt comes later"),
    "ERASURE_GIVEN_UP_AFTER": (Late.SWEEP, "nothing: the operator deletes at Telnyx"),
}
"""How late each timer of `timeouts` may be, and what a caller notices of the timer."""

VERDICT_SECS = {kind: timedelta(seconds=wait.secs) for kind, wait in VERDICT_WAITS.items()}

PLANNED: tuple[tuple[str, str, Any, Late, str], ...] = (
    (
        *("`ring_timeout_secs`", "how long a phone rings"),
        *(DialOptions.model_fields["ring_timeout_secs"].default, Late.TELNYX),
        "then the next number rings",
    ),
    (
        *("`deadline_secs`", "until when a person has to be reached", None, Late.MESSAGE),
        "the assistant says that the guest was not reached; without a host nobody is called",
    ),
    (
        *("`pause_secs`", "the pause between two rounds of a person's numbers"),
        *(ReachOptions.model_fields["pause_secs"].default, Late.MESSAGE),
        "the person's phone rings again",
    ),
    (
        *("`verdict_wait.secs`", "how long an answered call waits for the machine's verdict"),
        *(VERDICT_SECS, Late.MESSAGE),
        "silence, or the words of `verdict_wait.say`, then the join",
    ),
    (
        *("`screening.timeout_secs`", "how long a guest may take to press the digit"),
        *(ScreeningSettings.model_fields["timeout_secs"].default, Late.TELNYX),
        "the guest is hung up, and the next number rings",
    ),
    (
        *("`time_limit_secs`, `MaxMinutes`", "how long a call and a conversation last"),
        *(None, Late.SWEEP),
        "the conversation ends",
    ),
)
"""The timers of a request: field, purpose, default, lateness, effect."""


def render() -> str:
    """Return both tables."""
    head = "| timer | for | value | how late | a caller notices |\n|---|---|---|---|---|\n"
    own = "".join(
        _line(f"`{name}`", purpose, shown(getattr(timeouts, name)), *TIMERS[name])
        for name, purpose in purposes()
    )
    planned = "".join(
        _line(field, purpose, _default(secs), late, effect)
        for field, purpose, secs, late, effect in PLANNED
    )
    return f"\nTimers of a request:\n\n{head}{planned}\nAll others:\n\n{head}{own}\n"


def purposes() -> Iterator[tuple[str, str]]:
    """Yield the name of each timer, and the first sentence of the docstring that follows."""
    body = ast.parse(Path(timeouts.__file__).read_text()).body
    for assignment, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(assignment, ast.Assign) and isinstance(assignment.targets[0], ast.Name):
            text = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                text = " ".join(str(following.value.value).split())
            yield assignment.targets[0].id, _first_sentence(text)


def shown(value: Any) -> str:
    """Return a value for the page: times in seconds, minutes or hours."""
    if isinstance(value, timedelta):
        secs = value.total_seconds()
        if secs < 2 * 60 or secs % 60:
            return f"{secs:g} s"
        return f"{secs / 60:g} min"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(item)}" for name, item in value.items())
    return ", ".join(map(shown, value)) if isinstance(value, tuple) else f"{value:,}"


def _default(value: Any) -> str:
    if isinstance(value, int):
        return f"{value} s"
    return "no default" if value is None else shown(value)


def _first_sentence(text: str) -> str:
    sentence, _, _ = text.replace("\\|", "|").partition(". ")
    return sentence.rstrip(".").partition(": ")[0]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def write() -> None:
    """Write the tables into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{render()}{END}{after}")


if __name__ == "__main__":
    write()
