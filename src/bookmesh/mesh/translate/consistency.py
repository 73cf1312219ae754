"""Checks that the resources of one proxy fit together, before any Envoy sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bookmesh.mesh.translate import resources
from bookmesh.mesh.wire import cluster as cluster_wire
from bookmesh.mesh.wire import listener as listener_wire
from bookmesh.mesh.wire import type_urls


def check(resource_set: resources.ResourceSet) -> list[str]:
    """
    Say what does not fit; empty when all is well.

    Routes to clusters that do not exist are not counted: Envoy answers 503, and `analysis` tells the user.
    """
    problems = [*_misnamed(resource_set), *_doubled(resource_set)]
    clusters = resource_set.messages(type_urls.CLUSTER)
    assignments = resource_set.messages(type_urls.ENDPOINTS)
    by_eds = {name for name, cluster in clusters.items() if cluster.type == cluster_wire.Cluster.EDS}
    problems += [f"cluster {name} has no endpoint assignment" for name in sorted(by_eds - assignments.keys())]
    problems += [f"endpoints of {name} belong to no cluster" for name in sorted(assignments.keys() - by_eds)]
    configs = resource_set.messages(type_urls.ROUTES)
    used: set[str] = set()
    for name, listener in resource_set.messages(type_urls.LISTENER).items():
        for kind, target in _references(listener):
            if kind == "routes":
                used.add(target)
                if target not in configs:
                    problems.append(f"listener {name} uses routes {target}, which do not exist")
            elif target not in clusters:
                problems.append(f"listener {name} uses cluster {target}, which does not exist")
    problems += [f"routes {name} are used by no listener" for name in sorted(configs.keys() - used)]
    for name, config in configs.items():
        problems += _domain_clashes(name, config)
    return problems


def _doubled(resource_set: resources.ResourceSet) -> Iterator[str]:
    """Of what has one name in both parts a proxy would be sent either."""
    for type_url, shared in resource_set.shared.built.items():
        for name in sorted(shared.keys() & resource_set.own.built[type_url].keys()):
            yield f"{type_url} {name} is shared and the proxy's own"


def _misnamed(resource_set: resources.ResourceSet) -> Iterator[str]:
    for type_url in type_urls.TRANSLATED:
        for name, message in resource_set.messages(type_url).items():
            own = message.cluster_name if type_url == type_urls.ENDPOINTS else message.name
            if own != name:
                yield f"{type_urls.SHORT_NAMES[type_url]} resource {name} calls itself {own}"


def _references(listener: Any) -> Iterator[tuple[str, str]]:
    chains = list(listener.filter_chains)
    if listener.HasField("default_filter_chain"):
        chains.append(listener.default_filter_chain)
    for chain in chains:
        for network_filter in chain.filters:
            config = network_filter.typed_config
            if config.type_url.endswith(".TcpProxy"):
                proxy = listener_wire.TcpProxy.FromString(config.value)
                if proxy.cluster:
                    yield "cluster", proxy.cluster
            elif config.type_url.endswith(".HttpConnectionManager"):
                manager = listener_wire.HttpConnectionManager.FromString(config.value)
                if manager.HasField("rds"):
                    yield "routes", manager.rds.route_config_name


def _domain_clashes(name: str, config: Any) -> Iterator[str]:
    """Envoy refuses a whole route configuration in which two hosts have the same domain."""
    owners: dict[str, str] = {}
    for host in config.virtual_hosts:
        for domain in host.domains:
            other = owners.setdefault(domain.lower(), host.name)
            if other != host.name:
                yield f"routes {name}: domain {domain} belongs to {other} and {host.name}"
