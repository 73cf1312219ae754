"""What the mesh does for a pod or a service, in the words of `istioctl experimental describe`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bookmesh.cli.istioctl import describing_routes, dumps
from bookmesh.cli.istioctl.describing_routes import JsonObject
from bookmesh.mesh.registry import protocols

LINE: Final = "--------------------"
NO_SIDECAR: Final = " is not part of mesh; no Istio sidecar"
_ROOT_NAMESPACE: Final = "istio-system"
_PAGE: Final = "https://istio.io/docs/ops/deployment/requirements/"


@dataclass(frozen=True, slots=True)
class Around:
    """
    Objects around a pod: Services of its namespace, routing rules, PeerAuthentications, and the ingress gateway's
    Services with what its proxy has (`ingress`). `namespace` is the one that is not written out.
    """

    namespace: str = "default"
    services: list[JsonObject] = field(default_factory=list)
    virtual_services: list[JsonObject] = field(default_factory=list)
    destination_rules: list[JsonObject] = field(default_factory=list)
    peer_authentications: list[JsonObject] = field(default_factory=list)
    gateway_services: list[JsonObject] = field(default_factory=list)
    ingress: dumps.Dump | None = None


def describe_pod(pod: JsonObject, around: Around) -> Iterator[str]:
    """Lines about a pod, each service that selects it, its mTLS, and how it is reached through the ingress gateway."""
    yield from _about_pod(pod, around.namespace)
    labels = pod["metadata"].get("labels") or {}
    selecting = [
        service
        for service in around.services
        if service["spec"].get("selector") and service["spec"]["selector"].items() <= labels.items()
    ]
    if not selecting:
        name = describing_routes.name_of(pod, around.namespace)
        yield f"Warning: No Kubernetes Services select pod {name} (see {_PAGE} )"
    for service in selecting:
        yield LINE
        yield from _about_service(service, [labels], pod, around)
    yield LINE
    yield from _about_peers(labels, pod["metadata"]["namespace"], around)
    yield from _about_ingress(selecting, [labels], around)


def describe_service(service: JsonObject, pods: Sequence[JsonObject], around: Around) -> Iterator[str]:
    """Lines about a service, for the pods it selects."""
    labels = [pod["metadata"].get("labels") or {} for pod in pods]
    if not pods:
        yield f'Service "{describing_routes.name_of(service, around.namespace)}" has no pods.'
        return
    yield from _about_service(service, labels, pods[0], around)
    yield from _about_ingress([service], labels, around)


def _about_pod(pod: JsonObject, namespace: str) -> Iterator[str]:
    metadata, spec = pod["metadata"], pod["spec"]
    name, annotations = describing_routes.name_of(pod, namespace), metadata.get("annotations") or {}
    labels = metadata.get("labels") or {}
    yield f"Pod: {name}"
    yield f"   Pod Revision: {labels.get('istio.io/rev') or annotations.get('istio.io/rev', '')}"
    containers = [*spec["containers"], *(spec.get("initContainers") or [])]
    ports = [
        f"{port['containerPort']} ({each['name']})" for each in containers for port in each.get("ports") or []
    ]
    yield f"   Pod Ports: {', '.join(ports)}" if ports else "   Pod does not expose ports"
    phase = pod.get("status", {}).get("phase", "Running")
    if phase != "Running":
        yield f"   Pod is not Running ({phase})"
        return
    for state in pod.get("status", {}).get("containerStatuses") or []:
        if not state.get("ready"):
            yield f"WARNING: Pod {name} Container {state['name']} NOT READY"
    if not any(each["name"] == "istio-proxy" for each in containers):
        yield f"WARNING: {name}{NO_SIDECAR}"
        return
    for what, names in (
        ("service name", ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")),
        ("service revision", ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")),
    ):
        if not any(label in labels for label in names):
            yield f"Suggestion: add required {what} label for Istio telemetry. See {_PAGE}."


def _about_service(
    service: JsonObject, labels: list[Mapping[str, str]], pod: JsonObject, around: Around
) -> Iterator[str]:
    yield f"Service: {describing_routes.name_of(service, around.namespace)}"
    for port in service["spec"].get("ports") or []:
        if port.get("protocol", "TCP") == "TCP":
            yield (
                f"   Port: {port.get('name', '')} {port['port']}/{_protocol(port)} targets pod port "
                f"{_target(port, pod)}"
            )
    rule = _rule_for(service, around.destination_rules)
    matching, others = describing_routes.subsets_of(rule, labels)
    if rule is not None:
        yield from describing_routes.about_rule(rule, service, matching, others, around.namespace)
    for routing in describing_routes.routings_for(service, around.virtual_services):
        yield from describing_routes.about_routing(
            routing, service, (matching, others), rule, around.namespace
        )


def _protocol(port: JsonObject) -> str:
    if not port.get("name") and not port.get("appProtocol"):
        return "auto-detect"
    found = protocols.protocol_for(
        name=port.get("name", ""), app_protocol=port.get("appProtocol"), number=port["port"]
    )
    return "UnsupportedProtocol" if found is protocols.Protocol.AUTO else found.value.upper()


def _target(port: JsonObject, pod: JsonObject) -> Any:
    """The number of the container's port, when the Service gives its name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    spec = pod["spec"]
    containers = [*spec["containers"], *(spec.get("initContainers") or [])]
    named = [
        p["containerPort"] for each in containers for p in each.get("ports") or [] if p.get("name") == target
    ]
    return named[0] if named else target


