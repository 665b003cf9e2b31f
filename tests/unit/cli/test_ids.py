"""Short ids, the URL and the key that a command uses."""

from pathlib import Path

import pytest

from local import credentials
from local.cli.api import complete_id
from local.cli.common import api_url, bearer_key
from tests.support.fake_api import FIRST, SCHEDULED, SECOND, FakeApi, conversation, serve_fake_api


def test_the_first_characters_of_an_id_name_a_conversation(api: FakeApi) -> None:
    for text in (FIRST, FIRST[:8], FIRST[:20]):
        result = api.run("conversations", "show", text)
        assert result.stdout.startswith(f"{FIRST}\n")
    assert api.run("conversations", "show", SCHEDULED[:8]).stdout.startswith(f"{SCHEDULED}\n")


def test_an_ambiguous_id_is_refused_with_the_ids_that_fit(api: FakeApi) -> None:
    result = api.run("stop", "402ec47")
    assert result.exit_code == 1
    assert f"Several ids begin with 402ec47: {FIRST}, {SECOND}." in result.stderr
    assert api.changes() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("abcdef", "none has an id that begins with abcdef"),
        ("402", "“402” is no id of a conversation: `partyline conversations list` shows the ids."),
        ("Dana", "“Dana” is no id of a conversation"),
        ("newest", "“newest” is no id of a conversation"),
    ],
)
def test_an_id_that_fits_nothing_is_refused(api: FakeApi, text: str, told: str) -> None:
    result = api.run("stop", text)
    assert result.exit_code == 1
    assert told in result.stderr
    assert api.changes() == []


def test_the_newest_conversation_has_a_name_in_commands_that_change_nothing(api: FakeApi) -> None:
    assert api.run("conversations", "show", "newest").stdout.startswith(FIRST)
    api.conversations = []
    result = api.run("conversations", "show", "newest")
    assert (result.exit_code, result.stderr) == (1, "There is no conversation yet.\n")


def many(count: int) -> list[dict[str, object]]:
    return [conversation(f"{nth:08x}-0000-4000-8000-000000000000") for nth in range(count)]


def test_an_id_of_eight_characters_is_searched_up_to_its_page(api: FakeApi) -> None:
    api.conversations = many(200)
    assert api.run("conversations", "show", "00000041").exit_code == 0
    assert len(api.requests) == 3, "two pages of 50, and the conversation"


def test_the_search_for_an_id_is_bounded(api: FakeApi) -> None:
    api.conversations = many(700)
    result = api.run("conversations", "show", "00000290")
    assert "Of the 500 newest conversations, none" in result.stderr
    assert len(api.requests) == 11, "ten pages, and the scheduled starts"


def test_the_url_may_stand_before_or_after_the_command(api: FakeApi) -> None:
    for arguments in (
        ("conversations", "--url", api.url, "list"),
        ("conversations", "list", "--url", f"{api.url}/"),
        ("conversations", "--url", "http://127.0.0.1:1", "list", "--url", api.url),
    ):
        assert api.run(*arguments, PARTYLINE_URL="http://127.0.0.1:2").exit_code == 0
    result = api.run("conversations", "--json", "list")
    assert '"next_cursor": null' in result.stdout


def test_a_running_stack_is_found_on_any_port(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARTYLINE_URL", raising=False)
    assert api_url() == "http://127.0.0.1:8400"
    with serve_fake_api() as other:
        keys = ("bearer", "simulator", b"s" * 32)
        with credentials.written(*keys, other.url, "http://127.0.0.1:1"):
            assert api_url() == other.url
            assert other.run("conversations", "list", PARTYLINE_URL="").exit_code == 0
        assert other.headers[0]["authorization"] == "Bearer bearer"
        assert api_url(api.url) == api.url
        monkeypatch.setenv("PARTYLINE_URL", "https://calls.example.com/")
        assert api_url() == "https://calls.example.com"


def test_the_key_of_the_running_stack_is_for_its_own_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PARTYLINE_API_KEY", "of-a-deployment")
    own, other = "http://127.0.0.1:8500", "http://127.0.0.1:8600"
    with credentials.written("bearer", "simulator", b"s" * 32, own, other):
        assert bearer_key(None, own) == "bearer"
        assert bearer_key(None, other) == "of-a-deployment"
        assert bearer_key(None, "https://calls.example.com") == "of-a-deployment"


class Context:
    """What the shell's completion knows: no option was given."""

    parent = None
    params: dict[str, object] = {}  # noqa: RUF012 as typer has it


def test_the_shell_completes_ids(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTYLINE_URL", api.url)
    monkeypatch.setenv("PARTYLINE_API_KEY", "k")
    context: object = Context()
    assert complete_id(context, "402ec47c") == [(FIRST, "active")]  # type: ignore[arg-type]
    monkeypatch.setenv("PARTYLINE_URL", "http://127.0.0.1:1")
    assert complete_id(context, "") == []  # type: ignore[arg-type]
