"""The Telnyx key of a real account stays in the process of the local handlers."""

import sys
from pathlib import Path

import pytest

from local.stack.embedded_aws import Access
from local.stack.local_stack import LocalStack, Options
from partyline.bootstrap import bootstrap
from tests.support.sockets import children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the processes come from /proc")

KEY = "KEY0199REALLOOKING"


def test_the_telnyx_key_stays_in_the_process_of_the_handlers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TELNYX_API_KEY", KEY)
    options = Options(
        telnyx_api_key=KEY, telnyx_api_base_url="http://127.0.0.1:9/v2", with_turns=False
    )
    with LocalStack(options) as stack:
        assert bootstrap().telnyx_api_key.field("api_key") == KEY
        environment = stack.environment
        access = Access(environment["AWS_ENDPOINT_URL"], environment["AWS_SESSION_TOKEN"])
        assert access.client("secretsmanager").list_secrets()["SecretList"] == []
        assert children()
        for pid in children():
            for name in ("environ", "cmdline"):
                assert KEY.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
        for pid in children():
            token = environment["AWS_SESSION_TOKEN"].encode()
            assert token not in Path(f"/proc/{pid}/cmdline").read_bytes()
