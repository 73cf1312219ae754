"""BM0241: a DestinationRule and a PeerAuthentication that exclude each other, so that no connection is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import destination_rules, parsing
from bookmesh.mesh.registry import services as services_
from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import hosts, policies
from bookmesh.mesh.snapshot import snapshot as snapshots


def check(rule: parsing.Parsed, snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for service in _services_for(snapshot.policies.host_of(rule), snapshot):
        yield from _conflicts(rule, service, snapshot)


def _services_for(pattern: str, snapshot: snapshots.MeshSnapshot) -> Iterable[services_.Service]:
    services = snapshot.registry.services
    if not pattern.startswith("*"):
        return [services[pattern]] if pattern in services else []
    return [services[host] for host in sorted(services) if hosts.matches(pattern, host)]


def _conflicts(
    parsed: parsing.Parsed, service: services_.Service, snapshot: snapshots.MeshSnapshot
) -> Iterator[Finding]:
    """One finding for each place in the rule, whatever the number of ports and pods."""
    found: dict[str, Finding] = {}
    for port in service.ports:
        for path, tls in _settings_for(policies.spec_of(parsed), port.number):
            for workload in snapshot.registry.workloads_behind(service):
                if _is_gateway(workload, snapshot):
                    continue
                target = services_.target_port(port, workload)
                mode = _mode_at(workload, target or 0, snapshot)
                offer = _clashing_offer(tls, mode)
                if offer:
                    found.setdefault(path, _finding(parsed, path, offer, workload, mode))
    yield from found.values()


def _is_gateway(workload: workloads.Workload, snapshot: snapshots.MeshSnapshot) -> bool:
    """Whether the servers of some Gateway say what the pod takes."""
    return any(
        gateway.selector and gateway.selector.items() <= workload.labels.items()
        for _, gateway in snapshots.gateways_in(snapshot.configs).values()
    )


def _settings_for(
    rule: destination_rules.DestinationRule, port: int
) -> Iterator[tuple[str, destination_rules.ClientTls]]:
    """TLS settings in force for a port, with their field paths: of the host, and of each subset that has its own."""
    levels = [("spec.trafficPolicy", rule.traffic_policy)]
    levels += [(f"spec.subsets[{i}].trafficPolicy", s.traffic_policy) for i, s in enumerate(rule.subsets)]
    for path, level in levels:
        if level is None:
            continue
        own = next(
            (i for i, p in enumerate(level.port_level_settings) if p.port and p.port.number == port), None
        )
        tls = level.tls if own is None else level.port_level_settings[own].tls
        if tls is not None:
            yield f"{path}.tls" if own is None else f"{path}.portLevelSettings[{own}].tls", tls


def _mode_at(workload: workloads.Workload, port: int, snapshot: snapshots.MeshSnapshot) -> str:
    """What the pod accepts; without a sidecar plain text only."""
    if not workload.speaks_mtls:
        return "NO SIDECAR"
    return snapshot.peers.modes_for(workload.namespace, workload.labels).of(port)


def _clashing_offer(tls: destination_rules.ClientTls, mode: str) -> str:
    """What clients offer to somebody who takes the other thing only; "" when there is no conflict."""
    if mode == "STRICT" and tls.mode != "ISTIO_MUTUAL":
        return "no mTLS of the mesh"
    if mode in ("DISABLE", "NO SIDECAR") and tls.mode == "ISTIO_MUTUAL":
        return "mTLS"
    return ""


def _finding(
    parsed: parsing.Parsed, path: str, offer: str, workload: workloads.Workload, mode: str
) -> Finding:
    wants = "takes mTLS only (STRICT)" if mode == "STRICT" else "takes plain text only"
    if mode == "NO SIDECAR":
        wants = "has no sidecar and takes plain text only"
    return Finding(
        code="BM0241",
        message=f"{parsed.ref} makes clients use {offer}, and pod {workload.namespace}/{workload.pod} {wants}",
        subject=parsed.ref,
        where=f"{path}.mode",
        hint="leave tls out: then clients find out what each pod takes; or change the PeerAuthentication",
    )
