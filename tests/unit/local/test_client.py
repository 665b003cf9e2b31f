"""The client reads every page, and a participant's status is printed with the tried number."""

from contextlib import closing
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from local import printing
from local.cli.app import app
from local.client import Client
from tests.support.paged_api import CONVERSATION, ID, TYPES, serve_paged_api


def test_the_client_reads_all_pages_of_a_timeline() -> None:
    with serve_paged_api() as url, closing(Client(url, "key")) as client:
        assert [event["type"] for event in client.timeline(ID)] == list(TYPES)


def test_the_command_prints_all_pages_of_a_timeline() -> None:
    with serve_paged_api() as url:
        result = CliRunner().invoke(
            app, ["conversations", "--url", url, "timeline", ID], env={"PARTYLINE_API_KEY": "k"}
        )
    assert result.exit_code == 0
    assert all(event_type in result.stdout for event_type in TYPES)


@pytest.mark.parametrize(
    ("status", "attempt", "printed"),
    [
        ("dialing", {"status": "ringing", "number": 2, "of": 3}, "ringing, number 2 of 3"),
        ("dialing", {"status": "ringing", "number": 1, "of": 1}, "ringing"),
        ("dialing", {"status": "ended", "number": 1, "of": 2}, "dialing"),
        ("dialing", None, "dialing"),
        ("joined", {"status": "answered", "number": 2, "of": 2}, "joined"),
    ],
)
def test_a_list_shows_the_number_that_is_being_tried(
    status: str, attempt: object, printed: str
) -> None:
    person = {"id": "p1", "name": "Dana", "status": status, "attempt": attempt}
    output = StringIO()
    console = Console(file=output, width=110)
    printing.conversations(console, [{**CONVERSATION, "participants": [person]}])
    assert f"Dana ({printed})" in output.getvalue()
