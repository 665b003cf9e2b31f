"""Read a template's YAML and run SAM's transform, and keep both results for the next process.

Reading the template and importing the transform take a second of a processor, in each process that
starts a stack. The results are kept in `.cache`, under a name that changes with everything that the
results depend on.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from local.stack.aws_session import made_up_session
from local.stack.intrinsics import TemplateError

KEPT = Path(__file__).resolve().parents[2] / ".cache" / "template"

KEPT_SECS = 7 * 86_400
"""Time after which a kept result of a former template is deleted."""


@cache
def source_json(text: str) -> str:
    """Return the JSON of a template's YAML `text`. A YAML alias becomes a copy."""
    return _kept(lambda: json.dumps(_read_yaml(text)), "source", text)


@cache
def transformed_json(source: str, parameters: tuple[tuple[str, str], ...]) -> str:
    """Return the JSON of SAM's transform of a template, for parameters by name.

    A reference to a parameter that is left out stays a reference. Raises TemplateError when SAM
    refuses the template.
    """
    return _kept(
        lambda: json.dumps(_transform(json.loads(source), dict(parameters))),
        "transformed",
        source,
        json.dumps(parameters),
    )


def _read_yaml(text: str) -> Any:
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 only without a kept result

    return yaml_parse(text)


def _transform(source: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    # Imported only without a kept result.
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415

    # The transform warns at each canary that an internal toggle is missing.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    for resource in source["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("CodeUri", "ContentUri"):
            if name in properties:
                # The transform expects code in S3, where `sam package` puts the code.
                properties[name] = "s3://bucket/key"
    for name, parameter in source["Parameters"].items():
        if name not in parameters:
            parameter.pop("Default", None)
    translator = Translator({}, Parser(), boto_session=made_up_session())
    try:
        transformed: dict[str, Any] = translator.translate(source, dict(parameters))
    except InvalidDocumentException as error:
        reasons = "; ".join(str(cause.message) for cause in error.causes)
        raise TemplateError(f"SAM refuses the template: {reasons}") from error
    return transformed


def _kept(compute: Callable[[], str], *depends_on: str) -> str:
    """Return the kept result of earlier processes, or the result of `compute`, which is kept."""
    file = KEPT / f"{_digest(*depends_on)}.json"
    try:
        return file.read_text()
    except OSError:
        result = compute()
    with suppress(OSError):  # a folder that can't be written costs the next process time only
        _keep(file, result)
    return result


def _digest(*depends_on: str) -> str:
    code = Path(__file__).read_text()
    parts = [version("aws-sam-translator"), version("pyyaml"), code, *depends_on]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _keep(file: Path, result: str) -> None:
    """Write a result at once, so that no process reads a half of the result; delete old results."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=KEPT, delete=False) as written:
        written.write(result)
    Path(written.name).replace(file)
    for other in KEPT.iterdir():
        if other.stat().st_mtime < time.time() - KEPT_SECS:
            other.unlink(missing_ok=True)
