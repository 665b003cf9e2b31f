"""The layer: its size, processor, byte code and contents."""

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

# The budget. Lambda fetches and unpacks the layer at a cold start, while callers hear silence.
# Lambda's limit is 250 MB unpacked. Raise a number only for a reason.
LAYER_MB = 32
LAYER_ZIPPED_MB = 12
FUNCTION_KB = 16

# The packages of Lambda's runtime; docs/decisions.md gives the reason to use its boto3.
RUNTIME_PACKAGES = {
    *("awslambdaric", "simplejson", "snapshot_restore_py"),
    *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
}

MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}
"""The codes of the processors in the header of an ELF file."""

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
    sizes = sorted(((_size(path), path.name) for path in folder.iterdir()), reverse=True)
    return ", ".join(f"{name} {size / MB:.1f} MB" for size, name in sizes[:6])


def test_the_layer_keeps_to_its_budget(layers: dict[str, Path]) -> None:
    layer = layers["deployed"]
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in layer.rglob("*"):
            archive.write(path, path.relative_to(layer.parent))
    assert _size(layer) <= LAYER_MB * MB, _largest(layer)
    assert packed.tell() <= LAYER_ZIPPED_MB * MB, _largest(layer)


def test_a_function_package_holds_app_py_only(runtime: Runtime, template: Template) -> None:
    for function in template.functions.values():
        folder = runtime.build / function.logical_id
        assert {path.name for path in folder.iterdir()} == {"app.py"}, function.logical_id
        assert _size(folder) <= FUNCTION_KB * 1000


@pytest.mark.parametrize("which", ["deployed", "here"])
def test_every_library_is_for_the_processor_of_its_build(
    layers: dict[str, Path], which: str, template: Template
) -> None:
    [(_, layer)] = template.of_type("AWS::Lambda::LayerVersion")
    [promised] = layer["Properties"]["CompatibleArchitectures"]
    libraries = list(layers[which].rglob("*.so"))
    assert libraries
    codes = {struct.unpack_from("<H", path.read_bytes(), 18)[0] for path in libraries}
    assert len(codes) == 1
    if which == "deployed":
        assert codes == {MACHINES[promised]}


@pytest.mark.parametrize("which", ["deployed", "here"])
def test_lambda_compiles_nothing_at_a_cold_start(layers: dict[str, Path], which: str) -> None:
    """/opt is read-only: missing or stale byte code is compiled at each start."""
    sources = [path for path in layers[which].rglob("*.py") if path.stat().st_size]
    assert len(sources) > 500
    for source in sources:
        cached = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        # PEP 552: bit 0 means a hash in place of the times, bit 1 that Python checks the hash.
        assert struct.unpack_from("<I", cached.read_bytes(), 4)[0] == 0b01, source


def test_the_byte_code_matches_the_sources(runtime: Runtime) -> None:
    """Python does not check the hash at run time, so this test does."""
    run = subprocess.run(  # noqa: S603, the hash differs from one version of Python to the next
        [runtime.python, "-c", HASHES, runtime.layer], capture_output=True, text=True, check=True
    )
    assert run.stdout == ""


def test_the_layer_holds_no_unused_files(layers: dict[str, Path]) -> None:
    for layer in layers.values():
        inside = [path.relative_to(layer).as_posix() for path in layer.rglob("*")]
        useless = (
            r"(^|/)(tests|bin|geodata|carrierdata|swagger_ui)(/|$)|\.pyi$|/RECORD$|^(boto3|telnyx)/"
        )
        assert not [name for name in inside if re.search(useless, name)]
        # The authors and licences of packages stay.
        packages = {name for name in inside if re.fullmatch(r"[^/]+\.dist-info", name)}
        assert packages
        for package in packages:
            assert f"{package}/METADATA" in inside


def test_every_function_imports_only_from_the_layer_and_the_runtime(
    runtime: Runtime, template: Template
) -> None:
    apps = [runtime.build / function / "app.py" for function in template.functions]
    run = subprocess.run(  # noqa: S603, the built functions
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
    assert run.returncode == 0, run.stderr
    loaded = json.loads(run.stdout)
    packages = {name: path for name, path in loaded.items() if path and "/lib-dynload/" not in path}
    ours = {name for name, path in packages.items() if path.startswith(str(runtime.layer))}
    assert {"partyline", "pydantic", "nacl", "aws_lambda_powertools"} <= ours
    from_runtime = {name for name, path in packages.items() if "/site-packages/" in path}
    assert from_runtime <= RUNTIME_PACKAGES
