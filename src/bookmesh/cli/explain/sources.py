"""Which YAML object, and which field of it, is behind a piece of an Envoy's configuration. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bookmesh.cli.explain import rules
from bookmesh.cli.explain.requests import Request
from bookmesh.cli.istioctl import dumps
from bookmesh.cli.istioctl.dumps import JsonObject
from bookmesh.mesh.snapshot import hosts

ROOT_NAMESPACE: Final = "istio-system"
DOMAIN: Final = "cluster.local"
_ACRONYMS: Final = frozenset({"http", "grpc", "tls", "tcp"})


@dataclass(frozen=True, slots=True)
class Source:
    """`object` is `Kind namespace/name`; `field` a path in it, "" for all of it; `file` is `FILE:LINE` when known."""

    object: str
    field: str = ""
    file: str = ""

    def __str__(self) -> str:
        return "  ".join(part for part in (self.object, self.field, self.file) if part)

    def as_json(self) -> dict[str, Any]:
        found = {"object": self.object, "field": self.field}
        return {**found, "file": self.file} if self.file else found


@dataclass(frozen=True, slots=True)
class Place:
    """On which port, and in what kind of proxy, a request comes in."""

    port: int
    is_gateway: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """
    Objects of the cluster, as kubectl gives them; `labels` and `namespace` are those of the pod that calls, and
    `mesh_config` is the ConfigMap of the mesh, None when it has its defaults.
    """

    services: list[JsonObject] = field(default_factory=list)
    pods: list[JsonObject] = field(default_factory=list)
    virtual_services: list[JsonObject] = field(default_factory=list)
    destination_rules: list[JsonObject] = field(default_factory=list)
    service_entries: list[JsonObject] = field(default_factory=list)
    gateways: list[JsonObject] = field(default_factory=list)
    mesh_config: JsonObject | None = None
    namespace: str = "default"
    labels: dict[str, str] = field(default_factory=dict)

    def service(self, host: str) -> JsonObject | None:
        """The Service that a caller means by a host name or an address."""
        for service in self.services:
            if is_same_host(host, hostname(service), self.namespace):
                return service
            if host and host == service["spec"].get("clusterIP"):
                return service
        return None

    def pod_at(self, address: str) -> JsonObject | None:
        return next((pod for pod in self.pods if pod.get("status", {}).get("podIP") == address), None)


def is_gateway(pod: JsonObject) -> bool:
    """Whether a pod is a proxy and nothing else."""
    return [each["name"] for each in pod.get("spec", {}).get("containers", [])] == ["istio-proxy"]


def is_same_host(host: str, full: str, namespace: str) -> bool:
    """Whether `host`, written in `namespace`, is the service called `full`."""
    host = host.lower().rstrip(".")
    if host == full:
        return True
    name, own, *_ = [*full.split("."), ""]
    return host in (f"{name}.{own}", f"{name}.{own}.svc") or (host == name and own == namespace)


def of_service(world: World, host: str, port: int) -> tuple[Source, ...]:
    """The Service or ServiceEntry of a host, and the place of the port in it."""
    service = world.service(host)
    if service is not None:
        return (_with_port(service, port, "port"),)
    entries = [
        (pattern, entry)
        for entry in world.service_entries
        for pattern in entry["spec"].get("hosts") or []
        if hosts.matches(pattern, host)
    ]
    best = hosts.most_specific((pattern for pattern, _ in entries), host)
    return tuple(_with_port(entry, port, "number") for pattern, entry in entries if pattern == best)[:1]


def ports_of(world: World, host: str) -> tuple[int, ...]:
    """The ports of the Service that is called so, in its order; empty when there is none."""
    service = world.service(host)
    return tuple(each["port"] for each in service["spec"].get("ports") or []) if service else ()


def of_listener(world: World, request: Request, place: Place) -> tuple[Source, ...]:
    """What makes a proxy listen: for a gateway the servers of Gateways, for a sidecar the service that is called."""
    if place.is_gateway:
        return tuple(source for source, _ in _servers(world, place.port))
    return of_service(world, request.host, request.port)


def of_server(world: World, request: Request, place: Place) -> tuple[Source, ...]:
    """The servers of Gateways that serve the host of a request."""
    if not place.is_gateway:
        return ()
    host = (request.server_name or request.authority.partition(":")[0]).lower()
    return tuple(
        source
        for source, server in _servers(world, place.port)
        if any(hosts.matches(entry.rpartition("/")[2], host) for entry in server.get("hosts") or [])
    )


def of_host(world: World, request: Request, host: JsonObject, place: Place) -> tuple[Source, ...]:
    """What a virtual host is made from: a service, or hosts of a Gateway."""
    if host["name"] in ("allow_any", "block_all"):
        own = world.mesh_config
        return (Source(reference(own), "data.mesh"),) if own is not None else ()
    if place.is_gateway:
        return of_server(world, request, place)
    return of_service(world, request.authority.partition(":")[0], place.port)


def of_route(world: World, route: JsonObject, place: Place) -> tuple[Source, ...]:
    """The rule of a VirtualService behind a route, and the one that delegates to it; () when none is."""
    path = dumps.config_path(route)
    owner = _named(world.virtual_services, path, "virtual-service")
    if owner is None:
        return tuple(_foreign(path))
    caller = _caller(world, place)
    entry = rules.find(owner, route, caller, world.virtual_services)
    if entry is None:
        return (Source(reference(owner), "spec.http"),)
    return tuple(Source(reference(found), where) for found, where in entry.places)


def of_connection(
    world: World, request: Request, place: Place, clusters: Sequence[str]
) -> tuple[Source, ...]:
    """The `tcp` or `tls` rule of a VirtualService that sends connections to these clusters; () when none does."""
    caller = _caller(world, place)
    for virtual_service in world.virtual_services:
        for where, rule in rules.connection_rules(virtual_service, caller, request.server_name):
            named = [_destination_of(rule, name, virtual_service) for name in clusters]
            if named and all(number is not None for number in named):
                return (Source(reference(virtual_service), where),)
    return ()


def of_destination(world: World, rule: Sequence[Source], cluster: str) -> tuple[Source, ...]:
    """The destination inside a rule (its first source) that names a cluster; () when there is none."""
    for source in rule[:1]:
        owner = next((each for each in world.virtual_services if reference(each) == source.object), None)
        place = rules.rule_at(source.field)
        if owner is None or place is None:
            return ()
        where, kind, index = place
        number = _destination_of(owner["spec"][kind][index], cluster, owner)
        if number is not None:
            return (Source(source.object, f"{where}.route[{number}]"),)
    return ()


def of_cluster(world: World, cluster: JsonObject) -> tuple[Source, ...]:
    """The service behind a cluster, and the DestinationRule that it names: its policy, and where the subset is."""
    _, port, subset, host = dumps.subset_key(cluster["name"])
    if not port:
        return ()
    found = list(of_service(world, host, int(port)))
    named = _named(world.destination_rules, dumps.config_path(cluster), "destination-rule")
    if named is None:
        return tuple(found)
    if named["spec"].get("trafficPolicy"):
        found.append(Source(reference(named), "spec.trafficPolicy"))
    # Rules for one host are joined, and the first one is named: the subset may be in another.
    for rule in (named, *(each for each in world.destination_rules if _is_joined(each, named))):
        names = [each["name"] for each in rule["spec"].get("subsets") or []]
        if subset in names:
            found.append(Source(reference(rule), f"spec.subsets[{names.index(subset)}]"))
            break
    return tuple(found)


def of_endpoint(world: World, address: str) -> tuple[Source, ...]:
    """The pod, or the ServiceEntry endpoint, with an address."""
    pod = world.pod_at(address)
    if pod is not None:
        return (Source(reference(pod), "status.podIP"),)
    for entry in world.service_entries:
        for index, each in enumerate(entry["spec"].get("endpoints") or []):
            if each.get("address") == address:
                return (Source(reference(entry), f"spec.endpoints[{index}]"),)
    return ()


def inside(rule: Sequence[Source], part: str) -> tuple[Source, ...]:
    """The part of a rule: `spec.http[1].match[0]` with `fault.delay` is `spec.http[1].fault.delay`."""
    found = []
    for source in rule[:1]:
        place = rules.rule_at(source.field)
        found.append(Source(source.object, f"{place[0]}.{part}") if place is not None else source)
    return tuple(found)


def reference(found: JsonObject) -> str:
    return f"{found['kind']} {found['metadata']['namespace']}/{found['metadata']['name']}"


def hostname(service: JsonObject) -> str:
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{DOMAIN}"


def _caller(world: World, place: Place) -> rules.Caller:
    own = (each for each in world.gateways if _selects(each, world))
    names = frozenset(f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in own)
    return rules.Caller(world.namespace, world.labels, place.port, place.is_gateway, names)


def _selects(gateway: JsonObject, world: World) -> bool:
    """Whether a Gateway is for the calling gateway."""
    return (gateway["spec"].get("selector") or {}).items() <= world.labels.items()


def _servers(world: World, port: int) -> Iterator[tuple[Source, JsonObject]]:
    """Servers, of Gateways that select the calling gateway, that are served on a port it listens on."""
    numbers = {port, *_service_ports(world, port)}
    for gateway in world.gateways:
        if _selects(gateway, world):
            for index, server in enumerate(gateway["spec"].get("servers") or []):
                if server.get("port", {}).get("number") in numbers:
                    yield Source(reference(gateway), f"spec.servers[{index}]"), server


def _service_ports(world: World, target: int) -> Iterator[int]:
    """The ports of the gateway's own Services that lead to a port it listens on."""
    for service in world.services:
        selector = service["spec"].get("selector")
        if selector and selector.items() <= world.labels.items():
            for port in service["spec"].get("ports") or []:
                if port.get("targetPort", port["port"]) == target:
                    yield port["port"]


