"""README and docs match the code: links, files, routes, variables, bodies, metrics, diagrams."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.connect.tools import tool_definitions
from local.docs.diagrams import render
from local.stack.local_stack import Options
from local.stack.queues import queue_routes
from local.stack.template import Template
from partyline.domain.model.statuses import Outcome
from partyline.domain.rules.phrases import DEFAULTS
from partyline.entrypoints.api.directory import DoNotCallRequest, RouteRequest
from partyline.entrypoints.api.hooks import HookRequest, ReplayRequest
from partyline.entrypoints.http import HTTP_STATUS
from partyline.services.assistant_settings import RequestModel
from partyline.services.requests import (
    HandoverRequest,
    InviteRequest,
    MessageRequest,
    ModeRequest,
    StartRequest,
    StopRequest,
)
from partyline.telemetry import Metric
from tests.support.pages import PAGES, README, ROOT, commands, fenced

LAYER = ROOT / "layers/partyline/partyline"
API_PAGE = ROOT / "docs/api.md"

BODIES: dict[str, type[RequestModel]] = {
    "POST /conversations": StartRequest,
    "POST /conversations/{id}/participants": InviteRequest,
    "POST /conversations/{id}/handover": HandoverRequest,
    "POST /conversations/{id}/messages": MessageRequest,
    "POST /conversations/{id}/assistant": ModeRequest,
    "POST /conversations/{id}/stop": StopRequest,
    "PUT /routes/{number}": RouteRequest,
    "PUT /do-not-call/{number}": DoNotCallRequest,
    "PUT /hooks/{id}": HookRequest,
    "POST /hooks/{id}/replay": ReplayRequest,
}
PLACEHOLDERS = {
    **dict.fromkeys(("$ID", "${ID}", "$LIVE", "$LATER", "$HOOK", "$ERASURE"), "{id}"),
    "$GUEST": "{participant_id}",
    "$NUMBER": "{number}",
    **dict.fromkeys(("$CALL", "$OTHER"), "v3:a-live-call"),
    "$TIME": "2027-01-04T15:00:00Z",
}
SIGNED = ("/webhooks", "/tools", "/failover")
"""Paths for signed requests of Telnyx, which curl cannot sign."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@dataclass(frozen=True)
class Curl:
    """An example request to the API: the route, and the body if the request has a body."""

    route: str
    body: str | None


class RecordingEnvironment(Mapping[str, str]):
    """An empty environment that records the names that are read."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def inline_code(text: str) -> list[str]:
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def curls() -> list[Curl]:
    """The curl examples of our API in README.md and docs/api.md."""
    printed = "".join(command for page in (README, API_PAGE) for command in commands(page))
    words = shlex.split(printed.replace("$(curl", "$( curl"), comments=True)
    starts = [place for place, word in enumerate(words) if word == "curl"]
    examples = []
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        arguments = words[start:end]
        url = next(word for word in arguments if "/" in word and not word.startswith("-"))
        if not url.startswith("$API"):
            continue
        body = arguments[arguments.index("-d") + 1] if "-d" in arguments else None
        method = "GET" if body is None else "POST"
        if "-sX" in arguments:
            method = arguments[arguments.index("-sX") + 1]
        path = _filled(url.removeprefix("$API").partition("?")[0])
        examples.append(Curl(f"{method} {path}", _filled(body) if body else None))
    return examples


def _filled(text: str) -> str:
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return text


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_every_link_has_a_target(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_every_named_file_exists(page: Path) -> None:
    folders = {path.name for path in (*ROOT.iterdir(), *LAYER.iterdir()) if path.is_dir()}
    named = re.compile(rf"(?:{'|'.join(map(re.escape, folders))})/[\w./-]*|[\w-]+\.(?:py|md|yaml)")
    for word in inline_code(page.read_text()):
        if named.fullmatch(word):
            assert (ROOT / word).exists() or (LAYER / word).exists(), word


@every_page
def test_every_named_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    code = "\n".join([fenced(text), *inline_code(text)])
    named = re.findall(r"^ *make ([a-z-]+)", code, re.MULTILINE)
    assert set(named) <= targets


def test_the_docs_list_the_variables_that_make_dev_reads() -> None:
    environment = RecordingEnvironment()
    Options.from_environment(environment)
    table = (ROOT / "docs/local.md").read_text().partition("| variable |")[2].partition("\n#")[0]
    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == environment.names


def test_the_docs_list_the_routes_of_the_template(template: Template) -> None:
    routes = {route.key for route in template.routes}
    routes |= {route.key for route in queue_routes(template)}
    code = inline_code(API_PAGE.read_text())
    named = {word for word in code if re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) /.*", word)}
    assert named == routes
    examples = {curl.route for curl in curls()}
    assert examples == {route for route in routes if not route.partition(" ")[2].startswith(SIGNED)}


def test_the_docs_show_the_tools_that_connect_creates() -> None:
    page = API_PAGE.read_text().partition("## The assistant's own tools")[2].partition("\n## ")[0]
    documented = [json.loads(tool) for tool in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    created = tool_definitions("https://<your API>", "any application").values()
    assert documented == [
        {n: v for n, v in tool.items() if n != "display_name"} for tool in created
    ]


def test_the_docs_name_the_phrases_that_can_be_changed() -> None:
    row = (
        API_PAGE.read_text()
        .partition("| `words` | your own sentences for the assistant: ")[2]
        .partition("\n")[0]
    )
    named = set(re.findall(r"`([a-z_]+)`", row))
    assert named <= set(DEFAULTS)
    assert set(DEFAULTS) - named <= set(Outcome)


def test_every_body_in_the_docs_is_valid() -> None:
    examples = [curl for curl in curls() if curl.body is not None]
    assert {curl.route for curl in examples} == set(BODIES)
    for curl in examples:
        BODIES[curl.route].model_validate(json.loads(curl.body or ""))


def test_the_docs_list_the_error_codes_with_their_status() -> None:
    table = API_PAGE.read_text().partition("| status | code |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([0-9, ]+) \| ([^|]+) \|", table, re.MULTILINE)
    listed = {(code, status[:3]) for status, codes in rows for code in inline_code(codes)}
    assert listed == {(code.value, str(status)) for code, status in HTTP_STATUS.items()}


def test_the_docs_list_the_parameters_of_the_template() -> None:
    source = (ROOT / "template.yaml").read_text()
    section = source.partition("\nParameters:\n")[2].partition("\nRules:")[0]
    table = (
        (ROOT / "docs/deploying.md").read_text().partition("| parameter |")[2].partition("\n#")[0]
    )
    names = " ".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", names)) == set(
        re.findall(r"^  (\w+):$", section, re.MULTILINE)
    )


def test_the_metrics_are_those_that_are_counted() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    table = page.partition("## Metrics")[2].partition("\n## ")[0]
    names = " ".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", names)) == set(Metric)


def test_the_diagrams_match_the_tables_of_the_domain() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    drawn = page.partition("<!-- diagrams -->")[2].partition("<!-- /diagrams -->")[0]
    assert drawn.strip() == render().strip()
