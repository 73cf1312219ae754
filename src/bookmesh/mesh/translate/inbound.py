"""What a sidecar takes traffic in with: the inbound listener and the clusters of its application's ports."""

from __future__ import annotations

from dataclasses import replace

from bookmesh.mesh.snapshot import peer_authentications
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import built, caching, clusters, inbound_listener
from bookmesh.mesh.wire import type_urls


def build(proxy: proxies.Proxy, snapshot: snapshots.MeshSnapshot, cache: caching.Cache) -> built.Part:
    """Build the inbound side of one sidecar; replicas of one workload share it."""
    modes = snapshot.peers.modes_for(proxy.namespace, proxy.labels)
    view = snapshot.view_for(proxy)
    ports = inbound_listener.ports_of(proxy, snapshot)
    if view is not None and view.inbound_pool is not None:
        ports = tuple(replace(port, pool=port.pool or view.inbound_pool) for port in ports)
    is_intercepted = view is None or view.is_intercepted
    key = ("inbound", ports, modes, is_intercepted, snapshot.settings)
    return cache.get(key, _build, ports, modes, is_intercepted, snapshot.settings, cache)


def _build(
    ports: tuple[inbound_listener.InboundPort, ...],
    modes: peer_authentications.PeerModes,
    is_intercepted: bool,
    settings: settings_.MeshSettings,
    cache: caching.Cache,
) -> built.Part:
    passthrough = clusters.build_inbound_passthrough(settings)
    parts = [built.finish(type_urls.CLUSTER, passthrough.name, passthrough, (), cache)]
    if is_intercepted:
        refs = tuple(dict.fromkeys(port.service.ref for port in ports if not port.is_bound))
        listener = inbound_listener.build(ports, modes, settings)
        parts.append(built.finish(type_urls.LISTENER, listener.name, listener, refs, cache))
    for port in ports:
        if port.is_bound:
            bound = inbound_listener.build_bound(port, modes, settings)
            parts.append(built.finish(type_urls.LISTENER, bound.name, bound, (port.service.ref,), cache))
        cluster = clusters.build_inbound(
            port.number,
            port.service,
            port.port.protocol,
            settings,
            pool=port.pool,
            endpoint=port.endpoint,
        )
        parts.append(built.finish(type_urls.CLUSTER, cluster.name, cluster, (port.service.ref,), cache))
    return built.part_of(parts)
