"""BM0240: a PeerAuthentication without effect: an older one decides, it selects no pod, or is in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.mesh.model import parsing, peer_authentications
from bookmesh.mesh.registry import workloads as workloads_
from bookmesh.mesh.snapshot import peer_authentications as peers
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    whole: dict[str, ObjectRef] = {}
    owners: dict[str, ObjectRef] = {}
    for parsed in snapshot.configs.of(peer_authentications.PeerAuthentication):
        policy = parsed.spec
        if not isinstance(policy, peer_authentications.PeerAuthentication):
            continue
        namespace = parsed.metadata.namespace
        if not policy.is_for_workloads:
            older = whole.setdefault(namespace, parsed.ref)
            if older is not parsed.ref:
                scope = "the mesh" if namespace == snapshot.settings.root_namespace else namespace
                yield _finding(parsed, f"{older} is older and is for all of {scope} too", str(older))
        elif namespace == snapshot.settings.root_namespace:
            yield _finding(parsed, "in the root namespace those with a selector do not count", "")
        else:
            yield from _without_workload(parsed, policy, snapshot, owners)


def _without_workload(
    parsed: parsing.Parsed,
    policy: peer_authentications.PeerAuthentication,
    snapshot: snapshots.MeshSnapshot,
    owners: dict[str, ObjectRef],
) -> Iterator[Finding]:
    """`owners` collects, by address, which policy decides for a pod."""
    near = (w for w in snapshot.registry.workloads.values() if w.namespace == parsed.metadata.namespace)
    selected: list[workloads_.Workload] = sorted(
        (workload for workload in near if peers.selects(policy, workload.labels)), key=lambda w: (w.pod, w.ip)
    )
    deciding = [owners.setdefault(workload.ip, parsed.ref) for workload in selected]
    if not selected:
        yield _finding(parsed, "its selector finds no pod", "")
    elif parsed.ref not in deciding:
        yield _finding(parsed, f"{deciding[0]} is older and selects the same pods", str(deciding[0]))


def _finding(parsed: parsing.Parsed, why: str, known: str) -> Finding:
    return Finding(
        code="BM0240",
        message=f"{parsed.ref} has no effect: {why}",
        subject=parsed.ref,
        where="spec.selector",
        known=known,
        hint="of several policies for the same pods the oldest counts; a selector is for pods of its own namespace",
        severity="warning",
    )
