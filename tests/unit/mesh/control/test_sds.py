from __future__ import annotations

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2
from tests.golden.translate import worlds

from bookmesh.mesh.control import sds
from bookmesh.mesh.identity.authority import CertificateAuthority
from bookmesh.mesh.registry import workloads
from bookmesh.mesh.snapshot import proxy as proxies


def decode(encoded):
    response = discovery_pb2.DeltaDiscoveryResponse.FromString(encoded.chunk)
    secret = secret_pb2.Secret()
    assert response.resources[0].resource.Unpack(secret)
    return secret


def test_a_workload_gets_its_certificate_and_the_root(tmp_path):
    certificate = CertificateAuthority.open(tmp_path).issue(namespace="default", service_account="sleep")
    secrets = {name: decode(encoded) for name, encoded in sds.build_secrets(certificate).items()}
    assert secrets.keys() == {"default", "ROOTCA"}
    assert secrets["default"].tls_certificate.certificate_chain.inline_bytes == certificate.chain
    assert secrets["default"].tls_certificate.private_key.inline_bytes == certificate.key
    assert secrets["ROOTCA"].validation_context.trusted_ca.inline_bytes == certificate.root


def test_a_gateway_gets_the_secrets_of_its_namespace_that_somebody_names():
    server = {
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "hosts": ["*"],
        "tls": {"mode": "MUTUAL", "credentialName": "web"},
    }
    about = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "g"}}
    secrets = {"edge/web": "both", "other/web": "pair", "edge/unused": "pair"}
    world = worlds.build([about | {"spec": {"servers": [server]}}], {"secrets": secrets})
    edge, other = (sds.build_credentials(world.snapshot, namespace) for namespace in ("edge", "other"))
    assert edge.keys() == {"kubernetes://web", "kubernetes://web-cacert"}
    assert other.keys() == {"kubernetes://web"}
    assert sds.build_credentials(world.snapshot, "default") == {}
    pair = world.snapshot.credentials.pair("edge", "web")
    assert decode(edge["kubernetes://web"]).tls_certificate.private_key.inline_bytes == pair.key
    assert edge["kubernetes://web"].version != other["kubernetes://web"].version


def test_a_sidecar_gets_the_secrets_of_rules_that_are_for_it():
    def rule(name, namespace, labels, credential):
        spec = {
            "host": "partner.example",
            "trafficPolicy": {"tls": {"mode": "MUTUAL", "credentialName": credential}},
        }
        spec |= {"workloadSelector": {"matchLabels": labels}} if labels else {}
        metadata = {"name": name, "namespace": namespace}
        return {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": metadata,
            "spec": spec,
        }

    rules = [
        rule("one", "shop", {"app": "customer"}, "mine"),
        rule("two", "shop", {"app": "other"}, "others"),
        rule("three", "away", {"app": "customer"}, "away"),
        rule("four", "shop", {}, "for-gateways"),
    ]
    secrets = {f"shop/{name}": "both" for name in ("mine", "others", "away", "for-gateways")}
    snapshot = worlds.build(rules, {"secrets": secrets}).snapshot
    workload = workloads.Workload(
        "customer", "shop", "customer-1", "10.0.0.1", "default", {"app": "customer"}
    )
    names = sds.names_for(proxies.Proxy("id", "sidecar", workload), sds.selections(snapshot))
    assert names == {"mine"}
    built = sds.build_credentials(snapshot, "shop", names)
    assert built.keys() == {"kubernetes://mine", "kubernetes://mine-cacert"}
