"""The official types of our requests, answers and webhooks, as a file that shows each change.

`versions.json` names the versions that the code is held to, `official_types.json` has the types.
"""

import json
from pathlib import Path
from typing import Any

from tests.drift import official
from tests.drift.shapes import Shape, shape_of

FOLDER = Path(__file__).parent
VERSIONS = FOLDER / "versions.json"
TYPES = FOLDER / "official_types.json"

Snapshot = dict[str, dict[str, str]]


def read(path: Path) -> Any:
    """Return the JSON of a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def installed() -> Snapshot:
    """Return the types of the installed client, by place and path."""
    places = {f"send {name}": shape_of(type_) for name, type_ in official.REQUESTS.items()}
    places |= {f"read {name}": official.answer_shape(name) for name in official.ANSWERS}
    places |= {f"webhook {name}": shape for name, shape in official.webhook_shapes().items()}
    return {place: _texts(shape) for place, shape in places.items()}


def write() -> None:
    """Hold the code to the installed client: write the client's version and types."""
    _write(VERSIONS, {**read(VERSIONS), "official_client": official.VERSION})
    _write(TYPES, installed())


def _texts(shape: Shape) -> dict[str, str]:
    return {path: str(field) for path, field in shape.items()}


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