def _rule_for(service: JsonObject, rules: Iterable[JsonObject]) -> JsonObject | None:
    return next(
        (rule for rule in rules if describing_routes.is_meant(rule["spec"].get("host", ""), rule, service)),
        None,
    )


def _about_peers(labels: Mapping[str, str], namespace: str, around: Around) -> Iterator[str]:
    """The mode of the narrowest PeerAuthentication, and all that apply."""
    applying = [
        each
        for each in around.peer_authentications
        if each["metadata"]["namespace"] in (namespace, _ROOT_NAMESPACE)
        and _selects(each, labels, is_root=each["metadata"]["namespace"] != namespace)
    ]
    applying.sort(key=lambda each: _breadth(each, namespace))
    modes = [((each.get("spec") or {}).get("mtls") or {}).get("mode", "UNSET") for each in applying]
    mode = next((mode for mode in modes if mode != "UNSET"), "PERMISSIVE")
    yield "Effective PeerAuthentication:"
    yield f"   Workload mTLS mode: {mode}"
    if applying:
        yield "Applied PeerAuthentication:"
        yield f"   {', '.join(describing_routes.name_of(each, '') for each in reversed(applying))}"


def _selects(found: JsonObject, labels: Mapping[str, str], *, is_root: bool) -> bool:
    selector = ((found.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    return not selector or (not is_root and selector.items() <= labels.items())


def _breadth(found: JsonObject, namespace: str) -> int:
    """0 for a workload, 1 for a namespace, 2 for the mesh."""
    if found["metadata"]["namespace"] != namespace:
        return 2
    return 0 if ((found.get("spec") or {}).get("selector") or {}).get("matchLabels") else 1


def _about_ingress(
    services: Iterable[JsonObject], labels: list[Mapping[str, str]], around: Around
) -> Iterator[str]:
    """Where the ingress gateway has routes to the services: its addresses, and the VirtualServices behind them."""
    if around.ingress is None:
        yield "Skipping Gateway information (no ingress gateway pods)"
        return
    paths = _paths(around.ingress)
    for service in services:
        rule = _rule_for(service, around.destination_rules)
        for routing in around.virtual_services:
            metadata = routing["metadata"]
            gateways = [name for name in routing["spec"].get("gateways") or [] if name != "mesh"]
            is_used = (metadata["namespace"], metadata["name"], describing_routes.hostname(service)) in paths
            if not gateways or not is_used:
                continue
            yield LINE
            for gateway in around.gateway_services:
                ingress = gateway.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
                address = ingress[0].get("ip") or ingress[0].get("hostname") or "unknown"
                yield f"Exposed on Ingress Gateway http://{address}"
            yield from describing_routes.about_routing(
                routing, service, describing_routes.subsets_of(rule, labels), rule, around.namespace
            )


def _paths(dump: dumps.Dump) -> set[tuple[str, str, str]]:
    """Namespace and name of VirtualServices in routes, with the hosts of the clusters these lead to."""
    found = set()
    for config in dump.routes():
        for host in config.get("virtual_hosts", []):
            for route in host.get("routes", []):
                pieces = dumps.config_path(route).split("/")
                action = route.get("route", {})
                clusters = [action.get("cluster", "")]
                clusters += [each["name"] for each in action.get("weighted_clusters", {}).get("clusters", [])]
                if len(pieces) == 8:
                    found |= {(pieces[5], pieces[7], dumps.subset_key(name)[3]) for name in clusters if name}
    return found
