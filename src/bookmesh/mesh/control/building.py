"""
From the mirrored objects to a snapshot, and from that to what one proxy gets, in slices that each leave the loop soon.

What did not change is not done again: an object is parsed once per resourceVersion, a resource is built once per
content and encoded once for all proxies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base.findings import Finding
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh import analysis
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import credentials, mesh_config
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.credentials import Credential
from bookmesh.mesh.snapshot.proxy import Proxy
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.snapshot.snapshot import MeshSnapshot
from bookmesh.mesh.translate import caching
from bookmesh.mesh.translate import resources as translation
from bookmesh.mesh.translate.resources import Built, ResourceSet
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.resources import Encoded

_SLICE: Final = 20  # objects parsed between two looks at the event loop


@dataclass(frozen=True, slots=True)
class Objects:
    """Everything a snapshot is made from; `configs` are the mesh's own kinds, `mesh_config` its ConfigMap if any."""

    services: list[JsonObject]
    endpoint_slices: list[JsonObject]
    pods: list[JsonObject]
    namespaces: list[JsonObject]
    configs: list[JsonObject]
    secrets: list[JsonObject] = field(default_factory=list)
    mesh_config: JsonObject | None = None


class Builder:
    """Runs the pure stages and keeps what they may remember."""

    def __init__(self, settings: MeshSettings) -> None:
        self._settings = settings
        self._parsed: dict[tuple[str, str], parsing.Parsed] = {}
        self._credentials: dict[tuple[str, str], Credential | None] = {}
        self._cache = caching.Cache()
        self._encoded = caching.Cache()

    async def build_snapshot(self, objects: Objects) -> MeshSnapshot:
        """Build the snapshot of `objects`; equal content gives an equal `id`."""
        configs = await self._parse(objects.configs)
        registered = registry.build(
            objects.services,
            objects.endpoint_slices,
            objects.pods,
            objects.namespaces,
            configs=configs,
            domain=self._settings.domain,
        )
        await asyncio.sleep(0)
        config = mesh_config.read(self._settings, objects.mesh_config)
        return snapshots.build(
            registered, configs, config.settings, self._read_credentials(objects.secrets), config.findings
        )

    def translate(self, proxy: Proxy, snapshot: MeshSnapshot) -> ResourceSet:
        return translation.resources(proxy, snapshot, self._cache)

    def encode(self, resource_set: ResourceSet) -> dict[str, dict[str, Encoded]]:
        """Encode what `translate` built, by type URL and name."""
        self._encoded.advance(resource_set.snapshot_id)
        return {
            type_url: {name: self._encode(built) for name, built in resource_set.of(type_url).items()}
            for type_url in type_urls.TRANSLATED
        }

    def analyze(self, snapshot: MeshSnapshot) -> list[Finding]:
        """What is wrong with the configuration, each finding once."""
        return analysis.analyze(snapshot)

    def _encode(self, built: Built) -> Encoded:
        return self._encoded.get(
            built, lambda: resources.encode(built.type_url, built.name, built.serialized)
        )

    def _read_credentials(self, secrets: Iterable[JsonObject]) -> credentials.Credentials:
        read: dict[tuple[str, str], Credential | None] = {}
        for secret in secrets:
            key = _version_of(secret)
            read[key] = (
                self._credentials[key] if key in self._credentials else credentials.parse_secret(secret)
            )
        self._credentials = read
        return credentials.build_credentials(read.values())

    async def _parse(self, configs: Iterable[JsonObject]) -> list[parsing.Parsed]:
        parsed: dict[tuple[str, str], parsing.Parsed] = {}
        for position, config in enumerate(configs, start=1):
            key = _version_of(config)
            parsed[key] = self._parsed.get(key) or parsing.parse(config)
            if position % _SLICE == 0:
                await asyncio.sleep(0)
        self._parsed = parsed
        return list(parsed.values())


def _version_of(obj: JsonObject) -> tuple[str, str]:
    metadata = obj["metadata"]
    return metadata.get("uid", ""), metadata.get("resourceVersion", "")
