"""Judge the runs of the matrix: the end is right, or the failure is reported."""

from dataclasses import dataclass, replace
from functools import cache

from tests.faults.invariants import Ending, compare
from tests.unknowns.matrix import PLAYS, UNREAD, Result, Run, play

NO_HEADER = ("tool-header", "absent")


@dataclass(frozen=True)
class Limit:
    """What Partyline cannot know under some answers, or on some line, so that less may be done.

    No person is called or joined twice, and no call stays up, all the same.
    """

    reason: str
    answers: frozenset[tuple[str, str]] = frozenset()
    condition: str = ""
    stories: frozenset[str] = frozenset()
    """The stories of the limit; without names, every story."""

    def holds(self, run: Run) -> bool:
        """Return whether the limit holds in a run."""
        is_story = not self.stories or run.story in self.stories
        is_condition = self.condition in ("", run.condition)
        return self.answers <= {*run.answers} and is_condition and is_story


LIMITS = (
    Limit("no webhook is read", frozenset({UNREAD})),
    Limit("webhooks are lost", condition="lost webhooks"),
    Limit("a tool's request names no call", frozenset({NO_HEADER, ("preset-fields", "absent")})),
    Limit("a tool's request names no call", frozenset({NO_HEADER, ("preset-fields", "unfilled")})),
    Limit(
        "a refusal whose response is lost looks like a success when the command is repeated",
        frozenset({("refused-command-id", "used")}),
        "lost responses",
    ),
    Limit(
        "the stop of the assistant hangs up the guests, whose calls are to stay up",
        frozenset({("legs-after-stop", "hung-up")}),
        stories=frozenset({"stop", "handover, then away", "demo: handover"}),
    ),
    Limit(
        "the people cannot be connected, and the assistant comes back on the guest's call only",
        frozenset({("connect-after-stop", "refused"), ("start-again", "refused")}),
        stories=frozenset({"handover, then away"}),
    ),
    Limit(
        "the people cannot be connected, so the demo waits in vain for the mode away",
        frozenset({("connect-after-stop", "refused")}),
        stories=frozenset({"demo: handover"}),
    ),
    Limit(
        "the assistant cannot come back, so the demo waits in vain for the mode speaking",
        frozenset({("start-again", "refused")}),
        stories=frozenset({"demo: handover"}),
    ),
)


@cache
def assumed_ending(story: str) -> Ending:
    """Return how a story ends under the assumed answers, when nothing goes wrong."""
    result = play(Run(story, "calm"))
    assert result.ending is not None, result.violations
    return result.ending


def judge(run: Run) -> Result:
    """Run a story, and compare its ending with the ending under the assumed answers."""
    result = play(run)
    is_limited = any(limit.holds(run) for limit in LIMITS)
    if result.violations:
        return result
    if result.ending is None:
        return result if is_limited else replace(result, violations=result.failures)
    right = assumed_ending(run.story)
    found, failures = compare(result.ending, right)
    wrong = tuple(text for text in found if not _is_right_too(text, result.ending, right))
    if is_limited:
        wrong = tuple(text for text in wrong if _is_worse(text, run, result.ending))
    elif result.failures and not failures and run.condition == "calm":
        wrong += result.failures  # on a bad line the demo waits in vain for results at once
    return replace(result, violations=wrong, failures=tuple(failures))


def _is_right_too(difference: str, ending: Ending, right: Ending) -> bool:
    """Whether an ending that differs from the assumed ending is right under its own answers.

    An assistant that was never restarted joins no guest again, and hears of no restart.
    """
    if difference.startswith(("not joined", "not told")):
        return ending.assistants < right.assistants
    same = (ending.insights, ending.transcripts) == (right.insights, right.transcripts)
    return difference.endswith("conversations") and same


def _is_worse(difference: str, run: Run, ending: Ending) -> bool:
    """Whether a difference is more than a limit explains: a double, or a call left up.

    A plan whose conversation has ended unseen goes on with the next number and the next attempt,
    and a restarted assistant may run on the call of another guest.
    """
    kind, _, name = difference.partition(" too often: ")
    if kind == "joined":
        return ending.joined.count(name) > ending.assistants
    if kind == "dialled":
        numbers = max(1, assumed_ending(run.story).dialled.count(name))
        return ending.dialled.count(name) > numbers * PLAYS[run.story].attempts
    return bool(name) or "twice" in difference or "were started" in difference
