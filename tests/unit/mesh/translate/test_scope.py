"""What proxies of one namespace see."""

from __future__ import annotations

from typing import Any

from tests.golden.translate import worlds

from bookmesh.mesh.translate import scope as scopes


def pod(name: str, account: str, **labels: str) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web", **labels}},
        "spec": {"serviceAccountName": account, "containers": []},
        "status": {"podIP": f"10.0.0.{len(name)}"},
    }


def build_scope(*objects: dict[str, Any]) -> scopes.Scope:
    spec = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}
    service = {"kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    snapshot = worlds.build([service, *objects], {}).snapshot
    return scopes.build_scope(snapshot, namespace="default", is_router=False, labels={})


def test_identities_are_those_of_all_pods_behind_a_service() -> None:
    scope = build_scope(pod("a", "one"), pod("bb", "two"), pod("ccc", "one"))
    peers = scope.peers_of(scope.services["web.default.svc.cluster.local"], 80)
    assert peers.ids == (
        "spiffe://cluster.local/ns/default/sa/one",
        "spiffe://cluster.local/ns/default/sa/two",
    )


def test_identities_do_not_depend_on_readiness() -> None:
    unready = {
        "kind": "EndpointSlice",
        "metadata": {"name": "web", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "http", "port": 80}],
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}],
    }
    scope = build_scope(pod("a", "one"), unready)
    peers = scope.peers_of(scope.services["web.default.svc.cluster.local"], 80)
    assert (len(peers.ids), peers.all_speak_mtls) == (1, False)


def test_all_speak_mtls_only_when_every_endpoint_does() -> None:
    tls = {"security.istio.io/tlsMode": "istio"}
    service = "web.default.svc.cluster.local"
    both = build_scope(pod("a", "one", **tls), pod("bb", "one", **tls))
    assert both.peers_of(both.services[service], 80).all_speak_mtls
    one = build_scope(pod("a", "one", **tls), pod("bb", "one"))
    assert not one.peers_of(one.services[service], 80).all_speak_mtls
    assert not build_scope().peers_of(both.services[service], 80).all_speak_mtls
