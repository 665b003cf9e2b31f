"""The arrows run one way: functions -> entrypoints -> engine -> domain, store, telnyx."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "partyline" / "partyline"

BESIDE = {"telemetry", "secret", "identity", "outcomes", "destinations"}
MIDDLE = {"engine", "dispatch", "lookup", "gates"}
BELOW = {"domain", "store", "telnyx"}

MAY_IMPORT = {
    "domain": set(),
    "telnyx": set(),
    "telemetry": set(),
    "identity": set(),
    "outcomes": set(),
    "destinations": set(),
    "settings": {"destinations"},
    "secret": {"telemetry"},
    "alarms": set(),
    "store": {"domain", "outcomes"},
    "gates": {"domain", "destinations"},
    "engine": BELOW | BESIDE | {"dispatch", "gates"},
    "dispatch": BELOW | BESIDE | {"gates"},
    "lookup": BELOW | BESIDE | {"gates"},
    "wiring": BELOW | BESIDE | MIDDLE | {"settings", "alarms"},
    "entrypoints": BELOW | BESIDE | MIDDLE | {"settings", "wiring"},
}
"""What each part of the layer may import of the others."""

PURE = {"pydantic", "partyline"}
"""What the domain may import that does not come with Python."""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, as `a.b.name`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by dots"
            yield from (f"{node.module}.{each.name}" for each in node.names)


def files(*folders: str) -> list[Path]:
    """The Python files below these folders of the project."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert found
    return found


def part_of(path: Path) -> str:
    """The part of the layer that a file belongs to."""
    return path.relative_to(LAYER).parts[0].removesuffix(".py")


def ours(path: Path) -> set[str]:
    """The parts of the layer that a file imports."""
    return {each.split(".")[1] for each in imports(path) if each.startswith("partyline.")}


def test_every_part_of_the_layer_has_its_place() -> None:
    parts = {part_of(path) for path in LAYER.rglob("*.py")}

    assert parts - {"__init__"} == set(MAY_IMPORT)


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_a_part_imports_only_what_is_below_it(part: str) -> None:
    for path in LAYER.rglob("*.py"):
        if part_of(path) == part:
            above = ours(path) - MAY_IMPORT[part] - {part}
            assert not above, f"{path.name} of {part} imports {above}"


def test_the_parts_go_round_in_no_circle() -> None:
    left = dict(MAY_IMPORT)
    while left:
        lowest = {part for part, may in left.items() if not may & left.keys()}
        assert lowest, f"{set(left)} go round in a circle"
        left = {part: may for part, may in left.items() if part not in lowest}


def test_the_domain_is_pure() -> None:
    for path in files("layers/partyline/partyline/domain"):
        foreign = {each.split(".")[0] for each in imports(path)} - sys.stdlib_module_names - PURE
        assert not foreign, f"{path.name} imports {foreign}"
        clocks = {"time", "random", "os", "socket"} & {each.split(".")[0] for each in imports(path)}
        assert not clocks, f"{path.name} looks at the world: {clocks}"


def test_functions_import_entrypoints_and_nothing_else() -> None:
    for path in files("functions"):
        assert ours(path) == {"entrypoints"}, path.parent.name
        assert {each.split(".")[0] for each in imports(path)} == {"partyline"}, path.parent.name


def test_what_is_deployed_knows_nothing_of_the_laptop_or_the_tests() -> None:
    for path in files("layers/partyline/partyline", "functions"):
        roots = {each.split(".")[0] for each in imports(path)}
        assert not roots & {"local", "tests", "functions"}, path.name


def test_the_simulator_knows_nothing_of_what_it_tests() -> None:
    for path in files("local/simulator"):
        roots = {each.split(".")[0] for each in imports(path)}
        assert not roots & {"partyline", "functions", "tests"}, path.name
