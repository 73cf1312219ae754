"""
What releases say about themselves, read from the objects they consist of: rendered, or installed.

A Service's annotation `bookmesh.dev/requires` has what the release needs of others, as JSON; the annotation
`bookmesh.dev/provides` of a Deployment's pods has the versions of the contracts that they serve. Both are on what
runs, so a cluster can be judged without the charts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release import ranges

REQUIRES: Final = "bookmesh.dev/requires"
PROVIDES: Final = "bookmesh.dev/provides"
INSTANCE: Final = "app.kubernetes.io/instance"
TRACK: Final = "version"

Provided = Mapping[str, ranges.Version]
"""Versions by contract."""


class DeclarationError(Exception):
    """An annotation that cannot be read; the message names object and annotation."""


@dataclass(frozen=True, slots=True, order=True)
class ReleaseId:
    """A release's name is unique in its namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """`release` has to serve a version of `contract` that is in `versions`."""

    release: ReleaseId
    contract: str
    versions: ranges.Range

    def __str__(self) -> str:
        return f"{self.contract} {self.versions} of {self.release.name}"


@dataclass(frozen=True, slots=True)
class Declared:
    """What one release declares. `requires` in the order of the objects, each once."""

    release: ReleaseId
    requires: tuple[Requirement, ...] = ()
    provides: Mapping[str, Provided] = field(default_factory=dict)
    """By track."""


def read(release: ReleaseId, objects: Iterable[JsonObject]) -> Declared:
    """
    Read what a release declares from its objects.

    Raises:
        DeclarationError: an annotation is wrong.
    """
    requires: dict[Requirement, None] = {}
    provides: dict[str, Provided] = {}
    for obj in objects:
        if obj["kind"] == "Service":
            requires |= dict.fromkeys(requirements_of(obj, release.namespace))
        elif obj["kind"] == "Deployment":
            template = obj["spec"]["template"]
            track = (template["metadata"].get("labels") or {}).get(TRACK, obj["metadata"]["name"])
            provides[track] = provided_by(template, f"Deployment {obj['metadata']['name']}")
    return Declared(release, tuple(requires), provides)


def requirements_of(service: JsonObject, namespace: str) -> list[Requirement]:
    """
    What the release of a Service requires; `namespace` is where its releases are that name none.

    Raises:
        DeclarationError: the annotation is wrong.
    """
    where = f"Service {service['metadata']['name']}, annotation {REQUIRES}"
    entries = _parse(service["metadata"], REQUIRES, where, list)
    found = []
    for entry in entries:
        try:
            found.append(
                Requirement(
                    ReleaseId(entry.get("namespace") or namespace, entry["release"]),
                    entry["contract"],
                    ranges.parse_range(entry["range"]),
                )
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DeclarationError(f"{where}: each entry needs release, contract and range") from error
        except ValueError as error:
            raise DeclarationError(f"{where}: {error}") from error
    return found


def provided_by(pod: JsonObject, name: str) -> Provided:
    """
    What a pod, or the template of pods, serves.

    Raises:
        DeclarationError: the annotation is wrong.
    """
    where = f"{name}, annotation {PROVIDES}"
    entries = _parse(pod["metadata"], PROVIDES, where, dict)
    try:
        return {contract: ranges.parse_version(str(version)) for contract, version in entries.items()}
    except ValueError as error:
        raise DeclarationError(f"{where}: {error}") from error


def _parse(metadata: JsonObject, key: str, where: str, wanted: type[Any]) -> Any:
    text = (metadata.get("annotations") or {}).get(key)
    if text is None:
        return wanted()
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise DeclarationError(f"{where}: not JSON: {error}") from error
    if not isinstance(value, wanted):
        raise DeclarationError(f"{where}: {'a list' if wanted is list else 'a map'} is expected")
    return value
