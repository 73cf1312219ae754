"""From clusters to endpoints: which of them take requests, and what is behind each. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from bookmesh.cli.explain import describing, outcomes, sources
from bookmesh.cli.explain.outcomes import Answer, Outcome, Target
from bookmesh.cli.explain.sources import Source
from bookmesh.cli.explain.trails import Trail
from bookmesh.cli.istioctl import summaries
from bookmesh.cli.istioctl.dumps import JsonObject

_FACTOR: Final = 1.4  # Envoy's overprovisioning: a level of priority is enough while 72 % of it are healthy
_DEFAULT_PANIC: Final = 50.0
_FAILURES: Final = ("failed_active_health_check", "failed_outlier_check", "failed_degraded_check")
_BLACKHOLE: Final = "BlackHoleCluster"


class Share(NamedTuple):
    """A cluster and how many of 100 requests or connections (`what`) are for it; `changes` are made on the way."""

    cluster: str
    percent: float
    what: str
    changes: tuple[str, ...] = ()


def forward(trail: Trail, shares: Sequence[Share], rule: Sequence[Source], *, is_http: bool) -> Outcome:
    """Follow each share to its endpoints."""
    known = {cluster["name"]: cluster for cluster in trail.proxy.dump.clusters()}
    status = 503 if is_http else 0
    targets, failures = [], []
    for share in shares:
        behind = sources.of_destination(trail.world, rule, share.cluster)
        why = "; ".join([_part(share), *share.changes])
        cluster = known.get(share.cluster)
        if cluster is None:
            end = "503" if is_http else "the connection is closed"
            trail.add("cluster", share.cluster, f"{why}; the proxy does not have it: {end}", behind)
            failures.append(Answer(status, share.percent, "the cluster does not exist"))
            continue
        found = (*behind, *sources.of_cluster(trail.world, cluster))
        trail.add("cluster", share.cluster, f"{why}; {describing.describe_cluster(cluster)}", found)
        endpoints = _endpoints(trail, cluster)
        if endpoints:
            targets.append(Target(share.cluster, share.percent, endpoints))
        else:
            failures.append(Answer(status, share.percent, "no healthy endpoint"))
    return outcomes.forwarded(targets, failures, is_http=is_http)


def _part(share: Share) -> str:
    return f"all {share.what}" if share.percent == 100 else f"{share.percent:g} % of {share.what}"


def _endpoints(trail: Trail, cluster: JsonObject) -> tuple[str, ...]:
    """Add the endpoints of a cluster; gives those that are chosen from now."""
    if cluster["name"] == _BLACKHOLE:
        trail.add(
            "endpoint", "none", "this cluster has none on purpose: only known destinations may be called"
        )
        return ()
    if cluster.get("type") == "ORIGINAL_DST":
        address = f"{trail.request.address}:{trail.request.port}" if trail.request.address else ""
        trail.add("endpoint", address or "original destination", "the address that was called")
        return (address or "original destination",)
    hosts = trail.proxy.statuses.get(cluster["name"], ())
    chosen = {summaries.endpoint_name(host) for host in choose(hosts, panic_percent=_panic(cluster))}
    modes = _transport_modes(trail, cluster)
    for host in hosts:
        name = summaries.endpoint_name(host)
        facts = [health_of(host)]
        if name in modes:
            facts.append("mutual TLS" if modes[name] == "istio" else "plain text")
        if host.get("priority"):
            facts.append(f"priority {host['priority']}")
        if name not in chosen:
            facts.append("not chosen now")
        address, _ = summaries.endpoint_address(host)
        pod = trail.world.pod_at(address)
        if pod is not None and sources.is_gateway(pod):
            metadata = pod["metadata"]
            facts.append(f"a gateway: go on with --from {metadata['name']} -n {metadata['namespace']}")
        trail.add("endpoint", name, ", ".join(facts), sources.of_endpoint(trail.world, address))
    if not chosen:
        why = "no endpoint is healthy" if hosts else "the cluster has no endpoints"
        trail.add("endpoint", "none", f"{why}: 503 no healthy upstream")
    return tuple(sorted(chosen))


def choose(hosts: Iterable[JsonObject], *, panic_percent: float = _DEFAULT_PANIC) -> list[JsonObject]:
    """
    The hosts that get requests: healthy ones of the first levels of priority that are enough together.

    When too few are healthy (`panic_percent`) Envoy takes all of a level rather than none.
    """
    levels: dict[int, list[JsonObject]] = defaultdict(list)
    for host in hosts:
        levels[int(host.get("priority", 0))].append(host)
    found: list[JsonObject] = []
    enough = 0.0
    for level in sorted(levels):
        healthy = [host for host in levels[level] if health_of(host) == "healthy"]
        enough += min(100.0, 100.0 * _FACTOR * len(healthy) / len(levels[level]))
        found += healthy
        if enough >= 100.0:
            return found
    if enough >= panic_percent or (found and not panic_percent):
        return found
    return [host for level in levels.values() for host in level] if panic_percent else []


def health_of(host: JsonObject) -> str:
    """healthy, or what is wrong with a host, as Envoy's `clusters` tells."""
    status = host.get("health_status", {})
    failures = [name.replace("_", " ") for name in _FAILURES if status.get(name)]
    return ", ".join(failures) or str(status.get("eds_health_status", "HEALTHY")).lower()


def _panic(cluster: JsonObject) -> float:
    """Below how many percent of healthy endpoints Envoy panics; 0 is never."""
    threshold = cluster.get("common_lb_config", {}).get("healthy_panic_threshold")
    return _DEFAULT_PANIC if threshold is None else float(threshold.get("value", 0.0))


def _transport_modes(trail: Trail, cluster: JsonObject) -> dict[str, str]:
    """Which endpoints are called by mutual TLS (`istio`), by name; empty when the cluster does not tell them apart."""
    if not cluster.get("transport_socket_matches"):
        return {}
    name = cluster.get("eds_cluster_config", {}).get("service_name") or cluster["name"]
    assignments = (a for a in trail.proxy.dump.assignments() if a.get("cluster_name") == name)
    assignment = next(assignments, cluster.get("load_assignment", {}))
    found = {}
    for group in assignment.get("endpoints", []):
        for each in group.get("lb_endpoints", []):
            metadata = each.get("metadata", {}).get("filter_metadata", {})
            mode = metadata.get("envoy.transport_socket_match", {}).get("tlsMode", "disabled")
            found[summaries.endpoint_name(each.get("endpoint", {}))] = mode
    return found