def _is_joined(one: JsonObject, other: JsonObject) -> bool:
    """Whether two DestinationRules are for the same host of the same namespace."""
    places = [(each["metadata"]["namespace"], each["spec"].get("host", "")) for each in (one, other)]
    return one is not other and places[0] == places[1]


def _destination_of(rule: JsonObject, cluster: str, owner: JsonObject) -> int | None:
    """The position of the destination in a rule that makes a cluster."""
    _, port, subset, host = dumps.subset_key(cluster)
    namespace = owner["metadata"]["namespace"]
    for number, target in enumerate(rule.get("route") or []):
        wanted = target["destination"]
        has_port = str(wanted.get("port", {}).get("number", port)) == port
        is_same = is_same_host(wanted["host"], host, namespace) and wanted.get("subset", "") == subset
        if is_same and has_port:
            return number
    return None


def _with_port(owner: JsonObject, port: int, key: str) -> Source:
    for index, each in enumerate(owner["spec"].get("ports") or []):
        if each.get(key) == port:
            return Source(reference(owner), f"spec.ports[{index}]")
    return Source(reference(owner))


def _named(objects: Iterable[JsonObject], path: str, kind: str) -> JsonObject | None:
    pieces = path.split("/")
    if len(pieces) != 8 or pieces[6] != kind:
        return None
    place = pieces[5], pieces[7]
    return next(
        (one for one in objects if (one["metadata"]["namespace"], one["metadata"]["name"]) == place), None
    )


def _foreign(path: str) -> Iterator[Source]:
    """An object of another kind that a path names, such as an HTTPRoute."""
    pieces = path.split("/")
    if len(pieces) == 8:
        words = pieces[6].split("-")
        kind = "".join(word.upper() if word in _ACRONYMS else word.title() for word in words)
        yield Source(f"{kind} {pieces[5]}/{pieces[7]}")
