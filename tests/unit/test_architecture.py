"""Import rules that the import-linter contracts in pyproject.toml cannot state."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported_packages(folder: str) -> Iterator[tuple[Path, str]]:
    """Each file below a folder with each top-level package that the file imports."""
    paths = list((ROOT / folder).rglob("*.py"))
    assert paths, f"no Python file in {folder}"
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name.partition(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield path, str(node.module).partition(".")[0]


PURE_LIBRARIES = {"phonenumbers", "pydantic"}


def test_the_domain_imports_only_pure_libraries() -> None:
    allowed = {"partyline", *PURE_LIBRARIES, *sys.stdlib_module_names}
    for path, package in imported_packages("layers/partyline/partyline/domain"):
        assert package in allowed, f"{path.name} imports {package}"


def test_a_function_imports_the_layer_only() -> None:
    for path, package in imported_packages("functions"):
        assert package == "partyline", f"{path.parent.name} imports {package}"
