"""The listener of a sidecar for what others call: one set of filter chains for every port of its application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import connection_pools, gateways
from bookmesh.mesh.model import sidecars as sidecar_models
from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import peer_authentications, policies, sidecars
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import (
    filters,
    naming,
    peer_metadata,
    routes,
    server_tls,
    traffic_policies,
    transport_sockets,
)
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import listener as wire
from bookmesh.mesh.wire import route as route_wire

_CATCH_ALL = "virtualInbound-catchall"


@dataclass(frozen=True, slots=True)
class InboundPort:
    """
    One port of the application: its number in the pod, and the Service port it belongs to.

    Of a Sidecar's listener the service is made up from the Sidecar. `endpoint` is where the application listens, "" for
    this port; with `tls` the proxy ends TLS itself, where the port does not accept the mesh's. `bind` is the address at
    which the proxy is called; it listens there itself if the port `is_bound`, else the port is redirected to it.
    """

    number: int
    service: services.Service
    port: services.ServicePort
    endpoint: str = ""
    tls: gateways.ServerTls | None = None
    pool: connection_pools.ConnectionPool | None = None
    bind: str = naming.ANY_ADDRESS
    is_bound: bool = False


def ports_of(proxy: proxies.Proxy, snapshot: snapshots.MeshSnapshot) -> tuple[InboundPort, ...]:
    """
    The ports on which the application is called, by number: those of the Sidecar in force, if it lists any, else those
    that some Service names; the first Service by hostname counts. Where nothing is redirected only a Sidecar's count:
    the application listens on those of the Services. What a DestinationRule says about connections to this Service
    holds here as well, unless the Sidecar says something.

    Source: Service `spec.ports[]`, DestinationRule `trafficPolicy.connectionPool`.
    """
    view = snapshot.view_for(proxy)
    if view is not None and (view.inbound or not view.is_intercepted):
        return _ports_of_view(proxy, view)
    found: dict[int, InboundPort] = {}
    has_own_pool = view is not None and view.inbound_pool is not None
    for service in snapshot.registry.services_selecting(proxy.workload):
        policy = snapshot.policy_for(service, proxy.namespace, {}) if not has_own_pool else policies.NO_POLICY
        for port in service.ports:
            target = services.target_port(port, proxy.workload)
            if target is not None:
                pool = traffic_policies.effective_policy(policy, port=port.number).connection_pool
                found.setdefault(target, InboundPort(target, service, port, pool=pool))
    return tuple(found[number] for number in sorted(found))


def _ports_of_view(proxy: proxies.Proxy, view: sidecars.View) -> tuple[InboundPort, ...]:
    """
    Read the listeners of a Sidecar, by number.

    Source: Sidecar `ingress[]`.
    """
    if view.ref is None:
        return ()
    found = [_port_of_listener(listener, proxy, view.ref, view) for listener in view.inbound]
    return tuple(sorted(found, key=lambda port: port.number))


def _port_of_listener(
    listener: sidecar_models.IngressListener, proxy: proxies.Proxy, ref: ObjectRef, view: sidecars.View
) -> InboundPort:
    number, protocol = listener.port.number, protocols.protocol_for(name=listener.port.protocol)
    port = services.ServicePort(
        name=listener.port.name,
        number=number,
        protocol=protocol if listener.tls is None else protocol.inside_tls,
        target=number,
    )
    service = services.Service(
        hostname=f"{ref.name}.{ref.namespace}",
        name=ref.name,
        namespace=ref.namespace,
        ports=(port,),
        entry=ref,
    )
    return InboundPort(
        number=number,
        service=service,
        port=port,
        endpoint=listener.default_endpoint.replace("0.0.0.0:", f"{proxy.ip}:"),
        tls=listener.tls,
        pool=listener.connection_pool,
        bind=listener.bind or proxy.ip,
        is_bound=view.is_bound(listener),
    )


def build(
    ports: Sequence[InboundPort], modes: peer_authentications.PeerModes, settings: settings_.MeshSettings
) -> wire.Listener:
    """
    Build the listener to which all inbound connections are redirected; `modes` say what each port accepts. Bound ports
    have a listener of their own.

    Source: Service `spec.ports[]`, PeerAuthentication, Sidecar `ingress[].tls`.
    """
    redirected = [port for port in ports if not port.is_bound]
    chains = [filters.blackhole_chain("virtualInbound-blackhole", naming.INBOUND_PORT, settings)]
    for port in redirected:
        chains += _chains_of(port, modes, settings)
    own = {port.number for port in redirected}
    for number, mode in (*((n, m) for n, m in modes.ports if n not in own), (0, modes.mode)):
        chains += _chains(_Chain.for_unknown_ports(settings, number), protocols.Protocol.AUTO, mode)
    known = [port.number for port in redirected if port.port.protocol is not protocols.Protocol.AUTO]
    listener = _listener("virtualInbound", naming.ANY_ADDRESS, naming.INBOUND_PORT, chains, settings)
    inspectors = [
        filters.original_destination(),
        filters.tls_inspector(),
        filters.http_inspector(except_ports=known),
    ]
    listener.listener_filters.extend(inspectors)
    return listener


def build_bound(
    port: InboundPort, modes: peer_authentications.PeerModes, settings: settings_.MeshSettings
) -> wire.Listener:
    """
    Build the listener of a port on which the proxy listens itself.

    Source: Sidecar `ingress[].bind` and `captureMode`.
    """
    name = naming.listener(port.bind, port.number)
    chains = _chains_of(port, modes, settings)
    listener = _listener(name, port.bind, port.number, chains, settings)
    listener.listener_filters.append(filters.tls_inspector())
    if port.port.protocol is protocols.Protocol.AUTO:
        listener.listener_filters.append(filters.http_inspector())
    return listener


def _certificate_details(
    headers: settings_.ProxyHeaders,
) -> wire.HttpConnectionManager.SetCurrentClientCertDetails:
    parts = headers.certificate_parts
    return wire.HttpConnectionManager.SetCurrentClientCertDetails(
        subject=messages.boolean("subject" in parts),
        cert="cert" in parts,
        chain="chain" in parts,
        dns="dns" in parts,
        uri="uri" in parts,
    )


def _listener(
    name: str, address: str, port: int, chains: list[wire.FilterChain], settings: settings_.MeshSettings
) -> wire.Listener:
    return wire.Listener(
        name=name,
        address=filters.address(address, port),
        traffic_direction=core.TrafficDirection.INBOUND,
        listener_filters_timeout=messages.duration(settings.detection_timeout_s),
        continue_on_listener_filters_timeout=True,
        filter_chains=chains,
    )


def _chains_of(
    port: InboundPort, modes: peer_authentications.PeerModes, settings: settings_.MeshSettings
) -> list[wire.FilterChain]:
    chain, mode = _Chain.for_port(port, settings), modes.of(port.number)
    if port.tls is not None and mode == "DISABLE":
        return [_own_tls_chain(chain, port.port.protocol, port.tls)]
    return _chains(chain, port.port.protocol, mode)


@dataclass(frozen=True, slots=True)
class _Chain:
    """What the filter chains of one port have in common; `number` 0 stands for all ports that have no chains."""

    name: str
    number: int
    cluster: str
    route: route_wire.Route
    settings: settings_.MeshSettings

    @classmethod
    def for_port(cls, port: InboundPort, settings: settings_.MeshSettings) -> _Chain:
        cluster = naming.inbound_cluster(port.number)
        route = routes.build_inbound_route(cluster=cluster, service=port.service, port=port.port)
        return cls(naming.listener(port.bind, port.number), port.number, cluster, route, settings)

    @classmethod
    def for_unknown_ports(cls, settings: settings_.MeshSettings, number: int) -> _Chain:
        """Ports no Service names: all of them, or the one that a policy names."""
        cluster = naming.INBOUND_PASSTHROUGH
        route = routes.build_inbound_route(cluster=cluster, service=None, port=None)
        return cls(_CATCH_ALL, number, cluster, route, settings)

    @property
    def listener_name(self) -> str:
        """The listener that it would be if it were not part of a larger one."""
        return self.name if self.name != _CATCH_ALL else naming.listener(naming.ANY_ADDRESS, self.number)

    def match(self, transport: str, alpn: Sequence[str] = ()) -> wire.FilterChainMatch:
        match = wire.FilterChainMatch(transport_protocol=transport, application_protocols=alpn)
        if self.number:
            match.destination_port.CopyFrom(messages.uint32(self.number))
        return match

    def http(self, match: wire.FilterChainMatch, *, is_mtls: bool) -> wire.FilterChain:
        manager = filters.connection_manager(
            self.settings,
            stat_prefix=naming.stats_prefix(f"inbound_{self.listener_name}"),
            route_config=self._route_config(),
            http_filters=[filters.router(self.settings)],
            use_remote_address=messages.boolean(False),
            server_name="istio-envoy",
            forward_client_cert_details=wire.HttpConnectionManager.ForwardClientCertDetails.Value(
                self.settings.proxy_headers.client_certificates
            ),
            set_current_client_cert_details=_certificate_details(self.settings.proxy_headers),
        )
        return self._chain(match, filters.http_filter(manager), is_mtls=is_mtls, is_http=True)

    def tcp(self, match: wire.FilterChainMatch, *, is_mtls: bool) -> wire.FilterChain:
        proxy = filters.tcp_proxy(self.cluster, self.settings)
        return self._chain(match, proxy, is_mtls=is_mtls, is_http=False)

    def _chain(
        self, match: wire.FilterChainMatch, network_filter: wire.Filter, *, is_mtls: bool, is_http: bool
    ) -> wire.FilterChain:
        chain = wire.FilterChain(name=self.name, filter_chain_match=match, filters=[network_filter])
        if is_mtls:
            socket = transport_sockets.mesh_downstream(
                trust_domains=self.settings.trust_domains,
                is_http=is_http,
                least_version=self.settings.least_tls_version,
            )
            chain.transport_socket.CopyFrom(socket)
        return chain

    def _route_config(self) -> route_wire.RouteConfiguration:
        return route_wire.RouteConfiguration(
            name=self.cluster,
            virtual_hosts=[
                route_wire.VirtualHost(name=f"inbound|http|{self.number}", domains=["*"], routes=[self.route])
            ],
            request_headers_to_remove=peer_metadata.HEADERS,
            validate_clusters=messages.boolean(False),
        )


def _chains(chain: _Chain, protocol: protocols.Protocol, mode: settings_.MtlsMode) -> list[wire.FilterChain]:
    """
    Tell apart, for one port: mTLS of the mesh, plain text, and TLS of the application itself.

    STRICT leaves the first only; DISABLE the last two.
    """
    built: list[wire.FilterChain] = []
    if mode != "DISABLE":
        built += _mtls_chains(chain, protocol)
    if mode != "STRICT":
        built += _plain_chains(chain, protocol)
    return built


def _own_tls_chain(chain: _Chain, protocol: protocols.Protocol, tls: gateways.ServerTls) -> wire.FilterChain:
    """TLS for callers outside of the mesh, which the proxy ends with certificates of its own; nothing else comes in."""
    match = chain.match("tls")
    built = chain.http(match, is_mtls=False) if protocol.is_http else chain.tcp(match, is_mtls=False)
    built.transport_socket.CopyFrom(server_tls.build_own(tls, chain.settings, is_http=protocol.is_http))
    return built


def _mtls_chains(chain: _Chain, protocol: protocols.Protocol) -> list[wire.FilterChain]:
    every_alpn = (*naming.MESH_HTTP_ALPN, *naming.MESH_ALPN)
    if protocol.is_http:
        return [chain.http(chain.match("tls", every_alpn), is_mtls=True)]
    if protocol is protocols.Protocol.AUTO:
        return [
            chain.http(chain.match("tls", naming.MESH_HTTP_ALPN), is_mtls=True),
            chain.tcp(chain.match("tls", naming.MESH_ALPN), is_mtls=True),
        ]
    return [chain.tcp(chain.match("tls", every_alpn), is_mtls=True)]


def _plain_chains(chain: _Chain, protocol: protocols.Protocol) -> list[wire.FilterChain]:
    own_tls = chain.tcp(chain.match("tls"), is_mtls=False)
    if protocol.is_http:
        return [chain.http(chain.match("raw_buffer"), is_mtls=False), own_tls]
    if protocol is protocols.Protocol.AUTO:
        return [
            chain.http(chain.match("raw_buffer", naming.PLAIN_HTTP_ALPN), is_mtls=False),
            chain.tcp(chain.match("raw_buffer"), is_mtls=False),
            own_tls,
        ]
    return [chain.tcp(chain.match("raw_buffer"), is_mtls=False), own_tls]
