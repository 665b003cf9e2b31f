"""Every story under the answers that a live test observed.

PARTYLINE_TELNYX_REPORT names the report. Without the variable, the report is that of a live test
against a simulator with every answer turned round, and the stories run on a calm line only.
"""

import os
from pathlib import Path

import pytest

from local.live_test.report import Report, read_report
from tests.support.live_telnyx import LiveTelnyx
from tests.unit.live_test.test_many_answers import TURNED
from tests.unknowns.judging import judge
from tests.unknowns.matrix import CONDITIONS, PLAYS, Run, changes

VARIABLE = "PARTYLINE_TELNYX_REPORT"


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The answers of the report, without the answers that are assumed anyway."""
    path = Path(os.environ.get(VARIABLE) or tmp_path_factory.mktemp("live") / "report.json")
    if VARIABLE not in os.environ:
        turned: Report = LiveTelnyx(path.with_name("state"), TURNED).report()
        turned.save(path)
    return dict(changes(read_report(path).observed))


@pytest.mark.sampled
@pytest.mark.parametrize("condition", CONDITIONS if VARIABLE in os.environ else ["calm"])
@pytest.mark.parametrize("story", PLAYS)
def test_a_story_ends_right_under_the_observed_answers(
    story: str, condition: str, observed: dict[str, str]
) -> None:
    assert judge(Run(story, condition, tuple(sorted(observed.items())))).violations == ()
