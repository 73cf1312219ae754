"""Services: addresses and node ports over their life."""

from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import SERVICES, ApiError, JsonObject
from bookmesh.kube.api import verbs


def _service(name: str = "web", **spec: object) -> JsonObject:
    ports = [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"ports": ports, **spec}}


def test_cluster_ip_is_given_and_kept(over: verbs.Verbs) -> None:
    first = over.create(SERVICES, _service()).object["spec"]
    assert first["clusterIPs"] == [first["clusterIP"]]
    assert over.create(SERVICES, _service("other")).object["spec"]["clusterIP"] != first["clusterIP"]
    after = over.update(SERVICES, "web", "default", _service(selector={"app": "web"})).object["spec"]
    assert after["clusterIP"] == first["clusterIP"]


def test_wanted_cluster_ip_and_headless(over: verbs.Verbs) -> None:
    assert over.create(SERVICES, _service(clusterIP="10.96.0.10")).object["spec"]["clusterIP"] == "10.96.0.10"
    with pytest.raises(ApiError, match="provided IP is already allocated") as refusal:
        over.create(SERVICES, _service("other", clusterIP="10.96.0.10"))
    assert refusal.value.code == 422
    headless = over.create(SERVICES, _service("headless", clusterIP="None")).object["spec"]
    assert headless["clusterIPs"] == ["None"]


def test_external_name_has_no_address(over: verbs.Verbs) -> None:
    created = over.create(SERVICES, _service(type="ExternalName", externalName="example.com")).object
    assert "clusterIP" not in created["spec"]


def test_address_of_a_deleted_service_is_free_again(over: verbs.Verbs) -> None:
    first = over.create(SERVICES, _service()).object["spec"]["clusterIP"]
    over.delete(SERVICES, "web", "default")
    assert over.create(SERVICES, _service("other")).object["spec"]["clusterIP"] == first


def test_node_ports_are_given_kept_and_released(over: verbs.Verbs) -> None:
    created = over.create(SERVICES, _service(type="LoadBalancer")).object["spec"]
    given = [port["nodePort"] for port in created["ports"]]
    assert len(set(given)) == 2
    kept = over.update(SERVICES, "web", "default", _service(type="NodePort")).object["spec"]
    assert [port["nodePort"] for port in kept["ports"]] == given
    patch = {"spec": {"type": "ClusterIP"}}
    released = over.patch(SERVICES, "web", "default", patch, patch_type="strategic").object["spec"]
    assert not any("nodePort" in port for port in released["ports"])


def test_wanted_node_port(over: verbs.Verbs) -> None:
    wanted = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}
    assert over.create(SERVICES, _service(**wanted)).object["spec"]["ports"][0]["nodePort"] == 30080
    with pytest.raises(ApiError, match="provided port is already allocated"):
        over.create(SERVICES, _service("other", **wanted))


def test_load_balancer_status_goes_with_the_type(over: verbs.Verbs) -> None:
    over.create(SERVICES, _service(type="LoadBalancer"))
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "127.97.0.1"}]}}}
    over.patch(SERVICES, "web", "default", status, patch_type="merge", subresource="status")
    after = over.update(SERVICES, "web", "default", _service(type="NodePort")).object
    assert after["status"] == {"loadBalancer": {}}
