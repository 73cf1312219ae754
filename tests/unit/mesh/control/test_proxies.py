from __future__ import annotations

import pytest

from bookmesh.mesh.control import proxies


def pod(ip="10.244.0.7", **annotations):
    metadata = {"name": "sleep", "namespace": "default", "uid": "u1", "annotations": annotations}
    return {"metadata": metadata, "spec": {"containers": []}, "status": {"podIP": ip}}


def test_a_pod_has_a_sidecar_unless_its_template_says_gateway():
    assert proxies.build_proxy(pod(), domain="cluster.local").id == (
        "sidecar~10.244.0.7~sleep.default~default.svc.cluster.local"
    )
    gateway = pod(**{"inject.istio.io/templates": "gateway"})
    assert proxies.build_proxy(gateway, domain="cluster.local").type == "router"


def test_a_pod_without_an_address_is_refused():
    with pytest.raises(ValueError, match="default/sleep has no address yet"):
        proxies.build_proxy(pod(ip=""), domain="cluster.local")
