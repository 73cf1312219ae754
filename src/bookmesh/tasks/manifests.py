"""
What a step applies: YAML documents, with `${namespace}` filled in, checked to stay in the run's namespace.

`${…}` of any other name is left as it is: Envoy's and shells' own variables look the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_DEPLOYABLE = ("Deployment", "StatefulSet", "DaemonSet")
_VARIABLE = re.compile(r"\$\{namespace\}")


class Identity(NamedTuple):
    """Names one object; `namespace` is "" for the run's own, and for cluster-wide objects."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


def fill(text: str, namespace: str) -> str:
    """Put the name of the run's namespace where the text asks for it."""
    return _VARIABLE.sub(namespace, text)


def fill_all(value: Any, namespace: str) -> Any:
    """Fill every string inside of a JSON value."""
    if isinstance(value, str):
        return fill(value, namespace)
    if isinstance(value, dict):
        return {fill(key, namespace): fill_all(item, namespace) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fill_all(item, namespace) for item in value)
    return value


def read(entries: Sequence[str | dict[str, Any]], directory: Path, namespace: str) -> str:
    """
    Join files and inline objects to one YAML stream.

    Raises:
        OSError: a file cannot be read.
    """
    parts = []
    for entry in entries:
        if isinstance(entry, dict):
            parts.append(yaml.safe_dump(entry, sort_keys=False))
        else:
            parts.append((directory / entry).read_text().strip("\n") + "\n")
    return fill("---\n".join(part.removeprefix("---\n") for part in parts), namespace)


def parse(text: str) -> list[dict[str, Any]]:
    """
    Split a YAML stream into objects; Lists are opened, empty documents dropped.

    Raises:
        ValueError: it is not YAML, or a document is no Kubernetes object.
    """
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from error
    objects: list[dict[str, Any]] = []
    for document in documents:
        if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
            raise ValueError(f"a document is no Kubernetes object: {str(document)[:60]}")
        if document["kind"] == "List":
            objects.extend(document.get("items") or ())
        else:
            objects.append(document)
    return objects


def blame(entries: Sequence[str | dict[str, Any]], directory: Path) -> str:
    """Say which of the files is not YAML, in which line, and why; "" when all are."""
    for entry in entries:
        try:
            list(yaml.parse((directory / entry).read_text()) if isinstance(entry, str) else ())
        except yaml.MarkedYAMLError as error:
            line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            return f"{entry}{line}: not YAML: {error.problem}"
    return ""


def identify(document: Mapping[str, Any]) -> Identity:
    """Name an object as its YAML does. generateName gives the name ""."""
    metadata = document.get("metadata") or {}
    return Identity(document["kind"], metadata.get("namespace") or "", metadata.get("name") or "")


def strays(
    documents: Iterable[Mapping[str, Any]],
    *,
    namespace: str,
    cluster_wide: frozenset[str],
    declared: frozenset[Identity],
) -> list[Identity]:
    """
    Find objects that would land outside of the run's namespace without being declared.

    Args:
        cluster_wide: kinds that have no namespace.
    """
    found = []
    for document in documents:
        identity = identify(document)
        outside = identity.kind in cluster_wide or identity.namespace not in ("", namespace)
        if outside and identity not in declared:
            found.append(identity)
    return found


def rollouts(documents: Iterable[Mapping[str, Any]], namespace: str) -> dict[str, list[str]]:
    """List by namespace what has to be rolled out (`deployment/curl`) before the step is done."""
    found: dict[str, list[str]] = {}
    for document in documents:
        identity = identify(document)
        if identity.kind in _DEPLOYABLE:
            names = found.setdefault(identity.namespace or namespace, [])
            names.append(f"{identity.kind.lower()}/{identity.name}")
    return found
