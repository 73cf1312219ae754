"""Servers of gateways: ports no Service leads to, the same host twice, the same certificate twice. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bookmesh.cli.istioctl.analyzers import messages, objects
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects
from bookmesh.mesh.snapshot import hosts


def check(found: Objects) -> Iterator[Message]:
    """IST0138, IST0145 and IST0162."""
    gateways = found.of("Gateway")
    for gateway in gateways:
        yield from _check_ports(gateway, found)
        yield from _check_conflicts(gateway, gateways)
    yield from _check_certificates(gateways)


def _check_ports(gateway: JsonObject, found: Objects) -> Iterator[Message]:
    """A port that the pods may listen on, but their Service does not have."""
    selector = gateway["spec"].get("selector") or {}
    served: set[int] = set()
    has_service = False
    for labels in found.labels_in(None):
        if not objects.selects(selector, labels):
            continue
        for service in found.of("Service"):
            if objects.selects(service["spec"].get("selector"), labels):
                has_service = True
                for port in service["spec"].get("ports") or []:
                    served |= {port["port"], port.get("targetPort", port["port"])}
    for index, server in enumerate(gateway["spec"].get("servers") or []):
        number = (server.get("port") or {}).get("number")
        if has_service and number not in served:
            chosen = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
            text = (
                f"The gateway is listening on a target port (port {number}) that is not defined in the Service "
                f"associated with its workload instances (Pod selector {chosen}). If you need to access the gateway "
                "port through the gateway Service, it will not be available."
            )
            yield messages.about(gateway, "Warning", "IST0162", text, f"spec.servers[{index}].port.number")


def _check_conflicts(gateway: JsonObject, gateways: list[JsonObject]) -> Iterator[Message]:
    """Another gateway of the same pods has the same host on the same port."""
    selector = gateway["spec"].get("selector") or {}
    for index, server in enumerate(gateway["spec"].get("servers") or []):
        port = server.get("port") or {}
        conflicts, shared = [], []
        for other in gateways:
            if other is gateway or (other["spec"].get("selector") or {}) != selector:
                continue
            for theirs in other["spec"].get("servers") or []:
                same = _shared_hosts(server, theirs)
                if (theirs.get("port") or {}).get("number") == port.get("number") and same:
                    conflicts.append(f"{other['metadata']['namespace']}/{other['metadata']['name']}")
                    shared += same
        if conflicts:
            chosen = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
            text = (
                f"Conflict with gateways {','.join(sorted(set(conflicts)))} (workload selector {chosen}, port "
                f"{port.get('number')}, hosts {messages.listed(sorted(set(shared)))})."
            )
            yield messages.about(gateway, "Error", "IST0145", text, f"spec.servers[{index}]")


def _shared_hosts(one: JsonObject, other: JsonObject) -> list[str]:
    """Hosts that are equal, or of which one is inside the other."""
    own = [host.rpartition("/")[2] for host in one.get("hosts") or []]
    theirs = [host.rpartition("/")[2] for host in other.get("hosts") or []]
    return [host for host in own if any(hosts.narrower(host, each) for each in theirs)]


def _check_certificates(gateways: list[JsonObject]) -> Iterator[Message]:
    """Browsers reuse a connection for all names of a certificate, whichever gateway it was made to."""
    users: dict[tuple[str, str], list[JsonObject]] = defaultdict(list)
    for gateway in gateways:
        selector = str(sorted((gateway["spec"].get("selector") or {}).items()))
        for server in gateway["spec"].get("servers") or []:
            tls = server.get("tls") or {}
            name = tls.get("credentialName") or tls.get("serverCertificate")
            if name and gateway not in users[selector, name]:
                users[selector, name].append(gateway)
    for sharing in users.values():
        if len(sharing) < 2:
            continue
        names = sorted(f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in sharing)
        text = (
            f"Duplicate certificate in multiple gateways {messages.listed(names)} may cause 404s if clients re-use "
            "HTTP2 connections."
        )
        for gateway in sharing:
            yield messages.about(gateway, "Warning", "IST0138", text)
