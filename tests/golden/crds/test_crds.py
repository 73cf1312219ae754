"""The schemas people see in `kubectl explain`: one line a field, in `<plural>.out.txt`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bookmesh.mesh.model import crds, kinds

HERE = Path(__file__).parent
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


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.plural)
def test_schema_is_as_expected(kind: kinds.Kind, update_golden: bool) -> None:
    (version, *_) = crds.build_crd(kind)["spec"]["versions"]
    found = "".join(f"{line}\n" for line in _outline("", version["schema"]["openAPIV3Schema"]))
    expected = HERE / f"{kind.plural}.out.txt"
    if update_golden:
        expected.write_text(found)
    assert found == expected.read_text()


def test_every_output_belongs_to_a_kind() -> None:
    assert {path.name for path in HERE.glob("*.out.txt")} == {
        f"{kind.plural}.out.txt" for kind in kinds.KINDS
    }


def _outline(path: str, schema: dict[str, Any]) -> Iterator[str]:
    facts = "".join(f" {name}={_short(schema[name])}" for name in FACTS if name in schema)
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
