"""Rows of the other core kinds: services, namespaces, nodes, configuration, events, endpoints, leases."""

from __future__ import annotations

import datetime
from typing import Any, Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.tables import columns
from bookmesh.kube.api.tables.columns import Column

SERVICE_COLUMNS: Final = (
    columns.NAME,
    Column("Type"),
    Column("Cluster-IP"),
    Column("External-IP"),
    Column("Port(s)"),
    columns.AGE,
    *columns.wide("Selector"),
)
NODE_COLUMNS: Final = (
    columns.NAME,
    Column("Status"),
    Column("Roles"),
    columns.AGE,
    Column("Version"),
    *columns.wide("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"),
)
EVENT_COLUMNS: Final = (
    Column("Last Seen"),
    Column("Type"),
    Column("Reason"),
    Column("Object"),
    *columns.wide("Subobject", "Source"),
    Column("Message"),
    *columns.wide("First Seen", "Count", "Name"),
)
NAMESPACE_COLUMNS: Final = (columns.NAME, Column("Status"), columns.AGE)
CONFIG_MAP_COLUMNS: Final = (columns.NAME, Column("Data"), columns.AGE)
SECRET_COLUMNS: Final = (columns.NAME, Column("Type"), Column("Data", "integer"), columns.AGE)
SERVICE_ACCOUNT_COLUMNS: Final = (columns.NAME, Column("Secrets", "integer"), columns.AGE)
ENDPOINTS_COLUMNS: Final = (columns.NAME, Column("Endpoints"), columns.AGE)
ENDPOINT_SLICE_COLUMNS: Final = (
    columns.NAME,
    Column("AddressType"),
    Column("Ports"),
    Column("Endpoints"),
    columns.AGE,
)
LEASE_COLUMNS: Final = (columns.NAME, Column("Holder"), columns.AGE)
DEFINITION_COLUMNS: Final = (columns.NAME, Column("Created At", "dateTime"))

_ROLE_LABEL: Final = "node-role.kubernetes.io/"


def service_row(service: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `SERVICE_COLUMNS`."""
    spec = service.get("spec") or {}
    ports = [
        f"{port['port']}{':' + str(port['nodePort']) if port.get('nodePort') else ''}/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or []
    ]
    return [
        service["metadata"]["name"],
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or columns.NONE,
        _external_ip(service),
        ",".join(ports) or columns.NONE,
        columns.age(service, now),
        columns.pairs(spec.get("selector")),
    ]


def _external_ip(service: JsonObject) -> str:
    spec = service.get("spec") or {}
    own = list(spec.get("externalIPs") or [])
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or columns.NONE
    if spec.get("type") == "LoadBalancer":
        ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        given = [entry.get("ip") or entry.get("hostname") or "" for entry in ingress]
        return ",".join([*given, *own]) or "<pending>"
    return ",".join(own) or columns.NONE


def node_row(node: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `NODE_COLUMNS`."""
    status = node.get("status") or {}
    info = status.get("nodeInfo") or {}
    ready = next((entry for entry in status.get("conditions") or [] if entry.get("type") == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"]
    if (node.get("spec") or {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    labels = node["metadata"].get("labels") or {}
    roles = sorted(key.removeprefix(_ROLE_LABEL) for key in labels if key.startswith(_ROLE_LABEL))
    addresses = {entry["type"]: entry["address"] for entry in reversed(status.get("addresses") or [])}
    return [
        node["metadata"]["name"],
        ",".join(words),
        ",".join(roles) or columns.NONE,
        columns.age(node, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", columns.NONE),
        addresses.get("ExternalIP", columns.NONE),
        info.get("osImage") or columns.UNKNOWN,
        info.get("kernelVersion") or columns.UNKNOWN,
        info.get("containerRuntimeVersion") or columns.UNKNOWN,
    ]


def event_row(event: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `EVENT_COLUMNS`."""
    subject, series = event.get("involvedObject") or {}, event.get("series") or {}
    first = (
        event.get("firstTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    )
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or first
    source = event.get("source") or {}
    sources = (source.get("component") or event.get("reportingComponent"), source.get("host"))
    return [
        columns.since(last, now),
        event.get("type", ""),
        event.get("reason", ""),
        f"{subject.get('kind', '').lower()}/{subject.get('name', '')}",
        subject.get("fieldPath", ""),
        ", ".join(part for part in sources if part),
        (event.get("message") or "").strip(),
        columns.since(first, now),
        series.get("count") or event.get("count") or 1,
        event["metadata"]["name"],
    ]


def namespace_row(namespace: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `NAMESPACE_COLUMNS`."""
    phase = (namespace.get("status") or {}).get("phase", "")
    return [namespace["metadata"]["name"], phase, columns.age(namespace, now)]


def config_map_row(config_map: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `CONFIG_MAP_COLUMNS`."""
    count = len(config_map.get("data") or {}) + len(config_map.get("binaryData") or {})
    return [config_map["metadata"]["name"], str(count), columns.age(config_map, now)]


def secret_row(secret: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `SECRET_COLUMNS`; the values are nobody's business."""
    fields = secret["metadata"]
    return [fields["name"], secret.get("type", ""), len(secret.get("data") or {}), columns.age(secret, now)]


def service_account_row(account: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `SERVICE_ACCOUNT_COLUMNS`."""
    return [account["metadata"]["name"], len(account.get("secrets") or []), columns.age(account, now)]


def endpoints_row(endpoints: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `ENDPOINTS_COLUMNS`."""
    shown = [
        f"{address['ip']}:{port['port']}"
        for subset in endpoints.get("subsets") or []
        for port in subset.get("ports") or []
        for address in subset.get("addresses") or []
    ]
    return [endpoints["metadata"]["name"], columns.limited(shown), columns.age(endpoints, now)]


def endpoint_slice_row(endpoint_slice: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `ENDPOINT_SLICE_COLUMNS`."""
    ports = [str(port.get("port") or port.get("name") or "*") for port in endpoint_slice.get("ports") or []]
    addresses = [
        address
        for endpoint in endpoint_slice.get("endpoints") or []
        for address in endpoint.get("addresses") or []
    ]
    return [
        endpoint_slice["metadata"]["name"],
        endpoint_slice.get("addressType", ""),
        columns.limited(ports) if ports else "<unset>",
        columns.limited(addresses) if addresses else "<unset>",
        columns.age(endpoint_slice, now),
    ]


def lease_row(lease: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `LEASE_COLUMNS`."""
    holder = (lease.get("spec") or {}).get("holderIdentity") or ""
    return [lease["metadata"]["name"], holder, columns.age(lease, now)]


def definition_row(definition: JsonObject, now: datetime.datetime) -> list[Any]:
    """Cells for `DEFINITION_COLUMNS`."""
    fields = definition["metadata"]
    return [fields["name"], fields.get("creationTimestamp")]
