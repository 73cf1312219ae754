"""
The file that says which releases there are: names, charts, values, and what the charts do not say themselves.

    releases:
      - {name: ratings, chart: ./charts/ratings}
      - name: productpage
        chart: ./charts/productpage
        namespace: shop
        valuesFiles: [page.yaml]
        values: {pod: {replicas: 2}}
        requires: [{release: reviews, contract: reviews-api, range: ">=2 <4"}]

Paths are relative to the file. Later values win: the chart's, then the files in their order, then `values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.release import ranges
from bookmesh.release.contracts import ReleaseId, Requirement

DEFAULT_NAMESPACE = "default"


class _Required(msgspec.Struct, forbid_unknown_fields=True):
    release: str
    contract: str
    range: str
    namespace: str = ""


class _Release(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    name: str
    chart: str
    namespace: str = DEFAULT_NAMESPACE
    values_files: list[str] = []
    values: dict[str, Any] = {}
    requires: list[_Required] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    releases: list[_Release]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One release as its file asks for it; `chart` is a folder or a package of a chart."""

    release: ReleaseId
    chart: Path
    values: Mapping[str, Any]
    requires: tuple[Requirement, ...] = ()


def load(path: Path) -> list[Wanted]:
    """
    Read a file of releases, in its order.

    Raises:
        BookmeshError: BM0601, it cannot be read, or says something impossible.
    """
    try:
        parsed = msgspec.convert(_read_yaml(path), _File)
        wanted = [_wanted(entry, path.parent) for entry in parsed.releases]
    except (msgspec.ValidationError, ValueError) as error:
        raise refusal(str(error), path) from error
    seen: set[ReleaseId] = set()
    for one in wanted:
        if one.release in seen:
            raise refusal(f"release {one.release} is there twice", path)
        seen.add(one.release)
    if not wanted:
        raise refusal("there is no release in it", path)
    return wanted


def refusal(message: str, path: Path) -> BookmeshError:
    """BM0601 about a file."""
    return BookmeshError(
        Finding(code="BM0601", message=f"not a file of releases: {message}", where=str(path)), exit_code=2
    )


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values the way Helm does: maps key by key, everything else is replaced, null removes."""
    merged = dict(under)
    for key, value in over.items():
        before = merged.get(key)
        both_are_maps = isinstance(before, dict) and isinstance(value, dict)
        merged[key] = merge(before, value) if both_are_maps and isinstance(before, dict) else value
    return merged


def _wanted(entry: _Release, directory: Path) -> Wanted:
    chart = directory / entry.chart
    if not chart.exists():
        raise ValueError(f"release {entry.name}: there is no chart {entry.chart}")
    values: dict[str, Any] = {}
    for name in entry.values_files:
        content = _read_yaml(directory / name) or {}
        if not isinstance(content, dict):
            raise ValueError(f"release {entry.name}: {name} is not a map of values")
        values = merge(values, content)
    requires = tuple(
        Requirement(
            ReleaseId(one.namespace or entry.namespace, one.release),
            one.contract,
            ranges.parse_range(one.range),
        )
        for one in entry.requires
    )
    return Wanted(ReleaseId(entry.namespace, entry.name), chart, merge(values, entry.values), requires)


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error
