"""The layer: small enough, for the right processor, compiled, and with all that is used in it."""

import json
import re
import struct
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from local.deploy.lambda_emulator import Runtime
from local.stack.template import Template

ROOT = Path(__file__).resolve().parents[2]

MB = 1_000_000

# The budget. Lambda fetches and unpacks the layer at a cold start, and people pay that with silence
# on the phone; its own limit, 250 MB unpacked, is far away. Raise a number here with a reason.
LAYER_MB = 32
LAYER_ZIPPED_MB = 11
FUNCTION_KB = 16

# What Lambda's runtime brings; boto3 is left to it, for the reason in docs/decisions.md.
OF_THE_RUNTIME = {
    *("awslambdaric", "simplejson", "snapshot_restore_py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
}

MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}
"""Processors as the header of an ELF file names them."""

PROGRAM = """
import importlib.util, json, sys
before = set(sys.modules)
for number, path in enumerate(sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"app_{number}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.handler)
print(json.dumps({name: getattr(sys.modules[name], "__file__", None)
                  for name in set(sys.modules) - before if "." not in name}))
"""


HASHES = """
import importlib.util, pathlib, sys
for source in pathlib.Path(sys.argv[1]).rglob("*.py"):
    cached = pathlib.Path(importlib.util.cache_from_source(source))
    if cached.read_bytes()[8:16] != importlib.util.source_hash(source.read_bytes()):
        print(source)
"""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _largest(folder: Path) -> str:
    sizes = sorted(((_size(each), each.name) for each in folder.iterdir()), reverse=True)
    return ", ".join(f"{name} {size / MB:.1f} MB" for size, name in sizes[:6])


def test_the_layer_keeps_to_its_budget(layers: dict[str, Path]) -> None:
    layer = layers["deployed"]
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in layer.rglob("*"):
            archive.write(path, path.relative_to(layer.parent))
    assert _size(layer) <= LAYER_MB * MB, _largest(layer)
    assert packed.tell() <= LAYER_ZIPPED_MB * MB, _largest(layer)


def test_a_function_is_its_few_lines_and_nothing_else(runtime: Runtime, template: Template) -> None:
    for function in template.functions.values():
        folder = runtime.build / function.logical_id
        assert {path.name for path in folder.iterdir()} == {"app.py"}, function.logical_id
        assert _size(folder) <= FUNCTION_KB * 1000


@pytest.mark.parametrize("which", ["deployed", "here"])
def test_every_library_is_for_the_processor_it_will_run_on(
    layers: dict[str, Path], which: str, template: Template
) -> None:
    [(_, layer)] = template.of_type("AWS::Lambda::LayerVersion")
    [promised] = layer["Properties"]["CompatibleArchitectures"]
    libraries = list(layers[which].rglob("*.so"))
    assert libraries
    found = {struct.unpack_from("<H", path.read_bytes(), 18)[0] for path in libraries}
    assert len(found) == 1
    if which == "deployed":
        assert found == {MACHINES[promised]}


@pytest.mark.parametrize("which", ["deployed", "here"])
def test_lambda_compiles_nothing_at_a_cold_start(layers: dict[str, Path], which: str) -> None:
    """/opt can't be written: byte code that lacks, or is thought stale, is made anew each time."""
    sources = [path for path in layers[which].rglob("*.py") if path.stat().st_size]
    assert len(sources) > 500
    for source in sources:
        cached = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        # PEP 552: bit 0 says that a hash takes the place of the times, bit 1 that nobody checks it.
        assert struct.unpack_from("<I", cached.read_bytes(), 4)[0] == 0b01, source


def test_the_byte_code_is_what_the_sources_say(runtime: Runtime) -> None:
    """Nobody checks the hash when it runs, so here it is checked once."""
    said = subprocess.run(  # noqa: S603, the hash differs from one version of Python to the next
        [runtime.python, "-c", HASHES, runtime.layer], capture_output=True, text=True, check=True
    )
    assert said.stdout == ""


def test_nothing_is_there_that_nobody_asks_for(layers: dict[str, Path]) -> None:
    for layer in layers.values():
        inside = [path.relative_to(layer).as_posix() for path in layer.rglob("*")]
        useless = r"(^|/)(tests|bin|geodata|carrierdata)(/|$)|\.pyi$|/RECORD$|^(boto3|telnyx)/"
        assert not [name for name in inside if re.search(useless, name)]
        # Whose work it is stays known.
        packages = {name for name in inside if re.fullmatch(r"[^/]+\.dist-info", name)}
        assert packages
        for package in packages:
            assert f"{package}/METADATA" in inside


def test_every_function_imports_from_the_layer_and_the_runtime_alone(
    runtime: Runtime, template: Template
) -> None:
    apps = [runtime.build / each / "app.py" for each in template.functions]
    said = subprocess.run(  # noqa: S603, the built functions
        [runtime.python, "-B", "-c", PROGRAM, *apps],
        env={
            "PYTHONPATH": str(runtime.layer),
            "AWS_LAMBDA_FUNCTION_NAME": "any",
            "POWERTOOLS_SERVICE_NAME": "partyline",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    loaded = json.loads(said.stdout)
    packages = {name: path for name, path in loaded.items() if path and "/lib-dynload/" not in path}
    ours = {name for name, path in packages.items() if path.startswith(str(runtime.layer))}
    assert {"partyline", "pydantic", "nacl", "aws_lambda_powertools"} <= ours
    of_the_runtime = {name for name, path in packages.items() if "/site-packages/" in path}
    assert of_the_runtime <= OF_THE_RUNTIME
