"""Which YAML object, and which field of it, is behind a piece of an Envoy's configuration. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bookmesh.cli.istioctl import dumps
from bookmesh.cli.istioctl.dumps import JsonObject

ROOT_NAMESPACE: Final = "istio-system"
MESH: Final = "mesh"


@dataclass(frozen=True, slots=True)
class Source:
    """`object` is `Kind namespace/name`; `field` a path in it, "" for all of it."""

    object: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.object}  {self.field}".rstrip()


@dataclass(frozen=True, slots=True)
class World:
    """Objects of the cluster, as kubectl gives them; `labels` and `namespace` are those of the pod that calls."""

    services: list[JsonObject] = field(default_factory=list)
    pods: list[JsonObject] = field(default_factory=list)
    virtual_services: list[JsonObject] = field(default_factory=list)
    destination_rules: list[JsonObject] = field(default_factory=list)
    namespace: str = "default"
    labels: Mapping[str, str] = field(default_factory=dict)

    def service(self, host: str) -> JsonObject | None:
        """The Service that a name means to the pod that calls."""
        for service in self.services:
            if is_same_host(host, _hostname(service), self.namespace):
                return service
        return None

    def pod_at(self, address: str) -> JsonObject | None:
        return next((pod for pod in self.pods if pod.get("status", {}).get("podIP") == address), None)


def is_same_host(host: str, full: str, namespace: str) -> bool:
    """Whether a host of a rule in `namespace` means the service whose full name is `full`."""
    if host == full:
        return True
    name, _, rest = full.partition(".")
    own = rest.partition(".")[0]
    return host in (f"{name}.{own}", f"{name}.{own}.svc") or (host == name and own == namespace)


def of_service(world: World, host: str, port: int) -> tuple[Source, ...]:
    """The Service of a host and the place of the port in it."""
    service = world.service(host)
    if service is None:
        return ()
    for index, each in enumerate(service["spec"].get("ports") or []):
        if each["port"] == port:
            return (Source(_reference(service), f"spec.ports[{index}]"),)
    return (Source(_reference(service)),)


def of_route(
    world: World, host: JsonObject, position: int, *, port: int, is_gateway: bool
) -> tuple[Source, ...]:
    """The rule of a VirtualService behind the route at `position` of a virtual host; () when none is."""
    routes = host["routes"]
    path = dumps.config_path(routes[position])
    rule = _named(world.virtual_services, path)
    if rule is None:
        return ()
    before = sum(1 for route in routes[:position] if dumps.config_path(route) == path)
    fields = list(_fields(rule, world, port=port, is_gateway=is_gateway))
    return (Source(_reference(rule), fields[before] if before < len(fields) else "spec.http"),)


def of_destination(world: World, rule: Source, cluster: str) -> tuple[Source, ...]:
    """The destination inside a rule that names a cluster, and what defines its subset."""
    _, port, subset, host = dumps.subset_key(cluster)
    found: list[Source] = []
    for virtual_service in world.virtual_services:
        if _reference(virtual_service) != rule.object or not rule.field.startswith("spec.http["):
            continue
        index = int(rule.field.removeprefix("spec.http[").partition("]")[0])
        namespace = virtual_service["metadata"]["namespace"]
        for number, target in enumerate(virtual_service["spec"]["http"][index].get("route") or []):
            wanted = target["destination"]
            has_port = wanted.get("port", {}).get("number", int(port or 0)) == int(port or 0)
            is_same = is_same_host(wanted["host"], host, namespace) and wanted.get("subset", "") == subset
            if is_same and has_port:
                found.append(Source(rule.object, f"spec.http[{index}].route[{number}]"))
                break
    return tuple(found)


def of_cluster(world: World, cluster: str) -> tuple[Source, ...]:
    """The Service, and the DestinationRule with the subset, behind a cluster."""
    _, port, subset, host = dumps.subset_key(cluster)
    if not port:
        return ()
    sources = list(of_service(world, host, int(port)))
    own = host.split(".")[1] if "." in host else ""
    rules = [
        rule
        for namespace in dict.fromkeys((world.namespace, own, ROOT_NAMESPACE))
        for rule in world.destination_rules
        if rule["metadata"]["namespace"] == namespace
        and is_same_host(rule["spec"].get("host", ""), host, namespace)
    ]
    for rule in rules[:1]:
        names = [each["name"] for each in rule["spec"].get("subsets") or []]
        place = f"spec.subsets[{names.index(subset)}]" if subset in names else "spec"
        sources.append(Source(_reference(rule), place))
    return tuple(sources)


def of_endpoint(world: World, address: str) -> tuple[Source, ...]:
    pod = world.pod_at(address)
    return (Source(_reference(pod), "status.podIP"),) if pod is not None else ()


def _fields(rule: JsonObject, world: World, *, port: int, is_gateway: bool) -> Iterator[str]:
    """A path for each route that a VirtualService makes for this proxy and port, in order."""
    for index, route in enumerate(rule["spec"].get("http") or []):
        matches: list[Any] = route.get("match") or [None]
        for number, match in enumerate(matches):
            if match is None:
                yield f"spec.http[{index}]"
                return
            if _applies(match, world, port=port, is_gateway=is_gateway):
                yield f"spec.http[{index}].match[{number}]"


def _applies(match: JsonObject, world: World, *, port: int, is_gateway: bool) -> bool:
    if match.get("port", port) != port:
        return False
    if match.get("gateways"):
        return is_gateway or MESH in match["gateways"]
    if match.get("sourceNamespace", world.namespace) != world.namespace:
        return False
    return bool((match.get("sourceLabels") or {}).items() <= world.labels.items())


def _named(objects: Iterable[JsonObject], path: str) -> JsonObject | None:
    pieces = path.split("/")
    if len(pieces) != 8:
        return None
    place = pieces[5], pieces[7]
    return next(
        (one for one in objects if (one["metadata"]["namespace"], one["metadata"]["name"]) == place), None
    )


def _reference(found: JsonObject) -> str:
    return f"{found['kind']} {found['metadata']['namespace']}/{found['metadata']['name']}"


def _hostname(service: JsonObject) -> str:
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
