"""The pages of the documentation, and the commands that the pages print."""

import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [
    README,
    *(ROOT / name for name in ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class NotRun:
    """Printed commands that the tests of the pages do not run, and the reason."""

    pattern: str
    """A regular expression that matches somewhere in the command."""
    reason: str


NOT_RUN = (
    NotRun(r"^make dev$", "the tests run the target's command, on a free port"),
    NotRun(r"^make demo$", "tests/artifact and `make check` run the demo"),
    NotRun(r"^make test$", "the test is a part of `make test`"),
    NotRun(r"^make deploy ", "needs an AWS account"),
    NotRun(r"^partyline (up|down)", "needs two accounts; tests/unit/up runs both commands"),
    NotRun(r"^python -m local.bench", "tests/unit/local/test_bench.py tests the cost"),
    NotRun(r"^aws ", "needs an AWS account"),
    NotRun(r"^partyline .*<ApiUrl>", "needs a deployment"),
    NotRun(r"^partyline .*--stack ", "needs a deployment; test_leaked_key.py runs the commands"),
    NotRun(
        r"^partyline replay .*--handlers", "tests/unit/replay/test_handlers.py runs the command"
    ),
    NotRun(r"^curl .*/report", "the report comes minutes later; test_report.py asks for one"),
    NotRun(r"^partyline live-test ", "tests/unit/connect/test_live_test.py runs the command"),
    NotRun(r"^partyline replay .*--bisect", "tests/unit/replay/test_bisection.py bisects"),
)


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the language and the content of each fenced block of a page."""
    return [(language, textwrap.dedent(content)) for language, content in _BLOCK.findall(text)]


def fenced(text: str) -> str:
    """Return the content of all fenced blocks of a page."""
    return "\n".join(content for _, content in blocks(text))


def commands(page: Path) -> list[str]:
    """Return the shell commands of a page in their order, without comments between commands."""
    printed, pending = [], ""
    for language, content in blocks(page.read_text()):
        for line in content.splitlines() if language == "sh" else ():
            pending += line + "\n"
            words = _words(pending)
            if words is not None:
                printed += [pending] if words else []
                pending = ""
    assert not pending, f"{page.name} has a command without an end: {pending}"
    return printed


def omission(command: str) -> NotRun | None:
    """Return the entry of the list by which a printed command is not run, if any."""
    text = canonical(command)
    return next((entry for entry in NOT_RUN if re.search(entry.pattern, text)), None)


def canonical(command: str) -> str:
    """Return a command on one line, without comments and without the folder of `partyline`."""
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    return shlex.join(words).removeprefix(".venv/bin/")


def _words(text: str) -> list[str] | None:
    """Return the words of a command, or None for a command that goes on in the next line."""
    if text.endswith("\\\n"):
        return None
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # a quotation is open
        return None
