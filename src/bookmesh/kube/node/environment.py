"""
The environment of one container: `env`, `envFrom`, service variables, in the kubelet's order and words. Pure.

Later wins: service variables, then `envFrom` in order, then `env` in order. A value may use `$(NAME)` of what came
before it, service variables included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bookmesh.base import cluster
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import expansion, fields
from bookmesh.kube.node.sources import SourceError, Sources

_API_SERVER_PORT: Final = {"name": "https", "port": 443, "protocol": "TCP"}


def build_environment(
    container: JsonObject,
    *,
    pod: JsonObject,
    sources: Sources,
    service_variables: Mapping[str, str],
    allocatable: Mapping[str, str],
) -> dict[str, str]:
    """
    Build what the container sees, without what its image adds. `pod` must carry its addresses in `status`.

    Raises:
        SourceError: a ConfigMap, Secret, key or field that is not optional does not exist.
    """
    own: dict[str, str] = {}
    for item in container.get("envFrom") or []:
        own |= _from_whole_object(item, sources)
    for variable in container.get("env") or []:
        name = variable["name"]
        if "valueFrom" not in variable:
            own[name] = expansion.expand(variable.get("value") or "", {**service_variables, **own})
            continue
        value = _from_source(
            variable["valueFrom"],
            pod=pod,
            container=container["name"],
            sources=sources,
            allocatable=allocatable,
        )
        if value is not None:
            own[name] = value
    return {**service_variables, **own}


def build_service_variables(services: Iterable[JsonObject], *, namespace: str, links: bool) -> dict[str, str]:
    """
    Build the variables that announce services, such as `REVIEWS_SERVICE_HOST`.

    Args:
        services: any services; those of other namespaces and those without a cluster IP are left out.
        links: the pod's `enableServiceLinks`; without it only the API server itself is announced.
    """
    variables = _variables_of("kubernetes", cluster.API_SERVER_IP, [_API_SERVER_PORT])
    if not links:
        return variables
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        address = spec.get("clusterIP")
        if metadata["namespace"] != namespace or not address or address == "None" or not spec.get("ports"):
            continue
        variables |= _variables_of(metadata["name"], address, spec["ports"])
    return variables


def _variables_of(service: str, address: str, ports: list[JsonObject]) -> dict[str, str]:
    prefix = service.upper().replace("-", "_")
    first = ports[0]
    variables = {f"{prefix}_SERVICE_HOST": address, f"{prefix}_SERVICE_PORT": str(first["port"])}
    for port in ports:
        if name := port.get("name"):
            variables[f"{prefix}_SERVICE_PORT_{name.upper().replace('-', '_')}"] = str(port["port"])
    protocol = first.get("protocol", "TCP").lower()
    variables[f"{prefix}_PORT"] = f"{protocol}://{address}:{first['port']}"
    for port in ports:
        protocol = port.get("protocol", "TCP")
        stem = f"{prefix}_PORT_{port['port']}_{protocol}"
        variables[stem] = f"{protocol.lower()}://{address}:{port['port']}"
        variables[f"{stem}_PROTO"] = protocol.lower()
        variables[f"{stem}_PORT"] = str(port["port"])
        variables[f"{stem}_ADDR"] = address
    return variables


def _from_whole_object(item: JsonObject, sources: Sources) -> dict[str, str]:
    if reference := item.get("configMapRef"):
        data, kind = sources.config_map_data(reference["name"]), "configmap"
    elif reference := item.get("secretRef"):
        data, kind = sources.secret_data(reference["name"]), "secret"
    else:
        return {}
    if data is None:
        if reference.get("optional"):
            return {}
        raise SourceError(f'{kind} "{reference["name"]}" not found')
    prefix = item.get("prefix") or ""
    return {f"{prefix}{key}": _text(value) for key, value in data.items() if "=" not in key}


def _from_source(
    source: JsonObject,
    *,
    pod: JsonObject,
    container: str,
    sources: Sources,
    allocatable: Mapping[str, str],
) -> str | None:
    """None: optional and absent, so the variable is left out."""
    try:
        if reference := source.get("fieldRef"):
            return fields.field_value(pod, reference["fieldPath"])
        if reference := source.get("resourceFieldRef"):
            return fields.resource_value(pod, reference, container=container, allocatable=allocatable)
    except ValueError as error:
        raise SourceError(str(error)) from error
    if reference := source.get("configMapKeyRef"):
        return _key(reference, sources.config_map_data(reference["name"]), "ConfigMap", sources.namespace)
    if reference := source.get("secretKeyRef"):
        return _key(reference, sources.secret_data(reference["name"]), "Secret", sources.namespace)
    raise SourceError(f"invalid valueFrom: {', '.join(source) or 'empty'}")


def _key(reference: JsonObject, data: Mapping[str, bytes] | None, kind: str, namespace: str) -> str | None:
    if data is not None and reference["key"] in data:
        return _text(data[reference["key"]])
    if reference.get("optional"):
        return None
    if data is None:
        raise SourceError(f'{kind.lower()} "{reference["name"]}" not found')
    raise SourceError(f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}")


def _text(value: bytes) -> str:
    """Bytes as the process will get them, also when they are no UTF-8."""
    return value.decode(errors="surrogateescape")
