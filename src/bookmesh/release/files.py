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

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.release import ranges
from bookmesh.release.contracts import ReleaseId, Requirement

DEFAULT_NAMESPACE = "default"
_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAMES: Final = {
    # what it is the name of: its form, and the most characters that Helm and Kubernetes take
    "a release": (re.compile(rf"{_LABEL}(\.{_LABEL})*"), 53),
    "a namespace": (re.compile(_LABEL), 63),
}


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
    except msgspec.ValidationError as error:
        known = (
            f"fields of a release: {', '.join(one.encode_name for one in msgspec.structs.fields(_Release))}"
        )
        raise refusal(str(error), path, known=known) from error
    except ValueError as error:
        raise refusal(str(error), path) from error
    seen: set[ReleaseId] = set()
    for one in wanted:
        if one.release in seen:
            raise refusal(f"release {one.release} is there twice", path)
        seen.add(one.release)
    if not wanted:
        raise refusal("there is no release in it", path)
    return wanted


def refusal(message: str, path: Path, *, known: str = "") -> BookmeshError:
    """BM0601 about a file."""
    message = f"not a file of releases: {message}"
    return BookmeshError(Finding(code="BM0601", message=message, where=str(path), known=known), exit_code=2)


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge values the way Helm does: maps key by key, everything else is replaced, null removes."""
    merged = dict(under)
    for key, value in over.items():
        before = merged.get(key)
        both_are_maps = isinstance(before, dict) and isinstance(value, dict)
        merged[key] = merge(before, value) if both_are_maps and isinstance(before, dict) else value
    return merged


def _wanted(entry: _Release, directory: Path) -> Wanted:
    _check_name(entry.name, "a release")
    _check_name(entry.namespace, "a namespace")
    chart = directory / entry.chart
    if not chart.exists():
        raise ValueError(f"release {entry.name}: there is no chart {entry.chart}")
    values: dict[str, Any] = {}
    for name in entry.values_files:
        content = _read_yaml(directory / name) or {}
        if not isinstance(content, dict):
            raise ValueError(f"release {entry.name}: {name} is not a map of values")
        values = merge(values, content)
    requires = tuple(_requirement(one, entry) for one in entry.requires)
    return Wanted(ReleaseId(entry.namespace, entry.name), chart, merge(values, entry.values), requires)


def _requirement(one: _Required, entry: _Release) -> Requirement:
    try:
        versions = ranges.parse_range(one.range)
    except ValueError as error:
        raise ValueError(f"release {entry.name}: what it requires of {one.release}: {error}") from error
    return Requirement(ReleaseId(one.namespace or entry.namespace, one.release), one.contract, versions)


def _check_name(name: str, what: str) -> None:
    form, most = _NAMES[what]
    if not form.fullmatch(name) or len(name) > most:
        raise ValueError(
            f"{name!r} is no name of {what}: at most {most} lower-case letters, digits and dashes, none at an end"
        )


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}") from error
