"""What one gateway proxy serves: the servers of all Gateways that select it, port by port."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import gateways, internal, parsing
from bookmesh.mesh.registry import registry, services, workloads
from bookmesh.mesh.snapshot import hosts
from bookmesh.mesh.snapshot import proxy as proxies

HTTP_PROTOCOLS = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})
TCP_PROTOCOLS = frozenset({"TCP", "MONGO", "MYSQL", "REDIS"})
TLS_PROTOCOLS = frozenset({"HTTPS", "TLS"})


@dataclass(frozen=True, slots=True)
class GatewayServer:
    """One server of one Gateway; `gateway` is `NAMESPACE/NAME`. Equal when the content is."""

    gateway: str
    ref: ObjectRef
    digest: str
    index: int
    server: gateways.Server = field(compare=False)

    @property
    def is_http(self) -> bool:
        """Plain HTTP."""
        return self.server.port.protocol.upper() in HTTP_PROTOCOLS

    @property
    def is_https(self) -> bool:
        """HTTP inside TLS that the gateway ends."""
        return self.server.port.protocol.upper() == "HTTPS" and self.is_terminated

    @property
    def is_terminated(self) -> bool:
        """Whether the gateway ends TLS."""
        return not self.is_http and self.server.tls is not None and self.server.tls.is_terminated

    @property
    def is_passthrough(self) -> bool:
        """Whether TLS goes through, and the name in its greeting decides."""
        tls = self.server.tls
        return not self.is_http and tls is not None and tls.mode in (None, "PASSTHROUGH")

    @property
    def is_auto_passthrough(self) -> bool:
        """Whether TLS goes through to the service that the name in its greeting stands for."""
        tls = self.server.tls
        return not self.is_http and tls is not None and tls.mode == "AUTO_PASSTHROUGH"

    @property
    def is_plain_tcp(self) -> bool:
        return self.server.tls is None and self.server.port.protocol.upper() in TCP_PROTOCOLS

    @property
    def is_served(self) -> bool:
        by_name = self.is_passthrough or self.is_auto_passthrough
        return self.is_http or self.is_terminated or by_name or self.is_plain_tcp

    @property
    def patterns(self) -> tuple[str, ...]:
        """The server's hosts without namespaces, in lower case."""
        return tuple(dict.fromkeys(_split(entry)[1].lower() for entry in self.server.hosts))

    @property
    def entries(self) -> tuple[str, ...]:
        """The server's hosts as they are written, `NAMESPACE/HOST` or `HOST`; `.` has the name of the namespace."""
        own = f"{self.ref.namespace}/"
        return tuple(
            own + host.removeprefix("./") if host.startswith("./") else host for host in self.server.hosts
        )

    def common_hosts(self, wanted: Iterable[str], namespace: str) -> tuple[str, ...]:
        """
        The hosts that this server and a VirtualService in `namespace` have in common, in lower case.

        Of an exact name and a wildcard that covers it the exact name is what they share.
        """
        served = [
            pattern
            for scope, pattern in map(_split, self.server.hosts)
            if scope in ("*", namespace) or (scope == "." and namespace == self.ref.namespace)
        ]
        shared = (hosts.narrower(host, pattern) for host in wanted for pattern in served)
        return tuple(dict.fromkeys(host.lower() for host in shared if host is not None))


@dataclass(frozen=True, slots=True)
class GatewayPort:
    """
    A port on which a gateway proxy listens: `target` in the pod, `number` as clients of its Service call it. Servers
    are in merge order, never empty. `bind` is the address to listen on, "" for all.
    """

    target: int
    number: int
    servers: tuple[GatewayServer, ...]
    bind: str = ""


def _split(entry: str) -> tuple[str, str]:
    """Split a server's `NAMESPACE/HOST` or `HOST`, which is for every namespace."""
    scope, slash, pattern = entry.partition("/")
    return (scope, pattern) if slash else ("*", entry)


def selects(gateway: gateways.Gateway, workload: workloads.Workload, reg: registry.Registry) -> bool:
    """Whether a pod takes the servers of a Gateway; an empty selector means every gateway proxy."""
    if isinstance(gateway, internal.ServiceGateway):
        service = reg.services.get(gateway.service)
        return service is not None and _is_behind(workload, service)
    return gateway.selector.items() <= workload.labels.items()


def _is_behind(workload: workloads.Workload, service: services.Service) -> bool:
    return service.namespace == workload.namespace and service.selects(workload.labels)


def ports_for(
    proxy: proxies.Proxy, configs: Iterable[parsing.Parsed], reg: registry.Registry
) -> tuple[GatewayPort, ...]:
    """
    Collect the ports of one gateway proxy, by port and address; without servers that are not served yet. Of those with
    TLS settings one that has a host which a server before it has there is not served at all.
    """
    targets = _target_ports(proxy, reg)
    found: defaultdict[tuple[int, str], list[GatewayServer]] = defaultdict(list)
    taken: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for parsed in configs:
        gateway = parsed.spec
        if not isinstance(gateway, gateways.Gateway) or not selects(gateway, proxy.workload, reg):
            continue
        name = f"{parsed.metadata.namespace}/{parsed.metadata.name}"
        for index, server in enumerate(gateway.servers):
            candidate = GatewayServer(name, parsed.ref, parsed.digest, index, server)
            if candidate.is_served:
                for target in targets.get(server.port.number) or (server.port.number,):
                    here = (target, server.bind)
                    if server.tls is not None:
                        entries = candidate.entries
                        if not taken[here].isdisjoint(entries):
                            continue
                        taken[here].update(entries)
                    found[here].append(candidate)
    return tuple(
        GatewayPort(target, servers[0].server.port.number, tuple(servers), bind)
        for (target, bind), servers in sorted(found.items())
    )


def _target_ports(proxy: proxies.Proxy, reg: registry.Registry) -> dict[int, tuple[int, ...]]:
    """Ports of the proxy's own Services, each with the ports of the pod behind it."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for service in reg.services_selecting(proxy.workload):
        if reg.services[service.hostname] is service:
            for port in service.ports:
                target = services.target_port(port, proxy.workload)
                if target is not None:
                    found[port.number].add(target)
    return {number: tuple(sorted(targets)) for number, targets in found.items()}
