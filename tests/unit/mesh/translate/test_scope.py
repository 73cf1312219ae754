"""What proxies of one namespace see."""

from __future__ import annotations

from typing import Any

from tests.golden.translate import worlds
from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import sidecars
from bookmesh.mesh.translate import localities
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


def test_sidecar_hides_services_and_keeps_destinations_of_what_it_shows() -> None:
    route = {"route": [{"destination": {"host": "other"}}]}
    snapshot = small.snapshot(
        *(small.service(name) for name in ("web", "other", "hidden")),
        small.istio("VirtualService", hosts=["web"], http=[route]),
        small.istio("Sidecar", egress=[{"hosts": ["./web.default.svc.cluster.local"]}]),
    )
    view = sidecars.view_for("default", {}, snapshot.configs, root_namespace="istio-system")
    found = scopes.build_scope(snapshot, namespace="default", is_router=False, labels={}, view=view)
    assert [service.name for service in found.services.values()] == ["other", "web"]


def test_place_of_a_caller_counts_only_when_some_rule_asks() -> None:
    labels = {"istio-locality": "eu.a.1", "version": "v1", "app": "a"}
    pod = {"metadata": {"name": "p", "labels": labels}}
    proxy = proxies.build_proxy(pod, ip="10.0.0.1")
    policy = {"loadBalancer": {"localityLbSetting": {"failoverPriority": ["version", "x=1"]}}}
    rule = small.istio("DestinationRule", host="web", trafficPolicy=policy)
    assert scopes.caller_for(small.snapshot(), proxy) == localities.Caller()
    found = scopes.caller_for(small.snapshot(rule), proxy)
    assert (found.locality.region, found.labels) == ("eu", {"version": "v1"})
    policy = {"loadBalancer": {"localityLbSetting": {"failoverPriority": ["version=v1"]}}}
    rule = small.istio("DestinationRule", host="web", trafficPolicy=policy)
    assert not scopes.caller_for(small.snapshot(rule), proxy).labels
