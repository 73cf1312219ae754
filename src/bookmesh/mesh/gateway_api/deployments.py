"""
What runs for a Gateway: a ServiceAccount, a Deployment of a gateway proxy, and a Service, all named NAME-CLASS; for who
asks for them also a HorizontalPodAutoscaler and a PodDisruptionBudget.

A Gateway that names a Service as its address has it served by the pods behind that one, and nothing is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.mesh.model import parsing
from bookmesh.mesh.model.gateway_api import gateways
from bookmesh.mesh.model.gateway_api.references import GROUP

NAME_LABEL: Final = f"{GROUP}/gateway-name"
CLASS_LABEL: Final = f"{GROUP}/gateway-class-name"
MANAGED_LABEL: Final = "gateway.istio.io/managed"
MANAGED_BY: Final = "istio.io-gateway-controller"
SERVICE_TYPE: Final = "networking.istio.io/service-type"
NAME_OVERRIDE: Final = "gateway.istio.io/name-override"
SERVICE_ACCOUNT_OVERRIDE: Final = "gateway.istio.io/service-account"
STATUS_PORT: Final = 15021
RESOURCES: Final = (
    kubernetes.SERVICE_ACCOUNTS,
    kubernetes.DEPLOYMENTS,
    kubernetes.SERVICES,
    kubernetes.HORIZONTAL_POD_AUTOSCALERS,
    kubernetes.POD_DISRUPTION_BUDGETS,
)
"""What `build` yields objects of."""
_NOT_COPIED: Final = frozenset(
    {"kubectl.kubernetes.io/last-applied-configuration", NAME_OVERRIDE, SERVICE_ACCOUNT_OVERRIDE}
)


def is_managed(spec: gateways.Gateway) -> bool:
    """Whether proxies are deployed: not when the Gateway asks for a host name, or for several addresses."""
    return not spec.addresses or (len(spec.addresses) == 1 and spec.addresses[0].type == "IPAddress")


def name_of(parsed: parsing.Parsed, spec: gateways.Gateway) -> str:
    """The name of the Deployment and the Service."""
    default = f"{parsed.metadata.name}-{spec.gateway_class_name}"
    return parsed.metadata.annotations.get(NAME_OVERRIDE) or default


def services_of(parsed: parsing.Parsed, spec: gateways.Gateway, *, domain: str) -> tuple[str, ...]:
    """The fully qualified names of the Services behind which a Gateway is served."""
    namespace = parsed.metadata.namespace
    if is_managed(spec):
        return (f"{name_of(parsed, spec)}.{namespace}.svc.{domain}",)
    named = (address.value for address in spec.addresses if address.type == "Hostname")
    return tuple(name if "." in name else f"{name}.{namespace}.svc.{domain}" for name in named)


def build(parsed: parsing.Parsed, spec: gateways.Gateway) -> Iterator[tuple[Resource, JsonObject]]:
    """
    Yield the objects that may be there for a Gateway, which owns them, in the order to make them.

    They have the fields that matter and no others. Which of them have to be is up to `parameters`.
    """
    if not is_managed(spec):
        return
    name, metadata = name_of(parsed, spec), parsed.metadata
    account = metadata.annotations.get(SERVICE_ACCOUNT_OVERRIDE) or name
    own = {NAME_LABEL: metadata.name, CLASS_LABEL: spec.gateway_class_name}
    labels, annotations = _given(parsed, spec)
    owner = {"apiVersion": f"{GROUP}/v1", "kind": "Gateway", "name": metadata.name, "uid": metadata.uid}

    def described(name: str, more: Mapping[str, str]) -> JsonObject:
        return {
            "name": name,
            "namespace": metadata.namespace,
            "labels": {**labels, **own, **more},
            "annotations": annotations,
            "ownerReferences": [owner],
        }

    managed = {MANAGED_LABEL: MANAGED_BY}
    if account == name:
        yield _object(kubernetes.SERVICE_ACCOUNTS, "ServiceAccount", described(account, {}))
    pods = {**labels, **own, **managed}
    deployment = _deployment(pods, annotations, name=name, account=account)
    yield _object(kubernetes.DEPLOYMENTS, "Deployment", described(name, managed), deployment)
    yield _object(kubernetes.SERVICES, "Service", described(name, managed), _service(parsed, spec))
    scaled = {"apiVersion": kubernetes.DEPLOYMENTS.api_version, "kind": "Deployment", "name": name}
    yield _object(
        kubernetes.HORIZONTAL_POD_AUTOSCALERS,
        "HorizontalPodAutoscaler",
        described(name, {}),
        {"scaleTargetRef": scaled, "maxReplicas": 1},
    )
    yield _object(
        kubernetes.POD_DISRUPTION_BUDGETS,
        "PodDisruptionBudget",
        described(name, {}),
        {"selector": {"matchLabels": {NAME_LABEL: metadata.name}}},
    )


def _object(
    resource: Resource, kind: str, metadata: JsonObject, spec: JsonObject | None = None
) -> tuple[Resource, JsonObject]:
    body = {"apiVersion": resource.api_version, "kind": kind, "metadata": metadata}
    return resource, body if spec is None else {**body, "spec": spec}


def _given(parsed: parsing.Parsed, spec: gateways.Gateway) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations for all that is made: of `infrastructure`, and without one of the Gateway itself."""
    labels, annotations = parsed.metadata.labels, parsed.metadata.annotations
    if spec.infrastructure is not None:
        labels, annotations = spec.infrastructure.labels, spec.infrastructure.annotations
    return dict(labels), {key: text for key, text in annotations.items() if key not in _NOT_COPIED}


