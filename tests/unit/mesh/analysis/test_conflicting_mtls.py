"""BM0241: DestinationRules that offer what a workload does not take."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import conflicting_mtls


def web(*, has_sidecar: bool = True) -> list[dict[str, Any]]:
    labels = {"app": "web"} | ({"security.istio.io/tlsMode": "istio"} if has_sidecar else {})
    spec = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    return [
        {"kind": "Service", "metadata": {"name": "web"}, "spec": spec},
        {
            "kind": "Pod",
            "metadata": {"name": "web-1", "labels": labels},
            "spec": {"containers": []},
            "status": {"podIP": "10.0.0.1"},
        },
    ]


def policy(**spec: Any) -> dict[str, Any]:
    return {**small.istio("PeerAuthentication", **spec), "apiVersion": "security.istio.io/v1"}


def findings(mode: str, *objects: dict[str, Any]) -> list[Any]:
    rule = small.istio("DestinationRule", "rule", host="web", trafficPolicy={"tls": {"mode": mode}})
    return small.about_rules(conflicting_mtls.check, *objects, rule)


@pytest.mark.parametrize(
    ("client", "server", "is_fine"),
    [
        ("DISABLE", "STRICT", False),
        ("SIMPLE", "STRICT", False),
        ("ISTIO_MUTUAL", "STRICT", True),
        ("ISTIO_MUTUAL", "DISABLE", False),
        ("DISABLE", "DISABLE", True),
        ("DISABLE", "PERMISSIVE", True),
        ("ISTIO_MUTUAL", "PERMISSIVE", True),
    ],
)
def test_client_and_server_must_agree(client: str, server: str, is_fine: bool) -> None:
    found = findings(client, *web(), policy(mtls={"mode": server}))
    assert (found == []) is is_fine
    assert all((f.code, f.where) == ("BM0241", "spec.trafficPolicy.tls.mode") for f in found)


def test_the_port_of_the_pod_counts() -> None:
    selector = {"matchLabels": {"app": "web"}}
    at_8080 = policy(selector=selector, portLevelMtls={"8080": {"mode": "DISABLE"}})
    at_80 = policy(selector=selector, portLevelMtls={"80": {"mode": "DISABLE"}})
    assert len(findings("ISTIO_MUTUAL", *web(), at_8080)) == 1
    assert findings("ISTIO_MUTUAL", *web(), at_80) == []


def test_mtls_to_a_pod_without_sidecar_is_reported() -> None:
    (finding,) = findings("ISTIO_MUTUAL", *web(has_sidecar=False))
    assert "default/web-1 has no sidecar" in finding.message


def test_policies_of_subsets_and_ports_are_named_by_their_place() -> None:
    ports = [{"port": {"number": 80}, "tls": {"mode": "DISABLE"}}]
    rule = small.istio(
        "DestinationRule",
        "rule",
        host="web",
        trafficPolicy={"tls": {"mode": "ISTIO_MUTUAL"}, "portLevelSettings": ports},
        subsets=[{"name": "v1", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}],
    )
    strict = policy(mtls={"mode": "STRICT"})
    found = small.about_rules(conflicting_mtls.check, *web(), strict, rule)
    assert [f.where for f in found] == [
        "spec.trafficPolicy.portLevelSettings[0].tls.mode",
        "spec.subsets[0].trafficPolicy.tls.mode",
    ]


def test_what_a_gateway_takes_is_said_by_its_servers() -> None:
    server = {
        "port": {"number": 80, "name": "https", "protocol": "HTTPS"},
        "hosts": ["*"],
        "tls": {"mode": "ISTIO_MUTUAL"},
    }
    gateway = small.istio("Gateway", "edge", selector={"app": "web"}, servers=[server])
    assert len(findings("ISTIO_MUTUAL", *web(has_sidecar=False))) == 1
    assert findings("ISTIO_MUTUAL", *web(has_sidecar=False), gateway) == []
