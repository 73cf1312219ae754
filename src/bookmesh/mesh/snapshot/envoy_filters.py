"""Which changes of EnvoyFilters are for one proxy, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import envoy_filters, expressions, parsing
from bookmesh.mesh.snapshot import proxy as proxies


@dataclass(frozen=True, slots=True)
class Patch:
    """One change of one EnvoyFilter. Equal when the content of the EnvoyFilter is."""

    ref: ObjectRef
    digest: str
    index: int
    config: envoy_filters.ConfigPatch = field(compare=False)

    @property
    def apply_to(self) -> str:
        return self.config.apply_to or ""

    @property
    def operation(self) -> str:
        return (self.config.patch.operation if self.config.patch is not None else None) or ""

    @property
    def match(self) -> envoy_filters.ObjectMatch:
        return self.config.match or envoy_filters.ObjectMatch()

    @property
    def context(self) -> envoy_filters.Context:
        return self.match.context or "ANY"

    @property
    def where(self) -> str:
        return f"spec.configPatches[{self.index}]"


def patches_for(
    proxy: proxies.Proxy, configs: Iterable[parsing.Parsed], *, root_namespace: str
) -> tuple[Patch, ...]:
    """
    Collect the changes for one proxy from `configs`, which come in merge order.

    Lower priorities come first; of the same priority those of the root namespace before those of the proxy's own, and
    of these the older ones.
    """
    chosen = [
        (spec.priority, parsed.metadata.namespace != root_namespace, parsed, spec)
        for parsed in configs
        if isinstance(spec := parsed.spec, envoy_filters.EnvoyFilter)
        and parsed.metadata.namespace in (root_namespace, proxy.namespace)
        and _selects(spec, proxy)
    ]
    return tuple(
        patch
        for _, _, parsed, spec in sorted(chosen, key=lambda entry: entry[:2])
        for patch in patches_in(parsed, spec)
        if _is_for(patch.match.proxy, proxy)
    )


def patches_in(parsed: parsing.Parsed, spec: envoy_filters.EnvoyFilter) -> list[Patch]:
    """The changes of one EnvoyFilter, whoever they are for."""
    return [
        Patch(parsed.ref, parsed.digest, index, config) for index, config in enumerate(spec.config_patches)
    ]


def _selects(spec: envoy_filters.EnvoyFilter, proxy: proxies.Proxy) -> bool:
    """One with references to other objects is for nobody here."""
    if spec.target_refs:
        return False
    selector = spec.workload_selector
    return selector is None or selector.labels.items() <= proxy.labels.items()


def _is_for(wanted: envoy_filters.ProxyMatch | None, proxy: proxies.Proxy) -> bool:
    if wanted is None:
        return True
    version = proxy.metadata.get("ISTIO_VERSION", "")
    if wanted.proxy_version and not expressions.matches_somewhere(wanted.proxy_version, version):
        return False
    return wanted.metadata.items() <= proxy.metadata.items()
