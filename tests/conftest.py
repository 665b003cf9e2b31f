"""What every test may ask for."""

import pytest

from local.template import Template


@pytest.fixture(scope="session")
def template() -> Template:
    """The stack as the template describes it, for stage dev and made-up parameters."""
    return Template(
        {
            "TelnyxConnectionId": "1494404757140276705",
            # The public key of RFC 8032's first test.
            "TelnyxPublicKeys": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "DefaultNumber": "+13125550100",
            "DefaultAssistantId": "assistant-1",
            "ReleaseSha": "0123456789abcdef0123456789abcdef01234567",
        }
    )
