"""The code agrees, field by field, with the versions of Telnyx's description in `versions.json`.

After `make lock UPGRADE=1`, these tests print each field that moved. `make telnyx-types` then holds
the code to the installed client. Each remaining difference is mended, or gets a reason in
`exceptions.py`.
"""

import re
from pathlib import Path
from typing import Literal, Required

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from tests.drift import official, snapshot
from tests.drift.comparison import changes, differences, read_differences, sent_differences
from tests.drift.exceptions import EXCEPTIONS
from tests.drift.shapes import shape_of

ROOT = Path(__file__).parents[2]


def test_the_client_in_the_lock_is_the_client_that_the_code_is_held_to() -> None:
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    pinned = re.search(r"^telnyx==(\S+)", lock, re.MULTILINE)

    assert pinned
    versions = {pinned[1], official.VERSION, snapshot.read(snapshot.VERSIONS)["official_client"]}
    assert len(versions) == 1, "make telnyx-types holds the code to the installed client"


def test_the_official_types_have_not_moved() -> None:
    moved = changes(snapshot.read(snapshot.TYPES), snapshot.installed())

    assert not moved, f"make telnyx-types accepts these changes:\n{moved}"


def test_every_difference_from_the_official_client_has_a_reason() -> None:
    unexplained = [line for line in differences() if line not in EXCEPTIONS]

    assert not unexplained, "\n".join(["mend, or give a reason:", *unexplained])


def test_every_exception_is_needed_and_has_a_reason() -> None:
    unused = sorted(set(EXCEPTIONS) - set(differences()))

    assert not unused, "\n".join(["no longer a difference:", *unused])
    assert all(EXCEPTIONS.values())


class Inner(TypedDict, total=False):
    voice: Required[str]
    speed: float


class Official(TypedDict, total=False):
    to: Required[str]
    mode: Literal["on", "off"]
    urls: dict[str, list[str]]
    inner: Inner


class SentInner(BaseModel):
    voice: str | None = None


@pytest.mark.parametrize(
    ("fields", "difference"),
    [
        ({"to": (str, ...)}, None),
        ({"to": (str, ...), "mode": (Literal["on"], "on")}, None),
        ({"to": (str | None, None)}, "place to: required by the client, and not always sent"),
        ({"to": (str, ...), "voice": (str, "")}, "place voice: sent, and not in the client"),
        (
            {"to": (str, ...), "mode": (Literal["on", "auto"], "on")},
            "place mode: sent as =auto, the client has =off | =on",
        ),
        (
            {"to": (str, ...), "urls": (dict[str, str], {})},
            "place urls{}: sent as text, the client has list",
        ),
        (
            {"to": (str, ...), "inner": (SentInner | None, None)},
            "place inner.voice: required by the client, and not always sent",
        ),
    ],
)
def test_a_request_that_the_client_does_not_know_is_a_difference(
    fields: dict[str, tuple[object, object]], difference: str | None
) -> None:
    annotations = {name: annotation for name, (annotation, _) in fields.items()}
    defaults = {name: default for name, (_, default) in fields.items() if default is not ...}
    sent = type("Sent", (BaseModel,), {"__annotations__": annotations, **defaults})

    found = list(sent_differences("place", shape_of(sent), shape_of(Official)))

    assert found == ([difference] if difference else [])


def test_a_field_that_moved_or_has_another_type_is_a_difference() -> None:
    class Read(BaseModel):
        to: int | None = None
        gone: str | None = None

    assert list(read_differences("place", shape_of(Read), shape_of(Official))) == [
        "place to: read as whole, the client has required text",
        "place gone: read, and not in the client",
    ]


def test_a_changed_type_is_shown_with_its_path() -> None:
    before = {"send hangup": {"cause": "text", "command_id": "text"}}
    after = {"send hangup": {"command_id": "text", "reason": "text"}}

    assert changes(before, after) == (
        "send hangup cause: was text, now not there\nsend hangup reason: was not there, now text"
    )
