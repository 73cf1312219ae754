"""The schemas people see in `kubectl explain`: one line a field, in `<plural>.out.txt`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bookmesh.mesh.model import crds, kinds
from bookmesh.mesh.model.gateway_api import kinds as gateway_kinds

HERE = Path(__file__).parent
OUTPUTS = {f"{kind.plural}.out.txt": kind for kind in kinds.KINDS} | {
    f"{kind.plural}.{kind.group}.out.txt": kind for kind in gateway_kinds.KINDS
}
FACTS = (
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "minItems",
    "format",
    "required",
    "oneOf",
    "allOf",
)


@pytest.mark.parametrize("output", OUTPUTS)
def test_schema_is_as_expected(output: str, update_golden: bool) -> None:
    (version, *_) = crds.build_crd(OUTPUTS[output], {})["spec"]["versions"]
    found = "".join(f"{line}\n" for line in _outline("", version["schema"]["openAPIV3Schema"]))
    expected = HERE / output
    if update_golden:
        expected.write_text(found)
    assert found == expected.read_text()


def test_every_output_belongs_to_a_kind() -> None:
    assert {path.name for path in HERE.glob("*.out.txt")} == OUTPUTS.keys()


def _outline(path: str, schema: dict[str, Any]) -> Iterator[str]:
    facts = "".join(f" {name}={_short(schema[name])}" for name in FACTS if name in schema)
    if "default" in schema:
        facts += f" default={json.dumps(schema['default'])}"
    yield f"{path or 'root'}: {schema.get('type', '?')}{facts}"
    for name, below in schema.get("properties", {}).items():
        yield from _outline(f"{path}.{name}", below)
    if "items" in schema:
        yield from _outline(f"{path}[]", schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _outline(f"{path}{{}}", schema["additionalProperties"])


def _short(value: Any) -> str:
    """Alternatives of required fields become the list of the fields."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "(" + "|".join(_short(v.get("required") or v.get("oneOf") or "none") for v in value) + ")"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
