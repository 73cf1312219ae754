"""What workloads accept: PeerAuthentications of the mesh, of a namespace and of single workloads, joined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bookmesh.mesh.model import parsing, peer_authentications
from bookmesh.mesh.snapshot.settings import MeshSettings, MtlsMode


@dataclass(frozen=True, slots=True)
class PeerModes:
    """What one workload accepts; `ports` are (port in the pod, mode) of those that differ or are named, sorted."""

    mode: MtlsMode = "PERMISSIVE"
    ports: tuple[tuple[int, MtlsMode], ...] = ()

    def of(self, port: int) -> MtlsMode:
        return next((mode for number, mode in self.ports if number == port), self.mode)


@dataclass(frozen=True, slots=True)
class PeerPolicies:
    """
    All PeerAuthentications that count: `mesh` is the mode without any other, `namespaces` has those that say something,
    `workloads` the ones with a selector by namespace, oldest first.
    """

    mesh: MtlsMode = "PERMISSIVE"
    namespaces: Mapping[str, MtlsMode] = field(default_factory=dict)
    workloads: Mapping[str, tuple[peer_authentications.PeerAuthentication, ...]] = field(default_factory=dict)

    def modes_for(self, namespace: str, labels: Mapping[str, str]) -> PeerModes:
        """The narrowest policy decides, and of several the oldest; what is UNSET comes from the wider one."""
        mode = self.namespaces.get(namespace, self.mesh)
        chosen = next((p for p in self.workloads.get(namespace, ()) if selects(p, labels)), None)
        if chosen is None:
            return PeerModes(mode)
        mode = mode_of(chosen.mtls) or mode
        ports = {int(port): mode_of(mtls) or mode for port, mtls in chosen.port_level_mtls.items()}
        return PeerModes(mode, tuple(sorted(ports.items())))


def build_policies(configs: Iterable[parsing.Parsed], settings: MeshSettings) -> PeerPolicies:
    """
    Index the PeerAuthentications among `configs`, which come in merge order.

    One without selector in the root namespace is for the whole mesh; with a selector it has no effect there.
    """
    namespaces: dict[str, MtlsMode | None] = {}
    workloads: defaultdict[str, list[peer_authentications.PeerAuthentication]] = defaultdict(list)
    for parsed in configs:
        if not isinstance(parsed.spec, peer_authentications.PeerAuthentication):
            continue
        namespace = parsed.metadata.namespace
        if not parsed.spec.is_for_workloads:
            namespaces.setdefault(namespace, mode_of(parsed.spec.mtls))
        elif namespace != settings.root_namespace:
            workloads[namespace].append(parsed.spec)
    return PeerPolicies(
        mesh=namespaces.pop(settings.root_namespace, None) or settings.mtls_mode,
        namespaces={name: mode for name, mode in namespaces.items() if mode is not None},
        workloads={namespace: tuple(found) for namespace, found in workloads.items()},
    )


def selects(policy: peer_authentications.PeerAuthentication, labels: Mapping[str, str]) -> bool:
    """Whether a policy with a selector is for pods with these labels."""
    return policy.selector is not None and policy.selector.match_labels.items() <= labels.items()


def mode_of(mtls: peer_authentications.MutualTls | None) -> MtlsMode | None:
    """The mode that is written; None when that of the wider policy counts."""
    mode = mtls.mode if mtls is not None else None
    return None if mode is None or mode == "UNSET" else mode
