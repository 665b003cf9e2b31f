"""The files that a repository is expected to have: license, changelog, llms.txt, workflows."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.pages import PAGES, ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINK = re.compile(r"\]\(([^)#]+)")


def test_the_license_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert PROJECT["license"] == "Apache-2.0"


def test_the_changelog_has_this_version_first() -> None:
    versions = re.findall(r"^## (\S+),", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == PROJECT["version"]


def test_llms_txt_links_every_page_and_no_missing_file() -> None:
    links = LINK.findall((ROOT / "llms.txt").read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert {str(page.relative_to(ROOT)) for page in PAGES} <= set(links)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_existing_commands_with_few_rights(path: Path) -> None:
    text = path.read_text()
    workflow = yaml.safe_load(text)
    makefile = (ROOT / "Makefile").read_text()
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    for target in re.findall(
        r"^make (\w+)$", "\n".join(step.get("run", "") for step in steps), re.MULTILINE
    ):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "secrets." not in text, "no long-lived key"
    # An action is pinned by its commit: a tag can be moved to other code.
    uses = re.findall(r"uses: (.+)", text)
    assert len(uses) == sum("uses" in step for step in steps)
    assert [use for use in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v[\d.]+", use)] == []
    expected = {"contents": "read"}
    if "configure-aws-credentials" in text:
        expected["id-token"] = "write"
    assert workflow["permissions"] == expected


def test_only_the_release_may_write_to_the_repository() -> None:
    jobs = {
        path.name: list(yaml.safe_load(path.read_text())["jobs"].values()) for path in WORKFLOWS
    }
    assert list(jobs) == ["ci.yml", "deploy.yml", "release.yml"]
    rights = {name: [job.get("permissions") for job in jobs[name]] for name in jobs}
    assert rights == {
        "ci.yml": [None],
        "deploy.yml": [None],
        "release.yml": [{"contents": "write"}],
    }


def test_every_action_has_the_same_commit_in_all_workflows() -> None:
    uses = {use for path in WORKFLOWS for use in re.findall(r"uses: (.+)", path.read_text())}
    assert len(uses) == len({use.partition("@")[0] for use in uses})
