"""The local stack never meets the real Telnyx with a key that the repository publishes."""

import pytest

from local.stack.local_stack import Options, PublishedDefaultError

REAL = {"TELNYX_API_BASE_URL": "https://api.telnyx.com/v2", "TELNYX_API_KEY": "KEY1"}
OWN = {"PARTYLINE_API_KEY": "a-key-of-my-own", "TELNYX_PUBLIC_KEY": "cHVibGlj"}


@pytest.mark.parametrize("missing", sorted(OWN))
def test_the_real_telnyx_needs_keys_of_your_own(missing: str) -> None:
    environment = {**REAL, **{name: value for name, value in OWN.items() if name != missing}}
    with pytest.raises(PublishedDefaultError, match=missing):
        Options.from_environment(environment)


def test_with_keys_of_your_own_the_real_telnyx_is_reached() -> None:
    assert (
        Options.from_environment({**REAL, **OWN}).telnyx_api_base_url == REAL["TELNYX_API_BASE_URL"]
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/v2", "http://localhost:9000/v2"])
def test_a_telnyx_on_this_machine_needs_no_keys(url: str) -> None:
    assert Options.from_environment({"TELNYX_API_BASE_URL": url}).telnyx_api_base_url == url
