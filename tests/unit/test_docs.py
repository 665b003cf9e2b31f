"""What README and docs say is so: links, files, routes, variables, bodies, metrics, diagrams."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.connect.tools import wanted
from local.docs.diagrams import render
from local.stack.local_stack import Options
from local.stack.queues import queue_routes
from local.stack.template import Template
from partyline.domain.model.statuses import Outcome
from partyline.domain.rules.phrases import DEFAULTS
from partyline.entrypoints.api.directory import DoNotCallBody, RouteBody
from partyline.services.requests import Body, InviteBody, MessageBody, StartBody, StopBody
from partyline.telemetry import Metric

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers/partyline/partyline"
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

BODIES: dict[str, type[Body]] = {
    "POST /conversations": StartBody,
    "POST /conversations/{id}/participants": InviteBody,
    "POST /conversations/{id}/messages": MessageBody,
    "POST /conversations/{id}/stop": StopBody,
    "PUT /routes/{number}": RouteBody,
    "PUT /do-not-call/{number}": DoNotCallBody,
}
PLACEHOLDERS = {"$ID": "{id}", "$GUEST": "{participant_id}", "$NUMBER": "{number}"}
SIGNED = ("/webhooks", "/tools", "/failover")
"""What only Telnyx can ask for: no curl can sign it."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@dataclass(frozen=True)
class Curl:
    """An example request to the API: its route, and its body if it has one."""

    route: str
    body: str | None


class Asked(Mapping[str, str]):
    """An environment in which nothing is set, and which remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def fenced(text: str) -> str:
    return "\n".join(re.findall(r"^ *```\w+\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE))


def inline_code(text: str) -> list[str]:
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def curls() -> list[Curl]:
    """Every curl of the README that asks our API."""
    words = shlex.split(fenced(README.read_text()), comments=True)
    starts = [place for place, word in enumerate(words) if word == "curl"]
    found = []
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        asked = words[start:end]
        url = next(word for word in asked if "/" in word and not word.startswith("-"))
        if not url.startswith("$API"):
            continue
        path = url.removeprefix("$API").partition("?")[0]
        for placeholder, name in PLACEHOLDERS.items():
            path = path.replace(placeholder, name)
        method = asked[asked.index("-sX") + 1] if "-sX" in asked else "GET"
        body = asked[asked.index("-d") + 1] if "-d" in asked else None
        found.append(Curl(f"{method} {path}", body))
    return found


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    folders = {path.name for path in (*ROOT.iterdir(), *LAYER.iterdir()) if path.is_dir()}
    named = re.compile(rf"(?:{'|'.join(map(re.escape, folders))})/[\w./-]*|[\w-]+\.(?:py|md|yaml)")
    for word in inline_code(page.read_text()):
        if named.fullmatch(word):
            assert (ROOT / word).exists() or (LAYER / word).exists(), word


@every_page
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    code = "\n".join([fenced(text), *inline_code(text)])
    named = re.findall(r"^ *make ([a-z-]+)", code, re.MULTILINE)
    assert set(named) <= targets


def test_the_variables_of_make_dev_are_those_that_it_reads() -> None:
    asked = Asked()
    Options.from_environment(asked)
    table = README.read_text().partition("### What `make dev` can be told")[2].partition("\n#")[0]
    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == asked.names


def test_the_routes_are_those_of_the_template(template: Template) -> None:
    routes = {each.key for each in template.routes}
    routes |= {door.key for door in queue_routes(template)}
    code = inline_code(README.read_text())
    named = {word for word in code if re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) /.*", word)}
    assert named == routes
    shown = {curl.route for curl in curls()}
    assert shown == {each for each in routes if not each.partition(" ")[2].startswith(SIGNED)}


def test_the_tools_are_those_that_connect_gives() -> None:
    page = README.read_text().partition("### The assistant's own tools")[2].partition("\n###")[0]
    shown = [json.loads(each) for each in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    given = wanted("https://<your API>", "any application").values()
    assert shown == [{n: v for n, v in each.items() if n != "display_name"} for each in given]


def test_the_sentences_that_can_be_changed_are_named() -> None:
    row = README.read_text().partition("| `words` |")[2].partition("\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", row))
    assert named <= set(DEFAULTS)
    assert set(DEFAULTS) - named <= set(Outcome)


def test_every_body_that_is_shown_is_taken() -> None:
    shown = [curl for curl in curls() if curl.body is not None]
    assert {curl.route for curl in shown} == set(BODIES)
    for curl in shown:
        BODIES[curl.route].model_validate(json.loads(curl.body or ""))


def test_the_parameters_are_those_of_the_template() -> None:
    source = (ROOT / "template.yaml").read_text()
    section = source.partition("\nParameters:\n")[2].partition("\nRules:")[0]
    table = README.read_text().partition("| parameter |")[2].partition("\n#")[0]
    names = " ".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", names)) == set(
        re.findall(r"^  (\w+):$", section, re.MULTILINE)
    )


def test_the_metrics_are_those_that_are_counted() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    table = page.partition("## Metrics")[2].partition("\n## ")[0]
    names = " ".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", names)) == set(Metric)


def test_the_diagrams_are_drawn_from_the_tables_of_the_domain() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    drawn = page.partition("<!-- diagrams -->")[2].partition("<!-- /diagrams -->")[0]
    assert drawn.strip() == render().strip()
