"""Services, EndpointSlices and Pods put together."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.registry import registry, services


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "web"}]
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"clusterIP": "10.96.0.5", "selector": {"app": name}, "ports": ports, **spec},
    }


def endpoint_slice(*endpoints: dict[str, Any], name: str = "web", port: int | None = 8080) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-x",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": name},
        },
        "ports": [{"name": "http", "port": port}],
        "endpoints": list(endpoints),
    }


def pod(name: str, ip: str, phase: str = "Running") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "labels": {"app": "web"}}
    return {"metadata": metadata, "spec": {}, "status": {"podIP": ip, "phase": phase}}


HOST = "web.shop.svc.cluster.local"


def build(
    slices: list[dict[str, Any]], pods: list[dict[str, Any]] | None = None, **spec: Any
) -> registry.Registry:
    return registry.build([service(**spec)], slices, pods or [], [])


def endpoints(found: registry.Registry) -> tuple[registry.Endpoint, ...]:
    return found.endpoints_of(found.services[HOST], 80)


def test_endpoints_are_known_by_host_and_service_port_in_order_of_address() -> None:
    slices = [
        endpoint_slice({"addresses": ["10.0.0.10"]}),
        endpoint_slice({"addresses": ["10.0.0.9", "10.0.0.10"]}),
    ]
    found = endpoints(build(slices))
    assert [(e.ip, e.port) for e in found] == [("10.0.0.9", 8080), ("10.0.0.10", 8080)]


def state(ip: str, **conditions: bool | None) -> dict[str, Any]:
    return {"addresses": [ip], "conditions": conditions}


def test_endpoint_that_is_not_ready_is_known_as_such_and_one_that_goes_away_is_not() -> None:
    states = [
        state("10.0.0.7", ready=False, terminating=True, serving=True),
        state("10.0.0.8", ready=False, terminating=True, serving=False),
        state("10.0.0.9", ready=False, terminating=False),
        state("10.0.0.10", ready=None),
    ]
    found = build([endpoint_slice(*states)])
    assert [(e.ip, e.health) for e in endpoints(found)] == [("10.0.0.9", "unready"), ("10.0.0.10", "ready")]
    assert found.is_served(found.services[HOST], 80)
    unready = build([endpoint_slice(states[2])])
    assert not unready.is_served(unready.services[HOST], 80)


def test_what_one_slice_calls_ready_is_ready_whatever_another_says() -> None:
    slices = [endpoint_slice(state("10.0.0.9", ready=each, terminating=False)) for each in (True, False)]
    for order in (slices, slices[::-1]):
        assert [e.health for e in endpoints(build(order))] == ["ready"]


def test_endpoint_that_drains_stays_for_services_that_keep_sessions() -> None:
    web = service()
    web["metadata"]["labels"] = {"istio.io/persistent-session": "session"}
    draining = pod("web-2", "10.0.0.8")
    draining["metadata"]["labels"]["istio.io/draining"] = "yes"
    slices = [
        endpoint_slice(state("10.0.0.7", ready=False, terminating=True), state("10.0.0.8"), state("10.0.0.9"))
    ]
    kept, others = (registry.build([each], slices, [draining], []) for each in (web, service()))
    assert [e.health for e in endpoints(kept)] == ["draining", "draining", "ready"]
    assert [e.ip for e in endpoints(others)] == ["10.0.0.9"]


def test_slice_of_an_unknown_service_or_port_is_left_out() -> None:
    slices = [
        endpoint_slice({"addresses": ["10.0.0.9"]}, name="gone"),
        endpoint_slice({"addresses": ["1"]}, port=None),
    ]
    assert build(slices).endpoints == {}


def test_endpoint_knows_its_pod() -> None:
    found = build([endpoint_slice({"addresses": ["10.0.0.9"]})], [pod("web-1", "10.0.0.9")])
    (endpoint,) = endpoints(found)
    assert endpoint.workload is not None
    assert endpoint.workload.pod == "web-1"
    assert endpoint.labels == {"app": "web"}


def test_address_of_a_finished_pod_belongs_to_the_running_one() -> None:
    pods = [pod("new", "10.0.0.9"), pod("old", "10.0.0.9", phase="Succeeded")]
    assert build([], pods).workloads["10.0.0.9"].pod == "new"


def test_equal_lists_in_another_order_give_an_equal_registry() -> None:
    lists = [service("a"), service("b")], [pod("x", "1.1.1.1"), pod("y", "2.2.2.2")]
    backwards = [part[::-1] for part in lists]
    assert registry.build(lists[0], [], lists[1], []) == registry.build(backwards[0], [], backwards[1], [])


def test_headless_external_and_udp_are_told_apart() -> None:
    headless = services.build_service(service(clusterIP="None"))
    assert (headless.is_headless, headless.address) == (True, "")
    external = services.build_service(
        service(type="ExternalName", externalName="a.example.com", clusterIP="")
    )
    assert (external.is_headless, external.external_name) == (False, "a.example.com")
    dns = services.build_service(service(ports=[{"name": "dns", "port": 53, "protocol": "UDP"}]))
    assert dns.ports == ()
