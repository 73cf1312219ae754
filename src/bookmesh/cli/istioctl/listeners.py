"""Rows of `istioctl proxy-config listener`: filter chains, what they take and where it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.cli.istioctl import dumps, summaries
from bookmesh.cli.istioctl.dumps import JsonObject

HEADER: Final = ("ADDRESSES", "PORT", "MATCH", "DESTINATION")
SHORT_HEADER: Final = ("ADDRESSES", "PORT", "TYPE")
GAP: Final = 1
_HTTP: Final = "envoy.filters.network.http_connection_manager"
_TCP: Final = "envoy.filters.network.tcp_proxy"
_PROTOCOLS: Final = {
    ("http/1.0", "http/1.1", "h2c", "istio-http/1.0", "istio-http/1.1", "istio-h2"): "App: HTTP TLS",
    ("istio", "istio-http/1.0", "istio-http/1.1", "istio-h2"): "App: Istio HTTP Plain",
    ("istio-peer-exchange", "istio"): "App: TCP TLS",
    ("http/1.0", "http/1.1", "h2c"): "App: HTTP",
}


@dataclass(frozen=True, slots=True)
class ListenerFilter:
    """Empty and 0 mean any; `type` is HTTP, TCP or HTTP+TCP."""

    address: str = ""
    port: int = 0
    type: str = ""

    def accepts(self, listener: JsonObject) -> bool:
        return (
            (not self.address or address_of(listener) == self.address)
            and (not self.port or port_of(listener) == self.port)
            and (not self.type or type_of(listener) == self.type.upper())
        )


def listeners(dump: dumps.Dump, wanted: ListenerFilter) -> list[JsonObject]:
    """Listeners by port, address and type."""
    found = filter(wanted.accepts, dump.listeners())
    return sorted(found, key=lambda one: (port_of(one), address_of(one), type_of(one)))


def short_rows(found: Iterable[JsonObject]) -> Iterator[Sequence[object]]:
    for listener in found:
        yield address_of(listener), port_of(listener), type_of(listener)


def rows(found: Iterable[JsonObject]) -> Iterator[Sequence[object]]:
    """A row for each filter chain, in Istio's order: by destination, backwards."""
    for listener in found:
        chains = [(describe_chain_match(chain), destination(chain)) for chain in chains_of(listener)]
        for match, goes_to in sorted(chains, key=lambda chain: chain[1], reverse=True):
            yield address_of(listener), port_of(listener), match, goes_to


def address_of(listener: JsonObject) -> str:
    return str(listener.get("address", {}).get("socket_address", {}).get("address", ""))


def port_of(listener: JsonObject) -> int:
    return int(listener.get("address", {}).get("socket_address", {}).get("port_value", 0))


def chains_of(listener: JsonObject) -> list[JsonObject]:
    """All filter chains, the default one last."""
    chains = list(listener.get("filter_chains", []))
    default = listener.get("default_filter_chain")
    return [*chains, default] if default else chains


def type_of(listener: JsonObject) -> str:
    names = {each.get("name") for chain in chains_of(listener) for each in chain.get("filters", [])}
    if _HTTP in names:
        return "HTTP+TCP" if _TCP in names else "HTTP"
    return "TCP" if _TCP in names else "UNKNOWN"


def connection_manager(chain: JsonObject) -> JsonObject | None:
    """The HTTP connection manager of a chain; None when it is not for HTTP."""
    for each in chain.get("filters", []):
        if each.get("name") == _HTTP:
            manager: JsonObject = each["typed_config"]
            return manager
    return None


def tcp_clusters(chain: JsonObject) -> list[tuple[str, int]]:
    """The clusters to which a chain passes bytes, with their weights; empty when it does not."""
    for each in chain.get("filters", []):
        if each.get("name") == _TCP:
            config = each["typed_config"]
            weighted = config.get("weighted_clusters", {}).get("clusters", [])
            found = [(str(one["name"]), int(one.get("weight", 0))) for one in weighted]
            return found or [(str(config["cluster"]), 1)] if found or config.get("cluster") else []
    return []


def describe_chain_match(chain: JsonObject) -> str:
    match = chain.get("filter_chain_match") or {}
    shown = []
    if match.get("server_names"):
        shown.append(f"SNI: {','.join(match['server_names'])}")
    if match.get("transport_protocol"):
        shown.append(f"Trans: {match['transport_protocol']}")
    if match.get("application_protocols"):
        protocols = tuple(match["application_protocols"])
        shown.append(_PROTOCOLS.get(protocols) or f"App: {','.join(protocols)}")
    port = f":{match['destination_port']}" if "destination_port" in match else ""
    ranges = [
        f"{each['address_prefix']}/{each.get('prefix_len', 0)}" for each in match.get("prefix_ranges", [])
    ]
    if ranges:
        shown.append(f"Addr: {','.join(ranges)}{port}")
    elif port:
        shown.append(f"Addr: *{port}")
    return "; ".join(shown) or "ALL"


def destination(chain: JsonObject) -> str:
    """Where a chain sends what it takes."""
    manager = connection_manager(chain)
    if manager is not None:
        if "route_config" in manager:
            return _describe_inline(manager["route_config"])
        name = manager.get("rds", {}).get("route_config_name", "")
        return f"Route: {name}" if name else "HTTP"
    targets = tcp_clusters(chain)
    if not targets or targets[0][0] == "BlackHoleCluster":
        return "Non-HTTP/Non-TCP"
    if len(targets) > 1:
        return "Clusters: " + ", ".join(f"{name} (weight {weight})" for name, weight in targets)
    cluster = targets[0][0]
    return cluster if "Cluster" in cluster else f"Cluster: {cluster}"


def _describe_inline(config: JsonObject) -> str:
    hosts = config.get("virtual_hosts", [])
    routes = hosts[0].get("routes", []) if len(hosts) == 1 and hosts[0]["domains"] == ["*"] else []
    if (
        len(routes) == 1
        and routes[0]["match"].get("prefix") == "/"
        and routes[0].get("route", {}).get("cluster")
    ):
        cluster = str(routes[0]["route"]["cluster"])
        return cluster if "Cluster" in cluster else f"Cluster: {cluster}"
    described = []
    for host in hosts:
        matches = ", ".join(summaries.describe_match(route["match"]) for route in host.get("routes", []))
        domains = "" if host["domains"] == ["*"] else "/".join(host["domains"])
        described.append(f"{domains} {matches}".strip())
    return f"Inline Route: {'; '.join(described)}"
