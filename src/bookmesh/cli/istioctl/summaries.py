"""Rows of `istioctl proxy-config cluster`, `route` and `endpoint`, and which of them somebody asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bookmesh.cli.istioctl import dumps
from bookmesh.cli.istioctl.dumps import JsonObject

CLUSTER_HEADER = ("SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE")
ROUTE_HEADER = ("NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE")
SHORT_ROUTE_HEADER = ("NAME", "VIRTUAL HOSTS")
ENDPOINT_HEADER = ("ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER")

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class ClusterFilter:
    """Empty and 0 mean any; `fqdn` may be a part of the name."""

    fqdn: str = ""
    port: int = 0
    subset: str = ""
    direction: str = ""

    def accepts(self, cluster: JsonObject) -> bool:
        direction, port, subset, host = dumps.subset_key(cluster["name"])
        return (
            self.fqdn in host
            and (not self.port or port == str(self.port))
            and (not self.subset or subset == self.subset)
            and (not self.direction or direction == self.direction.lower())
        )


def clusters(dump: dumps.Dump, wanted: ClusterFilter) -> list[JsonObject]:
    """Clusters by host, subset, port and direction."""

    def order(cluster: JsonObject) -> tuple[str, str, int, str]:
        direction, port, subset, host = dumps.subset_key(cluster["name"])
        return host, subset, int(port or 0), direction

    return sorted(filter(wanted.accepts, dump.clusters()), key=order)


def cluster_rows(found: Iterable[JsonObject]) -> Iterator[Row]:
    for cluster in found:
        direction, port, subset, host = dumps.subset_key(cluster["name"])
        kind = cluster.get("type") or cluster.get("cluster_type", {}).get("name") or "STATIC"
        yield host, port or "-", subset or "-", direction or "-", kind, dumps.origin(cluster)


def routes(dump: dumps.Dump, name: str = "") -> list[JsonObject]:
    """Route configurations, numbered ones first and by number."""

    def order(config: JsonObject) -> tuple[bool, int, str]:
        named = config.get("name", "")
        return not named.isdigit(), int(named) if named.isdigit() else 0, named

    return sorted((c for c in dump.routes() if not name or c.get("name") == name), key=order)


def route_rows(configs: Iterable[JsonObject]) -> Iterator[Row]:
    """A row for each route, without those that pass unknown hosts through."""
    for config in configs:
        for host in config.get("virtual_hosts", []):
            head = (config.get("name", ""), host["name"], _domains(host["domains"]))
            found = host.get("routes", [])
            for route in found:
                if route.get("route", {}).get("cluster") != "PassthroughCluster":
                    yield *head, describe_match(route.get("match", {})), dumps.origin(route)
            if not found:
                yield *head, "/*", "404"


def short_route_rows(configs: Iterable[JsonObject]) -> Iterator[Row]:
    for config in configs:
        yield config.get("name", ""), len(config.get("virtual_hosts", []))


def versions(bootstrap: JsonObject) -> Iterator[tuple[str, str]]:
    """What a proxy says of itself in its bootstrap."""
    node = bootstrap.get("bootstrap", {}).get("node", {})
    yield "Istio Version", str(node.get("metadata", {}).get("ISTIO_VERSION", ""))
    build = node.get("user_agent_build_version", {})
    version, about = build.get("version", {}), build.get("metadata", {})
    number = ".".join(str(version.get(part, 0)) for part in ("major_number", "minor_number", "patch"))
    words = [str(about[key]) for key in ("revision.status", "build.type", "ssl.version") if key in about]
    yield "Envoy Version", "/".join([number, *words]) if version else ""


def describe_match(match: JsonObject) -> str:
    """The path of a match in short; headers are not shown."""
    shown = []
    if match.get("prefix"):
        shown.append(f"{match['prefix']}*")
    if match.get("path_separated_prefix"):
        shown.append(f"PathPrefix:{match['path_separated_prefix']}")
    if match.get("path"):
        shown.append(match["path"])
    if "safe_regex" in match:
        shown.append(f"regex {match['safe_regex']['regex']}")
    return " ".join(shown)


def _domains(domains: list[str]) -> str:
    """At most two names, without longer forms of one that is there."""
    if len(domains) == 1:
        return domains[0]
    plain = [domain for domain in domains if ":" not in domain]
    known = set(plain)
    longer = {
        d
        for d in plain
        for end in (".svc.cluster.local", ".svc")
        if d != (s := d.removesuffix(end)) and s in known
    }
    short = [domain for domain in plain if domain not in longer]
    rest = len(short) - 2
    return ", ".join(short[:2]) + (f" + {rest} more..." if rest > 0 else "")


@dataclass(frozen=True, slots=True)
class EndpointFilter:
    """Empty and 0 mean any."""

    address: str = ""
    port: int = 0
    cluster: str = ""
    status: str = ""

    def accepts(self, host: JsonObject, cluster: str) -> bool:
        address, port = endpoint_address(host)
        return (
            (not self.address or address == self.address)
            and (not self.port or port == self.port)
            and (not self.cluster or cluster == self.cluster)
            and (not self.status or _health(host) == self.status.upper())
        )


def endpoint_address(host: JsonObject) -> tuple[str, int]:
    """Address and port; a pipe or an internal listener has port 0."""
    address = host.get("address", {})
    if "socket_address" in address:
        found = address["socket_address"]
        return found.get("address", ""), int(found.get("port_value", 0))
    if "pipe" in address:
        return f"unix://{address['pipe']['path']}", 0
    internal = address.get("envoy_internal_address", {})
    return f"envoy://{internal.get('server_listener_name', '')}/{internal.get('endpoint_id', '')}", 0


def endpoint_name(host: JsonObject) -> str:
    """`address:port`, or an address alone where there is no port."""
    address, port = endpoint_address(host)
    return f"{address}:{port}" if port else address


def endpoint_rows(statuses: Iterable[JsonObject], wanted: EndpointFilter) -> list[Row]:
    """Rows from Envoy's `clusters?format=json`, by address, port and cluster."""
    rows = []
    for cluster in statuses:
        for host in cluster.get("host_statuses", []):
            if wanted.accepts(host, cluster["name"]):
                address, port = endpoint_address(host)
                outlier = "FAILED" if host.get("health_status", {}).get("failed_outlier_check") else "OK"
                rows.append((address, port, _health(host), outlier, cluster["name"]))
    rows.sort(key=lambda row: (row[0], row[1], row[4]))
    return [(f"{a}:{p}" if p else a, health, outlier, name) for a, p, health, outlier, name in rows]


def _health(host: JsonObject) -> str:
    return str(host.get("health_status", {}).get("eds_health_status", "UNKNOWN"))
