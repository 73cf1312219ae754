"""Certificates that the cluster signs: asked for, approved or denied, and good for a user whom RBAC knows."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.clients.conftest import Cluster

CLIENT = "kubernetes.io/kube-apiserver-client"
SERVING = "kubernetes.io/kubelet-serving"


def pem_request(key: ec.EllipticCurvePrivateKey, name: str, *groups: str, host: str = "") -> str:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return base64.b64encode(made).decode()


def request(name: str, text: str, **spec: Any) -> str:
    wanted = {"request": text, "signerName": CLIENT, "usages": ["client auth", "digital signature"], **spec}
    return yaml.safe_dump(
        {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": wanted,
        }
    )


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


async def status_of(cluster: Cluster, name: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(await cluster.ok("get", "csr", name, "-o", "json"))
    return found["status"]  # type: ignore[no-any-return]


@pytest.mark.covers("kubectl", "certificate approve")
async def test_a_user_with_a_signed_certificate_may_do_what_roles_allow(
    cluster: Cluster, key: ec.EllipticCurvePrivateKey
) -> None:
    text = pem_request(key, "ann", "people")
    await cluster.ok("apply", "-f", "-", stdin=request("ann", text, expirationSeconds=3600))
    table = (await cluster.ok("get", "csr")).splitlines()[1].split()
    assert (table[0], table[2:]) == ("ann", [CLIENT, "tester", "60m", "Pending"])
    await cluster.ok("certificate", "approve", "ann")
    status = await status_of(cluster, "ann")
    assert [entry["type"] for entry in status["conditions"]] == ["Approved"]
    assert "Approved,Issued" in await cluster.ok("get", "csr", "ann")
    paths = {"crt": cluster.directory / "ann.crt", "key": cluster.directory / "ann.key"}
    paths["crt"].write_bytes(base64.b64decode(status["certificate"]))
    paths["key"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    await cluster.ok(
        "config",
        "set-credentials",
        "ann",
        f"--client-certificate={paths['crt']}",
        f"--client-key={paths['key']}",
    )
    as_ann = ("--user=ann", "--cluster=test", "--context=")
    assert 'User "ann" cannot list resource "pods"' in await cluster.fails(*as_ann, "get", "pods")
    await cluster.ok("create", "clusterrolebinding", "people", "--clusterrole=view", "--group=people")
    await cluster.ok(*as_ann, "get", "pods")
    assert "ann" in await cluster.ok(*as_ann, "auth", "whoami")


async def test_a_certificate_says_what_it_is_for_and_for_how_long(
    cluster: Cluster, key: ec.EllipticCurvePrivateKey
) -> None:
    text = pem_request(key, "system:node:n1", "system:nodes", host="n1")
    await cluster.ok(
        "apply", "-f", "-", stdin=request("n1", text, signerName=SERVING, usages=["server auth"])
    )
    await cluster.ok("certificate", "approve", "n1")
    made = x509.load_pem_x509_certificate(base64.b64decode((await status_of(cluster, "n1"))["certificate"]))
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["n1"]
    lifetime = made.not_valid_after_utc - made.not_valid_before_utc
    assert 364 < lifetime.days <= 366


@pytest.mark.covers("kubectl", "certificate deny")
async def test_a_denied_request_is_not_signed(cluster: Cluster, key: ec.EllipticCurvePrivateKey) -> None:
    await cluster.ok("apply", "-f", "-", stdin=request("ann", pem_request(key, "ann")))
    await cluster.ok("certificate", "deny", "ann")
    status = await status_of(cluster, "ann")
    assert [entry["type"] for entry in status["conditions"]] == ["Denied"]
    assert "certificate" not in status


@pytest.mark.parametrize(
    ("spec", "name", "groups", "why"),
    [
        ({"usages": ["server auth"]}, "ann", (), "usages did not match"),
        ({"signerName": SERVING, "usages": ["server auth"]}, "system:node:a", ("x",), "organization is not"),
        ({"signerName": SERVING, "usages": ["server auth"]}, "a", ("system:nodes",), "does not begin with"),
    ],
)
async def test_what_a_signer_does_not_sign_has_failed(
    cluster: Cluster,
    key: ec.EllipticCurvePrivateKey,
    spec: dict[str, Any],
    name: str,
    groups: tuple[str, ...],
    why: str,
) -> None:
    await cluster.ok("apply", "-f", "-", stdin=request("a", pem_request(key, name, *groups), **spec))
    await cluster.ok("certificate", "approve", "a")
    status = await status_of(cluster, "a")
    failed = status["conditions"][-1]
    assert (failed["type"], failed["reason"]) == ("Failed", "SignerValidationFailure")
    assert why in failed["message"]
    assert "certificate" not in status


async def test_a_signer_that_nobody_plays_signs_nothing(
    cluster: Cluster, key: ec.EllipticCurvePrivateKey
) -> None:
    text = pem_request(key, "ann")
    await cluster.ok("apply", "-f", "-", stdin=request("a", text, signerName="example.com/own"))
    await cluster.ok("certificate", "approve", "a")
    status = await status_of(cluster, "a")
    assert [entry["type"] for entry in status["conditions"]] == ["Approved"]
    assert "certificate" not in status


async def test_nobody_becomes_a_master_by_a_certificate(
    cluster: Cluster, key: ec.EllipticCurvePrivateKey
) -> None:
    text = await cluster.fails(
        "apply", "-f", "-", stdin=request("a", pem_request(key, "ann", "system:masters"))
    )
    assert f"use of {CLIENT} signer with system:masters group is not allowed" in text


async def test_who_approves_must_be_allowed_to_for_the_signer(
    cluster: Cluster, key: ec.EllipticCurvePrivateKey
) -> None:
    await cluster.ok("apply", "-f", "-", stdin=request("a", pem_request(key, "ann")))
    rules = [
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["certificatesigningrequests", "certificatesigningrequests/approval"],
            "verbs": ["get", "list", "update"],
        }
    ]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "approver"},
        "rules": rules,
    }
    await cluster.ok("apply", "-f", "-", stdin=yaml.safe_dump(role))
    await cluster.ok("create", "clusterrolebinding", "bob", "--clusterrole=approver", "--user=bob")
    text = await cluster.fails("--as=bob", "certificate", "approve", "a")
    assert f'user not permitted to approve requests with signerName "{CLIENT}"' in text
    signers = {
        "apiGroups": ["certificates.k8s.io"],
        "resources": ["signers"],
        "resourceNames": ["kubernetes.io/*"],
        "verbs": ["approve"],
    }
    await cluster.ok("apply", "-f", "-", stdin=yaml.safe_dump({**role, "rules": [*rules, signers]}))
    await cluster.ok("--as=bob", "certificate", "approve", "a")
