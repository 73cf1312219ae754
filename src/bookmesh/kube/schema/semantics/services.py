"""Services and endpoint slices."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import causes, names
from bookmesh.kube.schema.causes import Cause

_AFFINITIES: Final = ("ClientIP", "None")
_LONGEST_AFFINITY_S: Final = 86400


def check_service(service: JsonObject, old: JsonObject | None) -> list[Cause]:
    spec = service.get("spec") or {}
    kind = spec.get("type", "ClusterIP")
    is_headless = spec.get("clusterIP") == "None"
    found: list[Cause] = []
    if not spec.get("ports") and kind != "ExternalName" and not is_headless:
        found.append(causes.required("spec.ports"))
    found += _check_ports(spec.get("ports") or [], kind)
    found += names.check_labels("spec.selector", spec.get("selector"))
    if kind == "ExternalName":
        found += _check_external_name(spec)
    elif is_headless and kind != "ClusterIP":
        why = f"may not be set to 'None' for {kind} services"
        found.append(causes.invalid("spec.clusterIPs[0]", "None", why))
    elif spec.get("clusterIP") and not is_headless:
        found += _check_address("spec.clusterIPs[0]", spec["clusterIP"])
    for index, address in enumerate(spec.get("externalIPs") or []):
        found += _check_address(f"spec.externalIPs[{index}]", address)
    found += _check_affinity(spec)
    if old is not None:
        found += _check_change(spec, old.get("spec") or {})
    return found


def _check_affinity(spec: JsonObject) -> list[Cause]:
    affinity = spec.get("sessionAffinity", "None")
    if affinity not in _AFFINITIES:
        return [causes.not_supported("spec.sessionAffinity", affinity, _AFFINITIES)]
    timeout_s = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if affinity != "ClientIP" or timeout_s is None or 0 < timeout_s <= _LONGEST_AFFINITY_S:
        return []
    where = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
    why = f"must be greater than 0 and less than {_LONGEST_AFFINITY_S}"
    return [causes.invalid(where, timeout_s, why)]


def _check_ports(ports: list[dict[str, Any]], kind: str) -> list[Cause]:
    found: list[Cause] = []
    port_names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    node_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        where, name, protocol = f"spec.ports[{index}]", port.get("name") or "", port.get("protocol", "TCP")
        if not name and len(ports) > 1:
            found.append(causes.required(f"{where}.name"))
        elif name:
            found += names.check(f"{where}.name", name, names.dns_label)
            if name in port_names:
                found.append(causes.duplicate(f"{where}.name", name))
        port_names.add(name)
        found += names.check_port(f"{where}.port", port["port"])
        if (protocol, port["port"]) in seen:
            found.append(causes.duplicate(where, {"port": port["port"], "protocol": protocol}))
        seen.add((protocol, port["port"]))
        target = port.get("targetPort", port["port"])
        found += names.check_port(f"{where}.targetPort", target)
        node_port = port.get("nodePort")
        if node_port and kind not in ("NodePort", "LoadBalancer"):
            why = f"may not be used when `type` is '{kind}'"
            found.append(causes.forbidden(f"{where}.nodePort", why))
        elif node_port:
            if (protocol, node_port) in node_ports:
                found.append(causes.duplicate(f"{where}.nodePort", node_port))
            node_ports.add((protocol, node_port))
    return found


def _check_external_name(spec: JsonObject) -> list[Cause]:
    found: list[Cause] = []
    if spec.get("clusterIP"):
        why = "may not be set for ExternalName services"
        found.append(causes.invalid("spec.clusterIPs", [spec["clusterIP"]], why))
    name = (spec.get("externalName") or "").rstrip(".")
    if not name:
        found.append(causes.required("spec.externalName"))
        return found
    return [*found, *names.check("spec.externalName", name, names.dns_subdomain)]


def _check_change(spec: JsonObject, old: JsonObject) -> list[Cause]:
    if "ExternalName" in (spec.get("type"), old.get("type")) or not old.get("clusterIP"):
        return []
    if spec.get("clusterIP") == old["clusterIP"]:
        return []
    return [causes.invalid("spec.clusterIPs[0]", [spec.get("clusterIP", "")], "may not change once set")]


def _check_address(where: str, address: str) -> list[Cause]:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return [
            causes.invalid(where, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        ]
    return []


def check_endpoint_slice(endpoint_slice: JsonObject, old: JsonObject | None) -> list[Cause]:
    found: list[Cause] = []
    kind = endpoint_slice.get("addressType")
    if old is not None and old.get("addressType") != kind:
        found.append(causes.invalid("addressType", kind, "field is immutable"))
    for index, endpoint in enumerate(endpoint_slice.get("endpoints") or []):
        where = f"endpoints[{index}].addresses"
        addresses = endpoint.get("addresses") or []
        if not addresses:
            found.append(causes.required(where, "must contain at least 1 address"))
        for position, address in enumerate(addresses):
            if kind == "FQDN":
                found += names.check(f"{where}[{position}]", address, names.dns_subdomain)
            else:
                found += _check_address(f"{where}[{position}]", address)
    for index, port in enumerate(endpoint_slice.get("ports") or []):
        if port.get("port") is not None:
            found += names.check_port(f"ports[{index}].port", port["port"])
    return found
