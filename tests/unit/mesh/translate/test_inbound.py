"""The inbound side of a sidecar as resources."""

from __future__ import annotations

from tests.golden.translate import worlds

from bookmesh.mesh.translate import caching, inbound
from bookmesh.mesh.wire import type_urls


def test_pod_without_service_takes_connections_on_any_port() -> None:
    pod = {
        "kind": "Pod",
        "metadata": {"name": "alone"},
        "spec": {"containers": []},
        "status": {"podIP": "10.0.0.1"},
    }
    world = worlds.build([pod], {"proxy": "default/alone"})
    assert world.proxy is not None
    built = inbound.build(world.proxy, world.snapshot, caching.Cache()).built
    assert list(built[type_urls.LISTENER]) == ["virtualInbound"]
    assert list(built[type_urls.CLUSTER]) == ["InboundPassthroughCluster"]
