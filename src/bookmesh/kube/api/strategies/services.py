"""Services: cluster IPs and node ports are given on create and kept until the type no longer needs them."""

from __future__ import annotations

from typing import Any

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import service_addresses, statuses
from bookmesh.kube.api.strategies import base
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores

_SERVICES = records.GroupResource("", "services")
_WITH_NODE_PORTS = frozenset({"NodePort", "LoadBalancer"})


class ServiceStrategy(base.Strategy):
    """Reads the other services from the store to know what is taken."""

    def __init__(self, store: stores.Store) -> None:
        self._store = store

    def prepare_create(self, obj: JsonObject) -> None:
        obj.setdefault("spec", {})
        obj["status"] = {"loadBalancer": {}}

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        spec, before = obj.setdefault("spec", {}), old["spec"]
        kind, kind_before = _type(spec), _type(before)
        if "ExternalName" not in {kind, kind_before}:
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                if not spec.get(key) and before.get(key):
                    spec[key] = before[key]
        elif kind == "ExternalName" and kind_before != "ExternalName":
            _release_address(spec, before)
        if kind in _WITH_NODE_PORTS:
            _keep_node_ports(spec, before)
        else:
            _release_node_ports(spec, before)
        if kind != "LoadBalancer" and kind_before == "LoadBalancer":
            obj["status"] = {"loadBalancer": {}}

    def allocate(self, obj: JsonObject, old: JsonObject | None) -> None:
        spec = obj["spec"]
        own = old["metadata"]["uid"] if old else ""
        others = [
            stored.object
            for stored in self._store.list(_SERVICES)
            if stored.object["metadata"].get("uid") != own
        ]
        name = obj["metadata"]["name"]
        try:
            if _type(spec) != "ExternalName":
                _allocate_address(spec, service_addresses.used_addresses(others), name)
            if _type(spec) in _WITH_NODE_PORTS:
                _allocate_node_ports(spec, service_addresses.used_node_ports(others), name)
        except service_addresses.ExhaustedError as error:
            raise ApiError(500, "InternalError", f"Internal error occurred: {error}") from error


def _type(spec: JsonObject) -> str:
    kind: str = spec.get("type") or "ClusterIP"
    return kind


def _allocate_address(spec: JsonObject, used: set[str], name: str) -> None:
    address = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "")
    if not address:
        address = service_addresses.pick_address(used)
    elif address != "None":
        try:
            service_addresses.check_address(address, used)
        except service_addresses.UnavailableError as error:
            raise _invalid(
                name, "spec.clusterIPs", f"Invalid value: [{address!r}]: {error}".replace("'", '"')
            ) from error
    spec["clusterIP"], spec["clusterIPs"] = address, [address]
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")


def _allocate_node_ports(spec: JsonObject, used: set[tuple[str, int]], name: str) -> None:
    if spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        return
    ports: list[JsonObject] = spec.get("ports") or []
    taken = set(used)
    for index, port in enumerate(ports):
        if wanted := port.get("nodePort"):
            protocol = port.get("protocol", "TCP")
            try:
                service_addresses.check_node_port(protocol, wanted, taken)
            except service_addresses.UnavailableError as error:
                raise _invalid(
                    name, f"spec.ports[{index}].nodePort", f"Invalid value: {wanted}: {error}"
                ) from error
            taken.add((protocol, wanted))
    for port in ports:
        if not port.get("nodePort"):
            protocol = port.get("protocol", "TCP")
            port["nodePort"] = service_addresses.pick_node_port(protocol, taken)
            taken.add((protocol, port["nodePort"]))


def _key(port: JsonObject) -> tuple[Any, Any]:
    return port.get("protocol", "TCP"), port.get("port")


def _keep_node_ports(spec: JsonObject, before: JsonObject) -> None:
    known = {_key(port): port["nodePort"] for port in before.get("ports") or [] if port.get("nodePort")}
    asked = {port["nodePort"] for port in spec.get("ports") or [] if port.get("nodePort")}
    for port in spec.get("ports") or []:
        kept = known.get(_key(port))
        if kept and not port.get("nodePort") and kept not in asked:
            port["nodePort"] = kept


def _release_node_ports(spec: JsonObject, before: JsonObject) -> None:
    known = {port["nodePort"] for port in before.get("ports") or [] if port.get("nodePort")}
    for port in spec.get("ports") or []:
        if port.get("nodePort") in known:
            del port["nodePort"]


def _release_address(spec: JsonObject, before: JsonObject) -> None:
    if spec.get("clusterIP") in {None, "", before.get("clusterIP")}:
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            spec.pop(key, None)


def _invalid(name: str, field: str, message: str) -> ApiError:
    cause = statuses.Cause(field, "FieldValueInvalid", message)
    return statuses.invalid(group="", kind="Service", name=name, causes=[cause])
