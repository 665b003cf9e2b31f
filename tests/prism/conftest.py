"""The summary of a run names the versions of the second opinions."""

import json

import pytest

from tests.drift import official
from tests.prism.description import VERSION
from tests.prism.proxy import ROOT

PACKAGES = ROOT / "requirements" / "prism" / "package.json"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the versions of Prism, of the description and of the client that tests/drift reads."""
    packages = json.loads(PACKAGES.read_text(encoding="utf-8"))["dependencies"]
    prism = packages["@stoplight/prism-cli"]
    terminalreporter.write_line(f"Prism {prism}, Telnyx's description of {VERSION}")
    terminalreporter.write_line(f"Telnyx's official client {official.VERSION} (tests/drift)")
