"""
From changed objects to a snapshot, and from that to what one proxy gets, in slices that each leave the loop soon.

What did not change is not done again: an object is parsed once per content, what nothing changed about is the very same
object in the next snapshot, a resource is built once per content and encoded once for all proxies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from bookmesh.base import steps
from bookmesh.base.findings import Finding
from bookmesh.base.kubernetes import JsonObject
from bookmesh.base.latest import Latest
from bookmesh.mesh import analysis
from bookmesh.mesh.control import encoding
from bookmesh.mesh.gateway_api import converting, remembering
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import assembling, registry
from bookmesh.mesh.snapshot import configs as configs_
from bookmesh.mesh.snapshot import credentials, ingresses, mesh_config
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.configs import Difference
from bookmesh.mesh.snapshot.credentials import Credential
from bookmesh.mesh.snapshot.proxy import Proxy
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.snapshot.snapshot import MeshSnapshot
from bookmesh.mesh.translate import caching
from bookmesh.mesh.translate import resources as translation
from bookmesh.mesh.translate.resources import ResourceSet

_SLICE: Final = 20  # objects parsed between two looks at the event loop
SLICE_S: Final = 0.005  # translation and analysis between two such looks

T = TypeVar("T")

ConfigKey = tuple[str, str, str]  # kind, namespace, name


@dataclass(frozen=True, slots=True)
class Changes:
    """
    Objects that changed since the last snapshot, None for those that are gone; `configs` are of the mesh's own kinds
    and of the Gateway API. `mesh_config` is the mesh's ConfigMap as it is now, if there is one; Ingresses and their
    classes are all that there are.
    """

    kubernetes: assembling.Changes = field(default_factory=assembling.Changes)
    configs: Mapping[ConfigKey, JsonObject | None] = field(default_factory=dict)
    secrets: Mapping[tuple[str, str], JsonObject | None] = field(default_factory=dict)
    ingresses: Sequence[JsonObject] = ()
    ingress_classes: Sequence[JsonObject] = ()
    config_maps: Mapping[tuple[str, str], JsonObject | None] = field(default_factory=dict)
    mesh_config: JsonObject | None = None


class Builder:
    """Runs the pure stages and keeps what they may remember."""

    def __init__(self, settings: MeshSettings) -> None:
        self.conversion = converting.Conversion()
        """What became of the Gateway API's objects in the latest snapshot."""
        self._settings = settings
        self._converter = remembering.Converter(
            domain=settings.domain, root_namespace=settings.root_namespace
        )
        self._assembly = assembling.Assembly(domain=settings.domain)
        self._parsed: dict[ConfigKey, parsing.Parsed] = {}
        self._written = configs_.collect(())
        self._given = configs_.collect(())  # what is written, and what was made of Ingresses
        self._made = configs_.collect(())
        self._latest_served: Latest[tuple[configs_.Configs, tuple[Finding, ...]]] = Latest()
        self._latest_config: Latest[mesh_config.MeshConfig] = Latest()
        self._secrets: dict[tuple[str, str], Credential] = {}
        self._credentials = credentials.Credentials()
        self._snapshot: MeshSnapshot | None = None
        self._analysis: analysis.Analysis | None = None
        self._cache = caching.Cache()
        self._encoder = encoding.Encoder()

    async def build_snapshot(self, changes: Changes) -> MeshSnapshot:
        """
        Take changes in and build the snapshot after them; the same object as before when the content is equal.

        After an error this builder is of no use: what it kept may be half of the changes.
        """
        written = await self._parse(changes.configs)
        self._written = self._written.replaced(written.gone, written.come)
        registered = await _in_slices(self._assembly.steps(changes.kubernetes, _registered(self._written)))
        await asyncio.sleep(0)
        config = self._latest_config.get(
            (changes.mesh_config,), lambda: mesh_config.read(self._settings, changes.mesh_config)
        )
        self._read_credentials(changes.secrets)
        served, unserved = self._serve_ingresses(changes, registered, config.settings)
        made, self._made = served.since(self._made), served
        self._given = self._given.replaced((*written.gone, *made.gone), (*written.come, *made.come))
        self._converter.note(services=changes.kubernetes.services, config_maps=changes.config_maps)
        configs, self.conversion = self._converter.convert(self._given, registered, self._credentials)
        await asyncio.sleep(0)
        self._snapshot = snapshots.build(
            registered,
            configs,
            config.settings,
            self._credentials,
            (*config.findings, *unserved, *self.conversion.findings),
            previous=self._snapshot,
        )
        return self._snapshot

    async def translate(
        self, proxy: Proxy, snapshot: MeshSnapshot, previous: ResourceSet | None = None
    ) -> ResourceSet:
        """Build what one proxy gets; `previous` is what this very proxy was given before."""
        return await _in_slices(translation.steps(proxy, snapshot, self._cache, previous=previous))

    async def encode(
        self, resource_set: ResourceSet, previous: ResourceSet | None = None
    ) -> encoding.Publication:
        """Encode what `translate` built, and say what differs from what the proxy was given before."""
        return await _in_slices(self._encoder.steps(resource_set, previous))

    async def analyze(self, snapshot: MeshSnapshot) -> list[Finding]:
        """What is wrong with the configuration, each finding once."""
        self._analysis = await _in_slices(analysis.steps(snapshot, self._analysis))
        return self._analysis.findings

    def _read_credentials(self, secrets: Mapping[tuple[str, str], JsonObject | None]) -> None:
        for key, secret in secrets.items():
            credential = credentials.parse_secret(secret) if secret is not None else None
            if credential is not None:
                self._secrets[key] = credential
            else:
                self._secrets.pop(key, None)
        if secrets:
            self._credentials = credentials.build_credentials(self._secrets.values())

    def _serve_ingresses(
        self, changes: Changes, registered: registry.Registry, settings: MeshSettings
    ) -> tuple[configs_.Configs, tuple[Finding, ...]]:
        """What is made of Ingresses, and what is wrong with those that nobody serves."""
        served, classes = changes.ingresses, changes.ingress_classes

        def serve() -> tuple[configs_.Configs, tuple[Finding, ...]]:
            made = ingresses.convert(served, classes, registered, self._credentials, settings)
            unserved = ingresses.check_unserved(served, classes, settings.ingress)
            return configs_.collect(made, self._made), tuple(unserved)

        return self._latest_served.get(
            (served, classes, registered.services, self._credentials, settings), serve
        )

    async def _parse(self, configs: Mapping[ConfigKey, JsonObject | None]) -> Difference[parsing.Parsed]:
        """Parse what changed; gives what has other content than before."""
        gone: list[parsing.Parsed] = []
        come: list[parsing.Parsed] = []
        for position, (key, obj) in enumerate(configs.items(), start=1):
            before, after = self._parsed.pop(key, None), parsing.parse(obj) if obj is not None else None
            if before is not None and after is not None and before.digest == after.digest:
                after = before
            elif before is not None:
                gone.append(before)
                after = parsing.over(before, after) if after is not None else None
            if after is not None:
                self._parsed[key] = after
            if after is not None and after is not before:
                come.append(after)
            if position % _SLICE == 0:
                await asyncio.sleep(0)
        return Difference(tuple(gone), tuple(come))


def _registered(configs: configs_.Configs) -> list[parsing.Parsed]:
    return [parsed for kind in registry.REGISTERED for parsed in configs.of(kind)]


async def _in_slices(work: steps.Steps[T]) -> T:
    """Take the steps of a stage, and leave the event loop to others now and then."""
    until_s = time.perf_counter() + SLICE_S
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(T, end.value)
        if time.perf_counter() > until_s:
            await asyncio.sleep(0)
            until_s = time.perf_counter() + SLICE_S
