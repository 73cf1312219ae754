"""The README of the library lists every value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from tests.charts import rendering

LIBRARY = rendering.CHARTS / "microservice"


def leaves(values: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of values; a map is one where the schema has no keys of its own for it."""
    for key, value in values.items():
        inner = schema.get("properties", {}).get(key, {})
        if isinstance(value, dict) and value and "properties" in inner:
            yield from leaves(value, inner, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def test_every_value_is_listed_with_its_meaning() -> None:
    values = yaml.safe_load((LIBRARY / "values.yaml").read_text())
    schema = yaml.safe_load((LIBRARY / "values.schema.json").read_text())
    schema["properties"]["pod"] = schema["$defs"]["pod"]
    listed = set(
        re.findall(r"^\| `([^`]+)` \| `[^|]+` \| .+ \|$", (LIBRARY / "README.md").read_text(), re.MULTILINE)
    )
    wanted = set(leaves(values, schema))
    assert len(wanted) > 50
    assert {path for path in wanted if not listed & {path, path.rpartition(".")[0]}} == set()
