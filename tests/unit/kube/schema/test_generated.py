"""The generated file is what the build hook makes today, and loads within its budget."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import orjson
import pytest

from bookmesh.kube.schema import schemas

HOOK = Path(__file__).resolve().parents[4] / "build_hooks" / "schemas.py"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    specification = importlib.util.spec_from_file_location("schemas_hook", HOOK)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_generated_file_is_current(hook: ModuleType, tmp_path: Path) -> None:
    written = hook.write(tmp_path)
    package = Path(schemas.__file__).parent
    assert written == tmp_path / "src/bookmesh/kube/schema/generated/kubernetes.json"
    assert orjson.loads(written.read_bytes()) == orjson.loads(
        (package / "generated/kubernetes.json").read_bytes()
    )


def test_references_of_the_input_become_those_of_openapi(hook: ModuleType) -> None:
    found: list[str] = []
    node = {"$ref": "#/$defs/a.B", "description": "x", "type": ["object", "null"]}
    assert hook.published({"items": node, "properties": {"p": {"$ref": "#/$defs/c"}}}, found) == {
        "items": {"allOf": [{"$ref": "#/components/schemas/a.B"}], "description": "x", "type": "object"},
        "properties": {"p": {"$ref": "#/components/schemas/c"}},
    }
    assert found == ["a.B", "c"]


def test_loading_is_fast() -> None:
    schemas.Schemas.load()
    times_s: list[float] = []
    for _ in range(5):
        start = time.process_time()
        schemas.Schemas.load()
        times_s.append(time.process_time() - start)
    assert min(times_s) < 0.040
