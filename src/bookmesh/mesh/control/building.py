"""
From the mirrored objects to a snapshot, and from that to what one proxy gets, in slices that each leave the loop soon.

What did not change is not done again: an object is parsed once per resourceVersion, a resource is built once per
content and encoded once for all proxies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base.findings import Finding
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh import analysis
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import snapshot as snapshots
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
    """Everything a snapshot is made from; `configs` are the mesh's own kinds."""

    services: list[JsonObject]
    endpoint_slices: list[JsonObject]
    pods: list[JsonObject]
    namespaces: list[JsonObject]
    configs: list[JsonObject]


class Builder:
    """Runs the pure stages and keeps what they may remember."""

    def __init__(self, settings: MeshSettings) -> None:
        self._settings = settings
        self._parsed: dict[tuple[str, str], parsing.Parsed] = {}
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
            domain=self._settings.domain,
        )
        await asyncio.sleep(0)
        return snapshots.build(registered, configs, self._settings)

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

    async def _parse(self, configs: Iterable[JsonObject]) -> list[parsing.Parsed]:
        parsed: dict[tuple[str, str], parsing.Parsed] = {}
        for position, config in enumerate(configs, start=1):
            metadata = config["metadata"]
            key = metadata.get("uid", ""), metadata.get("resourceVersion", "")
            parsed[key] = self._parsed.get(key) or parsing.parse(config)
            if position % _SLICE == 0:
                await asyncio.sleep(0)
        self._parsed = parsed
        return list(parsed.values())
