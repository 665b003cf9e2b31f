"""The layer works without the files that its build removes.

For each kind of removed file, a program exercises the code that could need the file, in the Python
of the runtime. `EXERCISES` has an entry for each removal of layers/partyline/Makefile, so that a
further removal needs an exercise too.
"""

import re
import subprocess
from pathlib import Path

import pytest

from local.deploy.lambda_emulator import Runtime

MAKEFILE = Path(__file__).resolve().parents[2] / "layers" / "partyline" / "Makefile"

IMPORT_EVERYTHING = """
import importlib, pkgutil
import partyline
for module in pkgutil.walk_packages(partyline.__path__, "partyline."):
    importlib.import_module(module.name)
for package in ("anyio", "certifi", "cffi", "h11", "httpcore", "httpx", "idna", "jmespath", "nacl",
                "phonenumbers", "pydantic", "pydantic_core", "tzdata", "aws_lambda_powertools"):
    importlib.import_module(package)
"""

NUMBERS_OF_EVERY_COUNTRY = """
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.tzdata import TIMEZONE_DATA
from partyline.domain import numbers
from partyline.domain.dial_policy import Destinations, DialPolicy, QuietHours
policy = DialPolicy(Destinations(("+",), countries=("*",)), QuietHours.parse("21:00-08:00"))
asked = 0
for region in phonenumbers.SUPPORTED_REGIONS:
    for kind in phonenumbers.supported_types_for_region(region):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert numbers.normal_number(number) in (number, None)
        numbers.normal_number(national, region)
        policy.refusal(number, datetime.now(UTC))
        asked += 1
assert asked > 1000, asked
for zone in {zone for zones in TIMEZONE_DATA.values() for zone in zones}:
    ZoneInfo(zone)
assert numbers.time_zones("+13125550100") == ["America/Chicago"]
loaded = {name for name in sys.modules if name.startswith("phonenumbers.")}
assert not {"phonenumbers.geocoder", "phonenumbers.carrier"} & loaded
"""

DESCRIBE_THE_API = """
import json
from partyline.entrypoints.api.app import resolver_of
from partyline.entrypoints.api.conversations import control, trigger
from partyline.entrypoints.api.directory import directory
from partyline.entrypoints.api.hooks import hooks
from partyline.entrypoints.api.queries import query
resolver = resolver_of(trigger, control, query, directory, hooks)
described = json.loads(resolver.get_openapi_json_schema())
assert "/conversations" in described["paths"]
"""

BUILD_THE_MODELS = """
from pydantic import TypeAdapter
from partyline.services.requests import InviteRequest, StartRequest
from partyline.entrypoints.api.directory import RouteRequest
for model in (StartRequest, InviteRequest, RouteRequest):
    assert model.model_json_schema()["properties"]
StartRequest.model_validate({"to": "+13125550111"})
"""

READ_THE_METADATA = """
from importlib.metadata import distributions, entry_points, version
import sys
import pydantic.version
found = [d for d in distributions(path=[sys.path[1]]) if d.metadata["Name"]]
assert len(found) > 15, len(found)
for distribution in found:
    assert version(distribution.metadata["Name"])
assert entry_points() is not None
assert "pydantic version" in pydantic.version.version_info()
"""

EXERCISES = {
    "bin": IMPORT_EVERYTHING,
    "tests": IMPORT_EVERYTHING,
    "__pycache__": IMPORT_EVERYTHING,
    "phonenumbers/geodata": NUMBERS_OF_EVERY_COUNTRY,
    "phonenumbers/carrierdata": NUMBERS_OF_EVERY_COUNTRY,
    "aws_lambda_powertools/event_handler/openapi/swagger_ui": DESCRIBE_THE_API,
    "*.pyi": BUILD_THE_MODELS,
    "RECORD": READ_THE_METADATA,
    "INSTALLER": READ_THE_METADATA,
    "REQUESTED": READ_THE_METADATA,
}
"""The program for each removal."""


def removals() -> set[str]:
    """The names and patterns that the build removes."""
    text = MAKEFILE.read_text().replace("\\\n", " ")
    unused = re.search(r"^UNUSED := (.*)$", text, re.MULTILINE)
    assert unused is not None
    found = re.findall(r"-name '?([\w*.]+)'?", text)
    return {*unused[1].split(), *found}


def test_each_removal_of_the_build_has_an_exercise() -> None:
    assert removals() == set(EXERCISES)


@pytest.mark.parametrize("removal", EXERCISES)
def test_the_layer_works_without_the_removed_files(runtime: Runtime, removal: str) -> None:
    """Lambda's system has no database of time zones: `PYTHONTZPATH` hides that of this machine."""
    run = subprocess.run(  # noqa: S603, the built layer
        [runtime.python, "-B", "-c", EXERCISES[removal]],
        env={
            "PYTHONPATH": str(runtime.layer),
            "PYTHONTZPATH": "",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "any",
            "POWERTOOLS_SERVICE_NAME": "partyline",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
