"""docs/telnyx.md prints the list of unknown facts."""

import re

from local.docs.unknowns import PAGE, render
from local.simulator.unknowns import UNKNOWNS

DECISIONS = PAGE.with_name("decisions.md")


def test_the_page_is_the_list() -> None:
    assert PAGE.read_text(encoding="utf-8") == render()


def test_a_decision_that_is_a_source_exists() -> None:
    numbers = set(re.findall(r"^(\d+)\. ", DECISIONS.read_text(encoding="utf-8"), re.MULTILINE))
    sources = {source for unknown in UNKNOWNS.values() for source in unknown.sources}
    named = {
        source.removeprefix("decision ") for source in sources if source.startswith("decision")
    }
    assert named <= numbers
