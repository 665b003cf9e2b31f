"""The sentences for a called person: each placeholder becomes words, once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from partyline.domain.model.assistant import Assistant
from partyline.domain.model.conversation import Conversation
from partyline.domain.model.leg import Leg
from partyline.domain.model.participant import Participant
from partyline.domain.model.plan import BRIEFING, Plan, Screening
from partyline.domain.model.statuses import Direction
from partyline.domain.rules.spoken import MAX_SPOKEN_CHARS, render_spoken

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OURS, DANA = "+13125550100", "+13125550112"


def conversation(number: str | None, **more: Any) -> Conversation:
    """Make an inbound conversation of a caller with this number."""
    leg = Leg(number=1, from_=number, to=OURS, created_at=NOW)
    host = Participant(
        id="host", host=True, legs=[leg], created_at=NOW, name=more.pop("name", None)
    )
    return Conversation(
        id="conv-1",
        direction=Direction.INBOUND,
        assistant=Assistant(id="assistant-1"),
        participants=[host],
        connection_id="1",
        created_at=NOW,
        updated_at=NOW,
        **more,
    )


def rendered(say: str, brief: str | None = None, *, number: str | None = None, **more: Any) -> str:
    """Render a sentence for Dana, who is called for a caller with this number."""
    plan = Plan(to=[DANA], from_=OURS, brief=brief)
    dana = Participant(id="dana", plan=plan, created_at=NOW)
    return render_spoken(conversation(number, **more), dana, plan, say)


@pytest.mark.parametrize(
    ("number", "caller"),
    [
        ("+13125550120", "a number ending in 0 1 2 0"),
        ("anonymous", "a caller without a number"),
        (None, "a caller without a number"),
        ("sip:robin5550120@pbx.example.com", "a caller without a number"),
        ("+1312", "a caller without a number"),
    ],
)
def test_the_caller_is_named_by_the_last_four_digits_at_most(
    number: str | None, caller: str
) -> None:
    assert rendered("{caller}.", number=number) == f"{caller}."


def test_the_host_is_called_by_our_number() -> None:
    plan = Plan(to=[DANA], from_=OURS)
    host = Participant(id="host", host=True, name="Robin", plan=plan, created_at=NOW)
    assert render_spoken(conversation(None), host, plan, "{caller}") == "a number ending in 0 1 0 0"


def test_a_placeholder_within_a_value_stays_text_without_braces() -> None:
    text = rendered("{brief}/{metadata.note}", "{caller}", metadata={"note": "{brief}"})
    assert text == "“caller”/brief"


def test_an_unknown_placeholder_stays_and_an_absent_value_is_empty() -> None:
    metadata = {"flag": True, "nothing": None, "list": [1]}
    say = "{name} {metadata.flag}{metadata.nothing}{metadata.list}{metadata.absent}{brief}."
    assert rendered(say, metadata=metadata) == "{name} True."


def test_a_brief_that_the_sentence_does_not_place_comes_first() -> None:
    assert rendered("Press 1.", "A refund") == "“A refund” Press 1."


def test_the_end_of_a_sentence_is_spoken_however_long_the_values_are() -> None:
    say = "x" * 2900 + "{metadata.a}{metadata.a} Press 1."
    text = rendered(say, metadata={"a": "y" * 8000})
    assert len(text) <= MAX_SPOKEN_CHARS
    assert text.endswith("y Press 1.")


def test_a_plan_with_a_brief_has_a_screening() -> None:
    plan = Plan(to=[DANA], from_=OURS, brief="A refund")
    assert plan.screening == Screening(say=BRIEFING)
    own = Screening(say="Press 2.", accept_digit="2")
    assert Plan(to=[DANA], from_=OURS, brief="A refund", screening=own).screening == own
