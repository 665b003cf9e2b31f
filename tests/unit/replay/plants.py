"""Planted changes of the rules: each is an edit of a file of the domain."""

import shutil
from dataclasses import dataclass
from pathlib import Path

DOMAIN = Path("partyline") / "domain"


@dataclass(frozen=True)
class Plant:
    """An edit of a file in the domain's folder."""

    file: str
    old: str
    new: str

    def apply(self, layer: Path) -> None:
        """Make the edit in a copy of the layer."""
        path = layer / DOMAIN / self.file
        text = path.read_text()
        assert text.count(self.old) >= 1, f"{self.file} has no {self.old!r}"
        path.write_text(text.replace(self.old, self.new, 1))


PLANTS = (
    Plant("decide.py", "    accept_answered,\n    hunt,\n", "    hunt,\n    accept_answered,\n"),
    Plant("decide.py", "    mark_departures,\n    accept", "    accept"),
    Plant("decide.py", "    start_and_join,\n    look_for", "    look_for"),
    Plant("decide.py", "    send_messages,\n    say_goodbyes", "    say_goodbyes"),
    Plant("decide.py", "    release_calls,\n    cancel", "    cancel"),
    Plant("decide.py", "    end_conversation,\n    follow", "    follow"),
    Plant("model/commands.py", "self.attempts += 1", "self.attempts += 2"),
    Plant("model/timeouts.py", "\nLEASE = timedelta(seconds=", "\nLEASE = timedelta(seconds=1 + "),
    Plant(
        "model/timeouts.py",
        "START_LEASE = timedelta(seconds=",
        "START_LEASE = timedelta(seconds=1 + ",
    ),
    Plant("masking.py", "***{number", "**{number"),
    Plant("rules/phrases.py", "has joined the conversation.", "joined the conversation."),
    Plant("rules/phrases.py", "the line is busy.", "the line was busy."),
    Plant("rules/facts.py", "other.outcome = Outcome.CANCELLED", "other.outcome = Outcome.ERROR"),
    Plant("rules/apply.py", "leg.hangup_cause = leg.hangup_cause or webhook.cause", "pass"),
    Plant(
        "rules/apply.py", "facts.leg_answered(transition, *located, webhook.occurred_at)", "pass"
    ),
    Plant("rules/apply_results.py", "note_call_ids(leg, result)", "pass"),
    Plant("rules/apply_verdicts.py", "leg.screening_result = Outcome.HUMAN", "pass"),
    Plant("rules/leaving.py", "goes_on and len(joined) == 1", "goes_on and len(joined) == 9"),
    Plant("rules/insights.py", "transition.add_event(InsightsGenerated", "bool(InsightsGenerated"),
    Plant("names.py", '"\\u201c" + ', '"\\u201e" + '),
)
"""Twenty changes, each of which a replay of `tests/replays` has to show."""


def copy_domain(layer: Path) -> None:
    """Copy the domain, which is all that a replay needs, into an empty folder."""
    source = Path(__file__).resolve().parents[3] / "layers" / "partyline"
    shutil.copytree(source / DOMAIN, layer / DOMAIN, ignore=shutil.ignore_patterns("__pycache__"))
    (layer / "partyline" / "__init__.py").write_text("")
