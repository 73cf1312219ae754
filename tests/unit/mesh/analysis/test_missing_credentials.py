"""BM0209: secrets that a gateway lacks."""

from __future__ import annotations

from typing import Any

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import missing_credentials

POD = {
    "kind": "Pod",
    "metadata": {"name": "gw", "namespace": "edge", "labels": {"istio": "gw"}},
    "spec": {"containers": [{"name": "istio-proxy"}]},
    "status": {"podIP": "10.0.0.1"},
}


def gateway(**tls: Any) -> dict[str, Any]:
    server = {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*"], "tls": tls}
    return small.istio("Gateway", selector={"istio": "gw"}, servers=[server])


def test_secret_is_looked_for_where_the_gateway_runs() -> None:
    broken = gateway(mode="MUTUAL", credentialName="web", caCertCredentialName="trusted")
    found = [*missing_credentials.check(small.snapshot(POD, broken))]
    assert [finding.where.rpartition(".")[2] for finding in found] == [
        "credentialName",
        "caCertCredentialName",
    ]
    assert 'secret "web" in namespace edge, which does not exist' in found[0].message


def test_rule_needs_its_secret_where_a_gateway_runs() -> None:
    tls = {"mode": "MUTUAL", "credentialName": "client"}
    rule = small.istio("DestinationRule", host="a.b", trafficPolicy={"tls": tls})
    (finding,) = small.about_rules(missing_credentials.check_rule, POD, gateway(mode="ISTIO_MUTUAL"), rule)
    assert 'secret "client" in namespace edge, which does not exist' in finding.message


def test_only_secrets_of_people_count_and_only_where_a_gateway_runs() -> None:
    assert not [*missing_credentials.check(small.snapshot(POD, gateway(mode="ISTIO_MUTUAL")))]
    assert not [*missing_credentials.check(small.snapshot(gateway(mode="SIMPLE", credentialName="web")))]
