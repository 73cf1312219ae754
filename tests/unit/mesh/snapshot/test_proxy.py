"""Proxies as pods describe them."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_pod_says_which_statistics_its_proxy_keeps() -> None:
    annotations = {
        "proxy.istio.io/config": "proxyStatsMatcher: {inclusionPrefixes: [cluster.outbound]}",
        "sidecar.istio.io/statsInclusionSuffixes": "rq_time, cx_total",
    }
    pod = {"metadata": {"name": "p", "annotations": annotations}}
    found = proxies.build_proxy(pod, ip="10.0.0.1")
    assert found.stats_inclusions == (
        ("prefix", "cluster.outbound"),
        ("suffix", "rq_time"),
        ("suffix", "cx_total"),
    )


def test_configuration_nobody_can_read_is_refused() -> None:
    pod = {"metadata": {"name": "p", "annotations": {"proxy.istio.io/config": "[1]"}}}
    with pytest.raises(ValueError, match=r"annotation proxy\.istio\.io/config cannot be read"):
        proxies.build_proxy(pod, ip="10.0.0.1")
