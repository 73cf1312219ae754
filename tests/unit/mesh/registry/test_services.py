"""Services: visibility, selection and target ports."""

from __future__ import annotations

from bookmesh.mesh.registry import services, workloads
from bookmesh.mesh.registry.protocols import Protocol

WORKLOAD = workloads.Workload("web", "shop", "web-1", "10.0.0.1", "default", ports={"http": 8000})


def service(**fields: object) -> services.Service:
    return services.Service(hostname="web.shop.svc.cluster.local", name="web", namespace="shop", **fields)


def test_annotation_says_who_sees_a_service() -> None:
    plain = services.build_service({"metadata": {"name": "web", "namespace": "shop"}, "spec": {}})
    assert plain.export_to == ()
    annotations = {"networking.istio.io/exportTo": "., friends"}
    metadata = {"name": "web", "namespace": "shop", "annotations": annotations}
    built = services.build_service({"metadata": metadata, "spec": {}})
    assert built.export_to == (".", "friends")


def test_service_without_selector_selects_nothing() -> None:
    assert not service().selects({"app": "web"})
    assert service(selector={"app": "web"}).selects({"app": "web", "version": "v1"})
    assert not service(selector={"app": "web", "tier": "x"}).selects({"app": "web"})


def test_target_port_is_a_number_or_found_by_name() -> None:
    def target(value: int | str) -> int | None:
        return services.target_port(services.ServicePort("http", 80, Protocol.HTTP, value), WORKLOAD)

    assert (target(8080), target("http"), target("nothing")) == (8080, 8000, None)


def test_target_port_defaults_to_the_port_itself() -> None:
    spec = {"ports": [{"name": "http", "port": 80}]}
    built = services.build_service({"metadata": {"name": "web"}, "spec": spec})
    assert built.ports[0].target == 80
