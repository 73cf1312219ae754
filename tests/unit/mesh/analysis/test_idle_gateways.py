"""BM0208: Gateways whose selector finds no pod."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import idle_gateways

POD = {
    "kind": "Pod",
    "metadata": {"name": "gw", "namespace": "istio-system", "labels": {"istio": "ingressgateway"}},
    "spec": {"containers": []},
    "status": {"podIP": "10.0.0.1"},
}


def test_gateway_with_a_pod_in_any_namespace_is_fine() -> None:
    gateway = small.istio("Gateway", selector={"istio": "ingressgateway"})
    assert list(idle_gateways.check(small.snapshot(POD, gateway))) == []


def test_gateway_without_pod_is_reported_with_labels_that_exist() -> None:
    gateway = small.istio("Gateway", selector={"istio": "ingresgateway"})
    (finding,) = idle_gateways.check(small.snapshot(POD, gateway))
    assert (finding.code, finding.severity, finding.known) == ("BM0208", "warning", "ingressgateway")
    assert "istio=ingresgateway" in finding.message
