"""What a sidecar takes traffic in with: the inbound listener and the clusters of its application's ports."""

from __future__ import annotations

from bookmesh.mesh.model import connection_pools
from bookmesh.mesh.snapshot import peer_authentications
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import settings as settings_
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.translate import built, caching, clusters, inbound_listener
from bookmesh.mesh.wire import type_urls


def build(proxy: proxies.Proxy, snapshot: snapshots.MeshSnapshot, cache: caching.Cache) -> built.Part:
    """Build the inbound side of one sidecar; replicas of one workload share it."""
    ports = inbound_listener.ports_of(proxy, snapshot)
    modes = snapshot.peers.modes_for(proxy.namespace, proxy.labels)
    view = snapshot.view_for(proxy)
    pool = view.inbound_pool if view is not None else None
    key = ("inbound", ports, modes, pool, snapshot.settings)
    return cache.get(key, _build, ports, modes, pool, snapshot.settings, cache)


def _build(
    ports: tuple[inbound_listener.InboundPort, ...],
    modes: peer_authentications.PeerModes,
    pool: connection_pools.ConnectionPool | None,
    settings: settings_.MeshSettings,
    cache: caching.Cache,
) -> built.Part:
    refs = tuple(dict.fromkeys(port.service.ref for port in ports))
    listener = inbound_listener.build(ports, modes, settings)
    passthrough = clusters.build_inbound_passthrough(settings)
    parts = [
        built.finish(type_urls.LISTENER, listener.name, listener, refs, cache),
        built.finish(type_urls.CLUSTER, passthrough.name, passthrough, (), cache),
    ]
    for port in ports:
        cluster = clusters.build_inbound(
            port.number,
            port.service,
            port.port.protocol,
            settings,
            pool=port.pool or pool,
            endpoint=port.endpoint,
        )
        parts.append(built.finish(type_urls.CLUSTER, cluster.name, cluster, (port.service.ref,), cache))
    return built.part_of(parts)