def _deployment(
    labels: Mapping[str, str], annotations: Mapping[str, str], *, name: str, account: str
) -> JsonObject:
    """A pod of the gateway template: injection makes a proxy of it."""
    return {
        "selector": {"matchLabels": {NAME_LABEL: labels[NAME_LABEL]}},
        "template": {
            "metadata": {
                "labels": {
                    **labels,
                    "sidecar.istio.io/inject": "true",
                    "service.istio.io/canonical-name": name,
                    "service.istio.io/canonical-revision": "latest",
                },
                "annotations": {**annotations, "inject.istio.io/templates": "gateway"},
            },
            "spec": {
                "serviceAccountName": account,
                "containers": [{"name": "istio-proxy", "image": "auto"}],
            },
        },
    }


def _service(parsed: parsing.Parsed, spec: gateways.Gateway) -> JsonObject:
    service_type = parsed.metadata.annotations.get(SERVICE_TYPE) or "LoadBalancer"
    service: JsonObject = {
        "type": service_type,
        "selector": {NAME_LABEL: parsed.metadata.name},
        "ports": list(_ports(spec)),
    }
    if spec.addresses and service_type == "LoadBalancer":
        service["loadBalancerIP"] = spec.addresses[0].value
    return service


def _ports(spec: gateways.Gateway) -> Iterator[dict[str, Any]]:
    """One port a number: of listeners that share one, the first gives the name."""
    names = {"status-port"}
    numbers = {STATUS_PORT}
    yield _port("status-port", STATUS_PORT, "tcp")
    for listener in spec.listeners:
        if listener.port in numbers:
            continue
        numbers.add(listener.port)
        name = re.sub(r"[^a-z0-9-]+", "-", listener.name.lower())[:15].strip("-") or "port"
        if name in names:
            name = f"{name[:9].rstrip('-')}-{listener.port}"
        names.add(name)
        yield _port(name, listener.port, listener.protocol.lower())


def _port(name: str, number: int, protocol: str) -> dict[str, Any]:
    return {
        "name": name,
        "port": number,
        "targetPort": number,
        "protocol": "TCP",
        "appProtocol": protocol,
    }


def changes(wanted: JsonObject, seen: JsonObject) -> JsonObject:
    """
    What has to change in an object that is there, as a merge patch; {} when nothing has to.

    Only fields that are wanted count, so what people or other controllers add (replicas, say) stays.
    """
    found: JsonObject = {}
    for key, value in wanted.items():
        current = seen.get(key)
        if isinstance(value, dict):
            below = changes(value, current if isinstance(current, dict) else {})
            if below:
                found[key] = below
        elif isinstance(value, list):
            if not _has_all(value, current):
                found[key] = value
        elif value != current:
            found[key] = value
    return found


def _has_all(wanted: list[Any], current: Any) -> bool:
    """Whether a list is the wanted one, with what a server has filled in."""
    if not isinstance(current, list) or len(current) != len(wanted):
        return False
    pairs = zip(wanted, current, strict=True)
    return all(
        not changes(one, other) if isinstance(one, dict) and isinstance(other, dict) else one == other
        for one, other in pairs
    )
