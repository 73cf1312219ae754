"""
Which ConfigMaps, Secrets and volume claims a pod refers to, and the objects themselves as they were read. Pure.

The node reads all sources of a pod in one go; environment and volumes are then functions of the result.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import JsonObject


class SourceError(Exception):
    """Something a container needs is missing; the message is the kubelet's."""


class CreationError(Exception):
    """The container runtime makes no such container of the image; the message begins with containerd's words."""


@dataclass(frozen=True, slots=True)
class References:
    """Names in the pod's own namespace."""

    config_maps: frozenset[str]
    secrets: frozenset[str]
    claims: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sources:
    """The objects that exist, by name; a name that is absent does not exist."""

    namespace: str
    config_maps: Mapping[str, JsonObject] = field(default_factory=dict)
    secrets: Mapping[str, JsonObject] = field(default_factory=dict)
    claims: Mapping[str, JsonObject] = field(default_factory=dict)
    volumes: Mapping[str, JsonObject] = field(default_factory=dict)
    """Those that the claims are bound to."""

    def config_map_data(self, name: str) -> dict[str, bytes] | None:
        """All keys of a ConfigMap, text and binary; None when there is no such object."""
        found = self.config_maps.get(name)
        if found is None:
            return None
        data = {key: text.encode() for key, text in (found.get("data") or {}).items()}
        return data | {key: base64.b64decode(text) for key, text in (found.get("binaryData") or {}).items()}

    def secret_data(self, name: str) -> dict[str, bytes] | None:
        """All keys of a Secret, decoded; None when there is no such object."""
        found = self.secrets.get(name)
        if found is None:
            return None
        return {key: base64.b64decode(text) for key, text in (found.get("data") or {}).items()}


def references_of(pod: JsonObject) -> References:
    """Collect what a container's environment or a volume names, optional or not."""
    config_maps: set[str] = set()
    secrets: set[str] = set()
    for kind, name in _named(pod["spec"]):
        (config_maps if kind == "configMap" else secrets).add(name)
    claims = agreed.claim_names(pod)
    return References(frozenset(config_maps), frozenset(secrets), frozenset(claims))


def _named(spec: JsonObject) -> Iterator[tuple[str, str]]:
    parts = ("initContainers", "containers", "ephemeralContainers")
    for container in [each for part in parts for each in spec.get(part) or []]:
        for item in container.get("envFrom") or []:
            yield from _pairs(item, config_map="configMapRef", secret="secretRef")  # noqa: S106
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            yield from _pairs(source, config_map="configMapKeyRef", secret="secretKeyRef")  # noqa: S106
    for volume in spec.get("volumes") or []:
        yield from _pairs(volume, config_map="configMap", secret="secret")  # noqa: S106
        for source in (volume.get("projected") or {}).get("sources") or []:
            yield from _pairs(source, config_map="configMap", secret="secret")  # noqa: S106


def _pairs(holder: JsonObject, *, config_map: str, secret: str) -> Iterator[tuple[str, str]]:
    if name := (holder.get(config_map) or {}).get("name"):
        yield "configMap", name
    reference = holder.get(secret) or {}
    if name := reference.get("secretName") or reference.get("name"):
        yield "secret", name
