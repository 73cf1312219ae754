"""Proxies as pods describe them."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.snapshot import proxy as proxies


def pod(*args: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"serviceAccountName": "web", "containers": [{"name": "istio-proxy", "args": list(args)}]},
    }


def test_id_is_written_as_istio_does() -> None:
    proxy = proxies.build_proxy(pod("proxy", "sidecar"), ip="10.0.0.1")
    assert proxy.id == "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local"
    assert (proxy.namespace, proxy.name, proxy.service_account) == ("shop", "web-1", "web")
    assert proxy.labels == {"app": "web"}


def test_arguments_tell_a_gateway_unless_the_type_is_given() -> None:
    assert proxies.build_proxy(pod("proxy", "router"), ip="10.0.0.1").type == "router"
    assert proxies.build_proxy(pod(), ip="10.0.0.1").type == "sidecar"
    assert proxies.build_proxy(pod(), ip="10.0.0.1", proxy_type="router").type == "router"
