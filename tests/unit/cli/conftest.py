"""The fake API of the tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cli import api as cli_api
from tests.support.fake_api import FakeApi, serve_fake_api


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    """An API that commands find by PARTYLINE_URL; no local stack runs, and no retry waits."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cli_api, "_RETRY_PAUSES_SECS", (0.0, 0.0))
    with serve_fake_api() as fake:
        yield fake
