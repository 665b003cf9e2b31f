"""The state diagrams agree with the tables of transitions."""

import pytest

from local.docs.diagrams import render, updated


def test_every_transition_is_an_arrow() -> None:
    drawn = render()

    assert drawn.count("stateDiagram-v2") == 3
    for arrow in ("[*] --> connecting", "connecting --> active", "left --> [*]"):
        assert f"    {arrow}\n" in drawn
    assert "ended --> active" not in drawn


def test_a_page_gets_its_diagrams_between_the_markers() -> None:
    page = "# Page\n\n<!-- diagrams -->\nold\n<!-- /diagrams -->\n\nEnd.\n"

    new = updated(page)
    assert new == f"# Page\n\n<!-- diagrams -->\n\n{render()}\n<!-- /diagrams -->\n\nEnd.\n"
    assert updated(new) == new


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="diagrams"):
        updated("# Page\n")
