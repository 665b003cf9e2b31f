"""Each run of the local stack has its own keys, which only the user can read."""

import stat
from pathlib import Path

import pytest

from local import credentials
from local.cli.common import KeyUnreadableError, bearer_key
from local.simulator.settings import PUBLISHED_TEST_SEED
from local.simulator.signing import read_seed
from local.stack.local_stack import Options, PublishedDefaultError

REAL = {"TELNYX_API_BASE_URL": "https://api.telnyx.com/v2", "TELNYX_API_KEY": "KEY1"}
API = "http://127.0.0.1:8400"
OWN = {"TELNYX_PUBLIC_KEY": "cHVibGlj"}


def test_the_real_telnyx_needs_its_own_public_key() -> None:
    with pytest.raises(PublishedDefaultError, match="TELNYX_PUBLIC_KEY"):
        Options.from_environment(REAL)


def test_every_run_has_keys_of_its_own() -> None:
    first, second = Options.from_environment({}), Options.from_environment({})
    for options in (first, second):
        keys = (options.api_key, options.telnyx_api_key)
        assert all(len(key) > 40 for key in keys)
        assert not any(key in repr(options) for key in keys)
        assert options.simulator.signing_seed != PUBLISHED_TEST_SEED
    assert first.api_key != second.api_key
    assert first.telnyx_api_key != second.telnyx_api_key
    assert first.simulator.signing_seed != second.simulator.signing_seed
    assert Options.from_environment({"PARTYLINE_API_KEY": "my-own"}).api_key == "my-own"


def test_the_keys_of_a_run_are_in_files_for_the_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PARTYLINE_API_KEY", raising=False)
    target = tmp_path / "of-another-user"
    credentials.folder().mkdir(parents=True)
    credentials.folder().chmod(0o755)
    (credentials.folder() / credentials.BEARER_KEY).symlink_to(target)
    with credentials.written("bearer", "simulator", b"s" * 32, API, "http://127.0.0.1:8401"):
        assert stat.S_IMODE(credentials.folder().stat().st_mode) == 0o700
        for path in credentials.folder().iterdir():
            assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert not target.exists()
        assert bearer_key(None, API) == "bearer"
        with pytest.raises(KeyUnreadableError):
            bearer_key(None, "https://calls.example.com")
        assert read_seed(credentials.folder() / credentials.SIGNING_KEY) == b"s" * 32
    assert list(credentials.folder().iterdir()) == []
    with pytest.raises(KeyUnreadableError):
        bearer_key(None, API)


def test_with_its_own_public_key_the_real_telnyx_is_reached() -> None:
    assert (
        Options.from_environment({**REAL, **OWN}).telnyx_api_base_url == REAL["TELNYX_API_BASE_URL"]
    )


def test_make_dev_takes_every_parameter_of_the_template() -> None:
    options = Options.from_environment(
        {"PARTYLINE_PARAMETERS": "MaxParticipants=20 QuietHours=21:00-08:00"}
    )
    parameters = options.template_parameters("http://127.0.0.1:8401")
    assert parameters["MaxParticipants"] == "20"
    assert parameters["QuietHours"] == "21:00-08:00"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/v2", "http://localhost:9000/v2"])
def test_a_telnyx_on_this_machine_needs_no_keys(url: str) -> None:
    assert Options.from_environment({"TELNYX_API_BASE_URL": url}).telnyx_api_base_url == url
